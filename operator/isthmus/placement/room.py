"""The free room of one node, machine by machine: a multiset of equal machines from which pods are taken."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from operator import add

from isthmus.capacity.profile import Profile, Shape
from isthmus.capacity.spreading import shares

from .demand import Demand
from .machines import Kind, Vector

Part = tuple[int, Vector]
"""A kind of machine (by its place in `Room.kinds`) and what is free on it."""

Need = tuple[tuple[int, int], ...]
"""A pod's request along a room's axes: (axis, amount), amounts above zero."""

_UNBOUNDED = 1 << 40


def pods_on(free: Vector, need: Need) -> int:
    """How many pods of the need go on one machine."""
    fewest = _UNBOUNDED
    for axis, amount in need:
        fits = free[axis] // amount
        if fits < fewest:
            fewest = fits
            if fits <= 0:
                return 0
    return fewest


def open_parts(parts: Mapping[Part, int], kinds: frozenset[int], need: Need) -> list[tuple[Part, int, int]]:
    """The parts of the kinds that take a pod: (part, machines, pods that go on each).

    As `pods_on` has it, whose call for each part takes as long as all of this.
    """
    found: list[tuple[Part, int, int]] = []
    for part, count in parts.items():
        if part[0] not in kinds:
            continue
        vector, fewest = part[1], _UNBOUNDED
        for axis, amount in need:
            fits = vector[axis] // amount
            if fits < fewest:
                fewest = fits
                if fits <= 0:
                    break
        if fewest > 0:
            found.append((part, count, fewest))
    return found


class Room:
    """What is free on a node's machines. A `version` names one state for good: it is never given to another.

    `overdrawn` is true when work sent earlier does not fit the node's newest figures: nothing more may be sent.
    `share` is the most of each axis that our work may hold on all machines together, and `lent` what is left of that;
    None is no such bound. Both bound what is given out, whatever is free. `coming` are the kinds of machines that are
    yet to come, `models` those of the accelerators of all kinds. `withheld` is what was free on machines that are kept
    for `holders`; `parts` tells it as used, and `kept` what of the share is kept for them.
    """

    __slots__ = (
        "_before",
        "_largest",
        "_latest",
        "axes",
        "coming",
        "holders",
        "kept",
        "kinds",
        "lent",
        "models",
        "overdrawn",
        "parts",
        "share",
        "version",
        "withheld",
    )

    def __init__(self, axes: Mapping[str, int], kinds: tuple[Kind, ...], parts: dict[Part, int]) -> None:
        self.axes = axes
        self.kinds = kinds
        self.parts = parts
        self.version = 0
        self.overdrawn = False
        self._largest: Mapping[str, int] | None = None
        self.models = tuple(sorted({a.model for kind in kinds for a in kind.accelerators}))
        self.coming = frozenset(number for number, kind in enumerate(kinds) if kind.coming)
        self.share: Vector | None = None
        self.lent: Vector | None = None
        self.withheld: dict[Part, int] = {}
        self.kept: Vector | None = None
        self.holders: list[Demand] = []
        self._latest = 0
        self._before: tuple[dict[Part, int], int, Vector | None] | None = None

    @property
    def largest(self) -> Mapping[str, int]:
        """The most of each resource that one machine has when it is empty."""
        if self._largest is None:
            self._largest = {
                name: max([kind.allocatable[axis] for kind in self.kinds], default=0)
                for name, axis in self.axes.items()
            }
        return self._largest

    def lend(self, share: Mapping[str, int] | None, left: Mapping[str, int] | None) -> None:
        """Bound what is given out from now on: by resource, the most that our work may hold, and what is left of it."""
        self.share = self._bound(share)
        lent = self._bound(left)
        if lent != self.lent:
            self.lent = lent
            self._changed()

    def _bound(self, amounts: Mapping[str, int] | None) -> Vector | None:
        return None if amounts is None else tuple(amounts.get(name, _UNBOUNDED) for name in self.axes)

    def refill(self, other: "Room") -> None:
        """Take on the free vectors of another room of the same axes and kinds."""
        self.parts = other.parts
        self.overdrawn = other.overdrawn
        self._changed()

    def restart(self, parts: Mapping[Part, int], lent: Vector | None) -> None:
        """Start anew from these free vectors, which stay as they are, and with so much lent."""
        self.parts, self.lent = dict(parts), lent
        self._changed()

    def resume(self, parts: dict[Part, int], lent: Vector | None, version: int) -> None:
        """Return to an earlier state of this room, named by its version."""
        self.parts, self.lent, self.version = parts, lent, version

    def mark(self) -> None:
        """Remember this state for `undo`, unless one is remembered already."""
        if self._before is None:
            self._before = (dict(self.parts), self.version, self.lent)

    def undo(self) -> None:
        """Return to the remembered state, if there is one, and let go of it."""
        if self._before is not None:
            self.parts, self.version, self.lent = self._before
            self._before = None
            self.withheld, self.holders, self.kept = {}, [], None

    def withhold(self, machines: Mapping[Part, int], need: Need, holder: Demand) -> None:
        """Keep what is free on so many machines of each part for one job, until it is undone.

        Of what is lent, as much as its pods at once need of it.
        """
        self.mark()
        self._changed()
        self.holders.append(holder)
        nothing = (0,) * len(self.axes)
        for part, count in machines.items():
            self.withheld[part] = self.withheld.get(part, 0) + count
            self.move(part, count, nothing)
        if self.lent is not None:
            left = tuple(max(0, each) for each in _less(self.lent, need, holder.least))
            kept = tuple(before - after for before, after in zip(self.lent, left, strict=True))
            self.lent, self.kept = left, kept if self.kept is None else tuple(map(add, self.kept, kept))

    def withheld_pods(self, need: Need, kinds: frozenset[int]) -> int:
        """How many pods more the machines would hold that are kept for holders."""
        return sum(pods_on(part[1], need) * count for part, count in self.withheld.items() if part[0] in kinds)

    @property
    def left_to_lend(self) -> Vector | None:
        """What is left of the share, what is kept for holders included; None is no bound."""
        return self.lent if self.lent is None or self.kept is None else tuple(map(add, self.lent, self.kept))

    def give_back(self, need: Need, pods: int) -> None:
        """Count so many pods of the need no longer to what our work holds of what is lent."""
        if self.lent is not None:
            self.lent = _less(self.lent, need, -pods)

    def copy(self) -> "Room":
        """The room as it is now, to try something on."""
        other = Room(self.axes, self.kinds, dict(self.parts))
        other.overdrawn, other.lent = self.overdrawn, self.lent
        return other

    def _changed(self) -> None:
        self._latest += 1
        self.version = self._latest

    def need(self, request: Mapping[str, int]) -> Need | None:
        """The request along the axes, or None where it asks for something that no machine here has."""
        need: list[tuple[int, int]] = []
        axes = self.axes
        for name, amount in request.items():
            if amount > 0:
                if name not in axes:
                    return None
                need.append((axes[name], amount))
        return tuple(need)

    def take(self, need: Need, kinds: frozenset[int], width: int) -> int:
        """Put up to `width` pods onto machines of the kinds; returns how many found room.

        Machines that are yet to come are taken only by what those that are there have no room for.
        """
        later = kinds & self.coming
        taken = self._take(need, kinds - later if later else kinds, width)
        return taken + self._take(need, later, width - taken) if later and taken < width else taken

    def _take(self, need: Need, kinds: frozenset[int], width: int) -> int:
        if width == 1:
            return self._take_one(need, kinds)
        found = open_parts(self.parts, kinds, need)
        if self.lent is not None:
            width = min(width, pods_on(self.lent, need))
        taken = min(width, sum(count * fits for _, count, fits in found))
        if not taken:
            return 0
        self._changed()
        found.sort()
        pieces = shares([(fits, count) for _, count, fits in found], taken)
        for (part, _, _), piece in zip(found, pieces, strict=True):
            for pods, machines in piece:
                self.move(part, machines, _less(part[1], need, pods))
        if self.lent is not None:
            self.lent = _less(self.lent, need, taken)
        return taken

    def _take_one(self, need: Need, kinds: frozenset[int]) -> int:
        """Put a pod where `shares` would: on the last of the parts with most room left."""
        if self.lent is not None and pods_on(self.lent, need) < 1:
            return 0
        most, chosen = 0, None
        for part, _, fits in open_parts(self.parts, kinds, need):
            if fits > most or (fits == most and chosen is not None and part > chosen):
                most, chosen = fits, part
        if chosen is None:
            return 0
        self._changed()
        self.move(chosen, 1, _less(chosen[1], need, 1))
        if self.lent is not None:
            self.lent = _less(self.lent, need, 1)
        return 1

    def move(self, part: Part, machines: int, free: Vector) -> None:
        """Say that so much is free on so many machines of the part now; `mark` and a version are the caller's."""
        self.parts[part] -= machines
        if not self.parts[part]:
            del self.parts[part]
        rest = (part[0], free)
        self.parts[rest] = self.parts.get(rest, 0) + machines


def _less(free: Vector, need: Need, pods: int) -> Vector:
    left = list(free)
    for axis, amount in need:
        left[axis] -= amount * pods
    return tuple(left)


@lru_cache(maxsize=4096)
def _mould(_alike: object) -> object:
    """One object for all kinds of machine that are alike in this."""
    return object()


def room_of(shapes: Iterable[Shape], coming: Sequence[Shape] = ()) -> Room:
    """The room of a node's shapes, and of those that are yet to come, nothing assumed."""
    there = tuple(shapes)
    shapes = (*there, *coming)
    axes = {name: axis for axis, name in enumerate(sorted({n for s in shapes for n in (*s.free, *s.allocatable)}))}
    numbers: dict[object, int] = {}
    firsts: list[tuple[Shape, Vector, dict[str, str], bool]] = []
    counts: list[int] = []
    parts: dict[Part, int] = {}
    for place, shape in enumerate(shapes):
        allocatable = tuple(shape.allocatable.get(name, 0) for name in axes)
        labels = dict(shape.labels or {})
        labels.update(pair for accelerator in shape.accelerators for pair in accelerator.labels)
        later = place >= len(there)
        key = (allocatable, shape.accelerators, tuple(sorted(labels.items())), shape.taints, later, shape.cards)
        number = numbers.setdefault(key, len(numbers))
        if number == len(firsts):
            firsts.append((shape, allocatable, labels, later))
            counts.append(0)
        counts[number] += shape.count
        part = (number, tuple(shape.free.get(name, 0) for name in axes))
        parts[part] = parts.get(part, 0) + shape.count
    kinds = tuple(
        Kind(count, allocatable, shape.accelerators, labels, shape.taints, later, shape.cards, _mould((*axes, key)))
        for count, key, (shape, allocatable, labels, later) in zip(counts, numbers, firsts, strict=True)
    )
    return Room(axes, kinds, parts)


def room_of_profile(profile: Profile | None, coming: Sequence[Shape] = ()) -> Room:
    """The room of a node by its profile, and by what may come; none where there is no profile yet."""
    return room_of(()) if profile is None else room_of(profile.shapes, coming)
