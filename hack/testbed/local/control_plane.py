"""One cluster made of processes on this machine."""

import os
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.binaries import Binaries
from testbed.kubeconfig import write_kubeconfig
from testbed.link import Link
from testbed.local.certificates import Authority, signing_key, write_pair, write_secret
from testbed.local.commands import FRONT_PROXY, Layout, Ports, commands
from testbed.local.configurations import write_configurations
from testbed.local.ports import Reservation
from testbed.local.process import Process
from testbed.machines import Machine
from testbed.provider import ClusterSpec, Part, Progress
from testbed.rest import RestClient
from testbed.waiting import DeadlineError, wait_for

READY_SECONDS = 90.0  # some 3 s on an idle machine; several clusters on two busy cores take their time
STOP_SECONDS = {Part.APISERVER: 20.0}
STOP_SECONDS_OTHERWISE = 10.0
# How far Go's heaps may grow before they are collected; by themselves to twice their size. Memory is there to spare,
# processors are not.
GARBAGE_PERCENT = "400"
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
PART_USERS = {
    Part.CONTROLLER_MANAGER: ("system:kube-controller-manager", ()),
    Part.SCHEDULER: ("system:kube-scheduler", ()),
    Part.KWOK: ("testbed:kwok", ("system:masters",)),
}


class LocalControlPlane:
    """etcd, API server, controller manager and, where work shall run, scheduler and kwok."""

    def __init__(self, spec: ClusterSpec, binaries: Binaries, directory: Path, environment: Mapping[str, str]) -> None:
        """Writes keys and configurations below `directory`; `launch` starts the processes."""
        self._binaries = binaries
        self._files = Layout(directory)
        self._authority = Authority(f"{spec.name} CA")
        self._reservations = [Reservation() for _ in range(5)]
        self._ports = Ports(*(reservation.port for reservation in self._reservations))
        self._write_keys()
        write_configurations(spec, self._files)
        parts = commands(spec, binaries, self._ports, self._files)
        for part in parts.keys() & PART_USERS.keys():
            pair = self._authority.client(*PART_USERS[part])
            write_kubeconfig(self._files.kubeconfig(part), spec.name, self.server, self.authority, pair)
        # Nothing of the user's own kubeconfigs, proxies or Go settings reaches the parts.
        environment = {**environment, "PATH": os.defpath, "HOME": str(directory), "GOGC": GARBAGE_PERCENT}
        self._processes = {
            part: Process(f"{spec.name} {part}", command, environment, self._files.log(part))
            for part, command in parts.items()
        }
        self._admin = RestClient(self.server, self.authority, self.identity("testbed:provider", ["system:masters"]))

    @property
    def server(self) -> str:
        """The API server's address."""
        return f"https://127.0.0.1:{self._ports.apiserver}"

    @property
    def authority(self) -> str:
        """The cluster's certificate authority, PEM."""
        return self._authority.certificate

    @property
    def etcd(self) -> str:
        """The address of its store."""
        return f"http://127.0.0.1:{self._ports.etcd}"

    @property
    def audit_log(self) -> Path:
        """The API server's audit log."""
        return self._files.audit_log

    @property
    def kubectl(self) -> Path:
        """The kubectl built with the API server."""
        return self._binaries.kubectl

    def identity(self, user: str, groups: Sequence[str]) -> tuple[str, str]:
        """A client certificate and its key, PEM."""
        return self._authority.client(user, groups)

    def route(self) -> Link:
        """A relay in front of the API server."""
        return Link(self._ports.apiserver)

    def add_machine(self, machine: Machine) -> str:
        """A Node that kwok plays."""
        self._admin.post("/api/v1/nodes", machine.manifest())
        return machine.name

    def load(self, image: str) -> None:
        """Nothing: kwok runs every image in name only."""

    def launch(self, progress: Progress, name: str) -> None:
        """Starts every part; returns when all are ready."""
        self.start(Part.ETCD)
        self.start(Part.APISERVER)
        progress(name, "API server ready")
        others = [part for part in self._processes if part not in {Part.ETCD, Part.APISERVER}]
        for part in others:
            self._processes[part].start()
        for part in others:
            self._wait_until_ready(part)
        # The default ServiceAccount is what Pods wait for, and shows that the controllers work.
        path = "/api/v1/namespaces/default/serviceaccounts"
        wait_for(lambda: self._admin.get(path)["items"], READY_SECONDS, f"{name}: default ServiceAccount")
        progress(name, "controllers ready")

    def start(self, part: Part) -> None:
        """Starts a stopped part and waits until it is ready."""
        process = self._process(part)
        if process.pid is not None:
            return
        if part is Part.KWOK:
            # A new kwok takes no machine whose Lease the former one holds until that Lease ends.
            self._admin.delete(LEASES)
        process.start()
        self._wait_until_ready(part)

    def stop(self, part: Part) -> None:
        """Ends a part in good order; an API server without its etcd lingers, and is killed at the deadline."""
        self._process(part).stop(STOP_SECONDS.get(part, STOP_SECONDS_OTHERWISE))

    def kill(self, part: Part) -> None:
        """Ends a part at once."""
        self._process(part).kill()

    def pause(self, part: Part) -> None:
        """Freezes a part."""
        self._process(part).pause()

    def resume(self, part: Part) -> None:
        """Lets a frozen part go on."""
        self._process(part).resume()

    def logs(self, part: Part) -> str:
        """What a part has written so far."""
        return self._process(part).log.read_text(errors="replace")

    def resident_bytes(self, part: Part) -> int:
        """The part's resident memory."""
        return self._process(part).resident_bytes()

    def cpu_seconds(self, part: Part) -> float:
        """The part's processor time."""
        return self._process(part).cpu_seconds()

    def close(self) -> None:
        """Kills every part, those that need others first, and gives the ports back."""
        for process in reversed(self._processes.values()):
            process.kill()
        self._admin.close()
        for reservation in self._reservations:
            reservation.release()

    def _process(self, part: Part) -> Process:
        if part not in self._processes:
            raise ValueError(f"this cluster has no {part}; it has {', '.join(self._processes)}")
        return self._processes[part]

    def _wait_until_ready(self, part: Part) -> None:
        process = self._process(part)

        def ready() -> bool:
            process.check()
            return self._is_ready(part)

        try:
            wait_for(ready, READY_SECONDS, f"{process.name} to be ready", interval_seconds=0.05)
        except DeadlineError as error:
            raise DeadlineError(f"{error}; its log ends: {process.tail()}") from None

    def _is_ready(self, part: Part) -> bool:
        match part:
            case Part.ETCD:
                return is_healthy(f"{self.etcd}/readyz")
            case Part.APISERVER:
                return self._admin.is_ok("/readyz")
            case Part.CONTROLLER_MANAGER:
                return self._serves(self._ports.controller_manager)
            case Part.SCHEDULER:
                return self._serves(self._ports.scheduler)
            case Part.KWOK:
                return True  # it serves nothing; its machines becoming Ready shows that it works

    def _serves(self, port: int) -> bool:
        with RestClient(f"https://127.0.0.1:{port}", self.authority) as client:
            return client.is_ok("/healthz")

    def _write_keys(self) -> None:
        pki = self._files.pki
        pki.mkdir(parents=True)
        write_pair(pki, "ca", (self._authority.certificate, self._authority.key))
        write_pair(pki, "server", self._authority.server())
        write_secret(pki / "service-accounts.key", signing_key())
        proxies = Authority("front-proxy CA")
        (pki / "front-proxy-ca.crt").write_text(proxies.certificate)
        write_pair(pki, "front-proxy", proxies.client(FRONT_PROXY))


def is_healthy(url: str) -> bool:
    """Whether a health endpoint without encryption answers 200 just now."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
