import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from tests.cluster.federation.podrecorder import PodRecorder
from tests.cluster.federation.proof import check_log, check_nothing_left, delete_jobs, wait_complete
from tests.cluster.federation.readingrecorder import ReadingRecorder
from tests.cluster.federation.sweep import Shard, Sweep
from tests.cluster.federation.sweepbooks import SweepBooks
from tests.cluster.federation.writes import Writes

from federation import Federation, compute_job, job_spec
from testbed import Machine, wait_for

INDEXES = 1000
# As much as two cores carry with five control planes: some twenty pods begin and end in a second.
PARALLELISM = 200
RUN_SECONDS = 10
# So long that a busy machine does not stop what it can reach, and that pods end well out of sight before it is over.
FENCE = 20
TIMING = {"heartbeatSeconds": 1, "fenceAfterSeconds": FENCE, "stopAllowanceSeconds": 10}
# What a Job controller takes to notice a limit, and then for its pods, on a busy machine.
STOP_SECONDS = 15
LOST = "north"
NODES = (LOST, "east", "south", "west")
# Each has room for 54 pods, so that all four are needed and little room is left.
MEMBERS = {name: [Machine(f"{name}-{number}", "13500m", "64Gi") for number in (1, 2)] for name in NODES}
START_SECONDS = 90
UNDERWAY_SECONDS = 180
COMPLETE_SECONDS = 300


@pytest.fixture(scope="module")
def fed() -> Iterator[Federation]:
    """A hub and four members with a short fence."""
    with Federation(MEMBERS, log_level="info") as federation:
        federation.process.start(deadline_seconds=START_SECONDS)
        for name in MEMBERS:
            federation.join(name, timing=TIMING)
        yield federation


@pytest.fixture(scope="module")
def recorder(fed: Federation) -> Iterator[PodRecorder]:
    """All pods of the module."""
    with PodRecorder({name: fed.clusters[name] for name in NODES}) as recorder:
        yield recorder


@pytest.fixture(scope="module")
def readings(fed: Federation) -> Iterator[ReadingRecorder]:
    """All readings of the module."""
    with ReadingRecorder(fed.hub) as readings:
        yield readings


@contextmanager
def _sweep(fed: Federation, recorder: PodRecorder, name: str) -> Iterator[Sweep]:
    """The job, begun; at the end it is taken away, and nothing of it is left in any member."""
    fed.namespace(name)
    template = job_spec(
        run_seconds=str(RUN_SECONDS),
        cpu="500m",
        memory="256Mi",
        completions=INDEXES,
        parallelism=PARALLELISM,
        pod={"terminationGracePeriodSeconds": 1},
    )
    placement = {"split": "ByIndex", "onNodeLost": "Rerun"}
    fed.hub.apply([compute_job(name, template, namespace=name, placement=placement)])
    try:
        yield Sweep(fed, recorder, name, INDEXES)
    finally:
        fed.clusters[LOST].heal()
        delete_jobs(fed, name, seconds=120)
        check_nothing_left(fed, NODES)


def _cut(fed: Federation, sweep: Sweep) -> tuple[Shard, datetime]:
    """Cut the member off in the middle: its shard, and when that was."""
    lost = sweep.wait_underway([LOST], UNDERWAY_SECONDS)[LOST]
    assert {shard.node for shard in sweep.shards()} == set(NODES)
    fed.clusters[LOST].cut("refuse")
    return lost, datetime.now(UTC)


def _check_cut(fed: Federation, sweep: Sweep, lost: Shard, cut: datetime) -> None:
    """The job completes while the member is away: it had stopped by then, and only what it had not told ran again."""
    wait_complete(fed, [sweep.name], namespace=sweep.name, seconds=COMPLETE_SECONDS)
    sweep.check_status()
    shards = sweep.shards()
    assert lost.name in {shard.name for shard in shards if shard.state == "Lost"}
    sweep.check_rerun(shards)
    first, last, created = (
        (instant - cut).total_seconds() for instant in sweep.check_stopped_first(_named(shards, lost), shards)
    )
    assert last <= FENCE + STOP_SECONDS
    print(  # noqa: T201 - figures to report
        f"{sweep.name}: pods stopped {first:.1f} to {last:.1f} s after the cut, first Job elsewhere {created:.1f} s"
    )


def _check_return(fed: Federation, sweep: Sweep, readings: ReadingRecorder, cut: datetime) -> SweepBooks:
    """After the cut is healed each index has one success that counts, and none is billed twice; the books."""
    fed.clusters[LOST].heal()
    fed.wait_condition("computenodes", LOST, "Ready", "True", seconds=60)
    shards = sweep.wait_accounted(90)
    sweep.check_status()
    sweep.check_rerun(shards)
    sweep.check_indexes(shards)
    books = SweepBooks(fed, sweep, shards, readings)
    books.check_all_time()
    twice = books.check_none_twice(cut)
    assert twice, "pods had time to succeed out of sight"
    print(f"{sweep.name}: {twice} indexes succeeded out of sight and again elsewhere")  # noqa: T201 - as above
    return books


def _named(shards: list[Shard], like: Shard) -> Shard:
    return next(shard for shard in shards if shard.name == like.name)


def test_one_of_four_is_cut_off(fed: Federation, recorder: PodRecorder, readings: ReadingRecorder) -> None:
    """Of 1,000 indexes over four members, what one that is cut off had not done runs again, once it has stopped."""
    with _sweep(fed, recorder, "cut") as sweep:
        lost, cut = _cut(fed, sweep)
        _check_cut(fed, sweep, lost, cut)
        books = _check_return(fed, sweep, readings, cut)
    books.check_all_time()
    check_log(fed)


def test_hub_is_killed_amid_the_rerun(fed: Federation, recorder: PodRecorder, readings: ReadingRecorder) -> None:
    """The same, with the hub killed after its verdict, as soon as the first Dispatch of the rerun is written."""
    with _sweep(fed, recorder, "killed") as sweep:
        lost, cut = _cut(fed, sweep)
        writes = Writes(fed.hub)
        writes.wait(("patch", "dispatches", ""), 120, lost.name)
        writes.wait(("create", "dispatches", ""), 60)
        fed.process.kill()
        fed.process.start(deadline_seconds=START_SECONDS)
        _check_cut(fed, sweep, lost, cut)
        books = _check_return(fed, sweep, readings, cut)
    books.check_all_time()
    check_log(fed)


def test_hub_is_frozen(fed: Federation, recorder: PodRecorder, readings: ReadingRecorder) -> None:
    """Frozen past fence and allowance, the hub finds all stopped by the members: it asks them, and gives none up."""
    with _sweep(fed, recorder, "frozen") as sweep:
        before = sweep.wait_underway(NODES, UNDERWAY_SECONDS)
        told = fed.process.log.stat().st_size
        fed.process.pause()
        try:
            frozen, at = time.monotonic(), datetime.now(UTC)
            least = max(shard.fence_seconds for shard in before.values())
            wait_for(lambda: time.monotonic() - frozen > least, least + 5, "fence and allowance to be over")
            wait_for(lambda: not _running(fed), STOP_SECONDS, "the members to stop all shards", interval_seconds=1)
        finally:
            woken = datetime.now(UTC)
            fed.process.resume()
        wait_complete(fed, [sweep.name], namespace=sweep.name, seconds=COMPLETE_SECONDS)
        sweep.check_status()
        shards = sweep.wait_accounted(30)
        sweep.check_rerun(shards)
        for node, shard in before.items():
            lost = _named(shards, shard)
            assert lost.state == "Lost", node
            assert "because its limit was not put off" in lost.message
            _, last, created = sweep.check_stopped_first(lost, shards)
            assert last < woken < created
            assert (last - at).total_seconds() <= FENCE + STOP_SECONDS
        assert b"shard given up" not in fed.process.log.read_bytes()[told:]
        sweep.check_indexes(shards)
        books = SweepBooks(fed, sweep, shards, readings)
        books.check_all_time()
        assert books.check_none_twice(at) == 0, "nothing was given up, so nothing came to light late"
    books.check_all_time()
    check_log(fed)


def _running(fed: Federation) -> list[str]:
    pods = [(node, pod) for node in NODES for pod in fed.member_pods(node)]
    return [f"{node}: {pod['metadata']['name']}" for node, pod in pods if pod["status"].get("phase") == "Running"]
