"""The clusters of the benchmark: a hub, two members behind the proxy that makes a hundred of them, the hub process."""

import subprocess
import sys
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

import msgspec

from federation import Federation, compute_node
from federation.federation import ACCOUNT, SYSTEM
from report.machine import describe
from start.proxy import Node, Plan
from testbed import Cluster, Machine, wait_for
from testbed.kubeconfig import write_kubeconfig
from testbed.local.certificates import Authority, write_pair
from testbed.local.ports import Reservation

MEMBERS = ("east", "west")
MACHINES = 4
HEARTBEAT_SECONDS = 10
NAMESPACE = "team-a"
# By this label of the nodes the running jobs are shared out evenly.
NODE_LABEL = "benchmark.isthmus.dev/member"
READY_SECONDS = 300.0


class Stage:
    """`nodes` ComputeNodes over two API servers; an entered context has all of it running, and the nodes Ready."""

    def __init__(self, nodes: int) -> None:
        machines = {
            name: [Machine(f"{name}-{number}", cpu="128", memory="512Gi", pods=1000) for number in range(MACHINES)]
            for name in MEMBERS
        }
        self.federation = Federation(machines, links=False, log_level="info")
        self.names = [f"member-{number:03}" for number in range(nodes)]
        self._authority = Authority("start-benchmark")
        self._ports: list[Reservation] = []
        self._proxy: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self.federation.__enter__()
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
        """Stop the proxy and all clusters."""
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()
        self.federation.close()
        for port in self._ports:
            port.release()

    @property
    def hub(self) -> Cluster:
        """The hub's cluster."""
        return self.federation.hub

    @property
    def members(self) -> list[Cluster]:
        """The clusters that the members share."""
        return [self.federation.clusters[name] for name in MEMBERS]

    def behind(self, node: str) -> Cluster:
        """The cluster that stands for the node's member."""
        return self.members[self.names.index(node) % len(MEMBERS)]

    def machine(self) -> dict[str, object]:
        """What all of this ran on."""
        member = self.members[0]
        version = member.get_json("/version")["gitVersion"]
        limits = {"qps": member.spec.api_qps, "burst": member.spec.api_burst}
        return {**describe(), "kubernetes": version, "controllerManager": limits}

    def _begin(self) -> None:
        nodes = self._behind_the_proxy()
        for node in nodes:
            self.federation.put_secret(node.name, self._kubeconfig(node))
        self.federation.process.start(deadline_seconds=READY_SECONDS)
        timing = {"heartbeatSeconds": HEARTBEAT_SECONDS}
        self.hub.apply([compute_node(name, name, timing=timing, labels={NODE_LABEL: name}) for name in self.names])
        wait_for(self._all_ready, READY_SECONDS, f"{len(nodes)} nodes to be Ready", interval_seconds=1.0)

    def _behind_the_proxy(self) -> list[Node]:
        folder = self.federation.bed.directory
        write_pair(folder, "proxy", self._authority.server())
        self._ports = [Reservation() for _ in self.names]
        nodes = [
            Node(name, str(uuid.uuid4()), port.port, str(self.behind(name).token_kubeconfig(SYSTEM, ACCOUNT)))
            for name, port in zip(self.names, self._ports, strict=True)
        ]
        config = folder / "proxy.json"
        config.write_bytes(msgspec.json.encode(Plan(str(folder / "proxy.crt"), str(folder / "proxy.key"), nodes)))
        self._proxy = subprocess.Popen(
            [sys.executable, "-m", "start.proxy", str(config)], stdout=subprocess.PIPE, text=True
        )
        if self._proxy.stdout is None or self._proxy.stdout.readline().strip() != "ready":
            raise RuntimeError("the proxy did not start; its error stands above")
        return nodes

    def _kubeconfig(self, node: Node) -> str:
        """A kubeconfig with a certificate of its own, as the members of a real fleet have it."""
        pair = self._authority.client(node.name)
        path = Path(self.federation.bed.directory) / f"{node.name}.kubeconfig"
        server = f"https://127.0.0.1:{node.port}"
        return write_kubeconfig(path, node.name, server, self._authority.certificate, pair).read_text()

    def _all_ready(self) -> bool:
        ready = {node["metadata"]["name"] for node in self.federation.items("computenodes") if _is_ready(node)}
        return ready >= set(self.names)


def _is_ready(node: dict[str, dict[str, list[dict[str, str]]]]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
