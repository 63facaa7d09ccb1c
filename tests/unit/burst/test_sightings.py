import asyncio

import pytest

from burst.sightings import Sightings


def seen() -> Sightings:
    """Two jobs of ours, and one of an earlier run that the watches show as well."""
    sightings = Sightings()
    for uid, created, dispatched, ended in (("a", 10.0, 11.5, 14.0), ("b", 10.5, 11.0, 20.0)):
        sightings.created(uid, created)
        sightings.in_member(uid, f"shard-{uid}", dispatched)
        sightings.in_member(uid, f"shard-{uid}", dispatched + 5)
        sightings.ended(uid, "Running", ended - 1)
        sightings.ended(uid, "Succeeded", ended)
    sightings.in_member("earlier", "shard-earlier", 99.0)
    sightings.ended("earlier", "Failed", 99.0)
    return sightings


def test_only_the_jobs_of_the_run_count() -> None:
    """Spans begin with the first create call and end with the last first sight of a job that was created here."""
    sightings = seen()
    assert sightings.seconds_to_last_dispatch() == 1.5
    assert sightings.seconds_to_last_end() == 10.0
    assert sorted(sightings.dispatch_seconds()) == [0.5, 1.5]
    assert sightings.dispatches() == {"a": "shard-a", "b": "shard-b"}
    assert sightings.not_succeeded() == {}


def test_a_job_that_fails_is_named() -> None:
    """A run in which a job ends otherwise than it should has no figures."""
    sightings = seen()
    sightings.created("c", 11.0)
    sightings.ended("c", "Failed", 12.0)
    assert sightings.not_succeeded() == {"c": "Failed"}


def test_waits_for_all() -> None:
    """The wait ends with the last job's sighting, and not before it."""

    async def run() -> None:
        sightings = seen()
        await sightings.all_ended(0.1)
        sightings.created("c", 11.0)
        with pytest.raises(TimeoutError):
            await sightings.all_dispatched(0.01)
        waiting = asyncio.create_task(sightings.all_dispatched(5))
        await asyncio.sleep(0)
        assert not waiting.done()
        sightings.in_member("c", "shard-c", 12.0)
        await waiting

    asyncio.run(run())
