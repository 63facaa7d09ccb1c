"""The forms of a job for different hardware: it runs in any of them, each judged by what it asks for itself."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .demand import Demand


@dataclass(frozen=True, slots=True)
class Form:
    """What a variant of a job asks for in the job's stead; units and meanings are those of a Demand."""

    variant: str
    request: Mapping[str, int]
    models: tuple[str, ...] = ()
    minimum_memory_bytes: int | None = None
    partition_profile: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for forms that every filter and score treats alike, and that go by the same name."""
        return (
            self.variant,
            tuple(sorted(self.request.items())),
            self.models,
            self.minimum_memory_bytes,
            self.partition_profile,
        )


def demand_in(demand: "Demand", variant: str | None) -> "Demand":
    """The demand in the form of the variant, which has no other forms any more; None is as it stands.

    Raises KeyError where it has no such form.
    """
    if variant is None or demand.variant == variant:
        return demand
    for form in demand.forms:
        if form.variant == variant:
            return replace(
                demand,
                request=form.request,
                models=form.models,
                minimum_memory_bytes=form.minimum_memory_bytes,
                partition_profile=form.partition_profile,
                variant=variant,
                forms=(),
            )
    raise KeyError(variant)


def demands_of(demand: "Demand") -> tuple["Demand", ...]:
    """The demand in each of its forms, in the job's order; one without forms as it stands."""
    return tuple(demand_in(demand, form.variant) for form in demand.forms) or (demand,)
