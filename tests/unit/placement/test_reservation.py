from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.placement.fleets import NOW, UNHURRIED, demand, fleets, node, queues, shape

from isthmus.api.quantities import GIBIBYTE
from isthmus.placement import Demand, NodeView, Outcome, Reservation, Rooms, Snapshot, Terms, place
from isthmus.placement.reservation import RESERVATIONS, RESERVE_AFTER_SECONDS, WIDEN_SECONDS

FOUR = {"cpu": 4000, "memory": GIBIBYTE, "pods": 1}
BIG = demand("big", 2, request=FOUR, namespace="team-a")


class Stream:
    """Two members of four machines of four cores, and jobs of one core that follow each other without a gap.

    A job takes `seconds` and stands on whichever machine of its member has most free, as a kube-scheduler has it.
    """

    def __init__(self, *, reserving: bool, seconds: int = 40) -> None:
        self.reserving = reserving
        self.seconds = seconds
        self.free = {name: [4, 4, 4, 4] for name in ("east", "west")}
        self.ends: list[tuple[datetime, str, int, int]] = []
        self.reservations: tuple[Reservation, ...] = ()
        self.now = NOW
        self.made = 0
        self.done = 0
        self.rooms = Rooms()

    def nodes(self) -> tuple[NodeView, ...]:
        """The members as they are."""
        return tuple(
            node(name, *(shape(cores=4, free={"cpu": 1000 * free}) for free in machines))
            for name, machines in self.free.items()
        )

    def step(self, *waiting: Demand) -> Outcome:
        """A second goes by: what is over ends, small jobs come, and a cycle places."""
        self.now += timedelta(seconds=1)
        for end in [end for end in self.ends if end[0] <= self.now]:
            self.ends.remove(end)
            self.free[end[1]][end[2]] += end[3]
            self.done += 1
        small = [demand(f"small-{self.made + n}", created=self.now, namespace="team-a") for n in range(32)]
        self.made += len(small)
        known = self.reservations if self.reserving else ()
        outcome = place(Snapshot(self.nodes(), self.now, reservations=known), [*waiting, *small], rooms=self.rooms)
        self.reservations = outcome.reservations
        for assignment in outcome.assignments:
            for _ in range(assignment.width):
                machines, cores = self.free[assignment.node], assignment.demand.request["cpu"] // 1000
                on = max(range(4), key=lambda n: machines[n])
                assert machines[on] >= cores, "it was sent where the member has no room"
                machines[on] -= cores
                # Spread over time, so that machines hardly ever are empty by chance.
                left = 1 + (self.made * 7 + on) % self.seconds
                self.ends.append((self.now + timedelta(seconds=left), assignment.node, on, cores))
        return outcome

    def until_placed(self, big: Demand, limit: int) -> int | None:
        """Seconds until the big job is placed; None where that takes longer than the limit."""
        for second in range(limit):
            if any(a.demand.key == big.key for a in self.step(big).assignments):
                return second
        return None


def test_small_jobs_starve_no_gang() -> None:
    """Under an endless stream of small jobs a gang waits for ever without reservations, and minutes with them."""
    assert run(reserving=False) is None
    waited = run(reserving=True)
    assert waited is not None
    assert waited < 2 * WIDEN_SECONDS + 40 + 2, (
        "all its machines are kept after two doublings; then 40 s to the last end"
    )


def run(*, reserving: bool) -> int | None:
    """How long a gang of two machines waits, within 1,200 seconds."""
    stream = Stream(reserving=reserving)
    for _ in range(60):
        stream.step()
    return stream.until_placed(BIG, 1200)


def test_backfill_goes_on_elsewhere() -> None:
    """While a gang waits for its machines, small jobs run on the other node, and on machines that are not kept."""
    stream = Stream(reserving=True)
    for _ in range(60):
        stream.step()
    placed: dict[str, int] = {"east": 0, "west": 0}
    for _ in range(30):
        for assignment in stream.step(BIG).assignments:
            placed[assignment.node] += 1
    (reservation,) = stream.reservations
    other = next(name for name in placed if name != reservation.node)
    assert placed[other] > 10
    assert placed[reservation.node] > 0


def test_those_kept_out_and_the_gang_are_told() -> None:
    """A small job says for whom room is held, by name only within an account, and the gang what it has by now."""
    west = node("west", shape(cores=4, free={"cpu": 4000}), shape(cores=4, free={"cpu": 0}))
    kept = Reservation(BIG, "west", NOW)
    small = demand("small", namespace="team-a")
    other = demand("other", account="other")
    outcome = place(Snapshot((west,), NOW, reservations=(kept,)), [BIG, small, other])
    told = {verdict.demand.key: (verdict.reason, verdict.message) for verdict in outcome.unplaced}
    assert told["small"] == (
        "Reserved",
        "0/1 nodes are available: 1 Reserved (room for 4 pods now, held for job team-a/big)",
    )
    assert "held for a job of priority 0" in told["other"][1]
    assert told["big"][0] == "InsufficientCapacity"
    assert told["big"][1].endswith(
        "the largest free block is for 1 of them, on west; "
        "reserved on west: room for 1 of 2 pods is free there and kept"
    )


def test_what_is_kept_is_no_more_than_is_lent() -> None:
    """A gang is told of no room that the node's offer does not cover yet."""
    lent = Terms(share={"cpu": 8000}, left={"cpu": 4000})
    west, gang = node("west", shape(cores=8), terms=lent), demand("gang", 6)
    (verdict,) = place(Snapshot((west,), NOW, reservations=(Reservation(gang, "west", NOW),)), [gang]).unplaced
    assert verdict.message.endswith("reserved on west: room for 4 of 6 pods is free there and kept")


def test_a_share_that_is_given_out_is_told_whatever_is_kept() -> None:
    """Where the share alone keeps jobs out, all of them are told so, also beside what is kept for one of them."""
    lent = Terms(share={"cpu": 4250}, left={"cpu": 250})
    west, first = node("west", shape(cores=16), terms=lent), demand("first")
    kept = (Reservation(first, "west", NOW),)
    outcome = place(Snapshot((west,), NOW, reservations=kept), [first, demand("later")])
    said = "needs 1 cpu for a pod; of 4250m that the node lends 250m is left"
    assert [verdict.reason for verdict in outcome.unplaced] == ["ShareExhausted"] * 2
    assert all(said in verdict.message for verdict in outcome.unplaced)


def test_a_higher_priority_passes() -> None:
    """What comes before the job that waits, by its priority, may use the machines that are kept for it."""
    west = node("west", shape(cores=4, free={"cpu": 4000}), shape(cores=4, free={"cpu": 0}))
    kept = (Reservation(BIG, "west", NOW),)
    outcome = place(Snapshot((west,), NOW, reservations=kept), [BIG, demand("urgent", priority=1), demand("small")])
    assert [assignment.demand.key for assignment in outcome.assignments] == ["urgent"]


@pytest.mark.parametrize(
    ("seconds", "reserved"),
    [
        pytest.param(0, ["big-0"], id="at once only who heads its priority"),
        pytest.param(RESERVE_AFTER_SECONDS, ["big-0", "big-1", "big-2", "big-3"], id="later the others, but not all"),
    ],
)
def test_how_many_are_reserved(seconds: int, reserved: list[str]) -> None:
    """Reservations go by order, one node each, and there are a few at most."""
    nodes = tuple(node(f"n{n}", shape(cores=4, free={"cpu": 0})) for n in range(6))
    waiting = [demand(f"big-{n}", request=FOUR) for n in range(6)]
    outcome = place(Snapshot(nodes, NOW + timedelta(seconds=seconds)), waiting)
    assert [each.demand.key for each in outcome.reservations] == reserved
    assert len(outcome.reservations) <= RESERVATIONS
    assert len({each.node for each in outcome.reservations}) == len(reserved)


def test_what_can_never_run_reserves_nothing() -> None:
    """No node's empty machines would hold it, so none are kept, and the next of its priority gets them."""
    west = node("west", shape(cores=4, free={"cpu": 0}))
    waiting = [demand("huge", request={"cpu": 64_000}), demand("later", created=NOW + timedelta(seconds=1))]
    outcome = place(Snapshot((west,), NOW), waiting)
    assert [each.demand.key for each in outcome.reservations] == ["later"]


def test_a_reservation_stays_where_it_is() -> None:
    """Another node with as much free by now is no reason to begin anew there, but room for all of it is."""

    def nodes(east: int) -> Iterator[NodeView]:
        for name, free in (("east", east), ("west", 0)):
            yield node(name, *(shape(cores=4, free={"cpu": free}) for _ in range(2)))

    kept = (Reservation(BIG, "west", NOW),)
    later = NOW + timedelta(seconds=30)
    assert place(Snapshot(tuple(nodes(3000)), later, reservations=kept), [BIG]).reservations == kept
    assert [a.node for a in place(Snapshot(tuple(nodes(4000)), later, reservations=kept), [BIG]).assignments] == [
        "east"
    ]


@UNHURRIED
@given(fleet=fleets(), queue=queues(), ages=st.integers(0, 200))
def test_reservations_only_take_away(fleet: tuple[NodeView, ...], queue: tuple[Demand, ...], ages: int) -> None:
    """A cycle with reservations is decided by content alone, and they hold for who waits and could run there."""
    now = NOW + timedelta(seconds=ages)
    first = place(Snapshot(fleet, now), queue)
    snapshot = Snapshot(fleet, now, reservations=first.reservations)
    rooms = Rooms()
    again = place(snapshot, queue, rooms=rooms)
    assert place(snapshot, queue[::-1], rooms=rooms) == again
    assert {r.demand.key for r in again.reservations} <= {verdict.demand.key for verdict in again.unplaced}
    plain = place(Snapshot(fleet, now), queue, rooms=rooms)
    assert plain == first, "nothing of a hold is left in the rooms"
