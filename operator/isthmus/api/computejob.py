"""ComputeJob: batch work handed to the hub."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import ConfigDict, Field, computed_field

from .conditions import Conditions
from .hardware import VARIANT_LIMIT, Variant
from .jobspec import TEMPLATE_SCHEMA
from .model import (
    LIST_ATOMIC,
    Amount,
    Currency,
    Instant,
    Model,
    Timestamp,
    list_map,
    rules,
)
from .placement import Placement

EXPLANATION_NODES = 16
_SHOWN = Decimal("0.0001")
_WIDE = Context(prec=60)  # of an amount all digits, and one more
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


_SAME_PRESENCE = "has(self.variants) == has(oldSelf.variants)"


class ComputeJobSpec(Model):
    """What the user asks for."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            ("!oldSelf.cancel || self.cancel", "a cancelled job can't be taken up again", ".cancel"),
            (
                f"{_SAME_PRESENCE} && (!has(self.variants) || self.variants == oldSelf.variants)",
                "the variants are immutable; make a new ComputeJob",
                ".variants",
            ),
            (
                "!has(self.variants) || self.variants.size() == 0 || !has(self.placement.accelerator)",
                "must not be set beside variants, each of which has an accelerator of its own; remove it",
                ".placement.accelerator",
            ),
        ),
    )

    template: Annotated[
        dict[str, Any],
        Field(
            json_schema_extra=TEMPLATE_SCHEMA,
            description="A batch/v1 JobSpec, as it would stand in a Job; at most 256 KiB; immutable.",
        ),
    ]
    priority: Annotated[
        int, Field(ge=-1_000_000_000, le=1_000_000_000, description="The higher is placed before the lower.")
    ] = 0
    deadline: (
        Annotated[Instant, Field(description="When it is to be done: as that nears, it may cost more.")] | None
    ) = None
    suspend: Annotated[bool, Field(description="Stop its pods, or do not start it, until this is false again.")] = False
    cancel: Annotated[bool, Field(description="Stop the job for good; its record and its bill stay.")] = False
    ttl_seconds_after_finished: (
        Annotated[int, Field(ge=0, le=2_147_483_647, description="Seconds after its end that it is deleted.")] | None
    ) = None
    placement: Annotated[
        Placement, Field(default_factory=Placement, description="Where it may run; immutable once it is placed.")
    ]
    variants: Annotated[
        list[Variant],
        Field(
            max_length=VARIANT_LIMIT,
            default_factory=list,
            json_schema_extra=list_map("name"),
            description="Its forms for different hardware: it runs in one of them, where that fits; immutable.",
        ),
    ]


class Shard(Model):
    """One Dispatch of the job."""

    node: Annotated[str, Field(max_length=50, description="The ComputeNode it stands on.")]
    dispatch: Annotated[str, Field(max_length=63, description="Name of its Dispatch, and of its Job there.")]
    attempt: Annotated[int, Field(ge=1, description="Counts the tries.")]
    indexes: Annotated[str, Field(max_length=256, description="Its indexes; absent is all.")] | None = None
    variant: Annotated[str, Field(max_length=63, description="The job's variant that it runs in.")] | None = None
    state: Annotated[str, Field(max_length=32, description="What the node says of it.")]
    message: Annotated[str, Field(max_length=256, description="Why it was refused, lost or preempted.")] = ""
    start_time: Annotated[Timestamp, Field(description="When its Job started.")] | None = None
    completion_time: Annotated[Timestamp, Field(description="When its Job ended.")] | None = None


class Money(Model):
    """An amount with its currency."""

    amount: Annotated[Amount, Field(description="An exact decimal.")]
    currency: Currency

    @computed_field(  # type: ignore[prop-decorator]  # mypy knows no decorated property
        description="Both in a word, to four decimals, for the column.", json_schema_extra={"maxLength": 48}
    )
    @property
    def text(self) -> str:
        """The amount to four decimals, half-even, with its currency; <0.0001 where that would hide it."""
        value = Decimal(self.amount)
        shown = value.quantize(_SHOWN, ROUND_HALF_EVEN, _WIDE)
        return f"{shown if shown or not value else f'<{_SHOWN}'} {self.currency}"


class NodeVerdict(Model):
    """What one node was found to be for the job: a reason against it, or its score parts."""

    node: Annotated[str, Field(max_length=50, description="The ComputeNode.")]
    variant: Annotated[str, Field(max_length=63, description="The variant that would do best there.")] | None = None
    reason: Annotated[str, Field(max_length=64, description="Why it would not do, in a word.")] | None = None
    message: (
        Annotated[str, Field(max_length=256, description="Why it would not do, or why a part is 0, for people.")] | None
    ) = None
    score: Annotated[int, Field(ge=0, le=100, description="How well it would do.")] | None = None
    parts: (
        Annotated[
            dict[str, Annotated[int, Field(ge=0, le=100)]],
            Field(max_length=16, description="The score by what it is made of."),
        ]
        | None
    ) = None


class Explanation(Model):
    """Why the job stands where it does, or nowhere."""

    winner: Annotated[str, Field(max_length=50, description="The ComputeNode chosen.")] | None = None
    reasons: Annotated[
        dict[str, Annotated[int, Field(ge=0)]],
        Field(max_length=32, default_factory=dict, description="How many nodes each reason keeps out."),
    ]
    nodes: Annotated[
        list[NodeVerdict],
        Field(
            max_length=EXPLANATION_NODES,
            default_factory=list,
            json_schema_extra=list_map("node"),
            description="What some nodes were found to be, the best first.",
        ),
    ]


class ComputeJobStatus(Model):
    """What the hub knows of the job."""

    observed_generation: Annotated[int, Field(ge=0, description="The metadata.generation this speaks of.")] = 0
    phase: Annotated[Phase, Field(description="Where it stands, in a word.")] | None = None
    completions: Annotated[int, Field(ge=0, description="How many pods, or indexes, must succeed.")] | None = None
    active: Annotated[int, Field(ge=0, description="Pods that run or wait to.")] = 0
    succeeded: Annotated[int, Field(ge=0, description="Pods, or indexes, that succeeded.")] = 0
    failed: Annotated[int, Field(ge=0, description="Pods that failed.")] = 0
    completed_indexes: Annotated[str, Field(max_length=4096, description="Such as 1,3-5,7.")] | None = None
    failed_indexes: Annotated[str, Field(max_length=4096, description="Such as 1,3-5,7.")] | None = None
    nodes: Annotated[str, Field(max_length=256, description="The nodes it stands on, for the column.")] = ""
    done: Annotated[str, Field(max_length=32, description="Succeeded over completions, for the column.")] = ""
    gpus: Annotated[int, Field(ge=0, description="Accelerators that its pods ask for at once.")] = 0
    start_time: Annotated[Timestamp, Field(description="When its first Job started.")] | None = None
    completion_time: Annotated[Timestamp, Field(description="When it ended.")] | None = None
    estimate: Annotated[Money, Field(description="Price of an hour of all its pods on the chosen node.")] | None = None
    cost: Annotated[Money, Field(description="What it has cost so far.")] | None = None
    shards: Annotated[
        list[Shard],
        Field(
            max_length=SHARD_LIMIT,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="Its Dispatches, the latest last.",
        ),
    ]
    explanation: Annotated[Explanation, Field(description="Why it stands there, or nowhere.")] | None = None
    conditions: Annotated[Conditions, Field(default_factory=list)]


_UNPLACED = (
    "!has(oldSelf.status) || !has(oldSelf.status.phase) || oldSelf.status.phase == 'Pending'"
    " || (oldSelf.status.phase == 'Suspended' && (!has(oldSelf.status.shards) || oldSelf.status.shards.size() == 0))"
)


class ComputeJob(Model):
    """Batch work handed to the hub."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            (
                f"{_UNPLACED} || self.spec.placement == oldSelf.spec.placement",
                "the placement is immutable once the job is placed; make a new ComputeJob",
                ".spec.placement",
            )
        )
    )

    metadata: dict[str, Any]
    spec: ComputeJobSpec
    status: Annotated[ComputeJobStatus, Field(default_factory=ComputeJobStatus)]
