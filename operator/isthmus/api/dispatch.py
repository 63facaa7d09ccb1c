"""Dispatch: the instruction for one shard, from hub to node, and the node's answer."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from .model import LIST_ATOMIC, MAP_ATOMIC, PRESERVE_UNKNOWN, Model, Quantity, Timestamp, rules

INDEXES_LENGTH = 262144
_INDEXES = "Global indexes, such as 1,3-5,7; packed where that is long."


class DispatchState(StrEnum):
    """What the node says of the shard. The last five end it; an ended Dispatch is never run again."""

    ACCEPTED = "Accepted"
    RUNNING = "Running"
    SUSPENDED = "Suspended"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    CANCELLED = "Cancelled"
    REFUSED = "Refused"
    LOST = "Lost"


TERMINAL = frozenset(
    {
        DispatchState.SUCCEEDED,
        DispatchState.FAILED,
        DispatchState.CANCELLED,
        DispatchState.REFUSED,
        DispatchState.LOST,
    }
)


class JobReference(Model):
    """The ComputeJob that the shard belongs to."""

    namespace: Annotated[str, Field(min_length=1, max_length=63, description="Its hub namespace.")]
    name: Annotated[str, Field(min_length=1, max_length=253, description="Its name.")]
    uid: Annotated[str, Field(min_length=1, max_length=64, description="Its UID.")]


class TariffReference(Model):
    """The price list under which the shard was dispatched; the ledger keeps its content by digest."""

    version: Annotated[str, Field(min_length=1, max_length=63, description="The tariff's version.")]
    digest: Annotated[str, Field(min_length=1, max_length=64, description="SHA-256 of its canonical content.")]


def _same(field: str) -> str:
    return f"self.{field} == oldSelf.{field}"


class Fence(Model):
    """How the shard stops by itself, in the member, when contact is lost."""

    after_seconds: Annotated[int, Field(ge=5, description="Seconds without contact after which it is stopped.")]
    stop_allowance_seconds: Annotated[int, Field(ge=1, description="Seconds more until its pods have stopped.")]


class ShapeHint(Model):
    """The machine that the hub has in mind, in what a pod asks for: which has that shape, only the member knows."""

    allocatable: Annotated[dict[str, Quantity], Field(max_length=32, description="What it has in all.")]
    free: Annotated[dict[str, Quantity], Field(max_length=32, description="What it has free, as last told.")]


class DispatchSpec(Model):
    """The desired state of one shard. Immutable but for the desired state, in which Cancelled is final."""

    model_config = ConfigDict(
        json_schema_extra=MAP_ATOMIC
        | rules(
            *(
                (_same(field), "immutable; a further attempt is a new Dispatch", f".{field}")
                for field in ("job", "account", "shard", "attempt", "sequence", "manifest")
            ),
            *(
                (
                    f"has(self.{field}) == has(oldSelf.{field}) && (!has(self.{field}) || {_same(field)})",
                    "immutable; a further attempt is a new Dispatch",
                    f".{field}",
                )
                for field in ("tariff", "indexes", "fence", "variant", "hint")
            ),
            (
                "oldSelf.desiredState != 'Cancelled' || self.desiredState == 'Cancelled'",
                "a cancelled shard can't be taken up again",
                ".desiredState",
            ),
        )
    )

    desired_state: Annotated[
        Literal["Running", "Suspended", "Cancelled"], Field(description="What the shard should be; Cancelled is final.")
    ] = "Running"
    job: Annotated[JobReference, Field(description="The ComputeJob it is a shard of.")]
    account: Annotated[str, Field(min_length=1, max_length=63, description="Who pays.")]
    shard: Annotated[int, Field(ge=0, description="Which shard of the job.")]
    attempt: Annotated[int, Field(ge=1, description="Counts the tries of the shard.")]
    sequence: Annotated[int, Field(ge=1, description="Counts the Dispatches of the node.")]
    tariff: Annotated[TariffReference, Field(description="The price list in force; none is unpriced.")] | None = None
    indexes: (
        Annotated[
            str, Field(min_length=1, max_length=32768, description="Its global indexes; absent is the whole job.")
        ]
        | None
    ) = None
    fence: Annotated[Fence, Field(description="The fence in force; absent is none.")] | None = None
    variant: Annotated[str, Field(max_length=63, description="The job's variant that it runs in.")] | None = None
    hint: (
        Annotated[ShapeHint, Field(description="A wish, where its pods should go; absent is anywhere that fits.")]
        | None
    ) = None
    # The four required fields are all it may have: so that CEL, which can't tell one unknown field from another,
    # sees every change below them.
    manifest: Annotated[
        dict[str, Any],
        Field(
            json_schema_extra={
                **PRESERVE_UNKNOWN,
                "required": ["apiVersion", "kind", "metadata", "spec"],
                "maxProperties": 4,
            },
            description="The batch/v1 Job to create.",
        ),
    ]


class MeterQuantity(Model):
    """Cumulative resource-time of one meter; `model` only where the meter is of accelerators."""

    meter: Annotated[
        Literal["MillicoreSeconds", "MebibyteSeconds", "MilliGPUSeconds"], Field(description="What is counted.")
    ]
    model: Annotated[str, Field(max_length=128, description="The accelerator, where the meter is of one.")] = ""
    quantity: Annotated[int, Field(ge=0, description="Whole units of the meter, cumulative.")]


class Reading(Model):
    """A cumulative meter reading of the shard.

    `settled` is the part of pods whose finalizer was, or is about to be, removed; `settling` names those of them
    whose removal has not been seen yet, so that after a crash none is counted twice or forgotten.
    """

    sequence: Annotated[int, Field(ge=1, description="Counts the readings of the shard.")]
    observed_at: Annotated[Timestamp, Field(description="The instant up to which it counts.")]
    final: Annotated[bool, Field(description="No further reading will come.")] = False
    estimated: Annotated[bool, Field(description="Some pod's end had to be estimated.")] = False
    total: Annotated[
        list[MeterQuantity],
        Field(max_length=32, default_factory=list, json_schema_extra=LIST_ATOMIC, description="Over all pods."),
    ]
    settled: Annotated[
        list[MeterQuantity],
        Field(max_length=32, default_factory=list, json_schema_extra=LIST_ATOMIC, description="Over pods let go."),
    ]
    late: Annotated[
        list[MeterQuantity],
        Field(
            max_length=32,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="Beside the total: what ran unseen or after the shard was given up, and may have been redone.",
        ),
    ]
    settling: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(
            max_length=1024,
            default_factory=list,
            json_schema_extra=LIST_ATOMIC,
            description="UIDs of pods counted in `settled` whose removal has not been seen yet.",
        ),
    ]


class PodProblem(Model):
    """What keeps pods from running, where it is worth telling."""

    reason: Annotated[str, Field(max_length=128, description="Why, in a word, such as ImagePullBackOff.")]
    message: Annotated[str, Field(max_length=1024, description="Why, in the member's words.")] = ""
    pods: Annotated[int, Field(ge=1, description="How many pods have it.")] = 1


class DispatchStatus(Model):
    """The node's answer."""

    state: Annotated[DispatchState, Field(description="Where the shard stands.")] | None = None
    reason: Annotated[str, Field(max_length=128, description="Why, in a CamelCase word.")] = ""
    message: Annotated[str, Field(max_length=1024, description="Why, for people.")] = ""
    job_uid: Annotated[str, Field(max_length=64, description="UID of the member's Job.")] = ""
    active: Annotated[int, Field(ge=0, description="Pods that run or wait to.")] = 0
    succeeded: Annotated[int, Field(ge=0, description="Pods that succeeded.")] = 0
    failed: Annotated[int, Field(ge=0, description="Pods that failed.")] = 0
    restarts: Annotated[
        int, Field(ge=0, description="Restarts in pods that have not ended, where restartPolicy is OnFailure.")
    ] = 0
    completed_indexes: Annotated[str, Field(max_length=INDEXES_LENGTH, description=_INDEXES)] | None = None
    failed_indexes: Annotated[str, Field(max_length=INDEXES_LENGTH, description=_INDEXES)] | None = None
    late_indexes: (
        Annotated[
            str,
            Field(
                max_length=INDEXES_LENGTH,
                description="Of those completed, which came to light only after the shard was given up.",
            ),
        ]
        | None
    ) = None
    overrun_indexes: (
        Annotated[
            str,
            Field(
                max_length=INDEXES_LENGTH,
                description="Of those not completed, whose pods have late time, as they ran on.",
            ),
        ]
        | None
    ) = None
    index_failures: (
        Annotated[
            dict[str, Annotated[str, Field(max_length=INDEXES_LENGTH)]],
            Field(
                max_length=64,
                description="Unfinished indexes of which pods failed, by how many did, where each index has a limit.",
            ),
        ]
        | None
    ) = None
    stopped: Annotated[
        bool,
        Field(description="It is suspended, and no pod of it is left that could still succeed: its counts are final."),
    ] = False
    armed: Annotated[
        bool, Field(description="The member's own control plane will stop the shard at its limit, without us.")
    ] = False
    start_time: Annotated[Timestamp, Field(description="When the Job started.")] | None = None
    completion_time: Annotated[Timestamp, Field(description="When the Job ended.")] | None = None
    verdict_time: (
        Annotated[Timestamp, Field(description="When the hub gave it up, by the member's own clock, if it knew that.")]
        | None
    ) = None
    active_seconds: Annotated[
        int, Field(ge=0, description="For how long the Job's present run was active, by the member's own clock.")
    ] = 0
    reading: Annotated[Reading, Field(description="The latest meter reading.")] | None = None
    pod_problem: Annotated[PodProblem, Field(description="What keeps pods from running.")] | None = None
    released: Annotated[bool, Field(description="The member holds nothing of the shard any more.")] = False


class Dispatch(Model):
    """The instruction for one shard, and the node's answer."""

    metadata: dict[str, Any]
    spec: DispatchSpec
    status: Annotated[DispatchStatus, Field(default_factory=DispatchStatus)]
