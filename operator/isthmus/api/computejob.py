"""ComputeJob: batch work handed to the hub."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .computenode import Tier
from .conditions import Conditions
from .model import (
    LIST_ATOMIC,
    LIST_SET,
    PRESERVE_UNKNOWN,
    Amount,
    Currency,
    LabelKey,
    Labels,
    LabelValue,
    Model,
    Quantity,
    Timestamp,
    list_map,
    rules,
)

EXPLANATION_NODES = 16
SHARD_LIMIT = 64


class Phase(StrEnum):
    """Where a job stands, in a word."""

    PENDING = "Pending"
    DISPATCHED = "Dispatched"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"


FINISHED = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.CANCELLED})


class Toleration(Model):
    """Lets the job stand on a node with the taint."""

    key: LabelKey
    operator: Literal["Exists", "Equal"] = "Equal"
    value: LabelValue = ""


class AcceleratorRequest(Model):
    """Which accelerators will do. How many, and under which resource name, the pod template says."""

    models: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=128)]],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Any of these; empty is any.",
        ),
    ]
    minimum_memory: Annotated[Quantity, Field(description="Memory of one accelerator, at least.")] | None = None
    partition_profile: Annotated[str, Field(min_length=1, max_length=63, description="Such as 1g.10gb.")] | None = None


class Placement(Model):
    """Where the job may run, and what is preferred."""

    node_selector: Annotated[Labels, Field(default_factory=dict, description="Labels of ComputeNodes, all of them.")]
    regions: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=63)]],
        Field(max_length=32, default_factory=list, json_schema_extra=LIST_SET),
    ]
    tiers: Annotated[list[Tier], Field(max_length=5, default_factory=list, json_schema_extra=LIST_SET)]
    tolerations: Annotated[list[Toleration], Field(max_length=32, default_factory=list, json_schema_extra=LIST_ATOMIC)]
    accelerator: AcceleratorRequest | None = None
    objective: Annotated[
        Literal["Balanced", "Cheapest"], Field(description="What decides between nodes that would all do.")
    ] = "Balanced"


class ComputeJobSpec(Model):
    """What the user asks for."""

    model_config = ConfigDict(
        json_schema_extra=rules(("!oldSelf.cancel || self.cancel", "a cancelled job can't be taken up again")),
    )

    template: Annotated[
        dict[str, Any],
        Field(
            json_schema_extra=PRESERVE_UNKNOWN,
            description="A batch/v1 JobSpec, as it would stand in a Job; at most 256 KiB.",
        ),
    ]
    priority: Annotated[int, Field(ge=-1_000_000_000, le=1_000_000_000)] = 0
    suspend: bool = False
    cancel: Annotated[bool, Field(description="Stop the job for good; its record and its bill stay.")] = False
    ttl_seconds_after_finished: Annotated[int, Field(ge=0, le=2_147_483_647)] | None = None
    placement: Annotated[Placement, Field(default_factory=Placement)]


class Shard(Model):
    """One Dispatch of the job."""

    node: Annotated[str, Field(max_length=50)]
    dispatch: Annotated[str, Field(max_length=63)]
    attempt: Annotated[int, Field(ge=1)]
    state: Annotated[str, Field(max_length=32)]
    start_time: Timestamp | None = None
    completion_time: Timestamp | None = None


class Money(Model):
    """An amount with its currency."""

    amount: Amount
    currency: Currency


class NodeVerdict(Model):
    """What one node was found to be for the job: a reason against it, or its score parts."""

    node: Annotated[str, Field(max_length=50)]
    reason: Annotated[str, Field(max_length=64)] | None = None
    message: Annotated[str, Field(max_length=256)] | None = None
    score: Annotated[int, Field(ge=0, le=100)] | None = None
    parts: Annotated[dict[str, int], Field(max_length=16)] | None = None


class Explanation(Model):
    """Why the job stands where it does, or nowhere."""

    winner: Annotated[str, Field(max_length=50)] | None = None
    reasons: Annotated[dict[str, int], Field(max_length=32, default_factory=dict, description="Nodes by reason.")]
    nodes: Annotated[
        list[NodeVerdict],
        Field(max_length=EXPLANATION_NODES, default_factory=list, json_schema_extra=list_map("node")),
    ]


class ComputeJobStatus(Model):
    """What the hub knows of the job."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    phase: Phase | None = None
    completions: Annotated[int, Field(ge=0)] | None = None
    active: Annotated[int, Field(ge=0)] = 0
    succeeded: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0
    completed_indexes: Annotated[str, Field(max_length=4096)] | None = None
    failed_indexes: Annotated[str, Field(max_length=4096)] | None = None
    nodes: Annotated[str, Field(max_length=256, description="The nodes it stands on, for the column.")] = ""
    done: Annotated[str, Field(max_length=32, description="Succeeded over completions, for the column.")] = ""
    gpus: Annotated[int, Field(ge=0, description="Accelerators that its pods ask for at once.")] = 0
    start_time: Timestamp | None = None
    completion_time: Timestamp | None = None
    estimate: Annotated[Money, Field(description="Price of an hour of all its pods on the chosen node.")] | None = None
    cost: Annotated[Money, Field(description="What it has cost so far.")] | None = None
    shards: Annotated[list[Shard], Field(max_length=SHARD_LIMIT, default_factory=list, json_schema_extra=LIST_ATOMIC)]
    explanation: Explanation | None = None
    conditions: Annotated[Conditions, Field(default_factory=list)]


class ComputeJob(Model):
    """Batch work handed to the hub."""

    metadata: dict[str, Any]
    spec: ComputeJobSpec
    status: Annotated[ComputeJobStatus, Field(default_factory=ComputeJobStatus)]
