from pathlib import Path

import pytest
from tests.unit.docs.pages import ROOT, Page
from tests.unit.docs.transcript import matches

from installation import Installation

EXAMPLES = sorted(path for path in (ROOT / "examples").glob("[0-9][0-9]-*") if path.is_dir())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example(site: Installation, example: Path) -> None:
    """Each command of an example's README works, in its folder, in their order, and prints what the README promises."""
    steps = Page(example / "README.md").steps()
    assert steps, f"{example.name}/README.md has no commands"
    for script, promised in steps:
        printed = site.desk.bash(script, example)
        assert promised is None or matches(promised, printed), f"{script}\npromises\n{promised}\nprinted\n{printed}"
