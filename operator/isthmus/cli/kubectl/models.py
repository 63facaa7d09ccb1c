"""Models of accelerators on the command line: which the fleet has, and which one that is wanted may have been meant."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .complaint import Complaint

NVIDIA = "nvidia.com/gpu"
Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Offered:
    """An accelerator that some node has: its model, and the resource that pods ask for."""

    model: str
    resource: str


def offered_by(nodes: Iterable[Object]) -> tuple[Offered, ...]:
    """What the nodes have, each once, partitions too."""
    found = {
        Offered(str(each.get("model", "")), str(each.get("resourceName", "")))
        for node in nodes
        for each in (((node.get("status") or {}).get("profile") or {}).get("accelerators")) or ()
    }
    return tuple(sorted(found, key=lambda offered: (offered.model, offered.resource)))


def unknown(wanted: Iterable[str], offered: Sequence[Offered]) -> tuple[str, ...]:
    """Those of the wanted models that nothing offered is."""
    from isthmus.capacity.accelerators import model_matches

    return tuple(name for name in wanted if not any(model_matches(name, each.model) for each in offered))


def suggestion(names: Sequence[str], offered: Sequence[Offered]) -> str:
    """What to say of models that no node has: the nearest that there are, or all."""
    from isthmus.placement.nearest import nearest_models

    there = sorted({each.model for each in offered})
    said = f"no node has accelerators of model {' or '.join(names)}"
    near = nearest_models(names, there)
    if near:
        return f"{said}; nearest: {', '.join(near)}"
    return f"{said}; there are: {', '.join(there)}" if there else f"{said}, or any at all"


def resource_for(wanted: Sequence[str], offered: Sequence[Offered]) -> str:
    """The resource by which pods ask for these models. Complaint where it is not the same for all."""
    from isthmus.capacity.accelerators import model_matches

    fitting = [each for each in offered if not wanted or any(model_matches(name, each.model) for name in wanted)]
    resources = sorted({each.resource for each in fitting})
    if NVIDIA in resources and not wanted:
        return NVIDIA
    if len(resources) > 1:
        raise Complaint(
            f"accelerators there are of several resources: give --gpu-resource, one of {', '.join(resources)}"
        )
    return resources[0] if resources else NVIDIA
