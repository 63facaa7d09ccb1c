"""Which machines a shard's pods are asked to go to, and how often the member's scheduler puts them there.

The hub names a shape; here it becomes machines, by name. That is a preference: the scheduler may know better.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from isthmus.api.core import Manifest, Pod
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import ANNOTATION_HINT, LABEL_DISPATCH
from isthmus.api.quantities import CPU, amounts
from isthmus.capacity import MachineTable
from isthmus.capacity.machines import OpenMachine
from isthmus.manifests import with_preferences

from .expected import Template, parse_template

MACHINES = 16
"""Machines that one shard's pods are asked to go to, at most."""
# A member may have thousands of machines and get a hundred Jobs a second: they are looked through this often.
LOOK_SECONDS = 0.5
# Pods that were asked to go somewhere and are not bound by then are not reckoned with any more.
PROMISE_SECONDS = 30.0

_Key = tuple[tuple[tuple[str, int], ...], tuple[tuple[str, tuple[str, ...]], ...]]


@dataclass(slots=True)
class _Promise:
    """Pods of one Dispatch that were asked to come to one machine; `bound` of them came since it was looked at."""

    dispatch: str
    request: Mapping[str, int]
    pods: int
    until: float
    bound: int = 0


class Hints:
    """Of one member. `on_bound(followed)` hears of each pod with a hint that was bound; `clock` is monotonic."""

    def __init__(self, machines: MachineTable, on_bound: Callable[[bool], None], clock: Callable[[], float]) -> None:
        self._machines = machines
        self._on_bound = on_bound
        self._clock = clock
        self._looked_at = float("-inf")
        self._open: dict[_Key, list[OpenMachine]] = {}
        self._promised: dict[str, list[_Promise]] = {}

    def apply(self, dispatch: Dispatch) -> Manifest:
        """The JobSpec of the Dispatch, with the machines of its shape preferred where there are any."""
        spec: Manifest = dispatch.spec.manifest["spec"]
        names = self.machines(dispatch)
        if not names:
            return spec
        template = spec["template"]
        metadata = template.get("metadata") or {}
        annotations = {**(metadata.get("annotations") or {}), ANNOTATION_HINT: ",".join(names)}
        pod = with_preferences(template["spec"], names)
        return {**spec, "template": {**template, "metadata": {**metadata, "annotations": annotations}, "spec": pod}}

    def machines(self, dispatch: Dispatch) -> tuple[str, ...]:
        """Machines for the shard's pods, the best first: of the shape's kind with as much free, then fuller ones.

        Of a burst all Dispatches may name one shape, as the hub has figures from before it: a machine of which
        something was promised since goes before one that is still as the shape says. Of cores the nearest figure will
        do: a profile may tell a little less than there is.
        """
        hint = dispatch.spec.hint
        if hint is None:
            return ()
        template = parse_template(dispatch.spec.manifest)
        has, free = amounts(hint.allocatable), amounts(hint.free)
        scarce = [name for name in template.request if "/" in name]

        def order(entry: tuple[OpenMachine, Mapping[str, int]]) -> tuple[object, ...]:
            machine, left = entry
            alike = all(machine.allocatable.get(name) == amount for name, amount in has.items())
            roomier = any(left.get(name, 0) > free.get(name, 0) for name in scarce)
            meant = machine.name in self._promised or all(left.get(name) == free.get(name) for name in scarce)
            rest = [left.get(name, 0) for name in scarce]
            cores = left.get(CPU, 0)
            apart = cores if machine.name in self._promised else abs(cores - free.get(CPU, 0))
            return (not alike, roomier, not meant, rest, machine.name not in self._promised, apart, machine.name)

        found = [(machine, self._left(machine)) for machine in self._looked_through(template)]
        return self._chosen(dispatch.metadata["name"], template, sorted(found, key=order))

    def pod_changed(self, old: object, pod: object) -> None:
        """Take in a change of one of our pods: one that is bound just now is counted."""
        if not isinstance(pod, Pod) or not isinstance(old, Pod) or old.spec.node_name or not pod.spec.node_name:
            return
        hinted = pod.metadata.annotations.get(ANNOTATION_HINT)
        if hinted is None:
            return
        names = hinted.split(",")
        self._on_bound(pod.spec.node_name in names)
        for name in sorted(names, key=lambda name: name != pod.spec.node_name):
            for promise in self._promised.get(name, ()):
                if promise.dispatch == pod.metadata.labels.get(LABEL_DISPATCH) and promise.bound < promise.pods:
                    promise.bound += 1
                    return

    def _chosen(
        self, dispatch: str, template: Template, found: list[tuple[OpenMachine, Mapping[str, int]]]
    ) -> tuple[str, ...]:
        names: list[str] = []
        pods, until = template.width, self._clock() + PROMISE_SECONDS
        for machine, left in found:
            fits = min((left.get(name, 0) // asked for name, asked in template.request.items() if asked), default=0)
            if fits < 1:
                continue
            promise = _Promise(dispatch, template.request, min(fits, pods), until)
            self._promised.setdefault(machine.name, []).append(promise)
            names.append(machine.name)
            pods -= promise.pods
            if pods < 1 or len(names) == MACHINES:
                break
        return tuple(names)

    def _looked_through(self, template: Template) -> list[OpenMachine]:
        """Machines with room for a pod, as they were half a second ago at most."""
        now = self._clock()
        if now - self._looked_at > LOOK_SECONDS:
            self._looked_at, self._open = now, {}
            self._promised = {name: kept for name, them in self._promised.items() if (kept := _kept(them, now))}
        key = (tuple(sorted(template.request.items())), tuple(sorted(template.labels.items())))
        if key not in self._open:
            tolerations = tuple(template.spec.template.spec.tolerations)
            self._open[key] = list(self._machines.open_machines(template.request, template.labels, tolerations))
        return self._open[key]

    def _left(self, machine: OpenMachine) -> Mapping[str, int]:
        """What is free on the machine and promised to nobody."""
        promises = self._promised.get(machine.name)
        if promises is None:
            return machine.free
        taken = {name: sum(p.request.get(name, 0) * p.pods for p in promises) for name in machine.free}
        return {name: free - taken[name] for name, free in machine.free.items()}


def _kept(promises: list[_Promise], now: float) -> list[_Promise]:
    """What of the promises is still open, now that the machines show the pods that came."""
    for promise in promises:
        promise.pods, promise.bound = promise.pods - promise.bound, 0
    return [promise for promise in promises if promise.pods > 0 and promise.until > now]
