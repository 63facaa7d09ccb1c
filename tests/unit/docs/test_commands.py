import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from tests.unit.docs.execution import in_playground
from tests.unit.docs.pages import NAMES, PAGES, ROOT, Page, page

from demo.plan import JOB_COUNT
from isthmus.cli.kubectl.main import app as plugin
from isthmus.cli.main import app

TARGETS = set(re.findall(r"^([a-z0-9-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
COMMANDS: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # a group's


def _options(command: Any) -> dict[str, Any]:
    return {flag: each for each in command.params for flag in (*each.opts, *each.secondary_opts)}


def _leaves(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    children: dict[str, Any] = getattr(command, "commands", {})
    for name, child in children.items():
        yield from _leaves(child, (*path, name))
    if not children:
        yield path, _options(command)


OPTIONS = {" ".join(path): options for name in COMMANDS for path, options in _leaves(COMMANDS[name], (name,))}
PLUGIN: dict[tuple[str, ...], dict[str, Any]] = dict(_leaves(typer.main.get_command(plugin)))


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_make_targets_exist(page: Page) -> None:
    """Every make target that a page names is in the Makefile, with a word of help."""
    named = [word for text in (*page.words(), *page.commands()) for word in re.findall(r"^make ([a-z0-9-]+)", text)]
    assert set(named) <= TARGETS


def _calls(page: Page) -> Iterator[tuple[str, list[str]]]:
    """Each call of `isthmus`: the command and its options, in commands and in backticks."""
    for text in (*page.commands(), *page.words()):
        words = shlex.split(text) if text in page.commands() else text.split()
        if words and words[0] in {"isthmus", ".venv/bin/isthmus"} and len(words) > 1:
            length = 2 if hasattr(COMMANDS.get(words[1]), "commands") else 1  # a group's commands have two words
            rest = words[1 + length :]
            yield " ".join(words[1 : 1 + length]), [w.partition("=")[0] for w in rest if w.startswith("-")]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_isthmus_commands_and_options_exist(page: Page) -> None:
    """Every command of `isthmus` that a page names is there, and has the options it is given."""
    for name, options in _calls(page):
        assert name in OPTIONS, name
        assert set(options) <= OPTIONS[name].keys(), name


def _plugin_calls(page: Page) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Each call of `kubectl isthmus`: the command, of one word or two, and its options."""
    for text in (*page.commands(), *page.words()):
        words = shlex.split(text) if text in page.commands() else text.split()
        if words[:2] == ["kubectl", "isthmus"] and len(words) > 2:
            length = 2 if words[2] == "node" else 1
            own = words[: words.index("--")] if "--" in words else words
            rest = [word.partition("=")[0] for word in own[2 + length :] if word.startswith("-")]
            yield tuple(words[2 : 2 + length]), rest


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_plugin_commands_and_options_exist(page: Page) -> None:
    """Every command of `kubectl isthmus` that a page names is there, and has the options it is given."""
    for path, options in _plugin_calls(page):
        assert path in PLUGIN or path == ("node",), path
        assert set(options) <= PLUGIN.get(path, {}).keys(), path


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_options_in_backticks_exist(page: Page) -> None:
    """Every option that a page names in backticks is one of `isthmus` or of `kubectl isthmus`."""
    named = {word.split()[0].partition("=")[0] for word in page.words() if word.startswith("--")}
    if page.name == "docs/testbed.md":  # it speaks of other programs' flags
        return
    assert named <= set().union(*(set(options) for options in (*OPTIONS.values(), *PLUGIN.values())))


def test_statements_are_asked_for_as_the_command_wants() -> None:
    """Each `isthmus statement` of the pages has the options that are required; a playground names the ledger."""
    calls = [(each, options) for each in PAGES for name, options in _calls(each) if name == "statement" and options]
    assert calls
    for each, options in calls:
        given = {*options, "--ledger"} if in_playground(each) else set(options)
        assert {"--ledger", "--start", "--end", "--currency"} <= given


def test_the_table_of_hub_options_is_whole() -> None:
    """docs/hub.md lists every option of `isthmus hub`, with its environment variable and its default."""
    (table,) = [table for table in page("docs/hub.md").tables() if table.header[0] == "option"]
    told = {row[0].strip("`"): (row[1].strip("`"), row[2].strip("`")) for row in table.rows}
    params = {flag: each for flag, each in OPTIONS["hub"].items() if flag in each.opts and flag != "--help"}
    assert told.keys() == {flag for flag in params if not flag.startswith("-h")}
    assert {flag: each.envvar or "" for flag, each in params.items() if flag in told} == {
        flag: envvar for flag, (envvar, _) in told.items()
    }
    for flag, (_, default) in told.items():
        if isinstance(params[flag].default, str):
            assert default == params[flag].default


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_environment_variables_are_read_somewhere(page: Page) -> None:
    """Every variable ISTHMUS_* or DEMO_* that a page names is read by the code."""
    named = {match for word in page.words() for match in re.findall(r"\b(?:ISTHMUS|DEMO)_[A-Z_]+", word)}
    code = "\n".join(
        path.read_text() for folder in ("operator/isthmus/cli", "hack/demo") for path in (ROOT / folder).glob("*.py")
    )
    assert {name for name in named if f'"{name}"' not in code} == set()


def test_the_readme_tells_how_many_jobs_the_demo_runs() -> None:
    """The number of jobs in the README is the demo's."""
    assert f"run {JOB_COUNT} jobs" in page("README.md").text
