"""Amounts and requests in words, the same in every message."""

from functools import lru_cache

from isthmus.api.quantities import CPU, MEMORY, PODS, text

from .demand import Demand

_PLAIN = frozenset({CPU, MEMORY, "ephemeral-storage"})


def counted(resource: str, amount: int) -> str:
    """An amount of a resource: `8 x nvidia.com/gpu`, `4 cpu`, `16Gi memory`."""
    return f"{text(resource, amount)} {resource}" if resource in _PLAIN else f"{text(resource, amount)} x {resource}"


def asked(demand: Demand) -> tuple[tuple[str, int], ...]:
    """What one pod asks for, without the pod itself; what is scarcer (extended resources) first."""
    return _asked(tuple(demand.request.items()))


@lru_cache(maxsize=4096)
def _asked(request: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    found = [(name, amount) for name, amount in request if amount > 0 and name != PODS]
    return tuple(sorted(found, key=lambda pair: ("/" not in pair[0], pair[0])))


def pods_wanted(demand: Demand) -> str:
    """How many pods a node must have room for: `a pod`, `3 pods`, for a split job `room for 3 of 40 pods`."""
    if demand.least < demand.width:
        return f"room for {demand.least} of {demand.width} pods"
    return "a pod" if demand.width == 1 else f"{demand.width} pods"


def pod_request(demand: Demand) -> str:
    """One pod's request: `8 x nvidia.com/gpu + 4 cpu`."""
    return " + ".join(counted(name, amount) for name, amount in asked(demand)) or "no resources"
