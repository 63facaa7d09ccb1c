"""The hub as a process of this machine, where no machine of the hub's cluster runs containers.

It is what the installed Deployment says: see `federation.hubpod`.
"""

from collections.abc import Mapping
from pathlib import Path

from federation.chart import NAME, NAMESPACE
from federation.hubpod import HubPod, deployed
from federation.hubprocess import HubProcess as Container
from testbed import Cluster
from testbed.local.ports import Reservation

PORTS = ("http", "query")


class HubProcess:
    """The one container of the Deployment."""

    def __init__(self, cluster: Cluster, folder: Path, marks: Mapping[str, str]) -> None:
        """`marks` are set in the process's environment."""
        self._cluster = cluster
        self._folder = folder
        self._marks = dict(marks)
        self._log = folder / "isthmus-hub.log"
        self._ports = {name: Reservation() for name in PORTS}
        self._container: Container | None = None

    @property
    def query_port(self) -> int:
        """Where the query API listens: what the chart's ExternalName Service must name."""
        return self._ports["query"].port

    @property
    def ledger(self) -> str:
        """The ledger's URL on this machine; empty before the first start."""
        return self._container.ledger if self._container is not None else ""

    def settle(self) -> None:
        """Ends what runs in good order, as a Deployment's strategy Recreate does, and starts what stands there now."""
        self.halt()
        self._container = Container(self._pod(), self._log, self._marks)
        self._container.start()

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        if self._container is not None:
            self._container.kill()

    def revive(self) -> None:
        """Starts it again, as a kubelet would."""
        if self._container is not None:
            self._container.start()

    def halt(self) -> None:
        """Ends it in good order."""
        if self._container is not None:
            self._container.stop()

    def log(self) -> str:
        """All that it has written."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def close(self) -> None:
        """Ends it and gives its ports back."""
        self.kill()
        for port in self._ports.values():
            port.release()

    def _pod(self) -> HubPod:
        return deployed(self._cluster, NAMESPACE, NAME, self._folder / "pods", self._ports)
