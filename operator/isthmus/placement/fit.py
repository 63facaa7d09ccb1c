"""Per-machine fit: how many pods of a job a node's machines hold, now and if they were empty."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from isthmus.capacity.profile import Accelerator, Shape

from .assumed import Assumption
from .demand import Demand
from .machines import ACCELERATOR, Kind, Obstacle, obstacle, selector_of, used_accelerators
from .room import Need, Room, open_parts, pods_on, room_of
from .snapshot import PriceView
from .steering import Affinity, Usable, steer


class Offer(NamedTuple):
    """What a node's machines are to a job, whatever is free on them.

    `kinds` are the machines it may use (their numbers in the room), `pods_empty` how many of its pods they would hold
    if they were empty. `accelerators` are those its pods would hold, `axis` the axis of the first of them, `per_pod`
    how many a pod asks for. `obstacles` says what stands against the other machines.
    """

    need: Need | None
    kinds: frozenset[int]
    pods_empty: int
    accelerators: tuple[Accelerator, ...]
    axis: int | None
    per_pod: int
    affinity: Affinity
    obstacles: Obstacle


class Fit(NamedTuple):
    """How many pods of the job go on the node's machines.

    `largest_block` is the most that one machine takes now, `plain` those of `pods_free` on machines without
    accelerators. `idle_share` is the smallest share (percent) of a machine's accelerators that would be left over on
    a machine that takes what it can of the job; None where its pods hold none. `on_machines` is what
    `pods_free` would be without a bound on what the node lends, and `there` those of `pods_free` on machines that are
    there already.
    """

    pods_free: int
    pods_empty: int
    largest_block: int
    plain: int
    idle_share: int | None
    on_machines: int = 0
    there: int = 0


class Look(NamedTuple):
    """What one kind of machine is to the job, price apart: `fits` is how many pods an empty one holds.

    `need` is that of a pod along the axes, which machines of one mould share. `obstacle` is the value of an Obstacle.
    `wrong` says that its accelerators are not what the job asks for, `named` that it offers a resource by that name.
    `models` are those of the accelerators `used`, as tariffs name them.
    """

    need: Need | None
    obstacle: int
    wrong: bool
    named: bool
    fits: int
    used: tuple[Accelerator, ...]
    models: tuple[str, ...]


Looks = dict[object, Look]
"""Looks at kinds of machine by their mould, for one demand without a machine selector."""


# Plain numbers: flags take ten times as long, and there is one for each machine kind of each node.
_WRONG, _UNPRICED, _UNLABELLED = ACCELERATOR.value, Obstacle.UNPRICED.value, Obstacle.UNLABELLED.value
_obstacles = lru_cache(maxsize=1024)(Obstacle)


@lru_cache(maxsize=4096)
def _set_of(*numbers: int) -> frozenset[int]:
    """One set for all nodes that have it: there are few, and the fewer objects the less there is to collect."""
    return frozenset(numbers)


def _look(demand: Demand, kind: Kind, selector: Mapping[str, str], need: Need | None) -> Look:
    used = used_accelerators(demand, kind)
    against = obstacle(demand, kind, used, selector).value
    holds = not against and need is not None and (kind.cards is None or kind.cards.admits(demand.request))
    return Look(
        need,
        against,
        bool(against & _WRONG),
        any(demand.request.get(a.resource_name) for a in used),
        pods_on(kind.allocatable, need or ()) if holds else 0,
        used,
        tuple([a.meter_model for a in used]),
    )


def _distinct(*used: tuple[Accelerator, ...]) -> tuple[Accelerator, ...]:
    """Each accelerator once, as they first come."""
    return used[0] if len(used) == 1 else tuple(dict.fromkeys([a for each in used for a in each]))


def offer_of(demand: Demand, room: Room, price: PriceView | None, looks: Looks | None = None) -> Offer:
    """What the room's machines are to the job; `price` bars accelerators without one, None bars none.

    `looks` saves looking again at kinds of machine that were seen on other nodes.
    """
    selector = selector_of(demand, room.kinds) if demand.machine_selector else {}
    looks = {} if looks is None or selector else looks
    seen = looks.get(room.kinds[0].mould) if room.kinds else None
    need = room.need(demand.request) if seen is None else seen.need
    obstacles, rivals = 0, False
    found: list[tuple[int, Kind, Look]] = []
    for number, kind in enumerate(room.kinds):
        look = looks.get(kind.mould)
        if look is None:
            look = looks[kind.mould] = _look(demand, kind, selector, need)
        against = look.obstacle
        if look.models and price is not None and not look.wrong and not all(map(price.prices, look.models)):
            against = _UNPRICED
        if not against:
            found.append((number, kind, look))
            continue
        obstacles |= against
        rivals = rivals or (look.named and (look.wrong or against == _UNPRICED))
    affinity: Affinity = ()
    if found and (demand.picky or rivals):
        usable = [Usable(number, look.fits * kind.count, kind, look.used) for number, kind, look in found]
        chosen, affinity = steer(demand, usable, rivals=rivals)
        if len(chosen) < len(usable):
            obstacles |= _UNLABELLED
            kept = {each.number for each in chosen}
            found = [each for each in found if each[0] in kept]
    used = [look.used for _, _, look in found if look.used]
    accelerators = _distinct(*used) if used else ()
    held = [*dict.fromkeys([a.resource_name for a in accelerators if demand.request.get(a.resource_name)])]
    return Offer(
        need,
        _set_of(*[number for number, _, look in found if look.fits]),
        sum([look.fits * kind.count for _, kind, look in found]),
        accelerators,
        room.axes[held[0]] if held else None,
        sum([demand.request[name] for name in held]),
        affinity,
        _obstacles(obstacles),
    )


def fit_of(offer: Offer, room: Room, width: int) -> Fit:
    """How many pods of the offer's job have room now; `width` is how many are wanted."""
    free = largest = plain = later = 0
    idle: int | None = None
    axis, kinds, usable, coming = offer.axis, room.kinds, offer.kinds, room.coming
    need = offer.need or ()
    if offer.need is None or room.overdrawn:
        usable = frozenset()
    asked = 0 if axis is None else dict(need).get(axis, 0)
    for (number, vector), count, fits in open_parts(room.parts, usable, need) if usable else ():
        free += fits * count
        if coming and number in coming:
            later += fits * count
        if fits > largest:  # noqa: PLR1730 - cheaper than max(), and run for all shapes of all nodes
            largest = fits
        if axis is not None:
            left = vector[axis] - min(fits, width) * asked
            share = 100 * left // max(left, kinds[number].allocatable[axis], 1)
            if idle is None or share < idle:
                idle = share
        elif not kinds[number].accelerators:
            plain += fits * count
    lent = free if room.lent is None else min(free, max(pods_on(room.lent, need), 0))
    return Fit(
        lent,
        offer.pods_empty,
        min(largest, lent),
        min(plain, lent),
        idle,
        free,
        min(free - later, lent),
    )


def fit(demand: Demand, shapes: Sequence[Shape], need: int, assumed: Sequence[Assumption] = ()) -> Fit:
    """The fit of `need` pods of a demand on the shapes, once what is assumed was taken from them."""
    room = room_of(shapes)
    subtract(room, assumed, None)
    return fit_of(offer_of(demand, room, None), room, need)


def subtract(room: Room, assumed: Sequence[Assumption], price: PriceView | None) -> None:
    """Take what was sent earlier out of the room, in the order it was sent.

    What does not fit any more leaves the room overdrawn: those pods wait in the member for whatever gets free, so
    nothing that is free is the hub's to give away until newer figures come.
    """
    for assumption in assumed:
        offer = offer_of(assumption.demand, room, price)
        taken = 0 if offer.need is None else room.take(offer.need, offer.kinds, assumption.width)
        if taken < assumption.width:
            room.overdrawn = True
