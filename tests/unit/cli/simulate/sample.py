"""`isthmus simulate` as it is called on the trace that is part of the repository."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.unit.docs.pages import ROOT
from typer.testing import CliRunner, Result

from isthmus.cli.main import app

SAMPLE = ROOT / "hack" / "demo" / "sample"
NODES = SAMPLE / "openb_node_list_all_node.csv"
PODS = SAMPLE / "openb_pod_list_gpuspec33.csv"


@dataclass(frozen=True)
class Command:
    """One that takes a trace's two files."""

    name: str

    def run(self, *options: str, nodes: Path = NODES, pods: Path = PODS) -> Result:
        """What came of it."""
        return CliRunner().invoke(app, ["simulate", self.name, f"--nodes={nodes}", f"--pods={pods}", *options])

    def figures(self, *options: str) -> dict[str, Any]:
        """What it prints as JSON, but for the time it took."""
        done = self.run("-o", "json", *options)
        assert done.exit_code == 0, done.output
        read: dict[str, Any] = json.loads(done.stdout)
        assert read.pop("seconds") > 0
        return read
