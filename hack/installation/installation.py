"""A hub and members with Isthmus installed, for as long as the `with` block lasts."""

import contextlib
import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

from federation.chart import CHART, NAME, NAMESPACE
from installation.desk import Desk
from installation.hubpod import HubPod
from installation.hubprocess import HubProcess
from installation.image import build, removals
from installation.operator import Operator
from installation.work import image as job_image
from testbed import Cluster, ClusterSpec, Machine, Testbed, wait_for
from testbed.binaries import helm
from testbed.kind import KindProvider

PRICES = ("--core-second=0.00005", "--gibibyte-second=0.000005", "--gpu-second=*=0.002")
TIMING = {"heartbeatSeconds": 1, "fenceAfterSeconds": 20, "stopAllowanceSeconds": 5}

Object = dict[str, Any]
Machines = Mapping[str, Machine]


class Installation:
    """One hub and, by their names, members of one machine each."""

    def __init__(self, members: Machines, *, kind: KindProvider | None = None, image: str | None = None) -> None:
        """With `kind`, clusters of containers and the hub as a Pod of `image`, by default one that is built for it.

        Else local control planes, and the hub as a process.
        """
        self._machines = members
        self._kind = kind
        self._image = image
        self._ending = contextlib.ExitStack()
        self.bed = Testbed(kind)
        self.clusters: dict[str, Cluster] = {}
        self._values: Object = {}
        self.desk: Desk
        self.operator: Operator

    @property
    def hub(self) -> Cluster:
        """The hub's cluster."""
        return self.clusters["hub"]

    @property
    def runs_containers(self) -> bool:
        """Whether Pods really run, and so have logs."""
        return self._kind is not None

    @property
    def members(self) -> list[str]:
        """The members' names."""
        return list(self._machines)

    def __enter__(self) -> Self:
        self._ending.enter_context(self.bed)
        try:
            self._begin()
        except BaseException:
            self._ending.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ending.close()

    def _begin(self) -> None:
        specs = [ClusterSpec(name, machines=[machine]) for name, machine in self._machines.items()]
        if self._kind is not None and self._image is None:
            tag = f"e2e-{secrets.token_hex(4)}"
            for command in removals(self._kind.engine, tag):
                self.bed.at_the_end(command)
            self._image = build(self._kind.engine, tag)
        self.clusters = self.bed.start(ClusterSpec("hub", scheduling=self.runs_containers), *specs)
        programs = [self.hub.kubectl_path, Path(shutil.which("helm") or helm(print))]
        self.desk = Desk(self.bed.directory / "home", self.hub.kubeconfig(), programs, self.bed.environment)
        self._images()
        self._values = self._operator()
        self.install()
        if isinstance(self.operator, HubProcess):  # in a Pod it is where only the Pod reaches it
            self.desk.environment["ISTHMUS_LEDGER"] = self.operator.ledger
        for name in self.members:
            self.add(name)
        self.desk.kubectl("create", "namespace", "team-a")

    def _images(self) -> None:
        if self._kind is None or self._image is None:
            return
        self._kind.engine.fetch(job_image())
        self.hub.load(self._image)
        for name in self.members:
            self.clusters[name].load(job_image())

    def _operator(self) -> Object:
        """Chooses what runs the hub; the chart's values for it."""
        if self._kind is not None and self._image is not None:
            machine = self.hub.get_json("/api/v1/nodes")["items"][0]["metadata"]["name"]
            self.operator = HubPod(self.desk, self._kind.engine, machine)
            repository, _, tag = self._image.rpartition(":")
            return {"image": {"repository": repository, "tag": tag}, "hub": {"logLevel": "debug"}}
        process = HubProcess(self.hub, self.bed.directory, self.bed.environment)
        self._ending.callback(process.close)
        self.operator = process
        service = {"externalName": "localhost", "port": process.query_port}
        return {"query": {"service": service}, "hub": {"logLevel": "debug"}}

    def install(self) -> None:
        """`helm install`, and the hub is ready."""
        self._helm("install", NAME, str(CHART), "--create-namespace", f"--values={self._write(self._values)}")
        self.operator.settle()

    def upgrade(self, values: Object) -> None:
        """`helm upgrade` with these values beside the former, and the new hub is ready."""
        self._helm("upgrade", NAME, str(CHART), f"--values={self._write({**self._values, **values})}")
        self.operator.settle()

    def uninstall(self) -> None:
        """`helm uninstall`, and the hub is gone."""
        self._helm("uninstall", NAME, "--wait", "--cascade=foreground")
        self.operator.halt()

    def _helm(self, *arguments: str) -> None:
        self.desk.helm(*arguments, f"--namespace={NAMESPACE}")

    def _write(self, values: Object) -> Path:
        path = self.bed.directory / "values.yaml"
        path.write_text(yaml.safe_dump(values))
        return path

    def add(self, name: str) -> None:
        """`kubectl isthmus node add`, and a short fence so that its tests are short too."""
        cluster = self.clusters[name]
        self.desk.isthmus(
            "node",
            "add",
            name,
            f"--kubeconfig={cluster.kubeconfig()}",
            f"--server={cluster.server_for_others}",
            "--tier=Core",
            "--region=cn-east",
            *PRICES,
        )
        self.desk.kubectl(
            "patch", "computenode", name, "--type=merge", f"--patch={json.dumps({'spec': {'timing': TIMING}})}"
        )

    def apply(self, *objects: Object) -> None:
        """`kubectl apply`."""
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)})
        self.desk.kubectl("apply", "--server-side", "--filename=-", stdin=text)

    def get(self, kind: str, name: str, namespace: str = "team-a") -> Object:
        """`kubectl get`, as JSON."""
        found: Object = json.loads(self.desk.kubectl("get", kind, name, f"--namespace={namespace}", "--output=json"))
        return found

    def status(self, job: str, namespace: str = "team-a") -> Object:
        """A ComputeJob's status, by a request that costs no process."""
        path = f"/apis/isthmus.dev/v1alpha1/namespaces/{namespace}/computejobs/{job}"
        found: Object = self.hub.get_json(path).get("status", {})
        return found

    def items(self, plural: str) -> list[Object]:
        """All objects of a kind of ours."""
        found: list[Object] = self.hub.get_json(f"/apis/isthmus.dev/v1alpha1/{plural}")["items"]
        return found

    def wait(self, what: str, condition: str, *, namespace: str = "team-a", seconds: int = 90) -> None:
        """`kubectl wait --for=condition=…`."""
        self.desk.kubectl(
            "wait", what, f"--namespace={namespace}", f"--for=condition={condition}", f"--timeout={seconds}s"
        )

    def wait_complete(self, jobs: list[str], *, namespace: str = "team-a", seconds: float = 120) -> None:
        """Until all these jobs are Complete."""

        def left() -> dict[str, str]:
            phases = {
                job["metadata"]["name"]: str(job.get("status", {}).get("phase"))
                for job in self.items("computejobs")
                if job["metadata"]["namespace"] == namespace
            }
            return {name: phases.get(name, "absent") for name in jobs if phases.get(name) != "Succeeded"}

        wait_for(lambda: not left(), seconds, "all jobs to be Complete", interval_seconds=0.5, tolerate=(OSError,))

    def left_behind(self, namespace: str) -> list[str]:
        """Dispatches, member Jobs and Pods that are there of a tenant's jobs."""
        found = [
            f"hub: dispatch {each['metadata']['name']}"
            for each in self.items("dispatches")
            if each["spec"]["job"]["namespace"] == namespace
        ]
        selector = f"isthmus.dev%2Fjob-namespace%3D{namespace}"
        for name in self.members:
            spaces = self.clusters[name].get_json(f"/api/v1/namespaces?labelSelector={selector}")["items"]
            for space in (each["metadata"]["name"] for each in spaces):
                for path in (f"/apis/batch/v1/namespaces/{space}/jobs", f"/api/v1/namespaces/{space}/pods"):
                    items = self.clusters[name].get_json(path)["items"]
                    found += [f"{name}: {path.rpartition('/')[2]} {each['metadata']['name']}" for each in items]
        return found
