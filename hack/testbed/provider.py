"""The seam behind which clusters come into being; whoever uses a Cluster never knows which provider made it."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from testbed.link import Fault
from testbed.machines import Machine

Progress = Callable[[str, str], None]  # (cluster name, what is being done or was done)


class Part(StrEnum):
    """A part of a cluster that can be stopped, killed or paused by itself."""

    ETCD = "etcd"
    APISERVER = "apiserver"
    CONTROLLER_MANAGER = "controller-manager"
    SCHEDULER = "scheduler"
    KWOK = "kwok"  # plays the kubelets of all machines


@dataclasses.dataclass(frozen=True, slots=True)
class ClusterSpec:
    """What a cluster shall be.

    Without `scheduling` it has neither scheduler nor kubelets, as a hub that runs no work of its own.
    `api_qps` and `api_burst` limit the controller manager's and the scheduler's clients; the defaults of
    Kubernetes (20 and 30) start and stop some 10 Pods/s, so results should record what they ran with.
    A machine whose kubelet falls silent is NotReady after `node_grace_seconds` (Kubernetes: 50); a quarter of it is
    how often each machine writes its Lease, so a thousand machines are cheap only where it is long.
    With `leader_elect` its controller manager renews a Lease, as it does where several stand by; it then takes over
    within some seconds of a former one's end, not at once.
    Without `mutating_policies` its API server has no MutatingAdmissionPolicy, as before Kubernetes 1.36.
    Its audit log has the writes of all; of the users in `audit_reads_of` it has the reads as well.
    """

    name: str
    machines: Sequence[Machine] = ()
    scheduling: bool = True
    api_qps: int = 300
    api_burst: int = 600
    node_grace_seconds: int = 120
    leader_elect: bool = False
    mutating_policies: bool = True
    audit_reads_of: Sequence[str] = ()

    def __post_init__(self) -> None:
        """Refuses machines that nothing would play."""
        if self.machines and not self.scheduling:
            raise ValueError(f"cluster {self.name} has machines but no scheduling: nothing would play them")


class Route(Protocol):
    """The way by which others reach an API server; it can be cut without the cluster noticing."""

    @property
    def server(self) -> str:
        """The API server's address on this way, https://host:port."""

    def cut(self, fault: Fault = "drop") -> None:
        """Lets nothing through from now on."""

    def heal(self) -> None:
        """Lets everything through again."""

    def close(self) -> None:
        """Ends it."""


class ControlPlane(Protocol):
    """One running cluster, as its provider holds it."""

    @property
    def server(self) -> str:
        """The API server's address, https://host:port."""

    @property
    def authority(self) -> str:
        """The certificate authority that the API server's certificate is checked against, PEM."""

    @property
    def etcd(self) -> str:
        """The address of its store, http://host:port."""

    @property
    def audit_log(self) -> Path:
        """The API server's audit log, JSON lines: writes, and the reads that the spec asks for."""

    @property
    def kubectl(self) -> Path:
        """A kubectl that fits the API server."""

    def identity(self, user: str, groups: Sequence[str]) -> tuple[str, str]:
        """A client certificate and its key, PEM, for this user in these groups."""

    def route(self) -> Route:
        """A way to the API server that can be cut; whoever has the direct address notices nothing of that."""

    def add_machine(self, machine: Machine) -> str:
        """Adds a machine; the name of its Node, which need not be Ready yet."""

    def load(self, image: str) -> None:
        """Lets the machines run an image of this computer's container engine; those that run nothing have every one."""

    def start(self, part: Part) -> None:
        """Starts a stopped part and returns when it is ready."""

    def stop(self, part: Part) -> None:
        """Ends a part in good order; what does not end by its deadline is killed."""

    def kill(self, part: Part) -> None:
        """Ends a part at once, without notice."""

    def pause(self, part: Part) -> None:
        """Freezes a part: its connections stay and nothing answers."""

    def resume(self, part: Part) -> None:
        """Lets a frozen part go on."""

    def logs(self, part: Part) -> str:
        """What a part has written so far, over all its starts."""

    def resident_bytes(self, part: Part) -> int:
        """The part's resident memory; 0 where it does not run."""

    def cpu_seconds(self, part: Part) -> float:
        """Seconds of processor time, user and system, since the part started; 0 where it does not run."""

    def close(self) -> None:
        """Ends every part, quickly: nothing of the cluster is kept."""


class Provider(Protocol):
    """Makes clusters."""

    def endings(self, spec: ClusterSpec, environment: Mapping[str, str]) -> Sequence[Sequence[str]]:
        """Commands that leave nothing of such a cluster, for what does not end with the processes that are marked.

        They are run at the testbed's end whatever happened to it, also where the cluster never came up.
        """

    def create(
        self, spec: ClusterSpec, directory: Path, environment: Mapping[str, str], progress: Progress
    ) -> ControlPlane:
        """A cluster whose API server, controllers and scheduler are ready; its machines are added later.

        `directory` is the cluster's own and may not exist yet. Every process that is started carries
        `environment`, by which it is found and ended should the testbed's own process be killed.
        """
