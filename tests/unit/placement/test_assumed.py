from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from tests.unit.placement.fleets import UNHURRIED, demand, profile

from isthmus.capacity.profile import Profile
from isthmus.placement import AssumedLedger, Assumption

NODE = "north"
JOB = demand()


class Interleavings(RuleBasedStateMachine):
    """A hub and an agent that each do their part in any order.

    The agent's figures hold what it has accepted and has not ended; a profile reaches the hub some time after it was
    made, in the order it was made.
    """

    @initialize()
    def start(self) -> None:
        """An idle node."""
        self.ledger = AssumedLedger()
        self.last = 0
        self.running: set[int] = set()
        self.accepted: set[int] = set()
        self.ended: set[int] = set()
        self.on_the_way: list[tuple[Profile, set[int]]] = []
        self.shown: set[int] = set()
        self.newest: Profile | None = None

    @rule()
    def dispatch(self) -> None:
        """The hub sends a job."""
        self.last += 1
        self.ledger.assume(NODE, self.last, JOB, 1)
        self.running.add(self.last)

    @rule(data=st.data())
    @precondition(lambda self: self.running - self.accepted)
    def accept(self, data: st.DataObject) -> None:
        """The agent accepts one of what was sent, not always the oldest."""
        self.accepted.add(data.draw(st.sampled_from(sorted(self.running - self.accepted))))

    @rule(data=st.data())
    @precondition(lambda self: self.running)
    def end(self, data: st.DataObject) -> None:
        """A job ends, or is refused before it was accepted, and the hub hears of it."""
        sequence = data.draw(st.sampled_from(sorted(self.running)))
        self.running.discard(sequence)
        self.ended.add(sequence)
        self.ledger.forget(NODE, sequence)

    @rule()
    def publish(self) -> None:
        """The agent makes a profile."""
        done = self.accepted | self.ended
        upto = next(s for s in range(self.last + 1) if s + 1 not in done)
        beyond = tuple(sorted(s for s in done if s > upto))
        self.on_the_way.append((profile(sequence=upto, beyond=beyond), self.accepted & self.running))

    @rule()
    @precondition(lambda self: self.on_the_way)
    def deliver(self) -> None:
        """The hub gets the oldest profile it has not seen."""
        self.newest, self.shown = self.on_the_way.pop(0)
        self.ledger.cover(NODE, self.newest)

    @rule()
    def restart(self) -> None:
        """The hub loses its memory and reads back what has not ended."""
        self.ledger = AssumedLedger()
        self.ledger.restore(NODE, self.newest, [Assumption(s, JOB, 1) for s in sorted(self.running)])

    @invariant()
    def counted_once(self) -> None:
        """What runs is subtracted exactly once: assumed, or in the figures."""
        assumed = [a.sequence for a in self.ledger.of(NODE)]
        assert assumed == sorted(self.running - self.shown)


TestInterleavings = Interleavings.TestCase
TestInterleavings.settings = UNHURRIED


def test_late_assumption_is_not_subtracted_again() -> None:
    """A Dispatch that its node's profile already shows is not assumed when the hub comes to it."""
    ledger = AssumedLedger()
    ledger.cover(NODE, profile(sequence=3, beyond=(5,)))
    for sequence in (3, 4, 5, 6):
        ledger.assume(NODE, sequence, JOB, 2)
    assert ledger.of(NODE) == (Assumption(4, JOB, 2), Assumption(6, JOB, 2))


def test_nodes_are_apart() -> None:
    """What one node covers or loses says nothing of another."""
    ledger = AssumedLedger()
    ledger.assume("a", 1, JOB, 1)
    ledger.assume("b", 1, JOB, 1)
    ledger.cover("a", profile(sequence=9))
    ledger.drop("a")
    ledger.forget("c", 1)
    assert (ledger.of("a"), ledger.of("b"), ledger.of("c")) == ((), (Assumption(1, JOB, 1),), ())
