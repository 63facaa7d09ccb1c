"""How large a job is: what its cost on a node and the penalty for leaving it out are measured by."""

from isthmus.api.quantities import CPU, GIBIBYTE, MEMORY
from isthmus.capacity.accelerators import AcceleratorTable
from isthmus.placement.demand import Demand

_CORES = 8  # as large as 64 GiB of memory, or a quarter of an accelerator
_GIBIBYTES = 64
_ACCELERATOR = 4.0
_LEAST = 1e-3
# More than any machine can be. A job may ask for it, in one of its forms, and must not drown all others in the program.
_MOST = 1e5
_TABLE = AcceleratorTable.default()


def size_of(demand: Demand) -> float:
    """The size of one pod: 1 for 8 cores, for 64 GiB, and for a quarter of an accelerator. Never zero.

    A pod counts no more than the largest machine there can be, and extended resources that are no accelerators count
    up to one accelerator in all, for their units tell nothing. The size hangs on the job alone, so that figures of
    different fleets can be compared.
    """
    request = demand.request
    whole = sum(amount for name, amount in request.items() if "/" in name and _TABLE.is_accelerator(name))
    other = sum(amount for name, amount in request.items() if "/" in name and not _TABLE.is_accelerator(name))
    cores, memory = request.get(CPU, 0) / (1000 * _CORES), request.get(MEMORY, 0) / (_GIBIBYTES * GIBIBYTE)
    return min(_MOST, max(_LEAST, cores + memory + _ACCELERATOR * (whole + min(other, 1))))
