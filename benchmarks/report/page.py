"""A benchmark's figures in a page of the documentation, between two marks: the page says what was measured. No I/O."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from generate import table as markdown

_PROGRAMS = {"kubernetes": "Kubernetes", "highs": "HiGHS"}


def placed(page: str, name: str, *blocks: str) -> str:
    """The page with the blocks between the marks of that name. ValueError where it has none."""
    begin_mark, end_mark = marks(name)
    before, begin, rest = page.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not begin or not end:
        raise ValueError(f"the page has no {begin_mark} and {end_mark}")
    text = "\n\n".join(blocks)
    return f"{before}{begin_mark}\n\n{text}\n\n{end_mark}{after}"


def marks(name: str) -> tuple[str, str]:
    """What stands before and after the tables of the file of that name."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    return "\n".join(markdown.table(titles, [[str(cell) for cell in row] for row in rows]))


def figures_table(report: Mapping[str, Any], meanings: Mapping[str, str]) -> str:
    """A row for each meaning, with the report's figure of that key."""
    return table(("key", "what", "figure"), [(f"`{key}`", words, report[key]) for key, words in meanings.items()])


def measured_on(machine: Mapping[str, Any]) -> str:
    """What a report says of its machine, in words."""
    programs = "".join(f", {words} {machine[key]}" for key, words in _PROGRAMS.items() if key in machine)
    managers = ""
    if limits := machine.get("controllerManager"):
        managers = f"; the members' controller managers with {limits['qps']} requests/s, {limits['burst']} at once"
    rounds = f"; rounds: {machine['bestOfRounds']}" if "bestOfRounds" in machine else ""
    return (
        f"Measured on: {machine['cpu']}, {machine['cores']} cores, {machine['memoryMebibytes']} MiB, "
        f"Python {machine['python']}{programs}{managers}; "
        f"load average before it {machine['loadAverageBefore']}{rounds}"
    )
