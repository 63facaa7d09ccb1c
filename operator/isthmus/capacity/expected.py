"""Pods that are promised and not bound yet, taken out of what is free."""

import sys
from collections.abc import Iterable
from dataclasses import replace

from .groups import Group
from .profile import ExpectedPods, MachineTaint
from .shares import CardLimits
from .spreading import shares
from .taints import untolerated


def coalesced(expected: Iterable[ExpectedPods]) -> list[ExpectedPods]:
    """Equal expectations as one, so that a burst of equal jobs costs what one job does."""
    counts: dict[object, tuple[ExpectedPods, int]] = {}
    for pods in expected:
        tolerations = tuple((t.key, t.operator, t.value, t.effect) for t in pods.tolerations)
        key = (tuple(sorted(pods.request.items())), tuple(sorted(pods.labels.items())), tolerations)
        first, count = counts.get(key, (pods, 0))
        counts[key] = (first, count + max(0, pods.count))
    return [ExpectedPods(p.request, count, p.labels, p.tolerations) for p, count in counts.values() if count]


def subtract(
    groups: dict[Group, int], expected: Iterable[ExpectedPods], label_keys: tuple[str, ...]
) -> tuple[ExpectedPods, ...]:
    """Take expected pods out of the groups, in their order, spread over all machines that fit them.

    The member's scheduler may put them on any, and spreading leaves the least large blocks (`shares`); the hub reckons
    with what it has sent in the same way. `label_keys` are the keys of `Group.values`. Returns those that fit nowhere,
    which are taken from nothing.
    """
    left = [(pods, _spread(groups, pods, _Fit(pods, label_keys))) for pods in expected]
    return tuple(replace(pods, count=count) for pods, count in left if count)


def _spread(groups: dict[Group, int], pods: ExpectedPods, fit: "_Fit") -> int:
    """Take the pods out; returns how many fit nowhere."""
    able = [(capacity, group, count) for group, count in groups.items() if (capacity := fit.capacity(group))]
    taken = min(pods.count, sum(capacity * count for capacity, _, count in able))
    pieces = shares([(capacity, count) for capacity, _, count in able], taken)
    for (_, group, _), piece in zip(able, pieces, strict=True):
        for each, machines in piece:
            after = group.less(pods.request, each)
            groups[group] -= machines
            groups[after] = groups.get(after, 0) + machines
        if not groups[group]:
            del groups[group]
    return pods.count - taken


class _Fit:
    """Where pods of one expectation fit; what depends on less than the free vector is looked at once."""

    def __init__(self, pods: ExpectedPods, label_keys: tuple[str, ...]) -> None:
        self._pods = pods
        self._asked = [(name, value) for name, value in pods.request.items() if value > 0]
        self._labels = [(i, pods.labels[key]) for i, key in enumerate(label_keys) if key in pods.labels]
        self._places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        self._suitable: dict[tuple[tuple[MachineTaint, ...], CardLimits | None, tuple[str | None, ...]], bool] = {}

    def capacity(self, group: Group) -> int:
        """How many of the pods one machine of the group takes."""
        resources = group.kind.resources
        places = self._places.get(resources)
        if places is None:
            places = self._places[resources] = self._positions(resources)
        free, fitting = group.free, sys.maxsize
        for i, value in places:
            fitting = min(fitting, free[i] // value)
            if not fitting:
                return 0
        return fitting if places and self._suits(group) else 0

    def _positions(self, resources: tuple[str, ...]) -> list[tuple[int, int]]:
        """Where in a free vector what is asked for stands, with the amount; empty where something is not there."""
        position = {name: i for i, name in enumerate(resources)}
        if any(name not in position for name, _ in self._asked):
            return []
        return [(position[name], value) for name, value in self._asked]

    def _suits(self, group: Group) -> bool:
        kind = group.kind
        key = kind.taints, kind.cards, group.values
        suits = self._suitable.get(key)
        if suits is None:
            required = all(group.values[i] in allowed for i, allowed in self._labels)
            admitted = kind.cards is None or kind.cards.admits(self._pods.request)
            suits = required and admitted and untolerated(kind.taints, self._pods.tolerations) is None
            self._suitable[key] = suits
        return suits
