"""Resource-time: whole millicore-seconds, mebibyte-seconds and milli-GPU-seconds by model."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from isthmus.api.dispatch import MeterQuantity
from isthmus.api.quantities import CPU, MEBIBYTE, MEMORY

MeterName = Literal["MillicoreSeconds", "MebibyteSeconds", "MilliGPUSeconds"]
Meter = tuple[MeterName, str]
"""A meter and, where it is of accelerators, their model; else an empty string."""

MILLICORE_SECONDS: MeterName = "MillicoreSeconds"
MEBIBYTE_SECONDS: MeterName = "MebibyteSeconds"
MILLI_GPU_SECONDS: MeterName = "MilliGPUSeconds"
# Where a shard ran on more models than a reading has room for, the further ones are told together.
OTHER_MODELS: Meter = (MILLI_GPU_SECONDS, "other")
METER_LIMIT = 32


class Meters(Mapping[Meter, int]):
    """An immutable sum of resource-time by meter; a meter that is not in it is zero."""

    __slots__ = ("_amounts",)

    def __init__(self, amounts: Mapping[Meter, int] | None = None) -> None:
        """Raises ValueError where an amount is below zero."""
        self._amounts = {meter: value for meter, value in (amounts or {}).items() if value}
        if any(value < 0 for value in self._amounts.values()):
            raise ValueError("resource-time is never below zero")

    def __getitem__(self, meter: Meter) -> int:
        return self._amounts.get(meter, 0)

    def __iter__(self) -> Iterator[Meter]:
        return iter(sorted(self._amounts))

    def __len__(self) -> int:
        return len(self._amounts)

    def __contains__(self, meter: object) -> bool:
        return meter in self._amounts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Meters) and self._amounts == other._amounts

    def __hash__(self) -> int:
        return hash(frozenset(self._amounts.items()))

    def __repr__(self) -> str:
        return f"Meters({self._amounts!r})"

    def __add__(self, other: "Meters") -> "Meters":
        return Meters.total((self, other))

    def __sub__(self, other: "Meters") -> "Meters":
        """Raises ValueError where the difference is below zero."""
        return Meters({meter: self[meter] - other[meter] for meter in {*self, *other}})

    def maximum(self, other: "Meters") -> "Meters":
        """The larger of the two, meter by meter."""
        return Meters({meter: max(self[meter], other[meter]) for meter in {*self, *other}})

    def bounded(self, known: Iterable[Meter], limit: int = METER_LIMIT) -> "Meters":
        """At most `limit` meters, further models told as one.

        Those in `known`, the outcome of an earlier call, keep their names; of the others as many as there is room for.
        """
        names = [meter for meter in known if meter != OTHER_MODELS]
        names += [meter for meter in self if meter not in set(names) and meter != OTHER_MODELS]
        if len(names) < limit:
            return self
        named = set(names[: limit - 1])
        folded = {meter: value for meter, value in self._amounts.items() if meter in named}
        folded[OTHER_MODELS] = sum(self._amounts.values()) - sum(folded.values())
        return Meters(folded)

    @staticmethod
    def total(parts: Iterable["Meters"]) -> "Meters":
        """The sum of many."""
        amounts: dict[Meter, int] = {}
        for part in parts:
            for meter, value in part._amounts.items():  # noqa: SLF001  # its own class
                amounts[meter] = amounts.get(meter, 0) + value
        return Meters(amounts)

    @staticmethod
    def from_quantities(quantities: Iterable[MeterQuantity]) -> "Meters":
        """As a reading tells them."""
        return Meters.total(Meters({(q.meter, q.model): q.quantity}) for q in quantities)

    def quantities(self) -> list[MeterQuantity]:
        """As a reading tells them: by meter, then by model."""
        return [MeterQuantity(meter=name, model=model, quantity=self[name, model]) for name, model in self]


def pod_meters(request: Mapping[str, int], models: Mapping[str, str], seconds: int) -> Meters:
    """What a pod of that effective request uses in so many whole seconds.

    `request` is in the units of `isthmus.api.quantities.Resources`; `models` gives the model of each resource of it
    that is counted as accelerators. Memory is counted in whole MiB, rounded up.
    """
    amounts: dict[Meter, int] = {
        (MILLICORE_SECONDS, ""): request.get(CPU, 0) * seconds,
        (MEBIBYTE_SECONDS, ""): -(-request.get(MEMORY, 0) // MEBIBYTE) * seconds,
    }
    for resource, model in models.items():
        meter: Meter = (MILLI_GPU_SECONDS, model)
        amounts[meter] = amounts.get(meter, 0) + request.get(resource, 0) * 1000 * seconds
    return Meters(amounts)
