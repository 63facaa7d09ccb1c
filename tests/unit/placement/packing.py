"""Packing by trying everything: the yardstick for what the engine finds."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from isthmus.capacity.accelerators import model_matches
from isthmus.capacity.profile import Shape
from isthmus.placement import Demand, NodeView

Machine = tuple[int, tuple[tuple[str, int], ...]]
"""The place of its shape, and what is free, in the order of names."""


def machines_of(shapes: Sequence[Shape]) -> tuple[Machine, ...]:
    """Every machine of the shapes by itself."""
    return tuple((n, tuple(sorted(s.free.items()))) for n, s in enumerate(shapes) for _ in range(s.count))


def packable(shapes: Sequence[Shape], pods: Sequence[tuple[Mapping[str, int], Callable[[Shape], bool]]]) -> bool:
    """Whether all pods go on the machines at once, each a request and which shapes it may use."""

    @cache
    def rest(machines: tuple[Machine, ...], pod: int) -> bool:
        if pod == len(pods):
            return True
        request, allowed = pods[pod]
        for place, (number, free) in enumerate(machines):
            if place and machines[place - 1] == machines[place]:
                continue  # the same machine again
            left = _less(dict(free), request) if allowed(shapes[number]) else None
            if left is None:
                continue
            taken = (number, tuple(sorted(left.items())))
            if rest(tuple(sorted((*machines[:place], taken, *machines[place + 1 :]))), pod + 1):
                return True
        return False

    return rest(tuple(sorted(machines_of(shapes))), 0)


def packs(there: NodeView, work: Sequence[tuple[Demand, int]]) -> bool:
    """Whether the work can be packed onto the node's machines, each pod on one that it may use there."""

    def may_use(job: Demand, each: Shape) -> bool:
        held = [a for a in each.accelerators if job.request.get(a.resource_name)]
        priced = there.price is None or all(there.price.of_model(a.meter_model) is not None for a in held)
        wanted = not job.models or all(any(model_matches(m, a.model) for m in job.models) for a in held)
        return priced and wanted and (not each.taints or bool(job.machine_tolerations))

    pods = [(job.request, lambda s, job=job: may_use(job, s)) for job, width in work for _ in range(width)]
    return packable(there.profile.shapes if there.profile else (), pods)


def _less(free: Mapping[str, int], request: Mapping[str, int]) -> dict[str, int] | None:
    left = {**free}
    for name, amount in request.items():
        if left.get(name, 0) < amount:
            return None
        left[name] = left.get(name, 0) - amount
    return left
