"""The way to a kind cluster's API server over the container network, cut by the cluster's own packet filter."""

from testbed.kind.engine import Engine
from testbed.link import Fault

PORT = 6443
DEVICE = "eth0"


class ContainerRoute:
    """What other clusters' Pods use. The host comes through the network's gateway, which no cut touches."""

    def __init__(self, engine: Engine, container: str) -> None:
        """`container` is the control plane's."""
        self._engine = engine
        self._container = container
        self._gateway = engine.run(
            "inspect", "--format={{range .NetworkSettings.Networks}}{{.Gateway}}{{end}}", container
        ).strip()
        self._rules: list[list[str]] = []

    @property
    def server(self) -> str:
        """The address on the container network, as `kind get kubeconfig --internal` gives it."""
        return f"https://{self._container}:{PORT}"

    def cut(self, fault: Fault = "drop") -> None:
        """Drops or resets what comes from other containers; what the API server still sends them gets lost."""
        self.heal()
        target = ["DROP"] if fault == "drop" else ["REJECT", "--reject-with", "tcp-reset"]
        incoming = ["INPUT", "-i", DEVICE, "!", "-s", self._gateway, "-p", "tcp", "--dport", str(PORT)]
        outgoing = ["OUTPUT", "-o", DEVICE, "!", "-d", self._gateway, "-p", "tcp", "--sport", str(PORT)]
        rules = [[*incoming, "-j", *target]]
        if fault == "drop":
            rules.append([*outgoing, "-j", "DROP"])
        for rule in rules:
            self._filter("-I", rule)
            self._rules.append(rule)

    def heal(self) -> None:
        """Takes the rules away."""
        while self._rules:
            self._filter("-D", self._rules[-1])
            self._rules.pop()

    def close(self) -> None:
        """Nothing: the rules end with the container."""

    def _filter(self, change: str, rule: list[str]) -> None:
        self._engine.run("exec", self._container, "iptables", "--wait", change, *rule)
