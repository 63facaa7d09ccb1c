"""A hub and a member in memory, with the controllers that run a member's pods, and agents that can be killed.

An agent's process reaches both clusters by lines of its own. It can be killed at any of its writes: before it is
carried out, after it and before the answer, or while it is under way, so that it lands when others have gone on.
"""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, Literal

from isthmus.agent import Agent, Clocks
from isthmus.agent.contact import Contact
from isthmus.api.computejob import ComputeJob
from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import IndexSet
from isthmus.api.names import FINALIZER_DISPATCH, LABEL_HUB, LABEL_PLACEHOLDER, node_namespace, tenant_namespace
from isthmus.capacity import AcceleratorTable, Profile
from isthmus.clusters import DISPATCHES, JOBS, NAMESPACES, NODES, PODS, ClusterError, FakeCluster
from isthmus.clusters.fake import Call
from isthmus.hub.dispatches import DispatchStore
from isthmus.manifests import Piece, render

NODE = "n1"
HUB_UID = "5e1fd2b4-0000-4000-8000-000000000001"
SPACE = node_namespace(NODE)
TENANT = tenant_namespace(HUB_UID, "team-a")
BEGIN = datetime(2026, 11, 22, 12, tzinfo=UTC)
INDEX = "batch.kubernetes.io/job-completion-index"
TICK_SECONDS = 0.25
LATE_SECONDS = 20.0
HEARTBEAT_SECONDS = 1.0

Object = dict[str, Any]
Moment = Literal["before", "after", "late"]


def now() -> datetime:
    """The time of day in the simulation."""
    return BEGIN + timedelta(seconds=asyncio.get_running_loop().time())


def stamp() -> str:
    """The same as Kubernetes writes it."""
    return now().strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """The clusters. `run_seconds` is how long each pod runs; pods need no machine's leave."""

    def __init__(self, *, run_seconds: int = 3) -> None:
        self.hub = FakeCluster("hub", clock=now)
        self.member = FakeCluster("member", clock=now)
        self.run_seconds = run_seconds
        self.controllers_run = True
        self.member_limits = True
        self.makes_pods = True
        self.hub.put(NAMESPACES, {"metadata": {"name": SPACE}})
        self._begun: dict[str, str] = {}
        self._suffixes = count()
        machine = {"cpu": "16", "memory": "64Gi", "pods": "110"}
        ready = [{"type": "Ready", "status": "True"}]
        self.member.put(NODES, {"metadata": {"name": "m1"}, "status": {"allocatable": machine, "conditions": ready}})

    def dispatch(
        self,
        number: int = 1,
        *,
        completions: int = 2,
        desired: str = "Running",
        indexes: str | None = None,
        fence: int | None = None,
        pod: Object | None = None,
        labels: dict[str, str] | None = None,
        **spec: Any,
    ) -> str:
        """Have the hub write a Dispatch, of `indexes` only where they are given; its name. `labels` are the node's."""
        container = {"name": "main", "image": "work", "resources": {"requests": {"cpu": "1", "memory": "1Gi"}}}
        template = {
            "completionMode": "Indexed",
            "completions": completions,
            "parallelism": completions,
            "template": {"spec": {"restartPolicy": "Never", "containers": [container], **(pod or {})}},
            **spec,
        }
        metadata = {"namespace": "team-a", "name": f"job-{number}", "uid": f"uid-{number}"}
        job = ComputeJob.model_validate({"metadata": metadata, "spec": {"template": template}})
        chosen = IndexSet.parse(indexes)
        piece = Piece(width=len(chosen), indexes=chosen) if chosen else None
        manifest = render(
            job,
            hub_uid=HUB_UID,
            node=NODE,
            shard=0,
            attempt=1,
            affinity=(),
            suspend=False,
            piece=piece,
            labels=labels,
        )
        name = str(manifest["metadata"]["name"])
        content = {
            "desiredState": desired,
            "job": metadata,
            "account": "team-a",
            "shard": 0,
            "attempt": 1,
            "sequence": number,
            "manifest": manifest,
            **({"indexes": indexes} if indexes else {}),
            **({"fence": {"afterSeconds": fence, "stopAllowanceSeconds": 5}} if fence else {}),
        }
        place = {"name": name, "namespace": SPACE, "finalizers": [FINALIZER_DISPATCH]}
        self.hub.put(DISPATCHES, {"metadata": place, "spec": content})
        return name

    def desire(self, name: str, state: str) -> None:
        """Have the hub change the desired state."""
        found = self.hub.object(DISPATCHES, name, SPACE)
        assert found is not None
        self.hub.put(DISPATCHES, {**found, "spec": {**found["spec"], "desiredState": state}})

    def unarm(self, name: str) -> None:
        """Have the Dispatch say that its limit can't be relied on."""
        found = self.hub.object(DISPATCHES, name, SPACE)
        assert found is not None
        self.hub.put(DISPATCHES, {**found, "status": {**found["status"], "armed": False}})

    def shown(self, name: str) -> Dispatch:
        """The Dispatch as it stands."""
        return Dispatch.model_validate(self.hub.object(DISPATCHES, name, SPACE))

    def state(self, name: str) -> str:
        """Its state; empty before there is one."""
        return self.shown(name).status.state or ""

    async def until(self, holds: Callable[[], object], seconds: float = 300) -> None:
        """Return when it holds, looking ten times a second of simulated time."""
        end = asyncio.get_running_loop().time() + seconds
        while not holds():
            assert asyncio.get_running_loop().time() < end, "not in time"
            await asyncio.sleep(0.1)

    def real_jobs(self) -> dict[str, set[str]]:
        """UIDs of every Job that ever was, by name, placeholders apart."""
        found: dict[str, set[str]] = defaultdict(set)
        for change in self.member._store.since(0):
            if change.resource == JOBS and change.after is not None:
                metadata = change.after["metadata"]
                if LABEL_PLACEHOLDER not in metadata["labels"]:
                    found[metadata["name"]].add(metadata["uid"])
        return found

    def pods_ever(self) -> dict[str, Object]:
        """The last state of every pod of ours that ever was, by UID."""
        changes = [c for c in self.member._store.since(0) if c.resource == PODS]
        states = [state for c in changes for state in (c.before, c.after) if state is not None]
        return {state["metadata"]["uid"]: state for state in states if LABEL_HUB in state["metadata"]["labels"]}

    def pod_seconds(self) -> int:
        """Whole seconds that all of them ran."""
        return self.seconds_of(self.pods_ever().values())

    @staticmethod
    def seconds_of(pods: Iterable[Object]) -> int:
        """Whole seconds that these ran."""
        return sum(map(_seconds, pods))

    def read_seconds(self, name: str) -> int:
        """Seconds that the Dispatch's reading counts; each pod asks for one core."""
        reading = self.shown(name).status.reading
        total = {each.meter: each.quantity for each in reading.total} if reading else {}
        assert total.get("MillicoreSeconds", 0) * 1024 == total.get("MebibyteSeconds", 0) * 1000
        return total.get("MillicoreSeconds", 0) // 1000

    def succeeded_indexes(self) -> list[str]:
        """The index of each pod that succeeded, in order."""
        pods = [pod for pod in self.pods_ever().values() if pod["status"]["phase"] == "Succeeded"]
        return sorted(pod["metadata"]["annotations"][INDEX] for pod in pods)

    async def control(self) -> None:
        """The member's Job controller and kubelets, until cancelled."""
        while True:
            if self.controllers_run:
                for job in self.member.objects(JOBS):
                    self._run_job(job)
                for pod in self.member.objects(PODS):
                    self._run_pod(pod)
            await asyncio.sleep(TICK_SECONDS)

    def _run_job(self, job: Object) -> None:  # noqa: C901 - the Job controller in one piece
        spec, metadata = job["spec"], job["metadata"]
        if "deletionTimestamp" in metadata or spec.get("parallelism", 1) == 0 or _ended(job):
            return
        pods = [p for p in self.member.objects(PODS, metadata["namespace"]) if _owner(p) == metadata["uid"]]
        done = {p["metadata"]["annotations"][INDEX] for p in pods if p["status"]["phase"] == "Succeeded"}
        live = {p["metadata"]["annotations"][INDEX] for p in pods if p["status"]["phase"] in {"Pending", "Running"}}
        failed = sum(1 for p in pods if p["status"]["phase"] == "Failed")
        conditions = self._limited(job, bool(live))
        if spec.get("suspend") or conditions:
            for pod in pods:
                if pod["status"]["phase"] in {"Pending", "Running"} and "deletionTimestamp" not in pod["metadata"]:
                    self.delete_pod(pod)
        else:
            for index in map(str, range(spec["completions"])):
                if index not in done | live and self.makes_pods:
                    self._make_pod(job, index)
                    live.add(index)
        status: Object = {"active": len(live), "succeeded": len(done), "failed": failed}
        status["completedIndexes"] = ",".join(sorted(done))
        if not spec.get("suspend"):
            status["startTime"] = self._begun.setdefault(metadata["uid"], stamp())
        else:
            self._begun.pop(metadata["uid"], None)
            conditions = [{"type": "Suspended", "status": "True", "reason": "JobSuspended"}]
        if conditions:
            status["conditions"] = conditions
        if len(done) == spec["completions"] and not live:
            met = {"type": "Complete", "status": "True", "reason": "CompletionsReached", "lastTransitionTime": stamp()}
            status |= {"conditions": [met], "completionTime": stamp()}
        if status != job.get("status"):
            self.member.put(JOBS, {**job, "status": status})

    def _limited(self, job: Object, live: bool) -> list[Object]:
        """The conditions of a Job that its activeDeadlineSeconds stops; it has failed once no pod is left."""
        start, limit = self._begun.get(job["metadata"]["uid"]), job["spec"].get("activeDeadlineSeconds")
        failing = any(c["type"] == "FailureTarget" for c in job.get("status", {}).get("conditions", ()))
        if not failing and (
            start is None
            or not self.member_limits
            or limit is None
            or job["spec"].get("suspend")
            or (now() - datetime.fromisoformat(start)).total_seconds() < limit
        ):
            return []
        why = {"status": "True", "reason": "DeadlineExceeded", "lastTransitionTime": stamp()}
        found = [c for c in job.get("status", {}).get("conditions", ()) if c["type"] == "FailureTarget"]
        found = found or [{**why, "type": "FailureTarget"}]
        return found if live else [*found, {**why, "type": "Failed"}]

    def _make_pod(self, job: Object, index: str) -> None:
        template = job["spec"]["template"]
        metadata = job["metadata"]
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": metadata["name"], "uid": metadata["uid"]}
        self.member.put(
            PODS,
            {
                "metadata": {
                    "name": f"{metadata['name']}-{index}-{next(self._suffixes)}",
                    "namespace": metadata["namespace"],
                    "labels": template["metadata"]["labels"],
                    "annotations": {**template["metadata"].get("annotations", {}), INDEX: index},
                    "finalizers": template["metadata"]["finalizers"],
                    "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
                },
                "spec": {**template["spec"], "nodeName": "m1"},
                "status": {"phase": "Pending"},
            },
        )

    def _run_pod(self, pod: Object) -> None:
        phase = pod["status"]["phase"]
        if phase in {"Succeeded", "Failed"} or LABEL_HUB not in pod["metadata"]["labels"]:
            return
        if pod["spec"].get("schedulingGates") and "deletionTimestamp" not in pod["metadata"]:
            return
        started = pod["status"].get("containerStatuses", [{}])[0].get("state", {}).get("running", {}).get("startedAt")
        if "deletionTimestamp" in pod["metadata"]:
            self._end_pod(pod, "Failed", started)
            key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
            if self.member.object(PODS, key[1], key[0]) is not None:
                self.member._lifecycle.deleted(PODS, key, uid=None, propagation="Background", grace_seconds=0)
        elif started is None:
            state = {"name": "main", "state": {"running": {"startedAt": stamp()}}}
            self.member.put(PODS, {**pod, "status": {"phase": "Running", "containerStatuses": [state]}})
        elif (now() - datetime.fromisoformat(started)).total_seconds() >= self.run_seconds:
            self._end_pod(pod, "Succeeded", started)

    def _end_pod(self, pod: Object, phase: str, started: str | None, finished: str = "") -> None:
        status: Object = {"phase": phase}
        if started is not None:
            ran = {
                "startedAt": started,
                "finishedAt": finished or stamp(),
                "exitCode": 0 if phase == "Succeeded" else 143,
            }
            status["containerStatuses"] = [{"name": "main", "state": {"terminated": ran}}]
        self.member.put(PODS, {**pod, "status": status})

    def finish(self, name: str, index: str, at: str = "") -> None:
        """Have the running pod of that index of the Dispatch end well, now, or as if it had at that earlier instant."""
        for pod in self.objects(PODS):
            metadata = pod["metadata"]
            stays = pod["status"]["phase"] == "Running" and "deletionTimestamp" not in metadata
            if metadata["name"].startswith(f"{name}-{index}-") and stays:
                started = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
                self._end_pod(pod, "Succeeded", started, at)

    def delete_pod(self, pod: Object) -> None:
        """As `kubectl delete pod` does."""
        key = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        self.member._lifecycle.deleted(PODS, key, uid=None, propagation="Background", grace_seconds=None)

    def delete_job(self, name: str, propagation: str = "Background") -> None:
        """As `kubectl delete job` does in the member, behind our back."""
        self.member._lifecycle.deleted(JOBS, (TENANT, name), uid=None, propagation=propagation, grace_seconds=None)

    def delete_namespace(self) -> None:
        """As `kubectl delete namespace` does in the member, behind our back."""
        self.member._lifecycle.deleted(NAMESPACES, ("", TENANT), uid=None, propagation="Background", grace_seconds=None)

    def left(self) -> list[str]:
        """What of ours is in the member."""
        return [
            f"{resource.kind} {obj['metadata']['name']}" for resource in (JOBS, PODS) for obj in self.objects(resource)
        ]

    def held(self) -> list[Object]:
        """Pods that bear a finalizer."""
        return [pod for pod in self.objects(PODS) if pod["metadata"].get("finalizers")]

    def objects(self, resource: Any) -> list[Object]:
        """Objects of ours of that kind in the member."""
        return [o for o in self.member.objects(resource) if LABEL_HUB in o["metadata"].get("labels", {})]


class Process:
    """One process with an agent, killed at its write number `kill_at` where that is given."""

    clock_ahead = timedelta()
    """By how much its time of day is ahead of the clusters'."""

    def __init__(
        self, world: World, kill_at: int | None = None, moment: Moment = "before", *, node: str = NODE
    ) -> None:
        self.contact = Contact(asyncio.get_running_loop().time)
        self.dead = asyncio.Event()
        self.writes: list[Call] = []
        self.profiles: list[Profile] = []
        self.errors: list[ClusterError | None] = []
        self.node = node
        self.kill_at = kill_at
        self.moment = moment
        self.hub = Line(self, world.hub)
        self.member = Line(self, world.member)
        self.agent: Agent | None = None
        self.store: DispatchStore | None = None
        self._late: list[asyncio.Task[None]] = []
        self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        store = self.store = DispatchStore(self.hub, self._changed)
        async with asyncio.TaskGroup() as group:
            group.create_task(store.informer.run())
            await store.informer.wait_synced()
            self.agent = Agent(
                self.node,
                HUB_UID,
                hub=self.hub,
                member=self.member,
                dispatches=store.node(self.node),
                accelerators=AcceleratorTable.default(),
                clocks=Clocks(loop.time, lambda: now() + self.clock_ahead),
                contact=self.contact,
                floor=0,
                on_created=lambda _: None,
                on_profile=self.profiles.append,
                on_connection=self.errors.append,
            )
            group.create_task(self.agent.run())
            group.create_task(self._heartbeat())

    async def _heartbeat(self) -> None:
        """What the node's session does beside the agent."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            began = self.contact.clock()
            try:
                await self.member.probe()
            except ClusterError:
                self.contact.failed(began)
            else:
                self.contact.heard()
                time = self.member.server_time()
                back = time is not None and self.contact.told_time(time)
                if (self.contact.judge_lease("") or back) and self.agent is not None:
                    self.agent.look_at_all()

    def _changed(self, node: str, dispatch: Dispatch, _gone: bool) -> None:
        if self.agent is not None and node == self.node:
            self.agent.dispatch_changed(dispatch.metadata["name"])

    async def kill(self) -> None:
        """End it at once: nothing that it would still have done is done."""
        self.dead.set()
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    def landed(self) -> bool:
        """Whether nothing that it sent is under way any more."""
        return all(task.done() for task in self._late)

    def check(self) -> None:
        """Raise what ended it, where that was not a kill."""
        if self._task.done() and not self._task.cancelled():
            self._task.result()

    async def write(self, call: Call, carry_out: Callable[[], Any]) -> Any:
        """Carry out a write, or die at it."""
        self.writes.append(call)
        if len(self.writes) != self.kill_at:
            return await carry_out()
        if self.moment == "after":
            await carry_out()
        elif self.moment == "late":
            self._late.append(asyncio.create_task(self._land(carry_out)))
        self.dead.set()
        return await asyncio.Future()

    @staticmethod
    async def _land(carry_out: Callable[[], Any]) -> None:
        await asyncio.sleep(LATE_SECONDS)
        with suppress(ClusterError):
            await carry_out()


class Line(FakeCluster):
    """A process' own access to a cluster: once it is dead, nothing is carried out or answered."""

    def __init__(self, process: Process, cluster: FakeCluster) -> None:
        self.__dict__.update(cluster.__dict__)
        self._process = process

    async def _call(self, call: Call, answer: Callable[[], Any]) -> Any:
        if self._process.dead.is_set():
            return await asyncio.Future()
        if not call.is_write:
            return await super()._call(call, answer)
        return await self._process.write(call, lambda: super(Line, self)._call(call, answer))


def _ended(job: Object) -> bool:
    return any(c["type"] in {"Complete", "Failed"} for c in job.get("status", {}).get("conditions", ()))


def _owner(pod: Object) -> str:
    owners = pod["metadata"].get("ownerReferences") or [{}]
    return str(owners[0].get("uid", ""))


def _seconds(pod: Object) -> int:
    for status in pod["status"].get("containerStatuses", ()):
        ran = status["state"].get("terminated")
        if ran is not None:
            start, end = (datetime.fromisoformat(ran[key]) for key in ("startedAt", "finishedAt"))
            return int((end - start).total_seconds())
    return 0
