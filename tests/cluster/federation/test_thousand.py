import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import (
    check_each_index_once,
    check_log,
    check_nothing_left,
    delete_jobs,
    runs_by_index,
    wait_complete,
)

from demo.podtime import resource_seconds
from federation import Federation, compute_job, job_spec
from isthmus.api.indexes import IndexSet
from isthmus.ledger import Ledger
from testbed import DeadlineError, Machine, wait_for

INDEXES = 1000
# So long that a busy machine does not stop what it can reach.
FENCE = 20
TIMING = {"heartbeatSeconds": 1, "fenceAfterSeconds": FENCE, "stopAllowanceSeconds": 10}
LOST = "north"
NODES = (LOST, "east", "south", "west")
MEMBERS = {name: [Machine(f"{name}-{number}", "16", "64Gi") for number in (1, 2)] for name in NODES}
JOB_CONTROLLER = "system:serviceaccount:kube-system:job-controller"


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and four members with a short fence."""
    with Federation(MEMBERS, log_level="info") as federation:
        federation.process.start()
        for name in MEMBERS:
            federation.join(name, timing=TIMING)
        yield federation


def _shards(fed: Federation) -> list[dict[str, Any]]:
    found = [each for each in fed.items("dispatches") if each["spec"]["job"]["name"] == "sweep"]
    return sorted(found, key=lambda each: (each["spec"]["attempt"], each["spec"]["shard"]))


def _node(dispatch: dict[str, Any]) -> str:
    return str(dispatch["metadata"]["namespace"]).removeprefix("isthmus-node-")


def _completed(dispatch: dict[str, Any]) -> IndexSet:
    return IndexSet.parse(dispatch.get("status", {}).get("completedIndexes"))


def _covered(dispatch: dict[str, Any]) -> IndexSet:
    return IndexSet.parse(dispatch["spec"]["indexes"])


def test_one_of_four_is_lost(fed: Federation) -> None:
    """Of 1,000 indexes over four members, those that a lost one had not finished run again, once they have stopped."""
    with PodRecorder({name: fed.clusters[name] for name in NODES}) as recorder:
        template = job_spec(
            run_seconds="9",
            cpu="500m",
            memory="256Mi",
            completions=INDEXES,
            parallelism=240,
            pod={"terminationGracePeriodSeconds": 1},
        )
        placement = {"split": "ByIndex", "onNodeLost": "Rerun"}
        fed.hub.apply([compute_job("sweep", template, placement=placement)])
        lost = _wait_half_done(fed)
        fed.clusters[LOST].cut("refuse")
        cut = datetime.now(UTC)
        known = _completed(fed.get("dispatches", lost["metadata"]["name"], lost["metadata"]["namespace"]))
        wait_complete(fed, ["sweep"], seconds=240)
        _check_rerun(fed, lost, known, cut)
        status = fed.job("sweep")["status"]
        assert (status["done"], status["completedIndexes"]) == (f"{INDEXES}/{INDEXES}", f"0-{INDEXES - 1}")
        fed.clusters[LOST].heal()
        fed.wait_condition("computenodes", LOST, "Ready", "True", seconds=60)
        wait_for(lambda: _final(fed, lost), 60, "stock to be taken")
        late = _late(fed)
        unseen = len(late)
        _check_indexes(fed, recorder, late)
        _check_books(fed, recorder)
        print(f"{len(known)} told before the cut, {unseen} came to light late")  # noqa: T201 - figures to report
        delete_jobs(fed)
        check_nothing_left(fed, NODES)
    check_log(fed)


def _wait_half_done(fed: Federation) -> dict[str, Any]:
    """The shard of the member to be lost, some of whose indexes are told and others run."""

    def found() -> dict[str, Any] | None:
        for dispatch in _shards(fed):
            status = dispatch.get("status", {})
            if _node(dispatch) == LOST and status.get("succeeded", 0) >= 20 and status.get("active", 0) > 20:
                return dispatch if status.get("armed") else None
        return None

    wait_for(lambda: found() is not None, 90, "the first indexes of the node to be done")
    time.sleep(2)  # into the next wave
    dispatch = found()
    assert dispatch is not None
    assert len({_node(each) for each in _shards(fed)}) == len(NODES)
    return dispatch


def _check_rerun(fed: Federation, lost: dict[str, Any], known: IndexSet, cut: datetime) -> None:
    """What was missing of the lost shard was sent elsewhere, that alone, after the member's controllers stopped it."""
    name = lost["metadata"]["name"]
    missing = _covered(lost) - known
    later = [
        each for each in _shards(fed) if each["metadata"]["creationTimestamp"] > lost["metadata"]["creationTimestamp"]
    ]
    again = [each for each in later if _covered(each) & _covered(lost)]
    assert again
    told = _completed(fed.get("dispatches", name, lost["metadata"]["namespace"]))
    rerun, lost_again = IndexSet(), IndexSet()
    for each in again:
        mine = _covered(each) & _covered(lost)
        assert _node(each) != LOST
        assert not mine & (rerun - lost_again), "no index is sent again while it runs or when it is done"
        rerun |= mine
        if each["status"].get("state") == "Lost":
            lost_again |= mine - _completed(each)
    assert rerun == missing - told
    assert rerun == _covered(lost) - told
    stops = [
        entry.time
        for entry in fed.clusters[LOST].audit_entries()
        if entry.user == JOB_CONTROLLER
        and entry.verb == "delete"
        and entry.resource == "pods"
        and entry.code < 300
        and entry.name.startswith(name)
    ]
    starts = [
        entry.time
        for each in again
        for entry in fed.clusters[_node(each)].audit_entries()
        if entry.resource == "jobs" and entry.verb == "create" and entry.name == each["metadata"]["name"]
    ]
    assert stops
    assert max(stops) < min(starts)
    print(  # noqa: T201 - figures to report
        f"{len(rerun)} of {len(_covered(lost))} indexes run again; {len(stops)} pods stopped"
        f" {(min(stops) - cut).total_seconds():.1f} to {(max(stops) - cut).total_seconds():.1f} s after the cut,"
        f" first Job elsewhere {(min(starts) - cut).total_seconds():.1f} s after it"
    )


def _final(fed: Federation, lost: dict[str, Any]) -> bool:
    found = fed.get("dispatches", lost["metadata"]["name"], lost["metadata"]["namespace"])
    return bool(found["status"].get("reading", {}).get("final"))


def _late(fed: Federation) -> IndexSet:
    found = IndexSet()
    for each in _shards(fed):
        found |= IndexSet.parse(each.get("status", {}).get("lateIndexes"))
    return found


def _check_indexes(fed: Federation, recorder: PodRecorder, late: IndexSet) -> None:
    """Each index succeeded in one pod, but for those that succeeded out of sight as well; none ran twice at a time."""
    runs = recorder.runs()
    found = runs_by_index(fed, runs, ["sweep"])
    twice = {index for (_, index), each in found.items() if sum(r.time.phase == "Succeeded" for r in each) > 1}
    assert twice <= set(late)
    doubled = {run.time.uid for (_, index), each in found.items() if index in twice for run in each[:1]}
    check_each_index_once(fed, [run for run in runs if run.time.uid not in doubled], {"sweep": INDEXES})


def _check_books(fed: Federation, recorder: PodRecorder) -> None:
    """What is booked and what is recorded as late are together the time of all pods."""
    used = resource_seconds(run.time for run in recorder.runs())
    found: dict[str, int] = {}

    def right() -> bool:
        found.clear()
        with Ledger.open(fed.process.ledger) as ledger:
            late = ledger.unbilled_late_time(
                start=datetime(2000, 1, 1, tzinfo=UTC), end=datetime(3000, 1, 1, tzinfo=UTC)
            )
            assert ledger.conflicts() == ()
            for meter, amount in (*ledger.totals().items(), *((meter, each) for (meter, _), each in late.items())):
                found[meter] = found.get(meter, 0) + amount
        return all(found.get(meter, 0) == amount for meter, amount in used.items())

    try:
        wait_for(right, 30, f"books of {used}")
    except DeadlineError as error:
        raise AssertionError(f"{error}; found {found}") from None
