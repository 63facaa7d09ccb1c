from pathlib import Path

import pytest

from demo.failure import DemoError
from demo.folder import own_folder
from demo.keeping import withdraw_access


def test_a_run_starts_with_an_empty_folder(tmp_path: Path) -> None:
    """What an earlier run left is taken away, links too; the folder is made where it is not there."""
    folder = tmp_path / "build" / "demo"
    with own_folder(folder):
        (folder / "report.json").write_text("{}")
        (folder / "kubectl").symlink_to(tmp_path / "nowhere")
    with own_folder(folder):
        assert [path.name for path in folder.iterdir()] == [".lock"]


def test_two_demos_of_a_checkout_keep_apart(tmp_path: Path) -> None:
    """The second one is told so, and takes nothing of the first one's away."""
    with own_folder(tmp_path):
        (tmp_path / "report.json").write_text("{}")
        with pytest.raises(DemoError, match="Another demo"), own_folder(tmp_path):
            pass
        assert (tmp_path / "report.json").exists()


def test_access_is_withdrawn_and_results_stay(tmp_path: Path) -> None:
    """Once the clusters are gone, kubeconfigs and the link to kubectl are; the report and the bills stay."""
    gone = {"hub.kubeconfig", "edge.kubeconfig", "hello.json", "kubectl"}
    stay = {"report.json", "statement-vision.csv", "hub.log"}
    for name in gone | stay:
        (tmp_path / name).write_text("")
    withdraw_access(tmp_path)
    withdraw_access(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == stay
