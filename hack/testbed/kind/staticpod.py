"""A part of a kind cluster's control plane: a static Pod, driven from within its node."""

import os

from testbed.kind.engine import Engine
from testbed.processortime import cpu_seconds_in
from testbed.provider import Part
from testbed.waiting import wait_for

MANIFESTS = "/etc/kubernetes/manifests"
ASIDE = "/etc/kubernetes/stopped"
NAMES = {
    Part.ETCD: "etcd",
    Part.APISERVER: "kube-apiserver",
    Part.CONTROLLER_MANAGER: "kube-controller-manager",
    Part.SCHEDULER: "kube-scheduler",
}
HEALTH = {
    Part.ETCD: "http://127.0.0.1:2381/readyz",
    Part.APISERVER: "https://127.0.0.1:6443/readyz",
    Part.CONTROLLER_MANAGER: "https://127.0.0.1:10257/healthz",
    Part.SCHEDULER: "https://127.0.0.1:10259/healthz",
}
STOP_SECONDS = 60
READY_SECONDS = 120


class StaticPod:
    """One part in one node. Its kubelet starts it anew when it dies, so a part that is stopped is put aside first."""

    def __init__(self, engine: Engine, node: str, part: Part) -> None:
        """Raises ValueError for a part that no kind cluster has."""
        if part not in NAMES:
            raise ValueError(f"a kind cluster has no {part}; it has {', '.join(NAMES)}")
        self._engine = engine
        self._node = node
        self._name = NAMES[part]
        self._health = HEALTH[part]

    def start(self) -> None:
        """Puts it back and waits until it is ready."""
        self._exec("mv", f"{ASIDE}/{self._name}.yaml", f"{MANIFESTS}/", check=False)
        wait_for(self._is_ready, READY_SECONDS, f"{self._node}: {self._name} to be ready", interval_seconds=0.5)

    def stop(self) -> None:
        """Has the kubelet end it in good order, or kills it at the deadline."""
        self._put_aside()
        try:
            wait_for(lambda: not self.pid, STOP_SECONDS, f"{self._name} to end", interval_seconds=0.5)
        except AssertionError:
            self._signal("KILL")

    def kill(self) -> None:
        """Ends it at once."""
        self._put_aside()
        self._signal("KILL")

    def pause(self) -> None:
        """Freezes it, for as long as its kubelet's probes have patience: more than a minute."""
        self._signal("STOP")

    def resume(self) -> None:
        """Lets it go on."""
        self._signal("CONT")

    def logs(self) -> str:
        """What it has written, over all its starts that the kubelet still keeps."""
        return self._exec("sh", "-c", f"cat /var/log/pods/kube-system_{self._name}-*/{self._name}/*.log")

    @property
    def pid(self) -> str:
        """Its process id within the node; empty where it does not run."""
        return self._exec("pgrep", "--oldest", "--full", f"^{self._name} ", check=False).strip()

    def resident_bytes(self) -> int:
        """Its resident memory."""
        pid = self.pid
        statm = self._exec("cat", f"/proc/{pid}/statm", check=False).split() if pid else []
        return int(statm[1]) * os.sysconf("SC_PAGESIZE") if statm else 0

    def cpu_seconds(self) -> float:
        """Its processor time."""
        pid = self.pid
        stat = self._exec("cat", f"/proc/{pid}/stat", check=False) if pid else ""
        return cpu_seconds_in(stat, os.sysconf("SC_CLK_TCK")) if stat else 0.0

    def _is_ready(self) -> bool:
        answer = self._exec("curl", "--silent", "--insecure", "--fail", "--max-time", "3", self._health, check=False)
        return bool(answer)

    def _put_aside(self) -> None:
        self._exec("mkdir", "--parents", ASIDE)
        self._exec("mv", f"{MANIFESTS}/{self._name}.yaml", f"{ASIDE}/", check=False)

    def _signal(self, name: str) -> None:
        self._exec("pkill", f"-{name}", "--full", f"^{self._name} ", check=False)

    def _exec(self, *command: str, check: bool = True) -> str:
        return self._engine.run("exec", self._node, *command, check=check)
