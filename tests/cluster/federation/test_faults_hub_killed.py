import os
import random
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    check_ledger,
    check_log,
    check_nothing_left,
    delete_jobs,
    wait_complete,
)
from tests.cluster.federation.writes import Writes

from federation import Federation, compute_job, job_spec
from testbed import Machine, wait_for

MEMBERS = {
    "east": [Machine("e1", "8", "32Gi"), Machine("e2", "8", "32Gi")],
    "west": [Machine("w1", "8", "32Gi"), Machine("w2", "8", "32Gi")],
}
JOBS = 100
KILLS = 5


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods of the module; at its end the hub's log is looked through."""
    fed.join("east", tier="Edge")  # so that a job can ask for it
    with PodRecorder({name: fed.clusters[name] for name in MEMBERS}) as recorder:
        yield recorder
    check_log(fed)


def _work(chance: random.Random, name: str) -> tuple[dict[str, Any], int]:
    """A job of 1 or 2 seconds and its completions: every other one Indexed, with 2 to 4 of them."""
    completions = chance.randint(2, 4) if chance.random() < 0.5 else 1
    template = job_spec(
        run_seconds=str(chance.randint(1, 2)),
        completions=completions if completions > 1 else None,
        parallelism=chance.randint(1, completions),
    )
    return compute_job(name, template), completions


def _clear(fed: Federation) -> None:
    delete_jobs(fed)
    check_nothing_left(fed, MEMBERS)


def test_hub_killed_at_random_moments(fed: Federation, recorder: PodRecorder) -> None:
    """The hub is killed five times in a run of 100 jobs: each index succeeds once, all is billed, nothing is left."""
    seed = int(os.environ.get("ISTHMUS_TEST_SEED") or random.SystemRandom().randrange(2**32))
    chance = random.Random(seed)  # noqa: S311 - moments to kill at need no secrecy
    print(f"ISTHMUS_TEST_SEED={seed}")  # noqa: T201 - pytest shows it where the test fails
    jobs: dict[str, int] = {}

    def submit(count: int) -> None:
        manifests = []
        for _ in range(count):
            manifest, completions = _work(chance, f"killed-{len(jobs)}")
            jobs[manifest["metadata"]["name"]] = completions
            manifests.append(manifest)
        fed.hub.apply(manifests)

    for number in range(KILLS):
        submit(JOBS // KILLS // 2)
        moment = chance.uniform(0.2, 3.0)
        time.sleep(moment)
        fed.process.kill()
        done = sum(job.get("status", {}).get("phase") == "Succeeded" for job in fed.items("computejobs"))
        print(f"kill {number + 1}: after {moment:.2f} s, {done} of {len(jobs)} jobs complete")  # noqa: T201 - as above
        submit(JOBS // KILLS // 2)  # while no hub is there
        fed.process.start()
    wait_complete(fed, jobs, seconds=180)

    assert len(jobs) == JOBS
    check_each_index_once(fed, recorder.runs(), jobs)
    check_ledger(fed, recorder.runs())
    _clear(fed)
    check_ledger(fed, recorder.runs())


# Where the write is seen, and what it is: (cluster, verb, resource, subresource).
WRITES = {
    "pinned": ("hub", "patch", "computejobs", ""),
    "dispatched": ("hub", "create", "dispatches", ""),
    "accepted": ("hub", "patch", "dispatches", "status"),
    "namespace": ("east", "create", "namespaces", ""),
    "created": ("east", "create", "jobs", ""),
    "released": ("east", "patch", "pods", ""),
    "told": ("hub", "patch", "computejobs", "status"),
}
ENDINGS = {
    "cancelled": ("hub", "patch", "dispatches", ""),
    "deleted": ("east", "delete", "jobs", ""),
    "cleared": ("hub", "patch", "dispatches", "status"),
    "removed": ("hub", "delete", "dispatches", ""),
}


def _kill_after(fed: Federation, writes: Writes, kind: tuple[str, str, str]) -> None:
    writes.wait(kind, 30)
    fed.process.kill()
    fed.process.start()


@pytest.mark.parametrize("write", WRITES)
def test_hub_killed_right_after_a_write(fed: Federation, recorder: PodRecorder, write: str) -> None:
    """Killed as soon as one of its writes is seen, the hub goes on as if nothing had been: each index once."""
    where, *kind = WRITES[write]
    namespace = f"after-{write}"  # the first write into a member is the tenant's namespace
    fed.namespace(namespace)
    names = {f"{write}-{number}": 2 for number in range(4)}
    template = job_spec(run_seconds="1", completions=2, parallelism=2)
    writes = Writes(fed.clusters[where])
    manifests = [compute_job(name, template, namespace=namespace, placement={"tiers": ["Edge"]}) for name in names]
    fed.hub.apply(manifests)
    _kill_after(fed, writes, (kind[0], kind[1], kind[2]))
    wait_complete(fed, names, namespace=namespace, seconds=90)
    check_each_index_once(fed, recorder.runs(), names)


# Killed between the pin and the last of its Dispatches, the next hub has to wait until no create of the former can land
# any more, 90 seconds: that is tested in simulated time.
SPLIT_WRITES = {write: WRITES[write] for write in ("accepted", "created", "told")}


@pytest.mark.parametrize("write", SPLIT_WRITES)
def test_hub_killed_right_after_a_write_for_one_of_two_parts(
    fed: Federation, recorder: PodRecorder, write: str
) -> None:
    """Killed as soon as it has written for one of a job's two parts, the hub runs both: each index once."""
    where, *kind = SPLIT_WRITES[write]
    namespace = f"after-{write}"
    name = f"split-{write}"
    template = job_spec(run_seconds="1", completions=24, parallelism=24)
    writes = Writes(fed.clusters[where])
    fed.hub.apply([compute_job(name, template, namespace=namespace, placement={"split": "ByIndex"})])
    _kill_after(fed, writes, (kind[0], kind[1], kind[2]))
    wait_complete(fed, [name], namespace=namespace, seconds=150)
    check_each_index_once(fed, recorder.runs(), {name: 24})
    assert len(fed.job(name, namespace)["status"]["shards"]) >= 2


@pytest.mark.parametrize("write", ENDINGS)
@pytest.mark.usefixtures("recorder")
def test_hub_killed_right_after_a_write_of_a_deletion(fed: Federation, write: str) -> None:
    """Killed on the way of taking running jobs down, the hub takes them down all the same, and bills what ran."""
    where, *kind = ENDINGS[write]
    names = [f"{write}-{number}" for number in range(3)]
    template = job_spec(run_seconds="3600", completions=2, parallelism=2)
    fed.hub.apply([compute_job(name, template, placement={"tiers": ["Edge"]}) for name in names])
    for name in names:
        wait_for(lambda name=name: fed.job(name).get("status", {}).get("phase") == "Running", 60, f"{name} to run")  # type: ignore[misc]
    writes = Writes(fed.clusters[where])
    fed.hub.kubectl("delete", "cjob", *names, "-n", "team-a", "--wait=false")
    _kill_after(fed, writes, (kind[0], kind[1], kind[2]))
    fed.hub.kubectl("wait", "--for=delete", *(f"cjob/{name}" for name in names), "-n", "team-a", "--timeout=60s")


def test_nothing_is_left_and_all_is_billed(fed: Federation, recorder: PodRecorder) -> None:
    """After all those kills, and with every job deleted, the members are empty and the ledger has every second."""
    for write in WRITES:
        delete_jobs(fed, f"after-{write}")
    _clear(fed)
    check_ledger(fed, recorder.runs())
