"""Events on ComputeJobs and ComputeNodes: with each condition that changes, the same reason and message."""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from isthmus.api.computejob import ComputeJob, ComputeJobStatus, Phase
from isthmus.api.computenode import ComputeNode, ComputeNodeStatus
from isthmus.api.conditions import Condition, find
from isthmus.api.core import Manifest
from isthmus.api.dispatch import DispatchState
from isthmus.api.names import API_VERSION, digest
from isthmus.api.reference import reference
from isthmus.clusters import EVENTS, ClusterError, KubernetesApi

logger = structlog.get_logger(__name__)

# Events are told, not kept: under a flood the oldest go.
_WAITING = 5_000
# Of a condition that is bad news when it is True.
_BAD_WHEN_TRUE = frozenset({"Failed", "Preempted", "Stalled"})
# Ends of a shard that call for another attempt.
_UNTIMELY = frozenset({DispatchState.LOST, DispatchState.REFUSED})


class EventWriter:
    """Writes Events from a bounded queue, so that no reconciler ever waits for one."""

    def __init__(self, hub: KubernetesApi, now: Callable[[], datetime], instance: str) -> None:
        self._hub = hub
        self._now = now
        self._instance = instance
        self._waiting: deque[tuple[str, Manifest]] = deque(maxlen=_WAITING)
        self._wake = asyncio.Event()
        self._count = 0

    def of_transition(self, job: ComputeJob, new: ComputeJobStatus) -> None:
        """Tell of each of the job's conditions that changed, of a pause and its end, and of shards that are lost."""
        metadata, old = job.metadata, job.status
        self._transitions("ComputeJob", metadata, old.conditions, new.conditions)
        if new.phase is not old.phase and Phase.SUSPENDED in (old.phase, new.phase):
            word = "suspended" if new.phase is Phase.SUSPENDED else "resumed"
            self._post("ComputeJob", metadata, "Normal", word.capitalize(), f"the job is {word}")
        before = {(shard.dispatch, shard.state) for shard in old.shards}
        for shard in new.shards:
            if shard.state in _UNTIMELY and (shard.dispatch, shard.state) not in before:
                message = f"attempt {shard.attempt} on {shard.node}: {shard.message}"
                self._post("ComputeJob", metadata, "Warning", f"Shard{shard.state}", message)

    def of_node(self, node: ComputeNode, new: ComputeNodeStatus) -> None:
        """Tell of each of the node's conditions that changed."""
        self._transitions("ComputeNode", node.metadata, node.status.conditions, new.conditions)

    def of_object(self, kind: str, metadata: Manifest, old: list[Condition], new: list[Condition]) -> None:
        """Tell of each condition of an object that changed."""
        self._transitions(kind, metadata, old, new)

    def _transitions(self, kind: str, metadata: Manifest, old: list[Condition], new: list[Condition]) -> None:
        told: set[tuple[str, str]] = set()
        changed = [condition for condition in new if _differs(find(old, condition.type), condition)]
        for condition in changed:
            good = (condition.status == "True") != (condition.type in _BAD_WHEN_TRUE)
            if good and condition.type == "Admitted" and condition is not changed[-1]:
                pass  # what comes after it says as much
            elif (condition.reason, condition.message) not in told:  # a refused template is Failed for the same reason
                self._post(kind, metadata, "Normal" if good else "Warning", condition.reason, condition.message)
            told.add((condition.reason, condition.message))
            logger.info(
                "condition changed",
                **reference(kind, metadata),
                condition=condition.type,
                status=condition.status,
                reason=condition.reason,
                message=condition.message,
            )

    def _post(self, kind: str, metadata: Manifest, severity: str, reason: str, message: str) -> None:
        now = self._now().astimezone(UTC)
        moment = now.strftime("%Y-%m-%dT%H:%M:%SZ")
        namespace = metadata.get("namespace") or "default"
        self._count += 1
        suffix = digest(self._instance, metadata["uid"], now.isoformat(), str(self._count), length=16)
        event: Manifest = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{metadata['name'][:200]}.{suffix}", "namespace": namespace},
            "involvedObject": {
                "apiVersion": API_VERSION,
                "kind": kind,
                "name": metadata["name"],
                "uid": metadata["uid"],
                "resourceVersion": metadata.get("resourceVersion", ""),
                **({"namespace": metadata["namespace"]} if metadata.get("namespace") else {}),
            },
            "type": severity,
            "reason": reason,
            "message": message,
            "source": {"component": "isthmus"},
            "firstTimestamp": moment,
            "lastTimestamp": moment,
            "count": 1,
        }
        self._waiting.append((namespace, event))
        self._wake.set()

    async def run(self) -> None:
        """Write until cancelled; an event that can't be written is logged and dropped."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                namespace, event = self._waiting.popleft()
                try:
                    await self._hub.create(EVENTS, event, namespace)
                except ClusterError as error:
                    about = event["involvedObject"]
                    logger.debug("event dropped", **reference(about["kind"], about), error=str(error))


def _differs(before: Condition | None, condition: Condition) -> bool:
    if before is None or (before.status, before.reason) != (condition.status, condition.reason):
        return True
    # Each preemption is news, though the one before is not got over yet.
    return condition.type == "Preempted" and before.message != condition.message
