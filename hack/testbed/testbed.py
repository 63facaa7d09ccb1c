"""Starts clusters side by side and ends all of them, whatever happens."""

import secrets
import shutil
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from testbed.cluster import Cluster
from testbed.guard import VARIABLE, Guard
from testbed.provider import ClusterSpec, Progress, Provider


def _silent(_cluster: str, _step: str) -> None:
    """Reports nothing."""


class Testbed:
    """Clusters on this machine, for as long as the `with` block lasts.

    Their files are in a temporary folder, or in a folder of their own below `directory`; both are removed at the
    end unless `keep`. Should this process be killed, a guard ends what it started.
    """

    __test__ = False  # the name begins like a test's; pytest shall not collect it

    def __init__(self, provider: Provider | None = None, directory: Path | None = None, *, keep: bool = False) -> None:
        """Clusters come from `provider`, by default processes on this machine."""
        self._provider = provider
        self._keep = keep
        if directory is not None:
            directory.mkdir(parents=True, exist_ok=True)
        self.directory = Path(tempfile.mkdtemp(prefix="isthmus-testbed-", dir=directory))
        self._marker = secrets.token_hex(8)
        self._guard = Guard(self._marker, None if keep else self.directory)
        self._lock = threading.Lock()
        self._clusters: dict[str, Cluster] = {}

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables that mark a process as part of this testbed: whoever has them is ended with it."""
        return {VARIABLE: self._marker}

    @property
    def clusters(self) -> Mapping[str, Cluster]:
        """The running clusters by name."""
        return dict(self._clusters)

    def at_the_end(self, command: Sequence[str]) -> None:
        """Has a command run once everything is ended, in whichever way this process ends; it may fail."""
        self._guard.remember(command)

    def start(self, *specs: ClusterSpec, progress: Progress = _silent) -> dict[str, Cluster]:
        """Starts clusters in parallel and returns them by name, each with its machines Ready.

        `progress` is called from several threads with a cluster's name and what has happened to it.
        Raises what the first one failed with; the others stay until `stop`.
        """
        twice = {spec.name for spec in specs} & self._clusters.keys()
        if twice or len({spec.name for spec in specs}) < len(specs):
            raise ValueError(f"cluster names must differ: {sorted(twice) or [spec.name for spec in specs]}")
        if not specs:
            return {}
        with ThreadPoolExecutor(len(specs), thread_name_prefix="testbed") as pool:
            started = list(pool.map(lambda spec: self._start(spec, progress), specs))
        return {cluster.name: cluster for cluster in started}

    def stop(self) -> None:
        """Ends every cluster and every marked process, and removes the files unless they are to be kept."""
        with self._lock:
            clusters = list(self._clusters.values())
            self._clusters.clear()
        try:
            if clusters:
                with ThreadPoolExecutor(len(clusters)) as pool:
                    list(pool.map(Cluster.close, clusters))
        finally:
            self._guard.close()
            if not self._keep:
                shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, spec: ClusterSpec, progress: Progress) -> Cluster:
        folder = self.directory / spec.name
        folder.mkdir()
        provider = self._chosen_provider()
        for command in provider.endings(spec, self.environment):
            self.at_the_end(command)
        plane = provider.create(spec, folder, self.environment, progress)
        cluster = Cluster(spec, plane, folder)
        with self._lock:
            self._clusters[spec.name] = cluster
        if spec.machines:
            cluster.add_machines(spec.machines)
            progress(spec.name, f"{len(spec.machines)} machines ready")
        progress(spec.name, "ready")
        return cluster

    def _chosen_provider(self) -> Provider:
        with self._lock:
            if self._provider is None:
                from testbed.local.provider import LocalProvider

                self._provider = LocalProvider()
            return self._provider
