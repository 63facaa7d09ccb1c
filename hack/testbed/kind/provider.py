"""Clusters made by kind, the provider for what needs real containers."""

import os
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.binaries import locate
from testbed.guard import VARIABLE
from testbed.kind.control_plane import KindControlPlane
from testbed.kind.engine import NETWORK, Engine, KindError
from testbed.provider import ClusterSpec, Progress

# Clusters that come up at the same time on fewer miss the deadlines of kubeadm, which gives each step a minute.
CORES_PER_START = 2

# Each cluster's machine watches files by some fifty of these, and one that gets none has no network.
WATCHERS = Path("/proc/sys/fs/inotify/max_user_instances")
FEWEST_WATCHERS = 256


def check_watches(limit: Path = WATCHERS) -> None:
    """Raises KindError where the kernel lets a user watch files by fewer instances than three clusters need."""
    if limit.exists() and (found := int(limit.read_text())) < FEWEST_WATCHERS:
        mend = f"sysctl -w fs.inotify.max_user_instances={2 * FEWEST_WATCHERS}"
        raise KindError(f"fs.inotify.max_user_instances is {found}, too few for three kind clusters: run {mend}")


class KindProvider:
    """Needs kind and a container engine; the node image is KIND_IMAGE, else kind's own.

    Of a ClusterSpec, the figures for the controllers' clients and the grace of machines don't apply: kubeadm's hold.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        """Looks for the programs. Raises KindError where one of them is missing."""
        self.engine = engine or Engine.find()
        check_watches()
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(max(1, (os.cpu_count() or 1) // CORES_PER_START))
        self._found = shutil.which("kubectl")
        self._network_is_ours = NETWORK not in self.engine.run("network", "ls", "--format={{.Name}}").split()

    def endings(self, spec: ClusterSpec, environment: Mapping[str, str]) -> Sequence[Sequence[str]]:
        """The cluster's deletion, and that of kind's network unless others had it before."""
        nowhere = Path(tempfile.gettempdir(), f"{_cluster(spec, environment)}.kubeconfig")
        network = [[self.engine.name, "network", "rm", NETWORK]] if self._network_is_ours else []
        return [*network, self.engine.deletion(_cluster(spec, environment), nowhere)]

    def create(
        self, spec: ClusterSpec, directory: Path, environment: Mapping[str, str], progress: Progress
    ) -> KindControlPlane:
        """A running cluster; where it does not come up, nothing of it is left."""
        if not spec.mutating_policies:
            raise ValueError(f"{spec.name}: a kind cluster always has MutatingAdmissionPolicy")
        kubectl = self._kubectl(spec, progress)
        plane = KindControlPlane(spec, _cluster(spec, environment), self.engine, kubectl, directory)
        try:
            with self._turn:
                plane.launch(progress, environment)
        except BaseException:
            plane.close()
            raise
        return plane

    def _kubectl(self, spec: ClusterSpec, progress: Progress) -> Path:
        with self._lock:
            if self._found is None:
                self._found = str(locate(lambda line: progress(spec.name, line)).kubectl)
            return Path(self._found)


def _cluster(spec: ClusterSpec, environment: Mapping[str, str]) -> str:
    """A name that no other run's clusters have."""
    return f"isthmus-{environment[VARIABLE][:6]}-{spec.name}"
