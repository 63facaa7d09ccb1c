from datetime import timedelta

import pytest
from tests.unit.hub.desk import AFTER, DOWN, DUE, SPACE, Desk, over

from isthmus.agent.contact import Contacts
from isthmus.agent.stoprate import StopRate
from isthmus.api.computenode import Timing
from isthmus.clusters import DISPATCHES, ServerFailure, TimedOut
from isthmus.clusters.fake import Call, matching
from isthmus.hub.fencing import Wait, fence_of
from isthmus.hub.nodestatus import LASTING_SECONDS


def test_within_reach() -> None:
    """Nothing is decided of a node that is within reach, or was not looked at yet."""
    desk = Desk()
    assert desk.verdict() is None
    desk.facts.problem = ("Connecting", "not reached yet")
    assert desk.verdict() is None
    desk.lose()
    assert isinstance(desk.verdict(), Wait)


def test_a_blip() -> None:
    """A member that is back within seconds was never out of reach: nothing is decided, be the shard taken or not."""
    for state in ("Running", None):
        desk = Desk(state=state)
        desk.facts.troubled(DOWN, desk.now(), desk.at)
        assert desk.fleet.lost_in("east") == LASTING_SECONDS
        desk.at += LASTING_SECONDS - 0.5
        desk.facts.troubled(("Unreachable", "reset"), desk.now(), desk.at)
        assert (desk.verdict(), desk.fleet.unreachable(["east"]), desk.fleet.lost_in("east")) == (None, {}, 0.5)
        desk.back()
        assert desk.fleet.lost_in("east") is None
        desk.at += 1
        assert desk.verdict() is None
        desk.facts.troubled(DOWN, desk.now(), desk.at)
        desk.at += LASTING_SECONDS
        assert desk.fleet.unreachable(["east"]) == {"east": "Timeout"}
        assert desk.verdict() is not None


def test_fenced() -> None:
    """Fence and allowance count from the last attempt, and then from a try in vain that began after them."""
    desk = Desk()
    desk.at += 500
    with desk.contact.attempt(desk.uid):
        desk.lose()
        desk.at += 10
        verdict = desk.verdict()
        assert isinstance(verdict, Wait)
        assert verdict.seconds == DUE
    why = verdict.why
    desk.at += DUE - 1
    desk.contact.failed(desk.at)
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert verdict.seconds == pytest.approx(1)
    assert verdict.why == why
    assert desk.looks == 0
    desk.at += 2
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert desk.looks == 1, "a process that was frozen finds the time over and the member perhaps back"
    desk.contact.failed(desk.at - 1.5)
    assert isinstance(desk.verdict(), Wait), "that try began before it was due"
    desk.contact.failed(desk.at)
    assert desk.reason() == "Fenced"


def test_a_new_process_waits_afresh() -> None:
    """Who has seen no attempt counts from its own start."""
    desk = Desk()
    desk.lose()
    over(desk, DUE - 1)
    assert desk.reason() == "Wait"
    over(desk, 2)
    assert desk.reason() == "Fenced"


@pytest.mark.parametrize("hours", [-5, 5])
def test_a_clock_that_jumps(hours: int) -> None:
    """A time of day that jumps hastens nothing and delays nothing."""
    desk = Desk()
    desk.lose()
    desk.jumped = timedelta(hours=hours)
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert verdict.seconds == DUE
    over(desk)
    assert desk.reason() == "Fenced"


def test_not_armed() -> None:
    """A limit that can't be relied on is not; the reason is told."""
    desk = Desk(armed=False)
    desk.contact.judge_lease("its controllers are dead")
    desk.lose()
    over(desk, 10 * DUE)
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert "its controllers are dead" in verdict.why
    known = Desk()
    known.contact.unarm(known.uid)
    known.lose()
    over(known, 10 * DUE)
    assert known.reason() == "Wait", "this process knows better than what was last written"


@pytest.mark.parametrize(
    ("lost", "seconds", "expected"),
    [
        ("Wait", 100_000, "Wait"),
        ("RerunUnfenced", AFTER - 1, "Wait"),
        ("RerunUnfenced", AFTER + 1, "Unfenced"),
    ],
)
def test_other_wishes(lost: str, seconds: float, expected: str) -> None:
    """Wait waits, and RerunUnfenced waits only for a silence as long as the fence."""
    desk = Desk(lost)
    desk.lose()
    over(desk, seconds)
    assert desk.reason() == expected


def test_rerun_without_a_fence() -> None:
    """A shard that was sent without a fence is not taken for one that has it."""
    desk = Desk("Wait")
    desk.job = Desk("Rerun").job
    desk.lose()
    over(desk, 100_000)
    assert desk.reason() == "Wait"


@pytest.mark.parametrize("lost", ["Wait", "Rerun", "RerunUnfenced"])
def test_never_accepted(lost: str) -> None:
    """What no node had taken can go elsewhere at once: nothing of it ever ran."""
    desk = Desk(lost, state=None, armed=None, completedIndexes=None)
    assert desk.verdict() is None
    desk.lose()
    assert desk.reason() == "NeverAccepted"


def test_node_removed() -> None:
    """Nobody puts off the limits of a node that was removed; its shards are given up in time, those of Wait are not."""
    for lost, expected in (("Rerun", "Fenced"), ("RerunUnfenced", "Unfenced"), ("Wait", "Wait")):
        desk = Desk(lost)
        desk.fleet.drop("east")
        assert desk.reason() == "Wait"
        desk.at += 400
        assert desk.reason() == expected
        assert desk.looks == 0


async def test_given_up() -> None:
    """First Cancelled, then Lost, each on the version that was read; what was told of its indexes stays."""
    desk = Desk()
    desk.lose()
    over(desk)
    assert await desk.give_up()
    writes = [call for call in desk.hub.calls if call.is_write]
    assert [call.subresource for call in writes] == [None, "status"]
    assert all("resourceVersion" in call.body["metadata"] for call in writes if isinstance(call.body, dict))
    dispatch = desk.dispatch()
    assert dispatch.spec.desired_state == "Cancelled"
    status = dispatch.status
    assert (status.state, status.reason, status.armed, status.completed_indexes) == ("Lost", "Fenced", False, "1")
    known = desk.store.node("east").get("d")
    assert known is not None
    assert known.status.state == "Lost"
    assert not await desk.give_up()


@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("after", [False, True], ids=["before it", "after it"])
async def test_killed_between_the_writes(write: int, after: bool) -> None:
    """Cut off at either write, the next process finishes after a wait of its own."""
    desk = Desk()
    desk.lose()
    over(desk)
    subresource = None if write == 1 else "status"
    desk.hub.fail(lambda call: call.is_write and call.subresource == subresource, TimedOut("no answer"), after=after)
    with pytest.raises(TimedOut):
        await desk.give_up()
    lost = desk.dispatch().status.state == "Lost"
    assert lost == (write == 2 and after)
    again = Contacts(lambda: desk.at)
    desk.fencing._contacts = again
    again.of("east").failed(desk.at)
    if not lost:
        assert desk.reason() == "Wait"
        desk.at += DUE + 1
        again.of("east").failed(desk.at)
        assert await desk.give_up()
    assert desk.dispatch().status.state == "Lost"


@pytest.mark.parametrize("write", [1, 2])
async def test_the_agent_wins(write: int) -> None:
    """Where the agent writes first, its word stands and the verdict is not written."""
    desk = Desk()
    desk.lose()
    over(desk)

    def agent(_: Call) -> None:
        found = desk.hub.object(DISPATCHES, "d", SPACE)
        assert found is not None
        desk.hub.put(DISPATCHES, {**found, "status": {**found["status"], "state": "Succeeded"}})

    subresource = None if write == 1 else "status"
    desk.hub._faults.add(lambda call: call.is_write and call.subresource == subresource, agent, 1, after=False)
    assert not await desk.give_up()
    assert desk.dispatch().status.state == "Succeeded"
    assert not await desk.give_up()


async def test_nothing_while_the_hubs_api_is_down() -> None:
    """Without a consistent read nothing is decided."""
    desk = Desk()
    desk.lose()
    over(desk)
    desk.hub.fail(matching("get", DISPATCHES), ServerFailure(503, "ServiceUnavailable", "later"))
    with pytest.raises(ServerFailure):
        await desk.give_up()
    assert not any(call.is_write for call in desk.hub.calls)


async def test_what_was_read_counts() -> None:
    """A shard that is not armed by now, or that another has taken the place of, is not given up."""
    desk = Desk()
    desk.lose()
    over(desk)
    before = desk.dispatch()
    found = desk.hub.object(DISPATCHES, "d", SPACE)
    assert found is not None
    desk.hub.put(DISPATCHES, {**found, "status": {**found["status"], "armed": False}})
    assert not await desk.fencing.give_up("east", before, desk.job)
    desk.hub.remove(DISPATCHES, "d", SPACE)
    assert not await desk.fencing.give_up("east", before, desk.job)
    assert not any(call.is_write for call in desk.hub.calls)


async def test_no_attempt_during_a_verdict() -> None:
    """While a verdict is written no shard is let live longer."""
    desk = Desk()
    desk.lose()
    over(desk)
    seen: list[bool] = []
    desk.contact.heard()
    assert desk.contact.may_lengthen(desk.uid)
    desk.contact.failed(desk.at)
    desk.hub.before("get", DISPATCHES, lambda _: seen.append(desk.contact.may_lengthen(desk.uid)))
    desk.at += 1
    over(desk)
    await desk.give_up()
    assert seen == [False]


@pytest.mark.parametrize(
    ("setting", "grace", "width", "rate", "expected"),
    [
        (60, 30, 1, None, 60),
        (60, 30, 1000, None, 135),
        (5, 1, 1, None, 7),
        (60, 30, 1000, StopRate(100, 1000), 60),
        (60, 30, 1000, StopRate(3, 30), 369),
        (60, 3600, 1, None, 3606),
    ],
)
def test_allowance(setting: int, grace: int, width: int, rate: StopRate | None, expected: int) -> None:
    """The allowance covers the grace and the pods over the rate at which the member stops them."""
    fence = fence_of(Timing(fence_after_seconds=300, stop_allowance_seconds=setting), grace, width, rate)
    assert (fence.after_seconds, fence.stop_allowance_seconds) == (300, expected)


def test_stopped_before() -> None:
    """A suspended shard that was told to have stopped runs nothing: after the same wait it is run elsewhere."""
    desk = Desk(state="Suspended", armed=False, stopped=True, active=0)
    desk.lose()
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert "had stopped before" in verdict.why
    over(desk, DUE - 1)
    assert desk.reason() == "Wait"
    over(desk, 2)
    assert desk.reason() == "Fenced"


@pytest.mark.parametrize(("told", "expected"), [(True, "2026-11-22T03:01:01Z"), (False, None)])
async def test_verdict_by_the_members_clock(told: bool, expected: str | None) -> None:
    """The verdict's instant is told by the member's own clock as well, where it was ever heard, whatever ours does."""
    desk = Desk()
    if told:
        desk.contact.told_time(desk.now() - timedelta(hours=9))
    desk.lose()
    over(desk)
    desk.jumped = timedelta(days=1)
    assert await desk.give_up()
    assert desk.dispatch().status.verdict_time == expected
