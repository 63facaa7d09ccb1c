"""What a ComputeJob asks of the place where it runs."""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from .clearances import JobData
from .hardware import AcceleratorRequest
from .model import LIST_ATOMIC, LIST_SET, LabelKey, Labels, LabelValue, Model, list_map, rules
from .network import LatencyLimit
from .objective import Objective, Weights
from .tier import Tier

MAX_NODES = 64


class Toleration(Model):
    """Lets the job stand on a node with the taint."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("self.operator != 'Exists' || self.value == ''", "must not be set with operator Exists", ".value")
        )
    )

    key: Annotated[LabelKey, Field(description="The taint's key.")]
    operator: Annotated[Literal["Exists", "Equal"], Field(description="Exists tolerates the key with any value.")] = (
        "Equal"
    )
    value: Annotated[LabelValue, Field(description="The taint's value, for Equal.")] = ""


class Placement(Model):
    """Where the job may run, and what is preferred."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            *(
                (f"!has(self.{field}) || self.split == 'ByIndex'", "goes with split ByIndex only", f".{field}")
                for field in ("maxNodes", "minIndexesPerNode")
            ),
            (
                "!has(self.weights) || self.objective == 'Balanced'",
                "weights stand instead of an objective; leave one of the two out",
                ".weights",
            ),
            (
                "!(has(self.gang) && self.gang && has(self.split) && self.split == 'ByIndex')",
                "gang (all pods on one node) contradicts split ByIndex (pods on several); leave out one of the two",
                ".gang",
            ),
        )
    )

    node_selector: Annotated[Labels, Field(default_factory=dict, description="Labels of ComputeNodes, all of them.")]
    regions: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=63)]],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_SET,
            description="Region codes, any of these; empty is any.",
        ),
    ]
    tiers: Annotated[
        list[Tier],
        Field(
            max_length=5, default_factory=list, json_schema_extra=LIST_SET, description="Any of these; empty is any."
        ),
    ]
    tolerations: Annotated[
        list[Toleration],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="Taints of ComputeNodes that the job bears.",
        ),
    ]
    accelerator: Annotated[AcceleratorRequest, Field(description="Which accelerators will do.")] | None = None
    gang: Annotated[
        bool,
        Field(
            description="All pods start on one node or none does, and nothing of the job runs elsewhere meanwhile;"
            " contradicts split ByIndex."
        ),
    ] = False
    preemptible: Annotated[
        bool,
        Field(
            description="It may be stopped for a job of higher priority; what it has not finished then runs again"
            " elsewhere or later."
        ),
    ] = False
    split: Annotated[
        Literal["Never", "ByIndex"],
        Field(description="ByIndex lets an Indexed job's indexes run on several nodes at once."),
    ] = "Never"
    max_nodes: (
        Annotated[
            int, Field(ge=1, le=MAX_NODES, description="Shards that may stand at once, for ByIndex; 16 if unset.")
        ]
        | None
    ) = None
    min_indexes_per_node: (
        Annotated[
            int, Field(ge=1, le=1_000_000, description="The fewest indexes worth a shard of their own, for ByIndex.")
        ]
        | None
    ) = None
    on_node_lost: Annotated[
        Literal["Wait", "Rerun", "RerunUnfenced"],
        Field(
            description="What becomes of unfinished indexes when a node is lost: Wait for it; Rerun them elsewhere once"
            " they have certainly stopped there; RerunUnfenced: rerun at once, they may then run twice at a time."
        ),
    ] = "Wait"
    max_latency_milliseconds: Annotated[
        list[LatencyLimit],
        Field(
            max_length=16,
            default_factory=list,
            json_schema_extra=list_map("region"),
            description="The longest round trips to regions, all of them to be kept.",
        ),
    ]
    data: Annotated[JobData, Field(default_factory=JobData, description="What its data asks of the place.")]
    objective: Annotated[Objective, Field(description="What decides between nodes that would all do.")] = "Balanced"
    weights: Weights | None = None
