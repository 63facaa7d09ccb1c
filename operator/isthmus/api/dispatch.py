"""Dispatch: the instruction for one shard, from hub to node, and the node's answer."""

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from .model import LIST_ATOMIC, PRESERVE_UNKNOWN, Model, Timestamp


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

    namespace: Annotated[str, Field(max_length=63)]
    name: Annotated[str, Field(max_length=253)]
    uid: Annotated[str, Field(max_length=64)]


class TariffReference(Model):
    """The price list under which the shard was dispatched; the ledger keeps its content by digest."""

    version: Annotated[str, Field(max_length=63)]
    digest: Annotated[str, Field(max_length=64)]


class DispatchSpec(Model):
    """The desired state of one shard."""

    desired_state: Literal["Running", "Suspended", "Cancelled"] = "Running"
    job: JobReference
    account: Annotated[str, Field(max_length=63)]
    shard: Annotated[int, Field(ge=0)]
    attempt: Annotated[int, Field(ge=1)]
    sequence: Annotated[int, Field(ge=1, description="Counts the Dispatches of the node.")]
    tariff: TariffReference | None = None
    manifest: Annotated[
        dict[str, Any], Field(json_schema_extra=PRESERVE_UNKNOWN, description="The batch/v1 Job to create.")
    ]


class MeterQuantity(Model):
    """Cumulative resource-time of one meter; `model` only where the meter is of accelerators."""

    meter: Literal["MillicoreSeconds", "MebibyteSeconds", "MilliGPUSeconds"]
    model: Annotated[str, Field(max_length=128)] = ""
    quantity: Annotated[int, Field(ge=0)]


class Reading(Model):
    """A cumulative meter reading of the shard.

    `settled` is the part of pods whose finalizer was, or is about to be, removed; `settling` names those of them
    whose removal has not been seen yet, so that after a crash none is counted twice or forgotten.
    """

    sequence: Annotated[int, Field(ge=1)]
    observed_at: Timestamp
    final: bool = False
    estimated: bool = False
    total: Annotated[list[MeterQuantity], Field(max_length=32, default_factory=list, json_schema_extra=LIST_ATOMIC)]
    settled: Annotated[list[MeterQuantity], Field(max_length=32, default_factory=list, json_schema_extra=LIST_ATOMIC)]
    settling: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(max_length=1024, default_factory=list, json_schema_extra=LIST_ATOMIC),
    ]


class PodProblem(Model):
    """What keeps pods from running, where it is worth telling."""

    reason: Annotated[str, Field(max_length=128)]
    message: Annotated[str, Field(max_length=1024)] = ""
    pods: Annotated[int, Field(ge=1)] = 1


class DispatchStatus(Model):
    """The node's answer."""

    state: DispatchState | None = None
    reason: Annotated[str, Field(max_length=128)] = ""
    message: Annotated[str, Field(max_length=1024)] = ""
    job_uid: Annotated[str, Field(max_length=64)] = ""
    active: Annotated[int, Field(ge=0)] = 0
    succeeded: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0
    completed_indexes: Annotated[str, Field(max_length=65536)] | None = None
    failed_indexes: Annotated[str, Field(max_length=65536)] | None = None
    start_time: Timestamp | None = None
    completion_time: Timestamp | None = None
    reading: Reading | None = None
    pod_problem: PodProblem | None = None
    released: Annotated[bool, Field(description="The member holds nothing of the shard any more.")] = False


class Dispatch(Model):
    """The instruction for one shard, and the node's answer."""

    metadata: dict[str, Any]
    spec: DispatchSpec
    status: Annotated[DispatchStatus, Field(default_factory=DispatchStatus)]
