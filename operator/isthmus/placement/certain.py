"""For how many of a job's pods there is certain to be room on a node once pods of others have stopped there.

Which machines these were on is not known, so it must hold wherever they were. Two answers: `least` is a sum, which
takes a moment and never says too much; `most` tries the pods on the machines (see `release`), also with what is free
on them already, which takes long where there are many states of machines or kinds of pods.
"""

from collections.abc import Mapping, Sequence

from .candidate import Candidate
from .fit import Offer
from .release import release
from .room import Need, Part, pods_on
from .stoppable import Stoppable
from .victims import Victim

WHOLE = 1000
"""One pod of the job, in parts that other pods make up."""

Counts = Mapping[int, int]
"""Pods by their kind."""


class Certain:
    """For one job on one node, of what is `stoppable`."""

    def __init__(self, candidate: Candidate, stoppable: Stoppable) -> None:
        room, offer = candidate.room, candidate.offer
        self._candidate = candidate
        self._room = room
        self._stoppable = stoppable
        self._wanted = offer._replace(kinds=offer.kinds - room.coming) if room.coming else offer
        self._need: Need = offer.need or ()
        self._sizes: dict[int, tuple[int, int]] = {}
        usable = [(part, count) for part, count in room.parts.items() if part[0] in self._wanted.kinds]
        self._there = sum([pods_on(part[1], self._need) * count for part, count in usable])
        told = [(part, count) for part, count in usable if room.kinds[part[0]].cards is None]
        self._machines = sum([count for _, count in told])
        self._sure = frozenset([part[0] for part, _ in told])
        self._scarce = self._binding([part for part, _ in told]) or self._need

    def tried(self, kinds: int) -> bool:
        """Whether pods of so many kinds are few enough to be tried on the machines."""
        return kinds * len(self._room.parts) <= self._stoppable.tries

    def least(self, stopped: Counts) -> int:
        """At least so many have room then.

        A pod that is as large as one of the job's, or several, makes room for that wherever it was. Of smaller ones
        each machine may have got nearly as many as make up one, to no use.
        """
        whole = parts = 0
        for kind, pods in stopped.items():
            size, elsewhere = self._size(kind)
            sure = pods - elsewhere
            if size <= 0 or sure <= 0:
                continue
            if size >= WHOLE:
                whole += size // WHOLE * sure
            else:
                parts += size * sure
        idle = (WHOLE - 1) * self._machines
        more = -(-(parts - idle) // WHOLE) if parts > idle else 0
        return self._lent(self._there + whole + more, stopped)

    def most(self, stopped: Counts) -> int:
        """So many have room then, as far as can be told."""
        room = self._room.copy()
        for kind, pods in stopped.items():
            release(room, self._offer(kind), pods, self._wanted)
        there = ((part, count) for part, count in room.parts.items() if part[0] in self._wanted.kinds)
        return self._lent(sum(pods_on(part[1], self._need) * count for part, count in there), stopped)

    def _lent(self, pods: int, stopped: Counts) -> int:
        if self._room.lent is None:
            return pods
        left = list(self._room.lent)
        for kind, count in stopped.items():
            for axis, amount in self._offer(kind).need or ():
                left[axis] += amount * count
        return min(pods, pods_on(tuple(left), self._need))

    def _binding(self, parts: Sequence[Part]) -> Need:
        """Of the job's need what may be short on a machine: of the rest each has enough for all that it could hold."""
        least: dict[int, list[int]] = {}
        for number, free in parts:
            known = least.get(number)
            least[number] = list(free) if known is None else list(map(min, known, free))
        found: list[tuple[int, int]] = []
        for axis, amount in self._need:
            others = tuple([each for each in self._need if each[0] != axis])
            if any(
                free[axis] // amount < pods_on(self._room.kinds[n].allocatable, others) for n, free in least.items()
            ):
                found.append((axis, amount))
        return tuple(found)

    def _size(self, kind: int) -> tuple[int, int]:
        """Its size, and how many such pods may be where the job can't go, or nobody can tell what they leave."""
        found = self._sizes.get(kind)
        if found is None:
            request, axes = self._stoppable.kinds[kind].request, self._room.axes
            amounts = {axes[name]: amount for name, amount in request.items() if name in axes}
            size = min((WHOLE * amounts.get(axis, 0) // amount for axis, amount in self._scarce), default=0)
            found = self._sizes[kind] = size, self._elsewhere(kind) if size else 0
        return found

    def _elsewhere(self, kind: int) -> int:
        offer, room = self._offer(kind), self._room
        if offer.kinds <= self._sure:
            return 0
        pods = 0
        for (number, free), count in room.parts.items():
            if number in offer.kinds and number not in self._sure:
                used = tuple(a - b for a, b in zip(room.kinds[number].allocatable, free, strict=True))
                pods += pods_on(used, offer.need or ()) * count
        return pods

    def _offer(self, kind: int) -> Offer:
        return self._stoppable.offer(self._candidate, kind)


def counted(stopped: Sequence[Victim]) -> dict[int, int]:
    """Their pods by kind."""
    counts: dict[int, int] = {}
    for victim in stopped:
        counts[victim.kind] = counts.get(victim.kind, 0) + victim.shard.width
    return counts
