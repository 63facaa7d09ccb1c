"""Opens the gate of pods that belong to a part of a job, in the write that gives them their global index.

In a member with the policy of deploy/member-index-policy.yaml no pod is ever seen gated, and nothing is done here.
"""

import asyncio
from collections.abc import Iterable

import structlog

from isthmus.api.core import Job, Manifest, Pod
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.api.names import ANNOTATION_INDEX, GATE_INDEX
from isthmus.api.reference import reference
from isthmus.clusters import PODS, Conflict, KubernetesApi, NotFound

from .observe import pod_ended
from .shardindexes import global_index, shard_indexes

logger = structlog.get_logger(__name__)

AT_ONCE = 64
"""Gates that are opened before the shard is looked at again."""


class IndexGates:
    """The gates of one member. Other gates than ours are never touched."""

    def __init__(self, member: KubernetesApi) -> None:
        self._member = member

    async def open(self, dispatch: Dispatch, job: Job | None, pods: Iterable[Pod], opened: set[str]) -> bool:
        """Open up to AT_ONCE gates; whether more are closed. Raises ClusterError.

        Only of pods that the shard's own Job made, and only while they should run. `opened` remembers the UIDs of
        pods of which the watch has not told yet. A pod without an index of the shard's stays behind its gate.
        """
        due = _gated(dispatch, job, pods)
        opened &= {pod.metadata.uid for pod, _ in due}
        waiting = [(pod, index) for pod, index in due if pod.metadata.uid not in opened]
        chosen = waiting[:AT_ONCE]
        answers = await asyncio.gather(*(self._open(pod, index) for pod, index in chosen), return_exceptions=True)
        for (pod, _), error in zip(chosen, answers, strict=True):
            if error is None:
                opened.add(pod.metadata.uid)
        for error in answers:
            if error is not None:
                raise error
        if chosen:
            logger.debug("opened gates", **reference("Dispatch", dispatch.metadata), pods=len(chosen))
        return len(waiting) > len(chosen)

    async def _open(self, pod: Pod, index: int) -> None:
        body: Manifest = {
            "metadata": {"uid": pod.metadata.uid, "annotations": {ANNOTATION_INDEX: str(index)}},
            "spec": {"schedulingGates": [{"name": GATE_INDEX, "$patch": "delete"}]},
        }
        try:
            await self._member.patch(PODS, pod.metadata.name, pod.metadata.namespace, body, kind="strategic", type=Pod)
        except (NotFound, Conflict):
            return  # it is gone, or another of its name is there: the watch will show which


def _gated(dispatch: Dispatch, job: Job | None, pods: Iterable[Pod]) -> list[tuple[Pod, int]]:
    """The pods whose gate is to be opened, each with its global index."""
    running = dispatch.spec.desired_state == "Running" and dispatch.status.state not in {None, *TERMINAL}
    if job is None or dispatch.spec.indexes is None or not running:
        return []
    indexes = shard_indexes(dispatch)
    return [
        (pod, index)
        for pod in pods
        if any(gate.name == GATE_INDEX for gate in pod.spec.scheduling_gates)
        and any(owner.controller and owner.uid == job.metadata.uid for owner in pod.metadata.owner_references)
        and pod.metadata.deletion_timestamp is None
        and not pod_ended(pod)
        and indexes is not None
        and (index := global_index(indexes, pod)) is not None
    ]
