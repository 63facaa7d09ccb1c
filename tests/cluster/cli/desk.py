"""The console script as a person runs it: a subprocess, its output, its exit code."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SECONDS = 90
SCRIPT = Path(sys.executable).with_name("kubectl-isthmus")


@dataclass(frozen=True)
class Done:
    """What a call left behind."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        """What was printed, line by line."""
        return self.out.splitlines()


@dataclass(frozen=True)
class Desk:
    """A place with a kubeconfig from which the plugin is called."""

    kubeconfig: Path
    environment: Mapping[str, str]

    def __call__(self, *arguments: str, **variables: str) -> Done:
        """Run it to its end; no traceback may ever show."""
        done = subprocess.run(
            [str(SCRIPT), *arguments],
            env=self.env(**variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    def good(self, *arguments: str, **variables: str) -> str:
        """Run it; what it prints. It must end well and complain of nothing."""
        done = self(*arguments, **variables)
        assert done.code == 0, done
        return done.out

    def complaint(self, *arguments: str, **variables: str) -> str:
        """Run it; the one line in which it says why it can't, with exit code 1."""
        done = self(*arguments, **variables)
        assert done.code == 1, done
        (line,) = done.err.splitlines()
        return line

    def env(self, **variables: str) -> dict[str, str]:
        """Our environment with the kubeconfig, and with compiled modules kept as an installed program has them."""
        own = {key: value for key, value in os.environ.items() if key not in {"PYTHONDONTWRITEBYTECODE", "COLUMNS"}}
        return {**own, **self.environment, "KUBECONFIG": str(self.kubeconfig), **variables}
