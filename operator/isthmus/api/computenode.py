"""ComputeNode: a member cluster that offers compute."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .conditions import Conditions
from .model import (
    LIST_ATOMIC,
    Currency,
    LabelKey,
    Labels,
    LabelValue,
    Model,
    Price,
    Quantity,
    Timestamp,
    list_map,
    rules,
)

SHAPE_LIMIT = 256
MODEL_LIMIT = 128


class Tier(StrEnum):
    """The level of a node in the compute-interconnection system."""

    HUB = "Hub"
    CORE = "Core"
    REGION = "Region"
    INDUSTRY = "Industry"
    EDGE = "Edge"


class Identity(Model):
    """Who the node is to the outside: opaque, never parsed, printed on every line of a statement."""

    model_config = ConfigDict(
        json_schema_extra=rules(("self == oldSelf", "identity is immutable; make a new ComputeNode"))
    )

    code: Annotated[str, Field(min_length=1, max_length=128, description="Opaque code, unique over all nodes.")]
    issuer: Annotated[str, Field(max_length=253, description="Who issued the code.")] = ""
    scheme: Annotated[str, Field(max_length=64, description="Under which scheme it was issued.")] = ""


class Region(Model):
    """Where the node stands."""

    code: Annotated[str, Field(min_length=1, max_length=63, pattern=r"^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9])?$")]
    display_name: Annotated[str, Field(max_length=128)] = ""


class SecretReference(Model):
    """A Secret in the hub's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    key: Annotated[str, Field(min_length=1, max_length=253)] = "kubeconfig"


class KubeConfigAccess(Model):
    """Push access by a kubeconfig that a Secret holds."""

    secret_ref: SecretReference


class LocalAccess(Model):
    """The hub's own cluster is the member."""


class Access(Model):
    """How the hub reaches the member: exactly one way."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "has(self.kubeConfig) != has(self.local)",
                "set exactly one of access.kubeConfig and access.local",
            ),
            (
                "has(self.local) == has(oldSelf.local)",
                "the kind of access is immutable; make a new ComputeNode",
            ),
        )
    )

    kube_config: KubeConfigAccess | None = None
    local: LocalAccess | None = None


class Taint(Model):
    """Keeps jobs that do not tolerate it off the node."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule"] = "NoSchedule"


class Timing(Model):
    """How often the hub makes sure of the member."""

    heartbeat_seconds: Annotated[int, Field(ge=1, le=300, description="Seconds between two probes of the member.")] = 10


class ModelPrice(Model):
    """The price of one whole accelerator of a model for a second."""

    model: Annotated[str, Field(min_length=1, max_length=128, description="As the profile names it; * is any other.")]
    price: Price


class Prices(Model):
    """Prices per meter. A meter without a price is never free: its lines are Unpriced."""

    core_second: Annotated[Price, Field(description="One core for a second.")]
    gibibyte_second: Annotated[Price, Field(description="One GiB of memory for a second.")]
    gpu_second: Annotated[
        list[ModelPrice],
        Field(max_length=MODEL_LIMIT, default_factory=list, json_schema_extra=list_map("model")),
    ]


class Tariff(Model):
    """A versioned price list."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "!has(self.validFrom) || !has(self.validUntil) || self.validFrom < self.validUntil",
                "tariff.validFrom must be before tariff.validUntil",
            ),
        )
    )

    version: Annotated[str, Field(min_length=1, max_length=63)]
    currency: Currency
    valid_from: Timestamp | None = None
    valid_until: Timestamp | None = None
    prices: Prices


class ComputeNodeSpec(Model):
    """What the administrator declares of a member cluster."""

    identity: Identity
    tier: Tier
    parent: Annotated[str, Field(max_length=50, description="The ComputeNode above this one.")] | None = None
    region: Region
    labels: Annotated[Labels, Field(default_factory=dict, description="For ComputeJobs' nodeSelector.")]
    access: Access
    scheduling_state: Annotated[
        Literal["Active", "Cordoned"], Field(description="Cordoned takes no new shards; what runs goes on.")
    ] = "Active"
    taints: Annotated[
        list[Taint], Field(max_length=32, default_factory=list, json_schema_extra=list_map("key", "value"))
    ]
    timing: Annotated[Timing, Field(default_factory=Timing)]
    tariff: Tariff | None = None


class AcceleratorStatus(Model):
    """Accelerators of one kind in the member, whole or partitioned."""

    vendor: Annotated[str, Field(max_length=63)]
    resource_name: Annotated[str, Field(max_length=317)]
    model: Annotated[str, Field(max_length=128)]
    memory: Quantity | None = None
    partition_profile: Annotated[str, Field(max_length=63)] | None = None
    total: Annotated[int, Field(ge=0)]
    free: Annotated[int, Field(ge=0)]


class ShapeTaint(Model):
    """A taint on the machines of a shape, that a pod must tolerate."""

    key: LabelKey
    value: LabelValue = ""
    effect: Literal["NoSchedule", "NoExecute"]


class ModelLabel(Model):
    """The node label that names the model of an accelerator, word for word."""

    key: LabelKey
    value: LabelValue


class ShapeAccelerator(Model):
    """The accelerators that a shape's machines hold under one resource name.

    The labels stand on the machines: an affinity to them leads to machines with this very accelerator.
    """

    vendor: Annotated[str, Field(max_length=63)] = ""
    resource_name: Annotated[str, Field(max_length=317)]
    model: Annotated[str, Field(max_length=128)]
    memory: Quantity | None = None
    partition_profile: Annotated[str, Field(max_length=63)] | None = None
    label: ModelLabel | None = None
    other_labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(max_length=4, default_factory=dict, description="Labels that tell memory and partition."),
    ]


class ShapeStatus(Model):
    """Machines with the same free vector, counted."""

    count: Annotated[int, Field(ge=1)]
    free: Annotated[dict[str, Quantity], Field(max_length=32)]
    allocatable: Annotated[dict[str, Quantity], Field(max_length=32)]
    accelerators: Annotated[
        list[ShapeAccelerator], Field(max_length=8, default_factory=list, json_schema_extra=LIST_ATOMIC)
    ]
    labels: Annotated[Labels, Field(default_factory=dict)]
    taints: Annotated[list[ShapeTaint], Field(max_length=16, default_factory=list, json_schema_extra=LIST_ATOMIC)]


class Profile(Model):
    """The resource profile: what the member has and what of it is free, machine names left out."""

    observed_at: Timestamp
    sequence: Annotated[int, Field(ge=0, description="Every Dispatch up to this one is in the figures.")] = 0
    visible_beyond: Annotated[list[int], Field(max_length=256, default_factory=list, json_schema_extra=LIST_ATOMIC)]
    machines: Annotated[int, Field(ge=0)]
    allocatable: Annotated[dict[str, Quantity], Field(max_length=64)]
    free: Annotated[dict[str, Quantity], Field(max_length=64)]
    gpu_total: Annotated[int, Field(ge=0)]
    gpu_free: Annotated[int, Field(ge=0)]
    accelerators: Annotated[
        list[AcceleratorStatus], Field(max_length=64, default_factory=list, json_schema_extra=LIST_ATOMIC)
    ]
    shapes: Annotated[
        list[ShapeStatus], Field(max_length=SHAPE_LIMIT, default_factory=list, json_schema_extra=LIST_ATOMIC)
    ]


class ComputeNodeStatus(Model):
    """What the hub knows of the member."""

    observed_generation: Annotated[int, Field(ge=0)] = 0
    conditions: Annotated[Conditions, Field(default_factory=list)]
    cluster_uid: Annotated[str, Field(max_length=64, description="UID of the member's kube-system namespace.")] = ""
    kubernetes_version: Annotated[str, Field(max_length=64)] = ""
    jobs: Annotated[int, Field(ge=0, description="Shards that stand on the node and have not ended.")] = 0
    price: Annotated[str, Field(max_length=128, description="The tariff in a word, for the column.")] = ""
    profile: Profile | None = None


class ComputeNode(Model):
    """A member cluster that offers compute."""

    metadata: dict[str, Any]
    spec: ComputeNodeSpec
    status: Annotated[ComputeNodeStatus, Field(default_factory=ComputeNodeStatus)]
