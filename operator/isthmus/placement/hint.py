"""The machine that the hub has in mind for a job's pods, as a shape: which machine has it, only the member knows.

It is one that loses least of what jobs like those of late could use (see `losing`). It is a wish to the member's
scheduler and no more: what the hub counts on is what any binding leaves (`isthmus.capacity.spreading`).
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .demand import Demand
from .fit import offer_of
from .losing import MachineLosses
from .room import Room, pods_on
from .snapshot import PriceView


@dataclass(frozen=True, slots=True)
class ShapeHint:
    """What of the resources that a pod asks for the machine has, and has free, as last told."""

    allocatable: Mapping[str, int]
    free: Mapping[str, int]


def shape_hint(
    demand: Demand, room: Room, price: PriceView | None, losses: MachineLosses | None = None
) -> ShapeHint | None:
    """The shape for the demand's pods by the figures in the room; None where no machine takes one, or there are none.

    `losses` are those of the room's kinds of machine; without them, by what is likely while no job has come.
    """
    offer = offer_of(demand, room, price)
    need = offer.need
    if need is None or not demand.width:
        return None
    losses = MachineLosses(room) if losses is None else losses
    able: list[tuple[float, int, int, tuple[int, ...]]] = []
    for part in room.parts:
        number, free = part
        fits = pods_on(free, need) if number in offer.kinds else 0
        if fits > 0:
            pods = min(fits, demand.width)
            able.append((losses.cost(part, need, pods), -pods, number, free))
    if not able:
        return None
    _, _, number, free = min(able)
    names = {axis: name for name, axis in room.axes.items()}
    has = room.kinds[number].allocatable
    return ShapeHint({names[axis]: has[axis] for axis, _ in need}, {names[axis]: free[axis] for axis, _ in need})
