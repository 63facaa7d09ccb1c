"""What must hold whatever failed: each index once, nothing twice at once, every second billed, nothing left behind."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, Protocol

from tests.cluster.federation.podrecorder import PodRecorder, Run

from demo.podtime import resource_seconds
from federation import Federation
from isthmus.api.names import dispatch_name
from isthmus.ledger import Ledger
from testbed import wait_for

# Lines of the hub's log that no fault of its surroundings may cause.
TROUBLE = ("Traceback", "handler failed", "session failed", "cycle failed", "callback failed")
ATTEMPTS = 16
SHARDS = 8
_NEVER = datetime.max.replace(tzinfo=UTC)


class Jobs(Protocol):
    """Whatever can list the hub's ComputeJobs."""

    def items(self, plural: str) -> list[dict[str, Any]]:
        """All objects of a kind of ours."""


@contextmanager
def recorded(fed: Federation, members: Iterable[str], *, written_off: Iterable[str] = ()) -> Iterator[PodRecorder]:
    """All pods of a module; at its end nothing is left, all is billed, and the hub's log is looked through.

    `written_off` is as for `check_ledger`, and read only at the end.
    """
    names = list(members)
    with PodRecorder({name: fed.clusters[name] for name in names}) as recorder:
        yield recorder
        delete_jobs(fed)
        check_nothing_left(fed, names)
        check_ledger(fed, recorder.runs(), written_off=written_off)
    check_log(fed)


def runs_by_index(fed: Jobs, runs: Iterable[Run], jobs: Iterable[str]) -> dict[tuple[str, int], list[Run]]:
    """The pods of these jobs by (job, index), over all members and attempts, in the order in which they started."""
    wanted = set(jobs)
    of_dispatch = {
        dispatch_name(job["metadata"]["name"], job["metadata"]["uid"], shard, attempt): job["metadata"]["name"]
        for job in fed.items("computejobs")
        for attempt in range(1, ATTEMPTS + 1)
        for shard in range(SHARDS)
        if job["metadata"]["name"] in wanted
    }
    found: dict[tuple[str, int], list[Run]] = defaultdict(list)
    for run in runs:
        job = of_dispatch.get(run.time.dispatch)
        if job in wanted:
            found[job, run.index].append(run)
    for each in found.values():
        each.sort(key=lambda run: run.time.started or _NEVER)
    return found


def shards(fed: Federation, name: str) -> list[dict[str, Any]]:
    """The shards in a job's status."""
    return list(fed.job(name).get("status", {}).get("shards", []))


def check_each_index_once(fed: Jobs, runs: Iterable[Run], jobs: Mapping[str, int]) -> None:
    """Each index of each job (by name, with its completions) succeeded in one pod and never ran twice at a time."""
    found = runs_by_index(fed, runs, jobs)
    expected = {(job, index) for job, completions in jobs.items() for index in range(completions)}
    assert set(found) == expected, (set(found) - expected, expected - set(found))
    for key, each in found.items():
        succeeded = [run.time for run in each if run.time.phase == "Succeeded"]
        assert len(succeeded) == 1, (key, each)
        started = [run.time for run in each if run.time.started is not None]
        for before, after in pairwise(started):
            assert before.ended is not None, (key, each)
            assert after.started is not None
            assert before.ended <= after.started, (key, each)


def wait_complete(fed: Federation, jobs: Iterable[str], *, namespace: str = "team-a", seconds: float = 120) -> None:
    """Wait until all these jobs are Complete, asking seldom enough not to be a load of its own."""
    wanted = set(jobs)

    def left() -> dict[str, str]:
        items = fed.hub.rest.get(f"/apis/isthmus.dev/v1alpha1/namespaces/{namespace}/computejobs")["items"]
        phases = {job["metadata"]["name"]: job.get("status", {}).get("phase", "") for job in items}
        return {name: phases.get(name, "absent") for name in wanted if phases.get(name) != "Succeeded"}

    try:
        wait_for(lambda: not left(), seconds, "jobs to be Complete", interval_seconds=0.5, tolerate=(OSError,))
    except AssertionError as error:
        raise AssertionError(f"{error}; left: {left()}\nhub:\n{fed.process.tail()}") from None


def check_ledger(fed: Federation, runs: Iterable[Run], *, written_off: Iterable[str] = (), seconds: float = 10) -> None:
    """The ledger's totals are the resource-time of all these pods, summed from the members.

    Of Dispatches that are `written_off`, with the node they stood on, it may hold any part.
    """
    off = set(written_off)
    all_runs = list(runs)
    most = resource_seconds(run.time for run in all_runs)
    least = resource_seconds(run.time for run in all_runs if run.time.dispatch not in off)
    url = fed.process.ledger

    def booked() -> dict[str, int]:
        with Ledger.open(url) as ledger:
            return {str(meter): amount for meter, amount in ledger.totals().items()}

    def right() -> bool:
        totals = booked()
        return all(least[meter] <= totals.get(meter, 0) <= most[meter] for meter in most)

    wait_for(right, seconds, f"the ledger to hold {least} to {most}; it held {booked()}")
    with Ledger.open(url) as ledger:
        assert ledger.conflicts() == ()


def delete_jobs(fed: Federation, namespace: str = "team-a", *, seconds: float = 60) -> None:
    """Delete all ComputeJobs of a namespace and wait until they are gone."""
    path = f"/apis/isthmus.dev/v1alpha1/namespaces/{namespace}/computejobs"

    def gone() -> bool:
        jobs = fed.hub.rest.get(path)["items"]
        if any("deletionTimestamp" not in job["metadata"] for job in jobs):
            fed.hub.rest.delete(path)
        return not jobs

    # On a busy machine hundreds of jobs are more than one request gets done in time.
    wait_for(gone, seconds, "all jobs to be gone", interval_seconds=0.5, tolerate=(TimeoutError,))


def check_nothing_left(fed: Federation, members: Iterable[str], *, seconds: float = 60) -> None:
    """Neither Dispatch nor, in any of these members, Job or pod of ours is there (or soon isn't)."""

    def left() -> list[str]:
        objects = [("hub", each) for each in fed.items("dispatches")]
        for member in members:
            objects += [(member, each) for each in [*fed.member_jobs(member), *fed.member_pods(member)]]
        return [f"{where}: {each['metadata']['namespace']}/{each['metadata']['name']}" for where, each in objects]

    wait_for(lambda: not left(), seconds, f"nothing to be left: {left()[:10]}", interval_seconds=0.5)


def check_log(fed: Federation) -> None:
    """The hub's log, over all its starts, tells of no error of its own."""
    lines = fed.process.log.read_text(errors="replace").splitlines()
    bad = [number for number, line in enumerate(lines) if any(word in line for word in TROUBLE)]
    assert not bad, "\n".join(lines[max(bad[0] - 3, 0) : bad[0] + 60])
