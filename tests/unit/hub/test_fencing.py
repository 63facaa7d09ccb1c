from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.unit.hub.world import TARIFF

from isthmus.agent import Clocks
from isthmus.agent.contact import Contact, Contacts
from isthmus.api.computejob import ComputeJob
from isthmus.api.computenode import ComputeNode, Timing
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_FORGET, node_namespace
from isthmus.clusters import DISPATCHES, NAMESPACES, FakeCluster, ServerFailure, TimedOut
from isthmus.clusters.fake import Call, matching
from isthmus.hub.dispatches import DispatchStore
from isthmus.hub.fencing import Fencing, GiveUp, Wait, fence_of
from isthmus.hub.fleet import Fleet
from isthmus.hub.forgetting import forget_before

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SPACE = node_namespace("east")
AFTER, ALLOWANCE = 20, 5
DUE = AFTER + ALLOWANCE
DOWN = ("Timeout", "no answer in 10 s")


class Desk:
    """A hub with one node, of whose shard it has to judge; its clocks go when told to."""

    def __init__(self, lost: str = "Rerun", **status: Any) -> None:
        self.at, self.jumped = 1000.0, timedelta()
        self.looks = 0
        self.hub = FakeCluster("hub", clock=self.now)
        self.hub.put(NAMESPACES, {"metadata": {"name": SPACE}})
        self.store = DispatchStore(self.hub, lambda *_: None)
        self.fleet = Fleet("CNY", self.store.node)
        self.contacts = Contacts(lambda: self.at)
        self.contact: Contact = self.contacts.of("east")
        self.facts = self.fleet.put(self.node()).facts
        self.facts.problem = None
        self.fencing = Fencing(
            self.hub,
            dispatches=self.store,
            fleet=self.fleet,
            contacts=self.contacts,
            clocks=Clocks(lambda: self.at, self.now),
            look=self.look,
        )
        template = {"template": {"spec": {"containers": [{"name": "main"}]}}}
        spec = {"template": template, "placement": {"onNodeLost": lost}}
        self.job = ComputeJob.model_validate({"metadata": {"name": "j", "namespace": "t"}, "spec": spec})
        fence = {"fence": {"afterSeconds": AFTER, "stopAllowanceSeconds": ALLOWANCE}} if lost == "Rerun" else {}
        content = {
            "job": {"namespace": "t", "name": "j", "uid": "u"},
            "account": "t",
            "shard": 0,
            "attempt": 1,
            "sequence": 1,
            "manifest": {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "d"}, "spec": template},
            **fence,
        }
        body = {"metadata": {"name": "d", "namespace": SPACE}, "spec": content}
        told = {"state": "Running", "armed": lost == "Rerun", "completedIndexes": "1", **status}
        self.uid = self.hub.put(DISPATCHES, {**body, "status": {k: v for k, v in told.items() if v is not None}})[
            "metadata"
        ]["uid"]

    def now(self) -> datetime:
        """The time of day, which may jump."""
        return NOON + timedelta(seconds=self.at - 1000) + self.jumped

    def node(self, forget: str | None = None) -> ComputeNode:
        """The node, with the operator's word."""
        spec = {
            "identity": {"code": "CN-1"},
            "tier": "Core",
            "region": {"code": "cn-east"},
            "access": {"local": {}},
            "timing": {"fenceAfterSeconds": AFTER, "stopAllowanceSeconds": ALLOWANCE},
            "tariff": TARIFF,
        }
        version = "2" if forget else "1"
        metadata: dict[str, Any] = {"name": "east", "uid": "n", "resourceVersion": version}
        if forget:
            metadata["annotations"] = {ANNOTATION_FORGET: forget}
        return ComputeNode.model_validate({"metadata": metadata, "spec": spec})

    def look(self, node: str) -> None:
        """The session tries the member."""
        assert node == "east"
        self.looks += 1

    def dispatch(self) -> Dispatch:
        """The Dispatch as it stands."""
        return Dispatch.model_validate(self.hub.object(DISPATCHES, "d", SPACE))

    def lose(self) -> None:
        """The node is found to be out of reach, now."""
        self.facts.problem = DOWN
        self.contact.failed(self.at)

    def verdict(self) -> Wait | GiveUp | None:
        """What is to be done."""
        return self.fencing.verdict("east", self.dispatch(), self.job)

    async def give_up(self) -> bool:
        """Have it given up."""
        return await self.fencing.give_up("east", self.dispatch(), self.job)

    def reason(self) -> str:
        """The verdict in a word."""
        verdict = self.verdict()
        return verdict.reason if isinstance(verdict, GiveUp) else f"{type(verdict).__name__}"


def _over(desk: Desk, seconds: float = DUE + 1) -> None:
    """So much time goes by, and the member is tried in vain once more."""
    desk.at += seconds
    desk.contact.failed(desk.at)


def test_within_reach() -> None:
    """Nothing is decided of a node that is within reach, or was not looked at yet."""
    desk = Desk()
    assert desk.verdict() is None
    desk.facts.problem = ("Connecting", "not reached yet")
    assert desk.verdict() is None
    desk.lose()
    assert isinstance(desk.verdict(), Wait)


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
    _over(desk, DUE - 1)
    assert desk.reason() == "Wait"
    _over(desk, 2)
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
    _over(desk)
    assert desk.reason() == "Fenced"


def test_not_armed() -> None:
    """A limit that can't be relied on is not; the reason is told."""
    desk = Desk(armed=False)
    desk.contact.judge_lease("its controllers are dead")
    desk.lose()
    _over(desk, 10 * DUE)
    verdict = desk.verdict()
    assert isinstance(verdict, Wait)
    assert "its controllers are dead" in verdict.why
    known = Desk()
    known.contact.unarm(known.uid)
    known.lose()
    _over(known, 10 * DUE)
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
    _over(desk, seconds)
    assert desk.reason() == expected


def test_rerun_without_a_fence() -> None:
    """A shard that was sent without a fence is not taken for one that has it."""
    desk = Desk("Wait")
    desk.job = Desk("Rerun").job
    desk.lose()
    _over(desk, 100_000)
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


@pytest.mark.parametrize(
    ("text", "holds", "told"),
    [
        ("2026-11-22T12:00:01Z", True, ""),
        ("2026-11-22T20:00:01+08:00", True, ""),
        ("2026-11-22T11:59:59Z", False, ""),
        ("2026-11-22T12:00:00Z", False, ""),
        ("2026-11-22T13:00:00Z", False, "still to come"),
        ("2026-11-22T12:00:01", False, "is no instant"),
        ("yesterday", False, "is no instant"),
        ("", False, "is no instant"),
    ],
)
def test_the_operators_word(text: str, holds: bool, told: str) -> None:
    """What was sent before the instant is forgotten, while the node is out of reach; else it is said what is wrong."""
    desk = Desk("Wait")
    desk.at += 60
    desk.fleet.put(desk.node(text or " "))
    assert desk.verdict() is None, "a node within reach speaks for itself"
    desk.lose()
    assert desk.reason() == ("Forgotten" if holds else "Wait")
    known = desk.fleet.get("east")
    assert known is not None
    assert told in forget_before(known.node, desk.now())[1]
    assert bool(told) == bool(forget_before(known.node, desk.now())[1])


async def test_given_up() -> None:
    """First Cancelled, then Lost, each on the version that was read; what was told of its indexes stays."""
    desk = Desk()
    desk.lose()
    _over(desk)
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
    _over(desk)
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
    _over(desk)

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
    _over(desk)
    desk.hub.fail(matching("get", DISPATCHES), ServerFailure(503, "ServiceUnavailable", "later"))
    with pytest.raises(ServerFailure):
        await desk.give_up()
    assert not any(call.is_write for call in desk.hub.calls)


async def test_what_was_read_counts() -> None:
    """A shard that is not armed by now, or that another has taken the place of, is not given up."""
    desk = Desk()
    desk.lose()
    _over(desk)
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
    _over(desk)
    seen: list[bool] = []
    desk.contact.heard()
    assert desk.contact.may_lengthen(desk.uid)
    desk.contact.failed(desk.at)
    desk.hub.before("get", DISPATCHES, lambda _: seen.append(desk.contact.may_lengthen(desk.uid)))
    desk.at += 1
    _over(desk)
    await desk.give_up()
    assert seen == [False]


@pytest.mark.parametrize(
    ("setting", "grace", "width", "rate", "expected"),
    [
        (60, 30, 1, None, 60),
        (60, 30, 1000, None, 135),
        (5, 1, 1, None, 7),
        (60, 30, 1000, 100, 60),
        (60, 30, 1000, 3, 369),
        (60, 3600, 1, None, 3606),
    ],
)
def test_allowance(setting: int, grace: int, width: int, rate: int | None, expected: int) -> None:
    """The allowance covers the grace and the pods over the rate at which the member stops them."""
    fence = fence_of(Timing(fence_after_seconds=300, stop_allowance_seconds=setting), grace, width, rate)
    assert (fence.after_seconds, fence.stop_allowance_seconds) == (300, expected)
