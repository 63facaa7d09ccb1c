"""What pods hold at once, as accounts are measured by it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Context, Decimal

from isthmus.api.quantities import CPU, MEMORY
from isthmus.capacity.profile import Accelerator

Models = tuple[str, ...]
"""Accelerator models, as meters name them, any of which the pods may come to hold."""

NOTHING_PER_HOUR = Decimal(0)
# Sums of prices stay exact: of 28 digits that decimals have here, six stand behind the point.
_STEP = Decimal("0.000001")
_WIDE = Context(prec=60)


@dataclass(frozen=True, slots=True)
class Holding:
    """Amounts by resource in the units of `isthmus.api.quantities`, accelerators by model, and the price per hour.

    Where a node leaves open which of several models pods get, they stand under all of these.
    """

    resources: Mapping[str, int] = field(default_factory=dict)
    accelerators: Mapping[Models, int] = field(default_factory=dict)
    per_hour: Decimal = NOTHING_PER_HOUR

    def times(self, pods: int) -> "Holding":
        """What so many such pods hold."""
        if pods == 1:
            return self
        return Holding(
            {name: amount * pods for name, amount in self.resources.items()},
            {models: count * pods for models, count in self.accelerators.items()},
            self.per_hour * pods,
        )

    def plus(self, other: "Holding") -> "Holding":
        """Both together."""
        return self._with(other, 1)

    def minus(self, other: "Holding") -> "Holding":
        """What is left without the other, which must be a part of it."""
        return self._with(other, -1)

    def _with(self, other: "Holding", sign: int) -> "Holding":
        return Holding(
            _sum(self.resources, other.resources, sign),
            _sum(self.accelerators, other.accelerators, sign),
            self.per_hour + sign * other.per_hour,
        )

    def __bool__(self) -> bool:
        return bool(self.resources or self.accelerators or self.per_hour)


NOTHING = Holding()


def _sum(left: Mapping[str, int] | Mapping[Models, int], right: Mapping, sign: int) -> dict:  # type: ignore[type-arg]
    total = dict(left)
    for key, amount in right.items():
        total[key] = total.get(key, 0) + sign * amount
        if not total[key]:
            del total[key]
    return total


def counts(resource: str) -> bool:
    """Whether accounts are measured by the resource: cores, memory, and extended resources such as accelerators."""
    return resource in {CPU, MEMORY} or ("/" in resource and not resource.startswith("hugepages-"))


def counted_in(request: Mapping[str, int], pods: int = 1) -> dict[str, int]:
    """What so many pods of the request hold of the resources that accounts are measured by."""
    return {name: amount * pods for name, amount in request.items() if amount > 0 and pods > 0 and counts(name)}


def holding_of(request: Mapping[str, int], accelerators: Iterable[Accelerator], price: Decimal | None) -> Holding:
    """What one pod of the request holds; it gets any of the accelerators, and costs `price` an hour (None: nothing)."""
    by_resource: dict[str, set[str]] = {}
    for accelerator in accelerators:
        if request.get(accelerator.resource_name):
            by_resource.setdefault(accelerator.resource_name, set()).add(accelerator.meter_model)
    held: dict[Models, int] = {}
    for name, models in by_resource.items():
        key = tuple(sorted(models))
        held[key] = held.get(key, 0) + request[name]
    per_hour = NOTHING_PER_HOUR if price is None else price.quantize(_STEP, ROUND_HALF_EVEN, _WIDE)
    return Holding(counted_in(request), held, per_hour)
