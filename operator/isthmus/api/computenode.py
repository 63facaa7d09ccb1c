"""ComputeNode: a member cluster that offers compute."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .clearances import Clearances
from .conditions import Conditions
from .energy import Energy
from .model import (
    DNS_SUBDOMAIN,
    VALIDITY,
    Currency,
    LabelKey,
    Labels,
    LabelValue,
    Model,
    NodeName,
    Price,
    RegionCode,
    Timestamp,
    list_map,
    rules,
)
from .network import Network
from .offer import Offer
from .profile import Profile
from .tier import Tier

MODEL_LIMIT = 128


class Identity(Model):
    """Who the node is to the outside: opaque, never parsed, printed on every line of a statement."""

    model_config = ConfigDict(
        json_schema_extra=rules(("self == oldSelf", "identity is immutable; make a new ComputeNode"))
    )

    code: Annotated[str, Field(min_length=1, max_length=128, description="Opaque code, unique over all nodes.")]
    issuer: Annotated[str, Field(max_length=253, description="Who issued the code.")] = ""
    scheme: Annotated[str, Field(max_length=64, description="The scheme under which it was issued.")] = ""


class Region(Model):
    """Where the node stands."""

    code: Annotated[RegionCode, Field(description="What ComputeJobs name in spec.placement.regions.")]
    display_name: Annotated[str, Field(max_length=128, description="The region's name for people.")] = ""


class SecretReference(Model):
    """A Secret in the hub's own namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=DNS_SUBDOMAIN, description="The Secret's name.")]
    key: Annotated[
        str, Field(min_length=1, max_length=253, pattern=r"^[-._a-zA-Z0-9]+$", description="The key that holds it.")
    ] = "kubeconfig"


class KubeConfigAccess(Model):
    """Push access by a kubeconfig that a Secret holds."""

    secret_ref: Annotated[
        SecretReference, Field(description="The Secret with the kubeconfig, in the hub's own namespace.")
    ]


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

    kube_config: Annotated[KubeConfigAccess, Field(description="By a kubeconfig, from the hub.")] | None = None
    local: Annotated[LocalAccess, Field(description="The hub's own cluster; write {}.")] | None = None


class Taint(Model):
    """Keeps jobs that do not tolerate it off the node."""

    key: Annotated[LabelKey, Field(description="The taint's key.")]
    value: Annotated[LabelValue, Field(description="The taint's value.")] = ""
    effect: Annotated[Literal["NoSchedule"], Field(description="No new shard without a toleration.")] = "NoSchedule"


class Timing(Model):
    """How often the hub makes sure of the member, and when work stops that has lost contact."""

    heartbeat_seconds: Annotated[int, Field(ge=1, le=300, description="Seconds between two probes of the member.")] = 10
    fence_after_seconds: Annotated[
        int,
        Field(ge=5, le=604_800, description="Seconds without contact after which work with onNodeLost Rerun stops."),
    ] = 300
    stop_allowance_seconds: Annotated[
        int, Field(ge=1, le=86_400, description="Seconds that its pods may take to stop, their grace period included.")
    ] = 60


class ModelPrice(Model):
    """The price of one whole accelerator of a model for a second."""

    model: Annotated[str, Field(min_length=1, max_length=128, description="As the profile names it; * is any other.")]
    price: Annotated[Price, Field(description="In the tariff's currency.")]


class Prices(Model):
    """Prices per meter. A meter without a price is never free: its lines are Unpriced."""

    core_second: Annotated[Price, Field(description="One core for a second.")]
    gibibyte_second: Annotated[Price, Field(description="One GiB of memory for a second.")]
    gpu_second: Annotated[
        list[ModelPrice],
        Field(
            max_length=MODEL_LIMIT,
            default_factory=list,
            json_schema_extra=list_map("model"),
            description="One whole accelerator for a second, by model.",
        ),
    ]


class Tariff(Model):
    """A versioned price list."""

    model_config = ConfigDict(json_schema_extra=rules(VALIDITY))

    version: Annotated[str, Field(min_length=1, max_length=63, description="Printed on every line it prices.")]
    currency: Annotated[Currency, Field(description="ISO 4217 code of all its prices, such as CNY.")]
    valid_from: Annotated[Timestamp, Field(description="In force from this instant on.")] | None = None
    valid_until: Annotated[Timestamp, Field(description="No longer in force from this instant on.")] | None = None
    prices: Annotated[Prices, Field(description="Decimal prices per meter.")]


class ComputeNodeSpec(Model):
    """What the administrator declares of a member cluster."""

    identity: Annotated[Identity, Field(description="Who the node is to the outside; immutable.")]
    tier: Annotated[Tier, Field(description="Its level.")]
    parent: Annotated[NodeName, Field(description="The ComputeNode above this one.")] | None = None
    region: Annotated[Region, Field(description="Where it stands.")]
    labels: Annotated[Labels, Field(default_factory=dict, description="For ComputeJobs' nodeSelector.")]
    access: Annotated[Access, Field(description="How the hub reaches the member; exactly one way, for good.")]
    scheduling_state: Annotated[
        Literal["Active", "Cordoned", "Drained"],
        Field(description="Cordoned takes no new shards; of a Drained node those that run are moved away too."),
    ] = "Active"
    taints: Annotated[
        list[Taint],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=list_map("key", "value"),
            description="Keep off jobs that do not tolerate them.",
        ),
    ]
    timing: Annotated[Timing, Field(default_factory=Timing, description="How often the hub makes sure of it.")]
    offer: (
        Annotated[Offer, Field(description="What it lends, when and to whom; all, always, to all if unset.")] | None
    ) = None
    tariff: (
        Annotated[Tariff, Field(description="What its resources cost; without one in force it takes no work.")] | None
    ) = None
    energy: Annotated[Energy, Field(description="What is known of its energy.")] | None = None
    network: Annotated[Network, Field(description="How it is connected.")] | None = None
    clearances: Annotated[Clearances, Field(default_factory=Clearances, description="What data it may hold.")]


class ComputeNodeStatus(Model):
    """What the hub knows of the member."""

    observed_generation: Annotated[int, Field(ge=0, description="The metadata.generation this speaks of.")] = 0
    conditions: Annotated[Conditions, Field(default_factory=list)]
    cluster_uid: Annotated[str, Field(max_length=64, description="UID of the member's kube-system namespace.")] = ""
    kubernetes_version: Annotated[str, Field(max_length=64, description="As the member's API server says.")] = ""
    jobs: Annotated[int, Field(ge=0, description="Shards that stand on the node and have not ended.")] = 0
    stops_per_second: (
        Annotated[int, Field(ge=1, description="Pods that the member stops in a second, as last measured.")] | None
    ) = None
    stops_measured: (
        Annotated[
            int, Field(ge=1, description="Pods of which stopsPerSecond was measured, at most; of more, nobody knows.")
        ]
        | None
    ) = None
    price: Annotated[str, Field(max_length=128, description="The tariff in a word, for the column.")] = ""
    profile: Annotated[Profile, Field(description="What the member has and what of it is free.")] | None = None


class ComputeNode(Model):
    """A member cluster that offers compute."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                "self.metadata.name.size() <= 50 && !self.metadata.name.contains('.')",
                "metadata.name must be at most 50 characters without dots: isthmus-node-NAME becomes a namespace",
            ),
            (
                "!has(self.spec.parent) || self.spec.parent != self.metadata.name",
                "a node can't stand above itself; name another or none",
                ".spec.parent",
            ),
        )
    )

    metadata: dict[str, Any]
    spec: ComputeNodeSpec
    status: Annotated[ComputeNodeStatus, Field(default_factory=ComputeNodeStatus)]
