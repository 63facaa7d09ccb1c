"""Commands as a user types them: kubectl, kubectl isthmus and helm, against the hub."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

COMMAND_SECONDS = 180


class CommandError(RuntimeError):
    """A command ended with an error; the message has all that it printed."""


class Desk:
    """A user's terminal: PATH with kubectl, its plugin and helm, and the hub's kubeconfig."""

    def __init__(self, folder: Path, kubeconfig: Path, programs: Sequence[Path], marks: Mapping[str, str]) -> None:
        """`programs` are kubectl and helm; `folder` is the user's home; `marks` are set in the environment."""
        links = folder / "bin"
        links.mkdir(parents=True)
        for program in (*programs, *(Path(sys.executable).with_name(name) for name in ("isthmus", "kubectl-isthmus"))):
            (links / program.name).symlink_to(program)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("HELM_", "ISTHMUS_"))}
        self.environment = {
            **kept,
            **marks,
            "HOME": str(folder),
            "KUBECONFIG": str(kubeconfig),
            "PATH": f"{links}:{os.environ['PATH']}",
        }

    def run(self, *command: str, stdin: str = "", check: bool = True, folder: Path | None = None) -> str:
        """What a command prints. Raises CommandError where it fails; with check=False its errors are returned too."""
        done = subprocess.run(
            command,
            input=stdin,
            cwd=folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        if not check:
            return done.stdout + done.stderr
        if done.returncode:
            raise CommandError(f"{' '.join(command)}: code {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def kubectl(self, *arguments: str, stdin: str = "", check: bool = True) -> str:
        """What kubectl prints."""
        return self.run("kubectl", *arguments, stdin=stdin, check=check)

    def isthmus(self, *arguments: str, check: bool = True) -> str:
        """What `kubectl isthmus` prints."""
        return self.run("kubectl", "isthmus", *arguments, check=check)

    def helm(self, *arguments: str, check: bool = True) -> str:
        """What helm prints."""
        return self.run("helm", *arguments, check=check)

    def bash(self, script: str, folder: Path) -> str:
        """What a script prints; it ends at the first command that fails."""
        return self.run("bash", "-euo", "pipefail", "-c", script, folder=folder)
