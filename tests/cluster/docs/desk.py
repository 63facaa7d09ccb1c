"""Where a page's commands are run: a folder that looks like a checkout, and an environment."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.unit.docs.execution import runnable
from tests.unit.docs.pages import ROOT, Page
from tests.unit.docs.transcript import matches

COMMAND_SECONDS = 240


@dataclass
class Desk:
    """A terminal in a folder."""

    folder: Path
    environment: Mapping[str, str]

    def bash(self, script: str, stdin: str | None = None, folder: Path | None = None) -> str:
        """Runs it as it stands; what it prints, errors too. Fails where any of its commands fails."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=folder or self.folder,
            env=self.environment,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return done.stdout

    def run(self, page: Page, folder: Path | None = None) -> str:
        """Runs a page's commands in their order, and holds what they print against what the page promises."""
        told = ""
        for script, promised in runnable(page):
            printed = self.bash(script, folder=folder)
            told += printed
            if promised is not None and not matches(promised, printed):
                pytest.fail(f"{page.name}\n{script}\npromises\n{promised}\nand printed\n{printed}", pytrace=False)
        return told

    def apply(self, manifest: Mapping[str, Any]) -> None:
        """Applies a manifest of a page."""
        self.bash("kubectl apply -f -", yaml.safe_dump(dict(manifest)))

    def namespace(self, name: str) -> None:
        """A namespace that a page takes for granted."""
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def json(self, command: str) -> dict[str, Any]:
        """What kubectl gets."""
        found: dict[str, Any] = json.loads(self.bash(f"kubectl get {command} -o json"))
        return found


def checkout(folder: Path) -> Path:
    """The folder with what a checkout has, for commands that name it; what they write stays in the folder."""
    for name in ("charts", "crds", "deploy", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    return folder
