"""What a job would cost on a node by the hour, at the node's prices."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache

from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY

from .demand import Demand
from .fit import Offer
from .snapshot import PriceView

HOUR = 3600


@lru_cache(maxsize=4096)
def _amounts(millicores: int, size: int) -> tuple[Decimal, Decimal]:
    """The same in cores and GiB, as prices are."""
    return Decimal(millicores).scaleb(-3), Decimal(size) / GIBIBYTE


def per_hour(demand: Demand, offer: Offer, price: PriceView, width: int) -> Decimal | None:
    """Price of an hour of `width` of the job's pods at once; the dearest where several models offered would do.

    None where an accelerator that its pods would hold has no price.
    """
    cores, memory = _amounts(demand.request.get(CPU, 0), demand.request.get(MEMORY, 0))
    second = cores * price.core_second + memory * price.gibibyte_second
    accelerators = most_of(demand, offer, price.of_model) if offer.accelerators else Decimal(0)
    return None if accelerators is None else (second + accelerators) * HOUR * width


def most_of(demand: Demand, offer: Offer, of_model: Callable[[str], Decimal | None]) -> Decimal | None:
    """What the accelerators that a pod would hold come to by a figure of each model, the highest of all that would do.

    None where a figure is not known.
    """
    highest: dict[str, Decimal] = {}
    for accelerator in offer.accelerators:
        name = accelerator.resource_name
        if demand.request.get(name):
            figure = of_model(accelerator.meter_model)
            if figure is None:
                return None
            highest[name] = max(highest.get(name, Decimal(0)), figure)
    return sum((each * demand.request[name] for name, each in highest.items()), Decimal(0))
