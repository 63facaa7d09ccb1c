"""A hub to learn on: what the tutorial and the examples run against, and the files that a shell needs for it."""

import shlex
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from federation.contexts import contexts
from federation.federation import Federation
from federation.manifests import gpu_machine
from testbed import ClusterSpec, Machine
from testbed.binaries import helm, locate

# The examples name these two, and what they have.
JOINED = {
    "east": [gpu_machine("east-1", "NVIDIA-A100-SXM4-40GB", 4)],
    "west": [gpu_machine("west-1", "Tesla-T4", 4)],
}
# The tutorial adds this one.
SPARE = ClusterSpec("north", machines=[Machine("north-1", "16", "64Gi")])


class Playground:
    """A hub with its operator and two nodes, and a cluster that is no node yet, for as long as the `with` block lasts.

    `folder` holds a file `env` to be sourced: kubectl, its plugin and helm on PATH, a kubeconfig whose contexts are
    hub, east, west and north, and the ledger's URL.
    """

    def __init__(self, folder: Path, *, spare: bool = True) -> None:
        self._folder = folder
        self._spare = spare
        self.federation = Federation(JOINED, links=False, log_level="info")

    def __enter__(self) -> Self:
        self.federation.__enter__()
        try:
            self._begin()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.federation.close()
        for path in self._files():
            path.unlink(missing_ok=True)

    @property
    def env(self) -> Path:
        """The file to be sourced."""
        return self._folder / "env"

    def _begin(self) -> None:
        clusters = self.federation.clusters
        if self._spare:
            clusters = {**clusters, **self.federation.bed.start(SPARE)}
        self.federation.process.start()
        for name in JOINED:
            self.federation.join(name)
        self._programs.mkdir(parents=True, exist_ok=True)
        for path in self._files():
            path.unlink(missing_ok=True)
        kubeconfig = self._folder / "kubeconfig"
        kubeconfig.touch(mode=0o600)
        kubeconfig.write_text(contexts(clusters))
        for program in (locate(print).kubectl, helm(print)):
            (self._programs / program.name).symlink_to(program)
        programs = shlex.quote(f"{self._programs}:{Path(sys.executable).parent}")
        self.env.write_text(
            f"export KUBECONFIG={shlex.quote(str(kubeconfig))}\n"
            f'export PATH={programs}:"$PATH"\n'
            f"export ISTHMUS_LEDGER={shlex.quote(self.federation.process.ledger)}\n"
        )

    @property
    def _programs(self) -> Path:
        return self._folder / "bin"

    def _files(self) -> list[Path]:
        return [self._folder / "kubeconfig", self.env, *self._programs.glob("*")]
