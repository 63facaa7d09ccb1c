"""How little would have to get free on a node for a job to fit it."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from .candidate import Candidate
from .fit import fit_of
from .machines import Vector
from .room import Need, Part, Room, pods_on

_PODS = 64


@dataclass(frozen=True, slots=True)
class Relief:
    """What more must be free, over so many machines; `share` is how much of a whole machine that is, the worst axis."""

    amounts: Mapping[str, int]
    machines: int
    share: Fraction


def relief(candidate: Candidate) -> Relief | None:
    """What more must get free on the node for as many of the job's pods as it must hold; proven with that free.

    None where no more than other work's end would do it: the room is overdrawn, the machines are too small, the node
    lends no more, or more than 64 pods lack room.
    """
    offer, room = candidate.offer, candidate.room
    missing = candidate.least - candidate.fit.pods_free
    if offer.need is None or room.overdrawn or not 0 < missing <= _PODS:
        return None
    if room.lent is not None and pods_on(room.lent, offer.need) < candidate.least:
        return None  # it is what the node lends that is short
    parts, amounts, worst = dict(room.parts), dict.fromkeys(room.axes, 0), Fraction(0)
    for _ in range(missing):
        usable = (part for part in parts if part[0] in offer.kinds)
        steps = [(step[0], part, step[1]) for part in usable if (step := _lacking(room, part, offer.need)) is not None]
        if not steps:
            return None
        cost, part, lacking = min(steps, key=lambda step: step[:2])
        free = tuple(has + lacking.get(axis, 0) for axis, has in enumerate(part[1]))
        _move(parts, part, free)
        worst += cost
        for name, axis in room.axes.items():
            amounts[name] += lacking.get(axis, 0)
    proof = Room(room.axes, room.kinds, parts)
    if fit_of(offer, proof, candidate.demand.width).pods_free < candidate.least:
        return None
    needed = {name: amount for name, amount in amounts.items() if amount}
    ordered = dict(sorted(needed.items(), key=lambda pair: ("/" not in pair[0], pair[0])))
    return Relief(ordered, _changed(room.parts, parts), worst)


def _lacking(room: Room, part: Part, need: Need) -> tuple[Fraction, dict[int, int]] | None:
    """What one such machine lacks for one pod more, and as a share of the machine; None where it is too small."""
    number, free = part
    has = room.kinds[number].allocatable
    pods = pods_on(free, need) + 1
    lacking = {axis: amount * pods - free[axis] for axis, amount in need if amount * pods > free[axis]}
    if any(free[axis] + more > has[axis] for axis, more in lacking.items()):
        return None
    return max(Fraction(more, has[axis]) for axis, more in lacking.items()), lacking


def _move(parts: dict[Part, int], part: Part, free: Vector) -> None:
    parts[part] -= 1
    if not parts[part]:
        del parts[part]
    parts[(part[0], free)] = parts.get((part[0], free), 0) + 1


def _changed(before: Mapping[Part, int], after: Mapping[Part, int]) -> int:
    """How many machines are in another state."""
    return sum(max(0, count - after.get(part, 0)) for part, count in before.items())
