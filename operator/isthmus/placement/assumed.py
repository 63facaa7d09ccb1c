"""Assumed capacity: what was sent to a node and is not in its figures yet."""

from collections.abc import Iterable
from dataclasses import dataclass

from isthmus.capacity.profile import Profile

from .demand import Demand


@dataclass(frozen=True, slots=True)
class Assumption:
    """`width` pods of a demand, sent to a node as its Dispatch number `sequence`."""

    sequence: int
    demand: Demand
    width: int


class AssumedLedger:
    """Subtracts each Dispatch exactly once: here until a profile covers it, in the profile's figures from then on.

    A profile covers sequence s when `profile.sequence >= s` or s stands in `profile.visible_beyond`. Profiles of a
    node must be handed in as they were published, in that order; what is assumed after its own profile has come (the
    agent can be faster than the hub) is known to be covered and not subtracted again.
    """

    def __init__(self) -> None:
        self._open: dict[str, dict[int, Assumption]] = {}
        self._covered: dict[str, tuple[int, frozenset[int]]] = {}

    def assume(self, node: str, sequence: int, demand: Demand, width: int) -> None:
        """Subtract `width` pods of the demand from the node. Call it before the Dispatch is written."""
        upto, beyond = self._covered.get(node, (0, frozenset()))
        if sequence > upto and sequence not in beyond:
            self._open.setdefault(node, {})[sequence] = Assumption(sequence, demand, width)

    def cover(self, node: str, profile: Profile) -> None:
        """Take in a new profile of the node: what it shows is no longer subtracted."""
        beyond = frozenset(profile.visible_beyond)
        self._covered[node] = (profile.sequence, beyond)
        mine = self._open.get(node)
        if mine:
            self._open[node] = {s: a for s, a in mine.items() if s > profile.sequence and s not in beyond}

    def forget(self, node: str, sequence: int) -> None:
        """Stop subtracting a Dispatch that was never written, was refused or has ended. Others are passed over."""
        self._open.get(node, {}).pop(sequence, None)

    def drop(self, node: str) -> None:
        """Forget all of a node that is gone."""
        self._open.pop(node, None)
        self._covered.pop(node, None)

    def restore(self, node: str, profile: Profile | None, assumptions: Iterable[Assumption]) -> None:
        """Start afresh for a node, after a restart: its last profile, and all its Dispatches that have not ended."""
        self.drop(node)
        if profile is not None:
            self.cover(node, profile)
        for assumption in assumptions:
            self.assume(node, assumption.sequence, assumption.demand, assumption.width)

    def of(self, node: str) -> tuple[Assumption, ...]:
        """What is to be subtracted from the node's figures, in the order of sequence."""
        mine = self._open.get(node)
        return tuple(mine[s] for s in sorted(mine)) if mine else ()
