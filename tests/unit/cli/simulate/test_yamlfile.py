from pathlib import Path

import pytest
import yaml
from tests.unit.cli.simulate.manifests import answered, called, job, node

BOMB = "\n".join(["- l0: &l0 [x]", *(f"  l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, 12))])


@pytest.mark.parametrize(
    ("jobs", "told"),
    [
        pytest.param(BOMB, "its aliases make it more than 10 times what it is", id="aliases of aliases"),
        pytest.param("- &a\n  b: *a\n", "an alias stands for what it is in itself", id="an alias of itself"),
        pytest.param("[" * 200_000, "nested", id="JSON without end"),
        pytest.param("- " * 100_000 + "a", "line 1: nested more than 200 levels deep", id="YAML without end"),
        pytest.param('{"a":' * 900 + "1" + "}" * 900, "metadata.name: it has no name", id="JSON just so"),
    ],
)
def test_files_that_are_meant_badly(tmp_path: Path, jobs: str, told: str) -> None:
    """What would fill the memory, or the stack, is refused in a line."""
    result = called(tmp_path, [node("a")], jobs)
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_aliases(tmp_path: Path) -> None:
    """Anchors that save a few lines are taken."""
    jobs = yaml.safe_dump([job("one"), {**job("two"), "spec": job("one")["spec"]}])
    shared = job("one")["spec"]
    aliased = yaml.safe_dump([{**job("one"), "spec": shared}, {**job("two"), "spec": shared}])
    assert "*id" in aliased
    assert [each["job"] for each in answered(tmp_path, [node("a")], aliased)["assignments"]] == ["one", "two"]
    assert len(answered(tmp_path, [node("a")], jobs)["assignments"]) == 2
