"""A member as the agent sees it: its machines, all its pods, and the Jobs that are its node's, by watch."""

import asyncio
from collections.abc import Callable
from typing import Any

from isthmus.api.core import Job, Metadata, Node, Pod
from isthmus.api.names import FINALIZER_POD, LABEL_DISPATCH, LABEL_HUB, LABEL_NODE, tenant_namespace_prefix
from isthmus.capacity import AcceleratorTable, MachineTable
from isthmus.clusters import JOBS, NODES, PODS, ClusterError, Informer, KubernetesApi

from .atrest import AtRest, job_rests, pod_rests
from .devices import DeviceWatch
from .stalls import Stalls

# A member that is back is found within this long, and half of it again for jitter.
LONGEST_PAUSE_SECONDS = 5.0


class MemberView:
    """Three watches on a member, and one on its devices where it has any, indexed the way the agent asks.

    `clock` is as that of `Stalls`.

    `on_shard(name)` is called when a Job or pod of the Dispatch `name` changed, `on_capacity()` when the figures may
    have, `on_connection(error)` when a watch lost or regained the member, `on_pod(old, pod)` when a pod of ours
    changed. Two nodes of a hub may for a moment look at one cluster: what bears another node's name takes up room
    here, and is nothing of ours.
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
        on_pod: Callable[[object, object], None] = lambda _old, _new: None,
    ) -> None:
        self.machines = MachineTable(accelerators)
        self._owner = {LABEL_HUB: hub_uid, LABEL_NODE: node}
        self._prefix = tenant_namespace_prefix(hub_uid)
        self._stalls = Stalls(clock)
        self._listed = (0, 0)
        self._on_shard = on_shard
        self._on_capacity = on_capacity
        self._on_connection = on_connection
        self._on_pod = on_pod
        self._jobs: dict[str, Job | AtRest] = {}
        self._pods: dict[str, dict[str, Pod | AtRest]] = {}
        self._pod_informer: Informer[Any] = Informer(
            member,
            PODS,
            type=Pod,
            transform=self._kept_pod,
            on_change=self._pod,
            on_connection=self._linked,
            longest_pause_seconds=LONGEST_PAUSE_SECONDS,
        )
        self._job_informer: Informer[Any] = Informer(
            member,
            JOBS,
            type=Job,
            labels=",".join(f"{label}={value}" for label, value in self._owner.items()),
            transform=self._kept_job,
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

        self._devices = DeviceWatch(
            member, self.machines.devices, on_capacity, longest_pause_seconds=LONGEST_PAUSE_SECONDS
        )

    async def run(self) -> None:
        """Watch until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stalls.run())
            for informer in self._informers:
                group.create_task(informer.run())
            await self._wait_listed()
            group.create_task(self._devices.run())

    async def wait_synced(self) -> None:
        """Until all three lists are in, and what there is of devices."""
        await self._wait_listed()
        await self._devices.wait_settled()

    async def _wait_listed(self) -> None:
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

    def stalls(self) -> int:
        """How often this process was kept from running: what came meanwhile may take it longer to read than is said."""
        return self._stalls.count()

    def pods_listed(self, stalls: int, version: int) -> None:
        """A list of some pods, asked for after so many stalls, had that version; of a member put back it is lower."""
        before, lowest = self._listed
        if stalls != before or version < lowest:
            self._listed = (stalls, version)

    def has_caught_up(self) -> bool:
        """Whether all that came during the last stall was read: the watch has passed the first list made after it."""
        stalls, version = self._listed
        return stalls == self.stalls() and self.shows_pods_of(version)

    def jobs_silence_seconds(self) -> float:
        """For how long nothing was heard of Jobs."""
        return self._job_informer.silence_seconds()

    def _linked(self, _error: ClusterError | None) -> None:
        self._on_connection(self.link_error())

    def job(self, name: str) -> Job | None:
        """The Job of a Dispatch."""
        job = self._jobs.get(name)
        return job.unpacked(Job) if isinstance(job, AtRest) else job

    def has_job(self, name: str) -> bool:
        """Whether the Job of a Dispatch is there."""
        return name in self._jobs

    def pods(self, name: str) -> tuple[Pod, ...]:
        """The pods of a Dispatch."""
        pods = self._pods.get(name, {}).values()
        return tuple(pod.unpacked(Pod) if isinstance(pod, AtRest) else pod for pod in pods)

    def shows_pods_of(self, version: int) -> bool:
        """Whether `pods` are at least as new as that version of a list of them."""
        return int(self._pod_informer.version or 0) >= version

    def all_let_go(self, name: str) -> bool:
        """Whether no pod of a Dispatch bears our finalizer."""
        pods = self._pods.get(name, {}).values()
        return not any(isinstance(pod, Pod) and FINALIZER_POD in pod.metadata.finalizers for pod in pods)

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

    def _dispatch_of(self, obj: Job | Pod) -> str:
        """The Dispatch that it belongs to, empty where it is nothing of ours. A Job bears its Dispatch's name."""
        if not self._ours(obj.metadata):
            return ""
        return obj.metadata.name if isinstance(obj, Job) else obj.metadata.labels.get(LABEL_DISPATCH, "")

    def _kept_pod(self, pod: Pod) -> Pod | AtRest:
        return AtRest.of(pod, self._dispatch_of(pod)) if pod_rests(pod) else pod

    def _kept_job(self, job: Job) -> Job | AtRest:
        return AtRest.of(job, self._dispatch_of(job)) if job_rests(job) else job

    def _pod(self, kind: str, old: Pod | AtRest | None, pod: Pod | AtRest) -> None:
        uid = pod.metadata.uid
        if kind == "DELETED" or isinstance(pod, AtRest):
            self.machines.remove_pod(uid)
        else:
            self.machines.upsert_pod(pod)
        name = pod.dispatch if isinstance(pod, AtRest) else self._dispatch_of(pod)
        if name:
            self._on_pod(old, pod)
            pods = self._pods.setdefault(name, {})
            if kind == "DELETED":
                pods.pop(uid, None)
                if not pods:
                    del self._pods[name]
            else:
                pods[uid] = pod
            self._on_shard(name)
        self._on_capacity()

    def _job(self, kind: str, _old: Job | AtRest | None, job: Job | AtRest) -> None:
        name = job.dispatch if isinstance(job, AtRest) else self._dispatch_of(job)
        if not name:
            return
        if kind == "DELETED":
            self._jobs.pop(name, None)
        else:
            self._jobs[name] = job
        self._on_shard(name)
        self._on_capacity()
