from pathlib import Path

import pytest

from isthmus.errors import HubError
from isthmus.hub.accountsfile import LARGEST_BYTES, AccountsFile


def test_a_change_is_taken_in_and_a_fault_is_not(tmp_path: Path) -> None:
    """What the file said last without a fault stays in force, and the fault is told until it is mended."""
    path = tmp_path / "accounts.yaml"
    path.write_text("named: {team-a: {weight: 3}}")
    file = AccountsFile.read(path)
    assert file.config.named["team-a"].weight == 3
    assert file.look() is None
    path.write_text("named: {team-a: {weight: 4}}")
    changed = file.look()
    assert changed is not None
    assert changed.named["team-a"].weight == 4
    path.write_text("named: {team-a: {weigth: 5}}")
    assert file.look() is None
    assert file.problem == "named.team-a.weigth: there is no such setting"
    assert file.look() is None
    assert file.problem
    path.write_text("named: {team-a: {weight: 4}}")
    assert file.look() is not None
    assert not file.problem
    path.unlink()
    assert file.look() is None
    assert file.problem


@pytest.mark.parametrize(
    ("content", "told"),
    [
        pytest.param("named: {a: {weight: -1}}", "named.a.weight", id="wrong value"),
        pytest.param("named: {a: {}, b: {}, a: {}}", "a stands twice", id="twice"),
        pytest.param("named: [", "it is no YAML", id="no YAML"),
        pytest.param("named: !!python/object:os.system {}", "it is no YAML", id="a tag"),
        pytest.param("#" * (LARGEST_BYTES + 1), "longer than 4 MiB", id="too long"),
        pytest.param(None, "No such file", id="none"),
    ],
)
def test_a_hub_does_not_begin_with_a_wrong_file(tmp_path: Path, content: str | None, told: str) -> None:
    """The error names the file and what is wrong with it."""
    path = tmp_path / "accounts.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(HubError) as caught:
        AccountsFile.read(path)
    assert str(path) in str(caught.value)
    assert told in str(caught.value)
