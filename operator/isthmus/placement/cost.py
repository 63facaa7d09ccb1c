"""What a job would cost on a node by the hour, at the node's prices."""

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
    dearest: dict[str, Decimal] = {}
    for accelerator in offer.accelerators:
        name = accelerator.resource_name
        if not demand.request.get(name):
            continue
        each = price.of_model(accelerator.meter_model)
        if each is None:
            return None
        dearest[name] = max(dearest.get(name, Decimal(0)), each)
    for name, each in dearest.items():
        second += each * demand.request[name]
    return second * HOUR * width
