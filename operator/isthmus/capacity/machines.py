"""A member's machines and pods as they come and go, and the profile of them at any moment."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from isthmus.api.core import Node, Pod, PodToleration

from .accelerators import AcceleratorTable
from .devices import DeviceTable
from .expected import coalesced, subtract
from .figures import figures
from .groups import Group, Kind
from .machine import Facts, read_machine
from .parts import Deck, parted
from .profile import Accelerator, ExpectedPods, Profile
from .remembered import RememberedAccelerators
from .requests import shared_request
from .taints import untolerated

ARCH_LABEL = "kubernetes.io/arch"
OS_LABEL = "kubernetes.io/os"
ENDED_PHASES = frozenset({"Succeeded", "Failed"})
_NOTHING: Mapping[str, int] = MappingProxyType({})
_NOTHING_TOLD: "_Marks" = MappingProxyType({})

_Marks = Mapping[str, tuple[int, str | None]]
"""By resource that counts cards: how many a pod asked for, and what its annotation says of them."""


class OpenMachine(NamedTuple):
    """A machine that takes pods, by name, which never leaves the member."""

    name: str
    allocatable: Mapping[str, int]
    free: Mapping[str, int]


class MachineTable:
    """Machines and the pods bound to them. Each change costs what changed; nothing here raises for a bad object.

    A pod counts on its machine from binding until it is Succeeded or Failed, whoever runs it.
    """

    def __init__(self, table: AcceleratorTable | None = None, shape_labels: Iterable[str] = ()) -> None:
        self.table = table or AcceleratorTable.default()
        self._rejected: dict[str, str] = {}
        self._shape_labels = tuple(sorted({ARCH_LABEL, OS_LABEL, *shape_labels}))
        self.devices = DeviceTable(self.table, self._read_again, self._held)
        self._nodes: dict[str, Node] = {}
        self._ended: set[str] = set()
        self._facts: dict[str, Facts] = {}
        self._kinds: dict[str, Kind] = {}
        self._interned: dict[object, Kind] = {}
        self._groups: dict[str, list[Group]] = {}
        self._used: dict[str, Counter[str]] = {}
        self._pods: dict[str, tuple[str, Mapping[str, int], _Marks]] = {}
        self._marks: dict[str, dict[str, _Marks]] = {}
        self._unreadable: dict[str, set[str]] = {}
        self._accelerators = RememberedAccelerators()
        self._last: tuple[list[ExpectedPods], Profile] | None = None

    @property
    def rejected(self) -> dict[str, str]:
        """Machines that are left out because what they, or pods bound to them, say can't be; with the reason."""
        unreadable = "a pod bound to it has a request that can't be read"
        return {**self._rejected, **dict.fromkeys(sorted(self._unreadable), unreadable)}

    def upsert_machine(self, node: Node) -> None:
        """Take in a machine as it is now."""
        name = node.metadata.name
        self._nodes[name] = node
        try:
            facts = read_machine(node, self.table, self._shape_labels, self.devices.supplies(name))
        except ValueError as error:
            self._forget(name)
            self._rejected[name] = str(error)
            return
        self._rejected.pop(name, None)
        if self._facts.get(name) == facts:
            return
        self._facts[name] = facts
        self._kinds[name] = self._kind(facts)
        self._accelerators.take(name, facts.accelerators, self._facts)
        self._changed(name)

    def remove_machine(self, name: str) -> None:
        """Take out a machine; pods still bound to it count nowhere."""
        self._forget(name)
        self._nodes.pop(name, None)
        self._rejected.pop(name, None)

    def upsert_pod(self, pod: Pod) -> None:
        """Take in a pod as it is now."""
        uid, machine = pod.metadata.uid, pod.spec.node_name
        if not machine or pod.status.phase in ENDED_PHASES:
            self.remove_pod(uid)
            return
        try:
            request = shared_request(pod.spec)
        except ValueError:
            self.remove_pod(uid)
            self._pods[uid] = (machine, _NOTHING, _NOTHING_TOLD)
            self._unreadable.setdefault(machine, set()).add(uid)
            self._changed(machine)
            return
        marks = self._marks_of(request, pod.metadata.annotations)
        before = self._pods.get(uid)
        if before == (machine, request, marks):
            return
        self.remove_pod(uid)
        self._pods[uid] = (machine, request, marks)
        if marks:
            self._marks.setdefault(machine, {})[uid] = marks
        self._used.setdefault(machine, Counter()).update(request)
        self._changed(machine)

    def remove_pod(self, uid: str) -> None:
        """Take out a pod."""
        before = self._pods.pop(uid, None)
        if before is None:
            return
        machine, request, marks = before
        if self.devices.holds_for(uid):
            self._ended.add(uid)  # until its claim is gone too, the scheduler gives its devices to nobody
        self._changed(machine)
        if marks:
            self._unmark(machine, uid)
        if (unreadable := self._unreadable.get(machine)) is not None:
            unreadable.discard(uid)
            if not unreadable:
                del self._unreadable[machine]
        used = self._used.get(machine)
        if used is not None and request:
            used.subtract(request)
            for name in request:
                if not used[name]:
                    del used[name]
            if not used:
                del self._used[machine]

    def machine_accelerators(self, name: str) -> tuple[Accelerator, ...]:
        """The accelerators of a machine, also of one that is gone or whose plugin is down just now."""
        return tuple(self._accelerators.of(name).values())

    def accelerator_models(self, name: str, request: Mapping[str, int]) -> dict[str, str]:
        """By accelerator resource of the request: the model, as meters name it, that a pod there has of it."""
        there = self._accelerators.of(name)
        found = {resource: there.get(resource) or self.table.classify(resource, {}) for resource in request}
        return {resource: accelerator.meter_model for resource, accelerator in found.items() if accelerator}

    def open_machines(
        self,
        request: Mapping[str, int],
        labels: Mapping[str, tuple[str, ...]],
        tolerations: Sequence[PodToleration],
    ) -> Iterator[OpenMachine]:
        """Machines that have room for such a pod, any of its values for each of the labels, and no taint against it."""
        for name, facts in self._facts.items():
            if not facts.takes_pods or name in self._unreadable:
                continue
            if any(facts.labels.get(key) not in allowed for key, allowed in labels.items()):
                continue
            if facts.taints and untolerated(facts.taints, tolerations) is not None:
                continue
            for group in self._parts(name):
                kind, free = group.kind, dict(zip(group.kind.resources, group.free, strict=True))
                if kind.cards is not None and not kind.cards.admits(request):
                    continue
                if all(free.get(resource, 0) >= amount for resource, amount in request.items() if amount):
                    yield OpenMachine(name, dict(zip(kind.resources, kind.allocatable, strict=True)), free)
                    break

    def profile(
        self,
        *,
        now: datetime,
        expected: Iterable[ExpectedPods] = (),
        sequence: int = 0,
        visible_beyond: tuple[int, ...] = (),
    ) -> Profile:
        """The profile at this moment, `expected` pods taken out of what is free.

        Only machines that take pods are in any figure of it. Expected pods that fit nowhere are taken from nothing.
        """
        waiting = coalesced(expected)
        if self._last is None or self._last[0] != waiting:
            self._last = waiting, self._figures(now, waiting)
        return replace(self._last[1], observed_at=now, sequence=sequence, visible_beyond=visible_beyond)

    def _figures(self, now: datetime, waiting: list[ExpectedPods]) -> Profile:
        keys = tuple(sorted({key for pods in waiting for key in pods.labels}))
        groups = self._counted(keys)
        left = subtract(groups, waiting, keys) if waiting else ()
        return replace(figures(groups, now), waiting=left)

    def _kind(self, facts: Facts) -> Kind:
        labels = tuple((key, facts.labels[key]) for key in self._shape_labels if key in facts.labels)
        resources = tuple(facts.allocatable)
        return self._intern(
            Kind(resources, tuple(facts.allocatable.values()), facts.accelerators, facts.taints, labels)
        )

    def _intern(self, kind: Kind) -> Kind:
        identity = (kind.resources, kind.allocatable, kind.accelerators, kind.taints, kind.labels, kind.cards)
        found = self._interned.get(identity)
        if found is None:
            if len(self._interned) > 2 * len(self._kinds) + sum(map(len, self._groups.values())) + 64:
                used = {*self._kinds.values(), *(group.kind for parts in self._groups.values() for group in parts)}
                self._interned = {key: kept for key, kept in self._interned.items() if kept in used}
            found = self._interned[identity] = kind
        return found

    def _counted(self, keys: tuple[str, ...]) -> dict[Group, int]:
        """Machines that take pods, by group; the groups are split by the values of the labels `keys`."""
        counted: Counter[Group] = Counter()
        for name, facts in self._facts.items():
            if not facts.takes_pods or name in self._unreadable:
                continue
            values = tuple(facts.labels.get(key) for key in keys)
            for group in self._parts(name):
                counted[Group(group.kind, group.free, values) if keys else group] += 1
        return counted

    def _parts(self, name: str) -> list[Group]:
        """What pods may be given of a machine: one group, or several where they may share its cards."""
        parts = self._groups.get(name)
        if parts is None:
            group, deck = self._group(name), self._facts[name].deck
            parts = self._groups[name] = [group] if deck is None else self._parted(name, group, deck)
        return parts

    def _parted(self, name: str, group: Group, deck: Deck) -> list[Group]:
        told = self._marks.get(name, {})
        pods = {uid: marks[deck.resource] for uid, marks in told.items() if deck.resource in marks}
        return parted(group, deck, pods, self._intern)

    def _marks_of(self, request: Mapping[str, int], annotations: Mapping[str, str]) -> "_Marks":
        """What a pod says of the cards it holds, by the resource that counts them."""
        asked = [(name, self.table.shares(name)) for name in request if "/" in name]
        marks = {name: (request[name], annotations.get(s.pod_annotation or "")) for name, s in asked if s is not None}
        return marks or _NOTHING_TOLD

    def _unmark(self, machine: str, uid: str) -> None:
        del self._marks[machine][uid]
        if not self._marks[machine]:
            del self._marks[machine]

    def _group(self, name: str) -> Group:
        kind, used = self._kinds[name], self._taken(name)
        # A machine may be overcommitted: its allocatable can shrink under pods that are already bound.
        pairs = zip(kind.resources, kind.allocatable, strict=True)
        return Group(kind, tuple(max(0, has - used.get(resource, 0)) for resource, has in pairs))

    def _taken(self, name: str) -> Mapping[str, int]:
        """What pods have of a machine: devices by their claims, and by what they ask for until their claim is seen."""
        used = self._used.get(name, _NOTHING)
        by_devices = self._facts[name].by_devices
        if not by_devices:
            return used
        held, holders = self.devices.taken(name, lambda uid: uid in self._pods or uid in self._ended)
        requests = [self._pods[uid][1] for uid in holders if uid in self._pods and self._pods[uid][0] == name]
        taken = dict(used)
        for resource in by_devices:
            seen = sum(request.get(resource, 0) for request in requests)
            taken[resource] = held[resource] + max(0, used.get(resource, 0) - seen)
        return taken

    def _read_again(self, name: str) -> None:
        """The machine's devices may be others."""
        if name in self._nodes:
            self.upsert_machine(self._nodes[name])
            self._changed(name)

    def _held(self, name: str) -> None:
        """Devices of the machine were allocated or let go."""
        self._ended = {uid for uid in self._ended if self.devices.holds_for(uid)}
        self._changed(name)

    def _forget(self, name: str) -> None:
        self._facts.pop(name, None)
        self._kinds.pop(name, None)
        self._changed(name)

    def _changed(self, name: str) -> None:
        self._groups.pop(name, None)
        self._last = None
