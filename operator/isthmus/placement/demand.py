"""What one job asks of a node: everything that placement reads of a ComputeJob, decoded once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec

from isthmus.api import core
from isthmus.api.computejob import ComputeJob, Toleration
from isthmus.api.quantities import PODS, amount
from isthmus.capacity.requests import effective_request

_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Demand:
    """One job, as placement sees it.

    `request` is one pod's effective request in the units of `isthmus.api.quantities.Resources`, `pods: 1` included;
    `width` is how many such pods run at once. `node_selector`, `regions`, `tiers` and `tolerations` speak of
    ComputeNodes, `machine_selector` and `machine_tolerations` (the pods' own) of the machines inside one. `avoid` names
    nodes that must not get it again, such as one that refused it.
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

    @property
    def picky(self) -> bool:
        """Whether it says which accelerators will do."""
        return bool(self.models or self.minimum_memory_bytes or self.partition_profile)


def width_of(spec: core.JobSpec) -> int:
    """How many pods of the job run at once: its parallelism, bounded by its completions where it has them."""
    parallelism = 1 if spec.parallelism is None else spec.parallelism
    return parallelism if spec.completions is None else min(parallelism, spec.completions)


def demand_of(job: ComputeJob, account: str, *, attempt: int = 1, avoid: tuple[str, ...] = ()) -> Demand:
    """The demand of a job on behalf of `account`.

    Raises msgspec.ValidationError or ValueError where the template is no JobSpec; a template that passed the API
    server's dry run never does.
    """
    spec = msgspec.convert(job.spec.template, core.JobSpec)
    pod = spec.template.spec
    placement = job.spec.placement
    accelerator = placement.accelerator
    created = job.metadata.get("creationTimestamp")
    memory = None if accelerator is None else accelerator.minimum_memory
    return Demand(
        key=job.metadata["uid"],
        name=job.metadata["name"],
        namespace=job.metadata["namespace"],
        account=account,
        priority=job.spec.priority,
        created=datetime.fromisoformat(created) if created else _EPOCH,
        width=width_of(spec),
        request={**effective_request(pod), PODS: 1},
        models=() if accelerator is None else tuple(accelerator.models),
        minimum_memory_bytes=None if memory is None else amount("memory", memory),
        partition_profile=None if accelerator is None else accelerator.partition_profile,
        node_selector=placement.node_selector,
        regions=tuple(placement.regions),
        tiers=tuple(placement.tiers),
        tolerations=tuple(placement.tolerations),
        machine_selector=pod.node_selector,
        machine_tolerations=tuple(pod.tolerations),
        objective=placement.objective,
        attempt=attempt,
        avoid=avoid,
    )
