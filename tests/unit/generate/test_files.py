from pathlib import Path

import yaml

from generate.files import differences, rendered, write

FILES = {"a.yaml": "one\ntwo\n", "b/c.md": "three\n"}


def test_written_files_do_not_differ(tmp_path: Path) -> None:
    """What has been written is what should be there."""
    write(tmp_path, FILES)
    assert list(differences(tmp_path, FILES)) == []


def test_differences_are_shown(tmp_path: Path) -> None:
    """A changed and a missing file each give a diff with the line in it."""
    (tmp_path / "a.yaml").write_text("one\nother\n")
    changed, missing = differences(tmp_path, FILES)
    assert "-other\n+two\n" in changed
    assert "+++ b/c.md (should be)" in missing


def test_what_is_rendered() -> None:
    """There is a definition for each kind, named for its file, and the two reference pages."""
    files = rendered()
    definitions = {name: yaml.safe_load(text) for name, text in files.items() if name.startswith("crds/")}
    assert {name: d["metadata"]["name"] for name, d in definitions.items()} == {
        "crds/isthmus.dev_computenodes.yaml": "computenodes.isthmus.dev",
        "crds/isthmus.dev_computejobs.yaml": "computejobs.isthmus.dev",
        "crds/isthmus.dev_dispatches.yaml": "dispatches.isthmus.dev",
        "crds/isthmus.dev_settlements.yaml": "settlements.isthmus.dev",
    }
    assert "`spec.placement.accelerator.minimumMemory`" in files["docs/reference/api.md"]
    assert "| `isthmus_ready` | gauge |" in files["docs/reference/metrics.md"]
