"""Clusters made of processes on this machine, the default provider."""

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from testbed.binaries import Binaries, locate
from testbed.local.control_plane import LocalControlPlane
from testbed.provider import ClusterSpec, Progress


class LocalProvider:
    """Runs control planes from the programs that `make tools` finds or builds."""

    def __init__(self) -> None:
        """Nothing is looked for or started before the first cluster."""
        self._binaries: Binaries | None = None
        self._lock = threading.Lock()

    def endings(self, spec: ClusterSpec, environment: Mapping[str, str]) -> Sequence[Sequence[str]]:
        """None: it is made of marked processes and of files in the testbed's folder."""
        del self, spec, environment
        return ()

    def create(
        self, spec: ClusterSpec, directory: Path, environment: Mapping[str, str], progress: Progress
    ) -> LocalControlPlane:
        """A running cluster; where it does not come up, nothing of it is left running."""
        with self._lock:
            if self._binaries is None:
                self._binaries = locate(lambda line: progress(spec.name, line))
        plane = LocalControlPlane(spec, self._binaries, directory, environment)
        try:
            plane.launch(progress, spec.name)
        except BaseException:
            plane.close()
            raise
        return plane
