"""The machine that the hub has in mind for a job's pods, as a shape: which machine has it, only the member knows.

By best fit: of the machines that take a pod, one on which the fewest accelerators are left over, so that large blocks
stay whole (see `scores.fragmentation`). It is a wish to the member's scheduler and no more: what the hub counts on is
what any binding leaves (`isthmus.capacity.spreading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from isthmus.api.quantities import CPU

from .demand import Demand
from .fit import Offer, offer_of
from .room import Part, Room, pods_on
from .snapshot import PriceView


@dataclass(frozen=True, slots=True)
class ShapeHint:
    """What of the resources that a pod asks for the machine has, and has free, as last told."""

    allocatable: Mapping[str, int]
    free: Mapping[str, int]


def shape_hint(demand: Demand, room: Room, price: PriceView | None) -> ShapeHint | None:
    """The shape for the demand's pods by the figures in the room; None where no machine takes one."""
    offer = offer_of(demand, room, price)
    need = offer.need
    if need is None:
        return None
    able = [
        (_left(offer, room, (number, free), min(pods, demand.width)), number, free)
        for number, free in room.parts
        if number in offer.kinds and (pods := pods_on(free, need))
    ]
    if not able:
        return None
    _, number, free = min(able)
    names = {axis: name for name, axis in room.axes.items()}
    has = room.kinds[number].allocatable
    return ShapeHint({names[axis]: has[axis] for axis, _ in need}, {names[axis]: free[axis] for axis, _ in need})


def _left(offer: Offer, room: Room, part: Part, bound: int) -> tuple[int, int, int]:
    """What is left over on such a machine: accelerators first, for work without any, whether it has them at all."""
    number, free = part
    taken = dict(offer.need or ())
    cpu = room.axes.get(CPU)
    rest = 0 if cpu is None else free[cpu] - bound * taken.get(cpu, 0)
    if offer.axis is None:
        return (1 if room.kinds[number].accelerators else 0, rest, 0)
    return (free[offer.axis] - bound * taken.get(offer.axis, 0), -bound, rest)
