"""Everything that runs for the demo: the clusters, the hub's process, and the watches; ended together."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

from demo.board import Board
from demo.hub import HubProcess
from demo.identity import Identity
from demo.members import Member, played_machine
from demo.objects import compute_node, kubeconfig_secret, team_objects
from demo.source import CHECKOUT
from demo.trace import TraceMachine
from demo.watching import Watch
from demo.workload import TEAMS
from federation import Release
from isthmus.api.kinds import KINDS
from isthmus.api.names import API_VERSION, LABEL_HUB, SYSTEM_NAMESPACE
from testbed import Cluster, ClusterSpec, Testbed

HUB = "hub"
ACCOUNT = "isthmus"
OPERATOR = f"system:serviceaccount:{SYSTEM_NAMESPACE}:{ACCOUNT}"
MEMBER_MANIFESTS = [CHECKOUT / "deploy" / name for name in ("member.yaml", "member-index-policy.yaml")]


class Stage:
    """Built up step by step; `close` ends whatever stands, in the right order."""

    def __init__(self, folder: Path) -> None:
        """`folder` takes the ledger and the log, which stay."""
        self.board = Board()
        self.ledger = f"sqlite:///{folder / 'ledger.sqlite'}"
        self._folder = folder
        self._testbed = Testbed()
        self._clusters: Mapping[str, Cluster] = {}
        self._watches: list[Watch] = []
        self.hub_process: HubProcess | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def hub(self) -> Cluster:
        """The hub's cluster."""
        return self._clusters[HUB]

    def member(self, name: str) -> Cluster:
        """A member's cluster."""
        return self._clusters[name]

    def start_clusters(
        self,
        members: Sequence[Member],
        machines: Mapping[str, Sequence[TraceMachine]],
        progress: Callable[[str, str], None],
    ) -> None:
        """Starts a hub that runs no work itself and the members with their machines."""
        specs = [
            ClusterSpec(member.name, machines=[played_machine(machine) for machine in machines[member.name]])
            for member in members
        ]
        self._clusters = self._testbed.start(ClusterSpec(HUB, scheduling=False), *specs, progress=progress)

    def install(self) -> None:
        """Installs the chart, whose operator is started apart, and the teams' namespaces."""
        Release(self.hub).install()
        kinds = [f"crd/{kind.crd_name}" for kind in KINDS]
        self.hub.kubectl("wait", "--for=condition=Established", "--timeout=30s", *kinds)
        self.hub.apply([item for team in TEAMS for item in team_objects(team)])

    def start_hub(self) -> None:
        """Starts the operator under its own identity, and the watches on what it does."""
        self.hub_process = HubProcess(
            self.hub.token_kubeconfig(SYSTEM_NAMESPACE, ACCOUNT),
            self.ledger,
            self._folder / "hub.log",
            {**os.environ, **self._testbed.environment},
        )
        administrator = Identity.read(self.hub.kubeconfig())
        objects = f"/apis/{API_VERSION}"
        self._watches.append(Watch(administrator, f"{objects}/computenodes", self.board.on_node))
        self._watches.append(Watch(administrator, f"{objects}/computejobs", self.board.on_job))

    def join(self, member: Member) -> None:
        """Enters a member: what its administrator applies, a kubeconfig, a ComputeNode; and watches what runs in it."""
        cluster = self.member(member.name)
        for manifests in MEMBER_MANIFESTS:
            cluster.apply(manifests.read_text())
        kubeconfig = cluster.token_kubeconfig(SYSTEM_NAMESPACE, ACCOUNT)
        self.hub.apply([kubeconfig_secret(member, kubeconfig.read_text()), compute_node(member)])
        administrator = Identity.read(cluster.kubeconfig())
        self._watches += [
            Watch(administrator, "/apis/batch/v1/jobs", self.board.on_member_job, selector=LABEL_HUB),
            Watch(
                administrator,
                "/api/v1/pods",
                lambda _change, pod, _at: self.board.pods.seen(member.name, pod),
                selector=LABEL_HUB,
            ),
        ]

    def check(self) -> None:
        """Raises what has gone wrong meanwhile: the hub's process has ended, or a watch has."""
        if self.hub_process is not None:
            self.hub_process.check()
        for watch in self._watches:
            watch.check()

    def close(self) -> None:
        """Ends the watches, then the hub, then the clusters."""
        for watch in self._watches:
            watch.stop()
        try:
            if self.hub_process is not None:
                self.hub_process.stop()
        finally:
            self._testbed.stop()
