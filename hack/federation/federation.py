"""A whole federation on the testbed: the chart installed, members joined, the hub running as its own identity."""

import base64
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import yaml

from federation.chart import NAME, NAMESPACE, Release, Values
from federation.hubpod import HubPod, deployed
from federation.hubprocess import HubProcess
from federation.manifests import Object, compute_node
from federation.usage import Usage
from testbed import Cluster, ClusterSpec, DeadlineError, Machine, Testbed, wait_for
from testbed.local.ports import Reservation

ROOT = Path(__file__).resolve().parents[2]
SYSTEM = NAMESPACE
ACCOUNT = "isthmus"
DEPLOYMENT = f"/apis/apps/v1/namespaces/{SYSTEM}/deployments/{NAME}"
PORTS = ("http", "query")
ROLLOUT_SECONDS = 30
LOCALHOST = "localhost"
OPERATOR = f"system:serviceaccount:{SYSTEM}:{ACCOUNT}"


def merged(values: Values, more: Values) -> dict[str, Any]:
    """Values with others over them, as Helm lays several files of them over each other."""
    both = dict(values)
    for key, value in more.items():
        under = both.get(key)
        both[key] = merged(under, value) if isinstance(under, Mapping) and isinstance(value, Mapping) else value
    return both


def _documents(path: Path) -> list[Object]:
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


class Federation:
    """`members` maps names to their machines; each is joined through a link that tests can cut, unless without `links`.

    The hub's process is what the chart renders from `values`; it logs at `log_level`. With `query` it serves the query
    API, which is reached on this machine.
    The members `without_mutating_policies` don't serve them, as before Kubernetes 1.36; all others have the one that
    writes global indexes on pods. Those `with_leases` have controller managers that renew one.
    """

    usage: ClassVar[Usage | None] = None
    """Where a run of tests gathers what the hub's identity was seen to need; reads are then audited as well."""

    def __init__(
        self,
        members: Mapping[str, Sequence[Machine]],
        *,
        hub: ClusterSpec | None = None,
        directory: Path | None = None,
        links: bool = True,
        log_level: str = "debug",
        without_mutating_policies: Collection[str] = (),
        with_leases: Collection[str] = (),
        values: Values | None = None,
        query: bool = False,
    ) -> None:
        self._specs = [hub or ClusterSpec(name="hub", scheduling=False)]
        self._specs += [
            ClusterSpec(
                name=name,
                machines=machines,
                mutating_policies=name not in without_mutating_policies,
                leader_elect=name in with_leases,
            )
            for name, machines in members.items()
        ]
        self._members = list(members)
        self._links = links
        self._reservations = {name: Reservation() for name in PORTS}
        service = {"externalName": LOCALHOST, "port": self._reservations["query"].port}
        own: Values = {
            "hub": {"logLevel": log_level},
            "query": {"enabled": True, "service": service} if query else {"enabled": False},
            "localMember": {"enabled": self._specs[0].scheduling},
        }
        self.values = merged(own, values or {})
        if self.usage is not None:
            self._specs = [replace(spec, audit_reads_of=(OPERATOR,)) for spec in self._specs]
        self.bed = Testbed(directory=directory)
        self.clusters: dict[str, Cluster] = {}
        self.process: HubProcess
        self.release: Release

    @property
    def hub(self) -> Cluster:
        """The hub cluster."""
        return self.clusters["hub"]

    def __enter__(self) -> Self:
        self.bed.__enter__()
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop the hub, then all clusters."""
        if hasattr(self, "process") and self.process.running:
            self.process.kill()
        if self.usage is not None:
            self.usage.take(self.clusters.values())
        self.bed.__exit__(None, None, None)
        for reservation in self._reservations.values():
            reservation.release()

    def _begin(self) -> None:
        self.clusters = self.bed.start(*self._specs)
        self.release = Release(self.hub)
        self.release.install(self.values)
        for name in self._members:
            self._prepare(self.clusters[name])
            self.put_secret(name)
        self._wait_for_kinds()
        self.namespace("team-a")
        self.process = HubProcess(self._pod(), self.bed.directory / "isthmus-hub.log", self.bed.environment)

    def _pod(self) -> HubPod:
        """The hub's pod as the Deployment in the API server now has it."""
        return deployed(self.hub, NAMESPACE, NAME, self.bed.directory / "pods", self._reservations)

    def roll_out(self) -> None:
        """What follows a change of the Deployment: the former pod ends, and only then the new one begins."""

        def observed() -> bool:
            found = self.hub.rest.get(DEPLOYMENT)
            return bool(found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"])

        wait_for(observed, ROLLOUT_SECONDS, "the Deployment's change to be observed")
        pod = self._pod()
        self.process.stop()
        self.process.become(pod)
        self.process.start()

    def _prepare(self, member: Cluster) -> None:
        """What a member's administrator applies."""
        member.apply(_documents(ROOT / "deploy" / "member.yaml"))
        if member.spec.mutating_policies:
            member.apply(_documents(ROOT / "deploy" / "member-index-policy.yaml"))

    def _wait_for_kinds(self) -> None:
        def served() -> bool:
            found = self.hub.rest.get("/apis/isthmus.dev/v1alpha1")["resources"]
            return {"computenodes", "computejobs", "dispatches", "settlements"} <= {each["name"] for each in found}

        wait_for(served, 20, "the hub to serve Isthmus's kinds")

    def put_secret(self, member: str, text: str | None = None) -> None:
        """The Secret with a member's kubeconfig, through its link; or with any other text."""
        if text is None:
            path = self.clusters[member].token_kubeconfig(SYSTEM, ACCOUNT, through_link=self._links)
            text = path.read_text()
        data = {"kubeconfig": base64.b64encode(text.encode()).decode()}
        metadata = {"name": member, "namespace": SYSTEM}
        self.hub.apply([{"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": data}])

    def namespace(self, name: str, labels: Mapping[str, str] | None = None) -> None:
        """A tenant's namespace in the hub."""
        self.hub.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels or {}}}])

    def join(self, member: str, **spec: Any) -> None:
        """Declare a member as a ComputeNode and wait until it is Ready."""
        self.hub.apply([compute_node(member, member, **spec)])
        self.wait_condition("computenodes", member, "Ready", "True")

    def get(self, plural: str, name: str, namespace: str | None = None) -> Object:
        """An object of ours from the hub."""
        place = f"namespaces/{namespace}/" if namespace else ""
        found: Object = self.hub.rest.get(f"/apis/isthmus.dev/v1alpha1/{place}{plural}/{name}")
        return found

    def items(self, plural: str) -> list[Object]:
        """All objects of a kind of ours from the hub."""
        found: list[Object] = self.hub.rest.get(f"/apis/isthmus.dev/v1alpha1/{plural}")["items"]
        return found

    def job(self, name: str, namespace: str = "team-a") -> Object:
        """A ComputeJob."""
        return self.get("computejobs", name, namespace)

    def condition(self, plural: str, name: str, kind: str, namespace: str | None = None) -> Object:
        """A condition of an object; empty where it is not there."""
        conditions = self.get(plural, name, namespace).get("status", {}).get("conditions", [])
        return next((c for c in conditions if c["type"] == kind), {})

    def wait_condition(
        self,
        plural: str,
        name: str,
        kind: str,
        status: str,
        *,
        reason: str | None = None,
        namespace: str | None = None,
        seconds: float = 60,
    ) -> Object:
        """Wait until the condition has that status (and reason); it is returned."""
        seen: list[Object] = [{}]

        def holds() -> bool:
            seen[0] = self.condition(plural, name, kind, namespace)
            return seen[0].get("status") == status and reason in (None, seen[0].get("reason"))

        try:
            wait_for(holds, seconds, f"{plural}/{name} to have {kind}={status} {reason or ''}")
        except DeadlineError as error:
            raise AssertionError(f"{error}\nlast seen: {seen[0]}\nhub:\n{self.process.tail()}") from None
        return seen[0]

    def wait_job(self, name: str, kind: str = "Complete", *, namespace: str = "team-a", seconds: float = 60) -> Object:
        """Wait until a ComputeJob has the condition; the job is returned."""
        self.wait_condition("computejobs", name, kind, "True", namespace=namespace, seconds=seconds)
        return self.job(name, namespace)

    def wait_jobs(self, names: Iterable[str], *, namespace: str = "team-a", seconds: float = 120) -> None:
        """Wait until all these jobs are Complete."""
        wanted = set(names)

        def complete() -> bool:
            done = {
                job["metadata"]["name"]
                for job in self.items("computejobs")
                if job["metadata"]["namespace"] == namespace and job.get("status", {}).get("phase") == "Succeeded"
            }
            return wanted <= done

        try:
            wait_for(complete, seconds, f"{len(wanted)} jobs to complete")
        except DeadlineError as error:
            left = [
                (job["metadata"]["name"], job.get("status", {}).get("phase"))
                for job in self.items("computejobs")
                if job.get("status", {}).get("phase") != "Succeeded"
            ]
            raise AssertionError(f"{error}\nleft: {left[:10]}\nhub:\n{self.process.tail()}") from None

    def member_jobs(self, member: str) -> list[Object]:
        """Jobs of ours in a member."""
        found: list[Object] = self.clusters[member].rest.get(
            "/apis/batch/v1/jobs?labelSelector=app.kubernetes.io/managed-by%3Disthmus"
        )["items"]
        return found

    def member_pods(self, member: str) -> list[Object]:
        """Pods of ours in a member."""
        found: list[Object] = self.clusters[member].rest.get("/api/v1/pods?labelSelector=isthmus.dev%2Fhub")["items"]
        return found

    def pods_of(self, job: str, namespace: str = "team-a") -> list[Object]:
        """All pods of a ComputeJob, in all members."""
        shards = {shard["dispatch"] for shard in self.job(job, namespace)["status"].get("shards", [])}
        pods = [pod for member in self._members for pod in self.member_pods(member)]
        return [pod for pod in pods if pod["metadata"]["labels"]["isthmus.dev/dispatch"] in shards]
