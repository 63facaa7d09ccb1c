"""The profile as it stands in a ComputeNode's status, and back."""

from collections.abc import Mapping
from datetime import UTC, datetime

from isthmus.api import profile as api
from isthmus.api.quantities import CPU, MEMORY, PODS, amount, amounts, text, texts

from .profile import Accelerator, AcceleratorTotal, MachineTaint, Profile, Shape
from .shares import CardLimits

_TOTALS_LIMIT = 64
_BEYOND_LIMIT = 256
_FIRST = (CPU, MEMORY, PODS, "ephemeral-storage")


def to_status(profile: Profile) -> api.Profile:
    """The profile as published. Totals and the list of further sequences are cut to what the object has room for."""
    accelerators = sorted(profile.accelerators, key=lambda t: t.total, reverse=True)[:_TOTALS_LIMIT]
    kept = set(map(id, accelerators))
    counted = {t.accelerator.resource_name for t in profile.accelerators}
    return api.Profile(
        observed_at=profile.observed_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        sequence=profile.sequence,
        visible_beyond=sorted(profile.visible_beyond)[:_BEYOND_LIMIT],
        machines=profile.machines,
        allocatable=_told(profile.allocatable, counted),
        free=_told(profile.free, counted),
        gpu_total=sum(t.total for t in profile.accelerators),
        gpu_free=sum(t.free for t in profile.accelerators),
        accelerators=[_total(t) for t in profile.accelerators if id(t) in kept],
        shapes=[_shape(shape) for shape in profile.shapes],
    )


def from_status(profile: api.Profile) -> Profile:
    """The published profile as the code works with it. Raises ValueError for times and quantities that are none."""
    return Profile(
        observed_at=datetime.fromisoformat(profile.observed_at),
        machines=profile.machines,
        allocatable=amounts(profile.allocatable),
        free=amounts(profile.free),
        accelerators=tuple(_from_total(t) for t in profile.accelerators),
        shapes=tuple(_from_shape(shape) for shape in profile.shapes),
        sequence=profile.sequence,
        visible_beyond=tuple(profile.visible_beyond),
    )


def _told(resources: Mapping[str, int], accelerators: set[str]) -> dict[str, str]:
    order = sorted(resources, key=lambda name: (name not in _FIRST, name not in accelerators, name))
    return texts({name: resources[name] for name in sorted(order[:_TOTALS_LIMIT])})


def _total(total: AcceleratorTotal) -> api.AcceleratorStatus:
    accelerator = total.accelerator
    return api.AcceleratorStatus(
        vendor=accelerator.vendor,
        resource_name=accelerator.resource_name,
        model=accelerator.model,
        memory=_memory_text(accelerator.memory_bytes),
        partition_profile=accelerator.partition_profile,
        total=total.total,
        free=total.free,
    )


def _from_total(total: api.AcceleratorStatus) -> AcceleratorTotal:
    accelerator = Accelerator(
        total.vendor, total.resource_name, total.model, _memory_bytes(total.memory), total.partition_profile
    )
    return AcceleratorTotal(accelerator, total.total, total.free)


def _shape(shape: Shape) -> api.ShapeStatus:
    return api.ShapeStatus(
        count=shape.count,
        free=texts(shape.free),
        allocatable=texts(shape.allocatable),
        accelerators=[_accelerator(a) for a in shape.accelerators],
        labels=dict(shape.labels or {}),
        taints=[
            api.ShapeTaint.model_validate({"key": t.key, "value": t.value, "effect": t.effect}) for t in shape.taints
        ],
        cards=_cards(shape.cards),
    )


def _from_shape(shape: api.ShapeStatus) -> Shape:
    return Shape(
        count=shape.count,
        free=amounts(shape.free),
        allocatable=amounts(shape.allocatable),
        accelerators=tuple(_from_accelerator(a) for a in shape.accelerators),
        labels=dict(shape.labels),
        taints=tuple(MachineTaint(t.key, t.value, t.effect) for t in shape.taints),
        cards=_from_cards(shape.cards),
    )


def _cards(cards: CardLimits | None) -> api.ShapeCards | None:
    if cards is None:
        return None
    return api.ShapeCards(
        resource_name=cards.resource, memory=cards.memory, most=texts(dict(cards.most)), shared=cards.shared
    )


def _from_cards(cards: api.ShapeCards | None) -> CardLimits | None:
    if cards is None:
        return None
    return CardLimits(cards.resource_name, cards.memory, tuple(sorted(amounts(cards.most).items())), cards.shared)


def _accelerator(accelerator: Accelerator) -> api.ShapeAccelerator:
    label = accelerator.label
    return api.ShapeAccelerator(
        vendor=accelerator.vendor,
        resource_name=accelerator.resource_name,
        model=accelerator.model,
        memory=_memory_text(accelerator.memory_bytes),
        partition_profile=accelerator.partition_profile,
        label=api.ModelLabel(key=label[0], value=label[1]) if label else None,
        other_labels=dict(accelerator.other_labels),
    )


def _from_accelerator(accelerator: api.ShapeAccelerator) -> Accelerator:
    return Accelerator(
        accelerator.vendor,
        accelerator.resource_name,
        accelerator.model,
        _memory_bytes(accelerator.memory),
        accelerator.partition_profile,
        (accelerator.label.key, accelerator.label.value) if accelerator.label else None,
        tuple(sorted(accelerator.other_labels.items())),
    )


def _memory_text(size: int | None) -> str | None:
    return None if size is None else text(MEMORY, size)


def _memory_bytes(quantity: str | None) -> int | None:
    return None if quantity is None else amount(MEMORY, quantity)
