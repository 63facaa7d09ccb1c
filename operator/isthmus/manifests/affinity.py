"""Node affinity, required or preferred, added to whatever the user's pod template asks for already."""

from collections.abc import Sequence
from typing import Any

from .reading import mapping, sequence

Requirement = tuple[str, tuple[str, ...]]
"""A label of the machine and the values that will do, at least one."""

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_HIGHEST_WEIGHT = 100


def with_requirements(pod: dict[str, Any], requirements: Sequence[Requirement]) -> dict[str, Any]:
    """The pod spec with every requirement in force; the argument stays as it is.

    The terms of a node selector are alternatives, so each gets all requirements. An empty term matches no machine
    and stays empty: with a requirement in it, it would begin to match.
    """
    if not requirements:
        return pod
    added = [{"key": key, "operator": "In", "values": list(values)} for key, values in requirements]
    affinity = mapping(pod.get("affinity"))
    node = mapping(affinity.get("nodeAffinity"))
    required = node.get(_REQUIRED)
    terms = (
        [{"matchExpressions": added}]
        if required is None
        else [_narrowed(mapping(term), added) for term in sequence(mapping(required).get("nodeSelectorTerms"))]
    )
    return pod | {"affinity": affinity | {"nodeAffinity": node | {_REQUIRED: {"nodeSelectorTerms": terms}}}}


def with_preferences(pod: dict[str, Any], machines: Sequence[str]) -> dict[str, Any]:
    """The pod spec with these machines preferred, the first most; the argument stays as it is.

    At most 100. A scheduler weighs this against what else it and the user prefer, and may do otherwise.
    """
    affinity = mapping(pod.get("affinity"))
    node = mapping(affinity.get("nodeAffinity"))
    added = [
        {
            "weight": _HIGHEST_WEIGHT - place,
            "preference": {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [name]}]},
        }
        for place, name in enumerate(machines[:_HIGHEST_WEIGHT])
    ]
    preferred = [*sequence(node.get(_PREFERRED)), *added]
    return pod | {"affinity": affinity | {"nodeAffinity": node | {_PREFERRED: preferred}}}


def _narrowed(term: dict[str, Any], added: list[dict[str, Any]]) -> dict[str, Any]:
    if not term.get("matchExpressions") and not term.get("matchFields"):
        return term
    return term | {"matchExpressions": [*sequence(term.get("matchExpressions")), *added]}
