"""What one job asks of a node: everything that placement reads of a ComputeJob, decoded once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple, Self

import msgspec

from isthmus.api import core
from isthmus.api.clearances import DataInput
from isthmus.api.computejob import ComputeJob
from isthmus.api.form import in_form
from isthmus.api.hardware import AcceleratorRequest, Variant
from isthmus.api.placement import Toleration
from isthmus.api.quantities import MEMORY, PODS, amount
from isthmus.capacity.requests import effective_request

from .forms import Form

_EPOCH = datetime.fromtimestamp(0, UTC)
_GRACE_SECONDS = 30  # what the API server gives pods that name no terminationGracePeriodSeconds


@dataclass(frozen=True, slots=True)
class Split:
    """How a job may be divided over nodes: in at most `pieces` now, none for fewer than `minimum_width` pods at once.

    Only where less than the minimum is left over may the last piece be smaller. Raises ValueError where either is
    below 1.
    """

    pieces: int
    minimum_width: int

    def __post_init__(self) -> None:
        if self.pieces < 1 or self.minimum_width < 1:
            raise ValueError(f"{self} allows no piece")


Place = tuple[str, str]
"""Where data is: `node` and the name of a ComputeNode, or `region` and its code."""


class Input(NamedTuple):
    """Data that a job reads: where it is, and how many bytes."""

    place: Place
    size: int


class _Classed:
    """Room for what `classkey.class_key` finds, once for each demand: it is no part of what the demand asks for."""

    __slots__ = ("_class",)

    _class: tuple[object, ...]

    def class_by(self, find: Callable[[Self], tuple[object, ...]]) -> tuple[object, ...]:
        """The key, by `find` the first time."""
        try:
            return self._class
        except AttributeError:
            key = find(self)
            object.__setattr__(self, "_class", key)
            return key


@dataclass(frozen=True, slots=True)
class Demand(_Classed):
    """One job, as placement sees it.

    `request` is one pod's effective request in the units of `isthmus.api.quantities.Resources`, `pods: 1` included;
    `width` is how many such pods are to run at once. With a `split` they may be divided over nodes, and a part of them
    be placed before the rest. `node_selector`, `regions`, `tiers` and `tolerations` speak of ComputeNodes,
    `machine_selector` and `machine_tolerations` (the pods' own) of the machines inside one. `avoid` names nodes that
    must not get it again, such as one that refused it. `grace_seconds` is how long a pod may take to stop, where the
    node must allow for it; None where that does not matter. A demand with `forms` is placed in one of these and never
    as it stands itself; `variant` names the one that this is. `latencies` are the longest round trips to regions, in
    milliseconds. `weights`, where there are any, stand instead of the objective. `run_seconds` is the longest that the
    template lets it run; `urgency` how near its deadline is, in steps (see `isthmus.placement.deadline`).
    """

    key: str
    name: str
    namespace: str
    account: str
    priority: int
    created: datetime
    width: int
    request: Mapping[str, int]
    models: tuple[str, ...] = ()
    minimum_memory_bytes: int | None = None
    partition_profile: str | None = None
    node_selector: Mapping[str, str] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()
    tolerations: tuple[Toleration, ...] = ()
    machine_selector: Mapping[str, str] = field(default_factory=dict)
    machine_tolerations: tuple[core.PodToleration, ...] = ()
    objective: str = "Balanced"
    attempt: int = 1
    avoid: tuple[str, ...] = ()
    split: Split | None = None
    grace_seconds: int | None = None
    variant: str | None = None
    forms: tuple[Form, ...] = ()
    latencies: tuple[tuple[str, int], ...] = ()
    classification: str | None = None
    residency: tuple[str, ...] = ()
    inputs: tuple[Input, ...] = ()
    weights: Mapping[str, int] | None = None
    deadline: datetime | None = None
    run_seconds: int | None = None
    urgency: int = 0

    @property
    def least(self) -> int:
        """How many of its pods a node must have room for to be of use."""
        return self.width if self.split is None else min(self.width, self.split.minimum_width)

    @property
    def picky(self) -> bool:
        """Whether it says which accelerators will do."""
        return bool(self.models or self.minimum_memory_bytes or self.partition_profile)


def width_of(spec: core.JobSpec) -> int:
    """How many pods of the job run at once: its parallelism, bounded by its completions where it has them."""
    parallelism = 1 if spec.parallelism is None else spec.parallelism
    return parallelism if spec.completions is None else min(parallelism, spec.completions)


def demand_of(
    job: ComputeJob,
    account: str,
    *,
    attempt: int = 1,
    avoid: tuple[str, ...] = (),
    width: int | None = None,
    split: Split | None = None,
) -> Demand:
    """The demand of a job on behalf of `account`.

    `width` is how many of its pods may be started now, None all that the template runs at once; with `split` they may
    be divided over nodes. Raises msgspec.ValidationError or ValueError where the template is no JobSpec; a template
    that passed the API server's dry run never does.
    """
    spec = msgspec.convert(job.spec.template, core.JobSpec)
    pod = spec.template.spec
    grace = pod.termination_grace_period_seconds
    placement = job.spec.placement
    wanted = _wanted(placement.accelerator)
    created = job.metadata.get("creationTimestamp")
    return Demand(
        key=job.metadata["uid"],
        name=job.metadata["name"],
        namespace=job.metadata["namespace"],
        account=account,
        priority=job.spec.priority,
        created=datetime.fromisoformat(created) if created else _EPOCH,
        width=width_of(spec) if width is None else width,
        request={**effective_request(pod), PODS: 1},
        models=wanted[0],
        minimum_memory_bytes=wanted[1],
        partition_profile=wanted[2],
        node_selector=placement.node_selector,
        regions=tuple(placement.regions),
        tiers=tuple(placement.tiers),
        tolerations=tuple(placement.tolerations),
        machine_selector=pod.node_selector,
        machine_tolerations=tuple(pod.tolerations),
        objective=placement.objective,
        attempt=attempt,
        avoid=avoid,
        split=split,
        grace_seconds=grace_seconds(grace) if placement.on_node_lost == "Rerun" else None,
        forms=tuple(_form(job, variant) for variant in job.spec.variants),
        latencies=tuple((each.region, each.milliseconds) for each in placement.max_latency_milliseconds),
        classification=placement.data.classification,
        residency=tuple(placement.data.residency),
        inputs=tuple(_input(each) for each in placement.data.inputs),
        weights=placement.weights,
        deadline=datetime.fromisoformat(job.spec.deadline) if job.spec.deadline else None,
        run_seconds=spec.active_deadline_seconds,
    )


def _form(job: ComputeJob, variant: Variant) -> Form:
    spec = msgspec.convert(in_form(job.spec.template, variant), core.JobSpec)
    request = {**effective_request(spec.template.spec), PODS: 1}
    return Form(variant.name, request, *_wanted(variant.accelerator))


def _wanted(accelerator: AcceleratorRequest | None) -> tuple[tuple[str, ...], int | None, str | None]:
    """Models, memory in bytes and partition of the accelerators that will do."""
    if accelerator is None:
        return (), None, None
    memory = accelerator.minimum_memory
    return tuple(accelerator.models), None if memory is None else amount(MEMORY, memory), accelerator.partition_profile


def _input(declared: DataInput) -> Input:
    place = ("region", declared.region or "") if declared.node is None else ("node", declared.node)
    return Input(place, amount(MEMORY, declared.size))


def grace_seconds(named: int | None) -> int:
    """How long a pod may go on once its deletion was asked for, by the terminationGracePeriodSeconds that it names."""
    return _GRACE_SECONDS if named is None else named
