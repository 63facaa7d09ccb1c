"""Of several forms of a job, what speaks for the node: the best of those that would do, or the nearest to doing."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .verdict import Rejection

Entry = TypeVar("Entry")


def nearest(found: Sequence[tuple[int, str | None, Rejection]]) -> Rejection:
    """The one reason to give for a node that takes no form: that of the form which came through most filters.

    `found` are (filters passed, variant, what rejected it), at least one. Of equals what may pass goes before what
    stays, then the job's own order. What is the same for all forms is said of the job. It is permanent only where all
    are.
    """
    if len(found) == 1:
        return found[0][2]
    reasons = [rejection for _, _, rejection in found]
    if len(set(reasons)) == 1:
        return reasons[0]
    _, variant, nearer = max(found, key=lambda each: (each[0], not each[2].permanent))
    return replace(nearer.of_variant(variant), permanent=all(rejection.permanent for rejection in reasons))


def one_each(
    entries: Iterable[Entry], node_of: Callable[[Entry], str], worth: Callable[[Entry], tuple[object, ...]]
) -> list[Entry]:
    """For each node the entry of most worth, of equals the first; the nodes in the order in which they first stand."""
    chosen: dict[str, tuple[Any, Entry]] = {}
    for entry in entries:
        node, value = node_of(entry), worth(entry)
        known = chosen.get(node)
        if known is None or value > known[0]:
            chosen[node] = value, entry
    return [entry for _, entry in chosen.values()]
