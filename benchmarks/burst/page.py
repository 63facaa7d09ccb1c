"""The figures as a table in the documentation, between two marks: the page says what was measured. No I/O."""

from collections.abc import Mapping
from typing import Any

NAME = "burst.json"

_MEANINGS = {
    "jobs": "jobs in the burst, one pod each",
    "jobsPerSecond": "jobs a second, from the first create call to the last member Job seen",
    "p50Milliseconds": "create call to member Job in the burst, median, ms",
    "p99Milliseconds": "the same, 99th percentile",
    "unloadedP50Milliseconds": "create call to member Job, one job a second on an idle system, median, ms",
    "completionsPerSecond": "jobs a second, from the first create call to the last job seen Succeeded",
    "hubWritesPerJob": "writes to the hub's API a job, over its life",
    "hubWritesPerJobUntilDispatched": "of these, until its member Job exists",
    "memberWritesPerJob": "writes to the member's API a job, over its life",
    "cpuSeconds": "processor time of the hub's process for the burst, s",
    "peakMebibytes": "most resident memory of the hub's process, MiB",
}


def with_figures(page: str, report: Mapping[str, object]) -> str:
    """The page with the table of the report between its marks. ValueError where it has no such place."""
    spent = _spent(report["processorMillisecondsPerJob"])
    return placed(page, NAME, f"{table(report, _MEANINGS)}\n{spent}")


def placed(page: str, name: str, text: str) -> str:
    """The page with the text between the marks of that name. ValueError where it has none."""
    begin_mark, end_mark = marks(name)
    before, begin, rest = page.partition(begin_mark)
    _, end, after = rest.partition(end_mark)
    if not begin or not end:
        raise ValueError(f"the page has no {begin_mark} and {end_mark}")
    return f"{before}{begin_mark}\n{text}\n{end_mark}{after}"


def marks(name: str) -> tuple[str, str]:
    """What stands before and after the table of the file of that name."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def table(report: Mapping[str, object], meanings: Mapping[str, str]) -> str:
    """A row for each meaning with the report's figure, and on what machine that was. TypeError where it names none."""
    machine = report["machine"]
    if not isinstance(machine, Mapping):
        raise TypeError("a report names its machine")
    rows = [f"| `{key}` | {meaning} | {report[key]} |" for key, meaning in meanings.items()]
    where = measured_on(machine)
    rounds = f"; rounds: {machine['bestOfRounds']}" if "bestOfRounds" in machine else ""
    return "\n".join(
        ["", "| key | what | figure |", "| --- | --- | --- |", *rows, "", f"Measured on: {where}{rounds}.", ""]
    )


def measured_on(machine: Mapping[str, Any]) -> str:
    """What a report says of its machine, in words."""
    managers = ""
    if limits := machine.get("controllerManager"):
        managers = f"; the members' controller managers with {limits['qps']} requests/s, {limits['burst']} at once"
    return (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memoryMebibytes']} MiB, Python {machine['python']}, "
        f"Kubernetes {machine['kubernetes']}{managers}; "
        f"load average before it {machine['loadAverageBefore']}"
    )


def _spent(programs: object) -> str:
    """Whose processor time a job takes, as a table with its sum. TypeError where a report does not say."""
    if not isinstance(programs, Mapping):
        raise TypeError("a report says whose processor time a job took")
    rows = [(name, each["untilDispatched"], each["overLife"]) for name, each in programs.items()]
    rows.append(("together", round(sum(row[1] for row in rows), 1), round(sum(row[2] for row in rows), 1)))
    head = ["| processor time a job, ms | until its member Job exists | over its life |", "| --- | --- | --- |"]
    return "\n".join([*head, *(f"| {name} | {first} | {whole} |" for name, first, whole in rows), ""])
