"""A member as the agent sees it: its machines, all its pods, and the Jobs that are its node's, by watch."""

import asyncio
from collections.abc import Callable
from typing import Any

from isthmus.api.core import Job, Metadata, Node, Pod
from isthmus.api.names import LABEL_DISPATCH, LABEL_HUB, LABEL_NODE, tenant_namespace_prefix
from isthmus.capacity import AcceleratorTable, MachineTable
from isthmus.clusters import JOBS, NODES, PODS, ClusterError, Informer, KubernetesApi

from .stalls import Stalls

# A member that is back is found within this long, and half of it again for jitter.
LONGEST_PAUSE_SECONDS = 5.0


class MemberView:
    """Three watches on a member, indexed the way the agent asks; `clock` as that of `Stalls`.

    `on_shard(name)` is called when a Job or pod of the Dispatch `name` changed, `on_capacity()` when the figures may
    have, `on_connection(error)` when a watch lost or regained the member. Two nodes of a hub may for a moment look at
    one cluster: what bears another node's name takes up room here, and is nothing of ours.
    """

    def __init__(
        self,
        member: KubernetesApi,
        hub_uid: str,
        node: str,
        accelerators: AcceleratorTable,
        *,
        clock: Callable[[], float],
        on_shard: Callable[[str], None],
        on_capacity: Callable[[], None],
        on_connection: Callable[[ClusterError | None], None],
    ) -> None:
        self.machines = MachineTable(accelerators)
        self._owner = {LABEL_HUB: hub_uid, LABEL_NODE: node}
        self._prefix = tenant_namespace_prefix(hub_uid)
        self._stalls = Stalls(clock)
        self._on_shard = on_shard
        self._on_capacity = on_capacity
        self._on_connection = on_connection
        self._jobs: dict[str, Job] = {}
        self._pods: dict[str, dict[str, Pod]] = {}
        self._pod_informer = Informer(
            member,
            PODS,
            type=Pod,
            on_change=self._pod,
            on_connection=self._linked,
            longest_pause_seconds=LONGEST_PAUSE_SECONDS,
        )
        self._job_informer = Informer(
            member,
            JOBS,
            type=Job,
            labels=",".join(f"{label}={value}" for label, value in self._owner.items()),
            on_change=self._job,
            on_connection=self._linked,
            longest_pause_seconds=LONGEST_PAUSE_SECONDS,
        )
        self._informers: tuple[Informer[Any], ...] = (
            Informer(
                member,
                NODES,
                type=Node,
                on_change=self._machine,
                on_connection=self._linked,
                longest_pause_seconds=LONGEST_PAUSE_SECONDS,
            ),
            self._pod_informer,
            self._job_informer,
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stalls.run())
            for informer in self._informers:
                group.create_task(informer.run())

    async def wait_synced(self) -> None:
        """Until all three lists are in."""
        for informer in self._informers:
            await informer.wait_synced()

    def link_error(self) -> ClusterError | None:
        """What keeps a watch from standing, or None while all three stand."""
        return next((informer.error for informer in self._informers if informer.error is not None), None)

    def silence_seconds(self) -> float:
        """For how long nothing was heard of pods: what has become of them since, nobody here knows.

        After a stall of this process that goes for all that came meanwhile, until it has had time to read it.
        """
        return max(self._pod_informer.silence_seconds(), self._stalls.blind_seconds())

    def jobs_silence_seconds(self) -> float:
        """For how long nothing was heard of Jobs."""
        return self._job_informer.silence_seconds()

    def _linked(self, _error: ClusterError | None) -> None:
        self._on_connection(self.link_error())

    def job(self, name: str) -> Job | None:
        """The Job of a Dispatch."""
        return self._jobs.get(name)

    def pods(self, name: str) -> tuple[Pod, ...]:
        """The pods of a Dispatch."""
        return tuple(self._pods.get(name, {}).values())

    def shards(self) -> set[str]:
        """Names of the Dispatches of which the member holds a Job or a pod."""
        return self._jobs.keys() | self._pods.keys()

    def _machine(self, kind: str, _old: Node | None, node: Node) -> None:
        if kind == "DELETED":
            self.machines.remove_machine(node.metadata.name)
        else:
            self.machines.upsert_machine(node)
        self._on_capacity()

    def _ours(self, metadata: Metadata) -> bool:
        """Whether it is of this node; a copy that somebody made elsewhere is not, whatever its labels say."""
        return self._owner.items() <= metadata.labels.items() and metadata.namespace.startswith(self._prefix)

    def _pod(self, kind: str, _old: Pod | None, pod: Pod) -> None:
        if kind == "DELETED":
            self.machines.remove_pod(pod.metadata.uid)
        else:
            self.machines.upsert_pod(pod)
        name = pod.metadata.labels.get(LABEL_DISPATCH) if self._ours(pod.metadata) else None
        if name is not None:
            pods = self._pods.setdefault(name, {})
            if kind == "DELETED":
                pods.pop(pod.metadata.uid, None)
                if not pods:
                    del self._pods[name]
            else:
                pods[pod.metadata.uid] = pod
            self._on_shard(name)
        self._on_capacity()

    def _job(self, kind: str, _old: Job | None, job: Job) -> None:
        if not self._ours(job.metadata):
            return
        name = job.metadata.name
        if kind == "DELETED":
            self._jobs.pop(name, None)
        else:
            self._jobs[name] = job
        self._on_shard(name)
        self._on_capacity()
