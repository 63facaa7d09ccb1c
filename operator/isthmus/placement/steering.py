"""Keeping a job's pods to the machines it may use: required labels, by which they are told from the others."""

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.capacity.profile import Accelerator, NodeLabel

from .demand import Demand
from .machines import Kind

Affinity = tuple[tuple[str, tuple[str, ...]], ...]
"""Required machine labels, all of them: (key, allowed values)."""


@dataclass(frozen=True, slots=True)
class Usable:
    """Machines that a job may use: their number in the room, and how many of its pods they hold when empty."""

    number: int
    pods_empty: int
    kind: Kind
    accelerators: tuple[Accelerator, ...]


def steer(demand: Demand, usable: Sequence[Usable], *, rivals: bool) -> tuple[list[Usable], Affinity]:
    """The machines to count on, and the labels that lead to them and to no others.

    Required labels are joined by and, so where machines are told apart by different labels, the job keeps to those of
    one set of keys: the set with most room when empty. `rivals` says that other machines offer the same resource and
    must be kept clear of: then machines that no label tells drop out, for nothing would keep the pods off the rivals.
    """
    groups: dict[tuple[str, ...], list[Usable]] = {}
    for each in usable:
        keys = tuple(sorted({key for a in each.accelerators for key, _ in _telling(demand, a, rivals=rivals)}))
        if keys or not rivals:
            groups.setdefault(keys, []).append(each)
    if not groups:
        return [], ()
    keys = min(groups, key=lambda k: (-sum(each.pods_empty for each in groups[k]), not k, k))
    values: dict[str, set[str]] = {key: set() for key in keys}
    for each in groups[keys]:
        for accelerator in each.accelerators:
            for key, value in _telling(demand, accelerator, rivals=rivals):
                values[key].add(value)
    return groups[keys], tuple((key, tuple(sorted(allowed))) for key, allowed in values.items())


def _telling(demand: Demand, accelerator: Accelerator, *, rivals: bool) -> tuple[NodeLabel, ...]:
    """The labels that tell an accelerator in what the job cares about."""
    if rivals or demand.minimum_memory_bytes or demand.partition_profile:
        return accelerator.labels
    return () if accelerator.label is None else (accelerator.label,)
