"""The list of commands that are not run, and that all others are."""

import re
from pathlib import Path

import pytest
import yaml
from tests.unit.docs.execution import SHOWN, SKIPPED, Skipped, commands_pages, in_order, in_playground, runnable
from tests.unit.docs.pages import PAGES, ROOT, page

EXAMPLES = sorted(path for path in (ROOT / "examples").iterdir() if path.is_dir())


@pytest.mark.parametrize("skipped", SKIPPED, ids=lambda each: f"{each.page} {each.line}")
def test_what_is_not_run_is_there_and_has_a_reason(skipped: Skipped) -> None:
    """Each line on the list stands in its page, once, and says why it is not run; or where the same is run."""
    lines = [line for script, _ in page(skipped.page).steps() for line in script.splitlines()]
    assert lines.count(skipped.line) == 1
    assert skipped.why.endswith(".")
    if skipped.same_in:
        assert skipped.line in [line for script, _ in runnable(page(skipped.same_in)) for line in script.splitlines()]


def test_all_else_is_run() -> None:
    """The steps of all pages are those of the blocks, less the listed lines: no block is overlooked."""
    written = sum(len(script.splitlines()) for each in PAGES for script in each.blocks("bash"))
    run = sum(len(script.splitlines()) for each in commands_pages() for script, _ in runnable(each))
    assert run + len(SKIPPED) == written
    assert run > len(SKIPPED) * 5


def test_what_is_only_shown_is_listed() -> None:
    """Each console block of a page is on the list, with a reason; those of the commands' reference say how to call."""
    found = [
        (each.name, block.splitlines()[0].removeprefix("$ "))
        for each in PAGES
        for block in each.blocks("console")
        if each.name != "docs/reference/cli.md"
    ]
    assert sorted(found) == sorted((shown.page, shown.first) for shown in SHOWN)
    assert all(shown.why.endswith(".") for shown in SHOWN)


def test_commands_are_in_no_other_blocks() -> None:
    """A block is bash, console or text, or a language that is no shell's; none is left unnamed but drawings."""
    for each in PAGES:
        languages = set(re.findall(r"^```(\w+)$", each.text, re.MULTILINE))
        assert languages <= {"bash", "console", "text", "yaml", "python"}, each.name


def test_each_page_is_run_in_one_place() -> None:
    """A page's commands are run in a playground or at a desk; both have some."""
    groups = {in_playground(each) for each in commands_pages()}
    assert groups == {True, False}
    names = [each.name for each in in_order(commands_pages(), ["README.md"], ["docs/upgrade.md"])]
    assert (names[0], names[-1]) == ("README.md", "docs/upgrade.md")
    assert sorted(names) == sorted(each.name for each in commands_pages())


def test_every_promise_belongs_to_commands() -> None:
    """Each text block of an example and of the tutorial follows a bash block, so that it is checked."""
    for each in PAGES:
        if in_playground(each):
            assert len([promise for _, promise in each.steps() if promise]) == len(each.blocks("text")), each.name


@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_an_example_is_whole(folder: Path) -> None:
    """An example is called NN-topic, has a README that promises what its commands print, and uses all its files."""
    assert re.fullmatch(r"\d\d(-[a-z]+)+", folder.name)
    readme = page(f"examples/{folder.name}/README.md")
    assert readme.steps()
    assert all(promised for _, promised in readme.steps())
    for file in folder.iterdir():
        if file.suffix != ".csv":
            assert file.name == "README.md" or file.name in readme.text, file
        if file.suffix == ".yaml":
            assert list(yaml.safe_load_all(file.read_text()))
