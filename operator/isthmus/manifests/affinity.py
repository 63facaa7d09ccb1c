"""Required node affinity, added to whatever the user's pod template asks for already."""

from collections.abc import Sequence
from typing import Any

from .reading import mapping, sequence

Requirement = tuple[str, tuple[str, ...]]
"""A label of the machine and the values that will do, at least one."""

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


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


def _narrowed(term: dict[str, Any], added: list[dict[str, Any]]) -> dict[str, Any]:
    if not term.get("matchExpressions") and not term.get("matchFields"):
        return term
    return term | {"matchExpressions": [*sequence(term.get("matchExpressions")), *added]}
