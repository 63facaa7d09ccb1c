"""One cluster made by kind."""

import base64
import functools
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

import yaml

from testbed.kind.containerroute import ContainerRoute
from testbed.kind.engine import Engine
from testbed.kind.staticpod import StaticPod
from testbed.local.certificates import Authority
from testbed.machines import Machine
from testbed.provider import ClusterSpec, Part, Progress
from testbed.rest import RestClient

PKI = "/etc/kubernetes/pki"


class KindControlPlane:
    """Its first machine is the container of the control plane, each further one a container of its own."""

    def __init__(self, spec: ClusterSpec, cluster: str, engine: Engine, kubectl: Path, directory: Path) -> None:
        """Nothing runs before `launch`."""
        self._spec = spec
        self._cluster = cluster
        self._engine = engine
        self._kubectl = kubectl
        self._directory = directory
        self._kubeconfig = directory / "kind.kubeconfig"
        workers = max(len(spec.machines) - 1, 0)
        self._free = [f"{cluster}-worker{number if number > 1 else ''}" for number in range(1, workers + 1)]
        self._free.insert(0, self.node)
        self._lock = threading.Lock()

    @property
    def node(self) -> str:
        """The container, and Node, of the control plane."""
        return f"{self._cluster}-control-plane"

    @functools.cached_property
    def server(self) -> str:
        """The API server's address on this machine."""
        return str(self._entry()["server"])

    @functools.cached_property
    def authority(self) -> str:
        """The cluster's certificate authority, PEM."""
        return base64.b64decode(self._entry()["certificate-authority-data"]).decode()

    @property
    def etcd(self) -> str:
        """Kind's store speaks to its own API server only."""
        self._lacks("an open store: `restore` needs a local control plane")

    @property
    def audit_log(self) -> Path:
        """Kind's API server writes none."""
        self._lacks("an audit log")

    @property
    def kubectl(self) -> Path:
        """A kubectl of this machine."""
        return self._kubectl

    def identity(self, user: str, groups: Sequence[str]) -> tuple[str, str]:
        """A client certificate and its key, PEM, signed with the cluster's own authority."""
        return self._signer.client(user, groups)

    def route(self) -> ContainerRoute:
        """The way of the other clusters' Pods."""
        return ContainerRoute(self._engine, self.node)

    def add_machine(self, machine: Machine) -> str:
        """Gives a container the machine's labels, taints and extended resources; cpu and memory are the real ones."""
        with self._lock:
            if not self._free:
                raise ValueError(f"{self._spec.name}: kind makes machines with the cluster only; name all in its spec")
            name = self._free.pop(0)
        wanted = machine.manifest()
        labels = {**machine.labels, "testbed.isthmus.dev/machine": machine.name}
        self._admin.patch(
            f"/api/v1/nodes/{name}",
            {"metadata": {"labels": labels}, "spec": {"taints": wanted["spec"]["taints"] or None}},
        )
        if machine.extended:
            extended = dict(machine.extended)
            self._admin.patch(
                f"/api/v1/nodes/{name}/status", {"status": {"capacity": extended, "allocatable": extended}}
            )
        return name

    def launch(self, progress: Progress, marks: Mapping[str, str]) -> None:
        """Makes the cluster, by processes that carry the marks; returns when its nodes are Ready."""
        config = self._directory / "kind.yaml"
        workers = len(self._free) - 1
        roles = [{"role": "control-plane"}, *({"role": "worker"} for _ in range(workers))]
        config.write_text(yaml.safe_dump({"apiVersion": "kind.x-k8s.io/v1alpha4", "kind": "Cluster", "nodes": roles}))
        progress(self._spec.name, "kind makes the cluster")
        self._engine.create(self._cluster, config, self._kubeconfig, marks)

    def start(self, part: Part) -> None:
        """Starts a stopped part."""
        StaticPod(self._engine, self.node, part).start()

    def stop(self, part: Part) -> None:
        """Ends a part in good order."""
        StaticPod(self._engine, self.node, part).stop()

    def kill(self, part: Part) -> None:
        """Ends a part at once."""
        StaticPod(self._engine, self.node, part).kill()

    def pause(self, part: Part) -> None:
        """Freezes a part."""
        StaticPod(self._engine, self.node, part).pause()

    def resume(self, part: Part) -> None:
        """Lets a frozen part go on."""
        StaticPod(self._engine, self.node, part).resume()

    def logs(self, part: Part) -> str:
        """What a part has written."""
        return StaticPod(self._engine, self.node, part).logs()

    def resident_bytes(self, part: Part) -> int:
        """The part's resident memory."""
        return StaticPod(self._engine, self.node, part).resident_bytes()

    def cpu_seconds(self, part: Part) -> float:
        """The part's processor time."""
        return StaticPod(self._engine, self.node, part).cpu_seconds()

    def load(self, image: str) -> None:
        """Puts an image of the container engine into every machine."""
        self._engine.load(image, self._cluster)

    def close(self) -> None:
        """Removes the cluster's containers."""
        if "_admin" in self.__dict__:
            self._admin.close()
        self._engine.delete(self._cluster, self._kubeconfig)

    @functools.cached_property
    def _admin(self) -> RestClient:
        return RestClient(self.server, self.authority, self.identity("testbed:provider", ["system:masters"]))

    @functools.cached_property
    def _signer(self) -> Authority:
        key = self._engine.run("exec", self.node, "cat", f"{PKI}/ca.key")
        return Authority.of(self.authority, key)

    def _entry(self) -> dict[str, str]:
        entry: dict[str, str] = yaml.safe_load(self._kubeconfig.read_text())["clusters"][0]["cluster"]
        return entry

    def _lacks(self, what: str) -> NoReturn:
        raise NotImplementedError(f"{self._spec.name}: a kind cluster has no {what}")
