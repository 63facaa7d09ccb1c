from pathlib import Path

import pytest
from tests.unit.docs.pages import ROOT, Page

from installation import Installation

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("[0-9][0-9]-*") if path.is_dir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(site: Installation, example: Path) -> None:
    """Each command of an example's README works, in its folder, in their order."""
    blocks = Page(example / "README.md").blocks("bash")
    assert blocks, f"{example.name}/README.md has no commands"
    for block in blocks:
        site.desk.bash(block, example)
