import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW: dict[Any, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yaml").read_text())
STEPS: list[dict[str, Any]] = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]


def test_it_runs_targets_of_the_makefile_and_nothing_else() -> None:
    """But for a limit of the machine's kernel, it runs targets of the Makefile: CI and a checkout do the same."""
    targets = set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = [step["run"] for step in STEPS if "run" in step and not step["run"].startswith("sudo sysctl ")]
    assert commands == ["make check", "make test", "make e2e-kind"]
    assert {command.removeprefix("make ") for command in commands} <= targets


def test_actions_are_pinned() -> None:
    """Each action stands by its commit, which nobody can move."""
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert used
    assert [each for each in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", each)] == []


def test_it_may_only_read() -> None:
    """Its token can write nothing, and no job widens that."""
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert [name for name, job in WORKFLOW["jobs"].items() if "permissions" in job] == []
