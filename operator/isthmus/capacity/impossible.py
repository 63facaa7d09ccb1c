"""What no member can have: figures that a profile is set aside for. What a member reports is input, not truth."""

from collections import Counter
from collections.abc import Mapping

from isthmus.api.profile import SHAPE_LIMIT
from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY, PODS, text

from .profile import Profile, Shape

MACHINES = 100_000
"""Machines of one member; Kubernetes is tested up to 5,000."""
ACCELERATORS = 1_000_000
"""Accelerators of one member, over all models."""
SEQUENCE = 1 << 53
"""Dispatches of one node; the largest whole number that all JSON readers agree on."""

# What one machine can have, by far: the largest sold have some thousand cores and some tens of TiB.
_LARGEST: Mapping[str, int] = {CPU: 100_000 * 1000, MEMORY: (1 << 20) * GIBIBYTE, PODS: 100_000}
_AMOUNT = (1 << 63) - 1


def impossible(profile: Profile) -> str | None:
    """What of the profile can't be, in words for people; None where nothing speaks against it.

    Shapes may tell of less than the totals, as they are merged to the least and the smallest are left out where there
    are too many; never of more.
    """
    return _counts(profile) or _shapes(profile) or _totals(profile) or _accelerators(profile)


def _counts(profile: Profile) -> str | None:
    if not 0 <= profile.machines <= MACHINES:
        return f"{profile.machines} machines; a member has 0 to {MACHINES}"
    if len(profile.shapes) > SHAPE_LIMIT:
        return f"{len(profile.shapes)} shapes; at most {SHAPE_LIMIT} are told"
    if not all(0 <= number <= SEQUENCE for number in (profile.sequence, *profile.visible_beyond)):
        return "a sequence that no Dispatch can have"
    wrong = next((shape.count for shape in profile.shapes if shape.count < 1), None)
    if wrong is not None:
        return f"a shape of {wrong} machines"
    told = sum(shape.count for shape in profile.shapes if not shape.is_part)
    return f"shapes of {told} machines, where there are {profile.machines}" if told > profile.machines else None


def _shapes(profile: Profile) -> str | None:
    for place, shape in enumerate(profile.shapes, 1):
        wrong = _vectors(shape.free, shape.allocatable, _LARGEST) or _held(shape)
        if wrong is not None:
            return f"shape {place} has {wrong}"
    return None


def _held(shape: Shape) -> str | None:
    for accelerator in shape.accelerators:
        name = accelerator.resource_name
        if shape.allocatable.get(name, 0) > ACCELERATORS:
            return f"{shape.allocatable[name]} x {name} on one machine"
        if accelerator.memory_bytes is not None and not 0 <= accelerator.memory_bytes <= _LARGEST[MEMORY]:
            return f"{accelerator.model} with {accelerator.memory_bytes} bytes of memory"
    return None


def _vectors(free: Mapping[str, int], allocatable: Mapping[str, int], largest: Mapping[str, int]) -> str | None:
    for name, amount in allocatable.items():
        if not 0 <= amount <= largest.get(name, _AMOUNT):
            return f"{_said(name, amount)} allocatable"
    for name, amount in free.items():
        if amount < 0:
            return f"{_said(name, amount)} free"
        if amount > allocatable.get(name, 0):
            return f"{_said(name, amount)} free of {text(name, allocatable.get(name, 0))}"
    return None


def _totals(profile: Profile) -> str | None:
    """Totals are of all machines, so they have no bound of their own but that of what is not below zero."""
    wrong = _vectors(profile.free, profile.allocatable, dict.fromkeys(profile.allocatable, MACHINES * _AMOUNT))
    if wrong is not None:
        return f"{wrong} in all"
    for what, total in (("free", profile.free), ("allocatable", profile.allocatable)):
        told: Counter[str] = Counter()
        for shape in profile.shapes:
            vector = _counted(shape, what)
            told.update({name: amount * shape.count for name, amount in vector.items()})
        for name, amount in total.items():
            if told[name] > amount:
                return f"{text(name, told[name])} {name} {what} by shapes, of {text(name, amount)} in all"
    return None


def _counted(shape: Shape, what: str) -> Mapping[str, int]:
    """What of a shape is in the totals: of a part of a machine not what it has in all, nor how many share its card."""
    if not shape.is_part or shape.cards is None:
        return shape.free if what == "free" else shape.allocatable
    return {name: amount for name, amount in shape.free.items() if what == "free" and name != shape.cards.resource}


def _accelerators(profile: Profile) -> str | None:
    for total in profile.accelerators:
        if total.total < 0 or not 0 <= total.free <= total.total:
            return f"{total.free} of {total.total} {total.accelerator.model} free"
    every = sum(total.total for total in profile.accelerators)
    there = sum(
        shape.count * shape.allocatable.get(accelerator.resource_name, 0)
        for shape in profile.shapes
        if not shape.is_part
        for accelerator in shape.accelerators
    )
    if max(every, there) > ACCELERATORS:
        return f"{max(every, there)} accelerators; a member has at most {ACCELERATORS}"
    return None


def _said(name: str, amount: int) -> str:
    return f"{amount} {name}" if amount < 0 else f"{text(name, amount)} {name}"
