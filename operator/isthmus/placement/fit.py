"""Per-machine fit: how many pods of a job a node's machines hold, now and if they were empty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from isthmus.capacity.profile import Accelerator, Shape

from .demand import Demand
from .machines import ACCELERATOR, Kind, Obstacle, obstacle, used_accelerators
from .room import Need, Room, pods_on, room_of
from .snapshot import PriceView

Affinity = tuple[tuple[str, tuple[str, ...]], ...]
"""Required machine labels, all of them: (key, allowed values)."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What a node's machines are to a job, whatever is free on them.

    `kinds` are the machines it may use (their numbers in the room), `pods_empty` how many of its pods they would hold
    if they were empty, `largest_empty` how many one of them would. `accelerators` are those its pods would hold,
    `axis` the axis of the first of them. `obstacles` says what stands against the other machines.
    """

    need: Need | None
    kinds: frozenset[int]
    pods_empty: int
    largest_empty: int
    accelerators: tuple[Accelerator, ...]
    axis: int | None
    per_pod: int
    affinity: Affinity
    obstacles: Obstacle


@dataclass(frozen=True, slots=True)
class Fit:
    """How many pods of the job go on the node's machines.

    `largest_block` is the most that one machine takes now, `plain` those of `pods_free` on machines without
    accelerators. `idle_share` is the smallest share (percent) of a machine's accelerators that would be left over on
    a machine that takes what it can of the job; None where its pods hold none. `models` are the machine labels that
    keep its pods to machines it may use.
    """

    pods_free: int
    pods_empty: int
    largest_block: int
    plain: int
    idle_share: int | None
    models: Affinity
    obstacles: Obstacle


def _label_keys(accelerators: Sequence[Accelerator]) -> tuple[str, ...]:
    return tuple(sorted({a.label[0] for a in accelerators if a.label is not None}))


def _affinity(accelerators: Sequence[Accelerator]) -> Affinity:
    values: dict[str, set[str]] = {}
    for accelerator in accelerators:
        if accelerator.label is not None:
            values.setdefault(accelerator.label[0], set()).add(accelerator.label[1])
    return tuple((key, tuple(sorted(allowed))) for key, allowed in sorted(values.items()))


def offer_of(demand: Demand, room: Room, price: PriceView | None) -> Offer:
    """What the room's machines are to the job; `price` bars accelerators without one, None bars none.

    Required labels are joined by and, so where the machines tell their models by different labels, the job keeps to
    those of one: the one with most room when empty. Machines without such a label drop out where the job must be kept
    off others, for nothing would keep it off those.
    """
    need = room.need(demand.request)
    obstacles = Obstacle.NONE
    groups: dict[tuple[str, ...], list[tuple[int, int, Kind]]] = {}
    for number, kind in enumerate(room.kinds):
        found = obstacle(demand, kind, price)
        obstacles |= found
        fits = 0 if need is None else pods_on(kind.allocatable, need)
        if not found and not fits:
            obstacles |= Obstacle.SIZE
        if not found:
            groups.setdefault(_label_keys(used_accelerators(demand, kind)), []).append((number, fits, kind))
    steered = demand.picky or bool(obstacles & (ACCELERATOR | Obstacle.UNPRICED))
    if steered and len(groups) > 1:
        keys = max(sorted(k for k in groups if k), key=lambda k: sum(f * m.count for _, f, m in groups[k]))
        groups = {keys: groups[keys]}
    chosen = [entry for group in groups.values() for entry in group]
    accelerators = tuple(dict.fromkeys(a for _, _, kind in chosen for a in used_accelerators(demand, kind)))
    held = [a.resource_name for a in accelerators if demand.request.get(a.resource_name)]
    return Offer(
        need=need,
        kinds=frozenset(number for number, fits, _ in chosen if fits),
        pods_empty=sum(fits * kind.count for _, fits, kind in chosen),
        largest_empty=max((fits for _, fits, _ in chosen), default=0),
        accelerators=accelerators,
        axis=room.axes[held[0]] if held else None,
        per_pod=sum(demand.request[name] for name in dict.fromkeys(held)),
        affinity=_affinity(accelerators) if steered else (),
        obstacles=obstacles,
    )


def fit_of(offer: Offer, room: Room, width: int) -> Fit:
    """How many pods of the offer's job have room now; `width` is how many are wanted."""
    free = largest = plain = 0
    idle: int | None = None
    need, axis, kinds, usable = offer.need, offer.axis, room.kinds, offer.kinds
    if need is not None and usable and not room.overdrawn:
        for part, count in room.parts.items():
            if part[0] not in usable:
                continue
            fits = pods_on(part[1], need)
            if not fits:
                continue
            free += fits * count
            largest = max(largest, fits)
            kind = kinds[part[0]]
            if axis is not None:
                left = part[1][axis] - min(fits, width) * offer.per_pod
                share = 100 * max(left, 0) // kind.allocatable[axis]
                idle = share if idle is None else min(idle, share)
            elif not kind.accelerators:
                plain += fits * count
    return Fit(free, offer.pods_empty, largest, plain, idle, offer.affinity, offer.obstacles)


def fit(demand: Demand, shapes: Sequence[Shape], need: int, assumed: Sequence[tuple[Demand, int]] = ()) -> Fit:
    """The fit of `need` pods of a demand on the shapes, once the assumed (demand, width) pairs are taken from them."""
    room = room_of(shapes)
    subtract(room, assumed, None)
    return fit_of(offer_of(demand, room, None), room, need)


def subtract(room: Room, assumed: Sequence[tuple[Demand, int]], price: PriceView | None) -> None:
    """Take what was sent earlier out of the room, in the order it was sent.

    What does not fit any more leaves the room overdrawn: those pods wait in the member for whatever gets free, so
    nothing that is free is the hub's to give away until newer figures come.
    """
    offers: dict[int, Offer] = {}
    for demand, width in assumed:
        offer = offers.get(id(demand))
        if offer is None:
            offer = offers[id(demand)] = offer_of(demand, room, price)
        taken = 0 if offer.need is None else room.take(offer.need, offer.kinds, width)
        if taken < width:
            room.overdrawn = True


def wanted(demand: Demand) -> Mapping[str, int]:
    """One pod's request without the pod itself, for messages."""
    return {name: amount for name, amount in demand.request.items() if amount > 0 and name != "pods"}
