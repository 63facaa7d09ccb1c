"""The resource profile that a ComputeNode's status holds."""

from typing import Annotated, Literal

from pydantic import Field

from .model import LIST_ATOMIC, LabelKey, Labels, LabelValue, Model, Quantity, Timestamp

SHAPE_LIMIT = 256

_Vendor = Annotated[str, Field(max_length=63, description="Who makes it, such as nvidia.")]
_ResourceName = Annotated[str, Field(max_length=317, description="The extended resource, such as nvidia.com/gpu.")]
_ModelName = Annotated[str, Field(max_length=128, description="The model, as jobs and tariffs name it.")]
_Memory = Annotated[Quantity, Field(description="Memory of one.")]
_Partition = Annotated[str, Field(max_length=63, description="The partition profile, such as 1g.10gb.")]


class AcceleratorStatus(Model):
    """Accelerators of one kind in the member, whole or partitioned."""

    vendor: _Vendor
    resource_name: _ResourceName
    model: _ModelName
    memory: _Memory | None = None
    partition_profile: _Partition | None = None
    total: Annotated[int, Field(ge=0, description="How many there are.")]
    free: Annotated[int, Field(ge=0, description="How many no pod holds.")]


class ShapeTaint(Model):
    """A taint on the machines of a shape, that a pod must tolerate."""

    key: Annotated[LabelKey, Field(description="The taint's key.")]
    value: Annotated[LabelValue, Field(description="The taint's value.")] = ""
    effect: Annotated[Literal["NoSchedule", "NoExecute"], Field(description="The taint's effect.")]


class ModelLabel(Model):
    """The node label that names the model of an accelerator, word for word."""

    key: Annotated[LabelKey, Field(description="The label's key.")]
    value: Annotated[LabelValue, Field(description="The label's value.")]


class ShapeAccelerator(Model):
    """The accelerators that a shape's machines hold under one resource name.

    The labels stand on the machines: an affinity to them leads to machines with this very accelerator.
    """

    vendor: _Vendor = ""
    resource_name: _ResourceName
    model: _ModelName
    memory: _Memory | None = None
    partition_profile: _Partition | None = None
    label: Annotated[ModelLabel, Field(description="The machine label that names the model.")] | None = None
    other_labels: Annotated[
        dict[LabelKey, LabelValue],
        Field(max_length=4, default_factory=dict, description="Labels that tell memory and partition."),
    ]


class ShapeCards(Model):
    """How pods may have a part of a card, where annotations of the machines tell who holds what of each card.

    Each card that has pods stands in a shape of its own, as a part of its machine.
    """

    resource_name: _ResourceName
    memory: Annotated[str, Field(max_length=317, description="The resource that asks for memory of a card.")]
    most: Annotated[
        dict[str, Quantity], Field(max_length=4, description="The most that one pod may ask of what cards have.")
    ]
    shared: Annotated[
        bool, Field(description="One card that has pods already, with an equal part of its machine beside it.")
    ] = False


class ShapeStatus(Model):
    """Machines with the same free vector, counted."""

    count: Annotated[int, Field(ge=1, description="How many machines.")]
    free: Annotated[dict[str, Quantity], Field(max_length=32, description="What each has free.")]
    allocatable: Annotated[dict[str, Quantity], Field(max_length=32, description="What each has in all.")]
    accelerators: Annotated[
        list[ShapeAccelerator],
        Field(
            max_length=8, default_factory=list, json_schema_extra=LIST_ATOMIC, description="The accelerators of each."
        ),
    ]
    labels: Annotated[Labels, Field(default_factory=dict, description="The labels all of them have.")]
    cards: Annotated[ShapeCards, Field(description="How pods may share the cards of each.")] | None = None
    taints: Annotated[
        list[ShapeTaint],
        Field(max_length=16, default_factory=list, json_schema_extra=LIST_ATOMIC, description="The taints of each."),
    ]


class Profile(Model):
    """The resource profile: what the member has and what of it is free, machine names left out."""

    observed_at: Annotated[Timestamp, Field(description="When the figures were taken.")]
    sequence: Annotated[int, Field(ge=0, description="Every Dispatch up to this one is in the figures.")] = 0
    visible_beyond: Annotated[
        list[Annotated[int, Field(ge=1)]],
        Field(
            max_length=256,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="Dispatches beyond `sequence` that are in the figures too.",
        ),
    ]
    machines: Annotated[int, Field(ge=0, description="How many machines the member has.")]
    allocatable: Annotated[dict[str, Quantity], Field(max_length=64, description="What pods can have, over all.")]
    free: Annotated[dict[str, Quantity], Field(max_length=64, description="What no pod has asked for, over all.")]
    gpu_total: Annotated[int, Field(ge=0, description="Accelerators of every kind, partitions counted singly.")]
    gpu_free: Annotated[int, Field(ge=0, description="Those that no pod holds.")]
    accelerators: Annotated[
        list[AcceleratorStatus],
        Field(max_length=64, default_factory=list, json_schema_extra=LIST_ATOMIC, description="Totals by kind."),
    ]
    shapes: Annotated[
        list[ShapeStatus],
        Field(
            max_length=SHAPE_LIMIT,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="Machines with equal free vectors, counted; what fits is judged by these.",
        ),
    ]
