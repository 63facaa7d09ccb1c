"""Pods that are to be stopped, given back to a room: on whichever machines that helps another job least.

Machines have no names here, and which of them a pod sits on is not known: what is certain to be free afterwards is
what would be whichever machines they were.
"""

from fractions import Fraction

from .fit import Offer
from .machines import Vector
from .room import Need, Part, Room, pods_on


def release(room: Room, stopped: Offer, pods: int, wanted: Offer) -> None:
    """Give so many pods of the offer `stopped` back to the room, the machines taken that help `wanted` least.

    Those with no effect on it come first: machines that it can't use, then such where another of its pods still does
    not fit. What no machine can have held (its free room would exceed what it has) is not given back, nor is what may
    be on machines whose cards are shared: of which card it frees a part, only the member's next figures tell.
    """
    need = stopped.need
    if need is None or wanted.need is None:
        return
    pods -= min(pods, _on_shared_cards(room, stopped, need))
    left = _idle(room, stopped, need, pods, wanted)
    while left:
        left, before = _useful(room, stopped, need, left, wanted), left
        if left == before:
            return
        left = _idle(room, stopped, need, left, wanted)


def _on_shared_cards(room: Room, stopped: Offer, need: Need) -> int:
    """How many of the pods may be on machines whose cards are shared."""
    there = ((part, count) for part, count in room.parts.items() if room.kinds[part[0]].cards is not None)
    return sum(_held(room, stopped, need, part) * count for part, count in there)


def _idle(room: Room, stopped: Offer, need: Need, pods: int, wanted: Offer) -> int:
    """Give back what can be where it is of no use; how many pods are left."""
    for part in sorted(room.parts, key=lambda part: (part[0] in wanted.kinds, part)):
        if not pods:
            break
        most = _held(room, stopped, need, part) if room.kinds[part[0]].cards is None else 0
        if most and part[0] in wanted.kinds:
            most = _harmless(part[1], need, wanted.need or (), most)
        if most:
            pods = _give(room, part, need, most, pods)
    return pods


def _useful(room: Room, stopped: Offer, need: Need, pods: int, wanted: Offer) -> int:
    """Give back to the machines where most of them make room for fewest; how many are left."""
    best: tuple[Fraction, Part, int] | None = None
    for part in room.parts:
        held = min(_held(room, stopped, need, part), pods) if room.kinds[part[0]].cards is None else 0
        if held:
            first = _more(part[1], need, 1)
            gain = pods_on(first, wanted.need or ()) - pods_on(part[1], wanted.need or ())
            each = 1 + _harmless(first, need, wanted.need or (), held - 1)
            found = Fraction(gain, each), part, each
            best = found if best is None else min(best, found)
    return pods if best is None else _give(room, best[1], need, best[2], pods)


def _held(room: Room, stopped: Offer, need: Need, part: Part) -> int:
    """How many of the pods a machine of the part may hold, by what is used on it."""
    number, free = part
    if number not in stopped.kinds:
        return 0
    used = tuple(there - left for there, left in zip(room.kinds[number].allocatable, free, strict=True))
    return pods_on(used, need)


def _harmless(free: Vector, need: Need, wanted: Need, most: int) -> int:
    """How many pods, `most` at most, may leave the machine without another of the wanted ones fitting there."""
    there, low, high = pods_on(free, wanted), 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if pods_on(_more(free, need, middle), wanted) > there:
            high = middle - 1
        else:
            low = middle
    return low


def _give(room: Room, part: Part, need: Need, each: int, pods: int) -> int:
    """Give `each` pods back to as many machines of the part as there are pods for; how many are left."""
    machines = room.parts[part]
    whole = min(machines, pods // each)
    if whole:
        room.move(part, whole, _more(part[1], need, each))
    rest = pods - whole * each
    if rest and whole < machines:
        room.move(part, 1, _more(part[1], need, rest))
        rest = 0
    return rest


def _more(free: Vector, need: Need, pods: int) -> Vector:
    more = list(free)
    for axis, amount in need:
        more[axis] += amount * pods
    return tuple(more)
