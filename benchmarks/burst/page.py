"""The figures as a table in the documentation, between two marks: the page says what was measured. No I/O."""

from collections.abc import Mapping

BEGIN, END = "<!-- burst.json: begin -->", "<!-- burst.json: end -->"

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
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no {BEGIN} and {END}")
    return f"{before}{BEGIN}\n{_table(report)}\n{END}{after}"


def _table(report: Mapping[str, object]) -> str:
    machine = report["machine"]
    if not isinstance(machine, Mapping):
        raise TypeError("a report names its machine")
    spent = report["processorMillisecondsPerJob"]
    if not isinstance(spent, Mapping):
        raise TypeError("a report says whose processor time a job took")
    rows = [f"| `{key}` | {meaning} | {report[key]} |" for key, meaning in _MEANINGS.items()]
    limits = machine["controllerManager"]
    where = (
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memoryMebibytes']} MiB, Python {machine['python']}, "
        f"Kubernetes {machine['kubernetes']}; the members' controller managers with {limits['qps']} requests/s, "
        f"{limits['burst']} at once; load average before it {machine['loadAverageBefore']}; rounds: "
        f"{machine['bestOfRounds']}."
    )
    head = ["| key | what | figure |", "| --- | --- | --- |"]
    return "\n".join(["", *head, *rows, "", *_spent(spent), "", f"Measured on: {where}", ""])


def _spent(programs: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Whose processor time a job takes, as a table with its sum."""
    rows = [(name, each["untilDispatched"], each["overLife"]) for name, each in programs.items()]
    rows.append(("together", round(sum(row[1] for row in rows), 1), round(sum(row[2] for row in rows), 1)))
    head = ["| processor time a job, ms | until its member Job exists | over its life |", "| --- | --- | --- |"]
    return [*head, *(f"| {name} | {first} | {whole} |" for name, first, whole in rows)]
