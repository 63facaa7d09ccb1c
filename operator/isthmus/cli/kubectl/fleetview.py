"""The fleet as a screen: what the terminal has no room for is left out column by column, and counted row by row."""

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from isthmus.cli.escaping import printable

from .fleet import PHASES, Fleet, JobLine, NodeLine

_STYLES = {"Running": "green", "Dispatched": "cyan", "Pending": "yellow", "Failed": "red"}
_BAR = 8
_FULL, _HIGH = 0.95, 0.75
_HEAD_LINES = 6

# From how many columns of the terminal on a column is shown, and what it holds.
_NodeColumn = tuple[str, int, Callable[[NodeLine], Text]]
_JobColumn = tuple[str, int, Callable[[JobLine], Text]]


def screen(fleet: Fleet, *, columns: int, rows: int | None, at: str) -> RenderableType:
    """The screen, no more than `rows` lines where that is given; `at` is the time it is of."""
    nodes, jobs = fleet.nodes, fleet.jobs
    hidden_nodes = hidden_jobs = 0
    if rows is not None:
        room = max(rows - _HEAD_LINES, 2)
        for_nodes = min(len(nodes), max(room // 2, room - len(jobs)))
        for_jobs = min(len(jobs), room - for_nodes)
        hidden_nodes, hidden_jobs = len(nodes) - for_nodes, len(jobs) - for_jobs
        nodes, jobs = nodes[:for_nodes], jobs[:for_jobs]
    return Group(
        _head(fleet, at),
        Text(),
        _table([column for column in _NODE_COLUMNS if columns >= column[1]], nodes),
        _more(hidden_nodes, "nodes"),
        _table([column for column in _JOB_COLUMNS if columns >= column[1]], jobs),
        _more(hidden_jobs, "jobs"),
    )


def _head(fleet: Fleet, at: str) -> Text:
    used, total = (sum(node.gpus[place] for node in fleet.nodes) for place in (0, 1))
    ready = sum(node.good for node in fleet.nodes)
    head = Text(f"{at}  nodes {ready}/{len(fleet.nodes)}  GPUs {used}/{total}  jobs", overflow="ellipsis", no_wrap=True)
    for phase in PHASES:
        if fleet.phases.get(phase):
            head.append(f" {fleet.phases[phase]} {phase}", style=_STYLES.get(phase, ""))
    return head


def _more(count: int, what: str) -> Text:
    return Text(f"… {count} more {what}", style="dim") if count else Text()


def _table(
    columns: "list[tuple[str, int, Callable[..., Text]]]", lines: Sequence[NodeLine] | Sequence[JobLine]
) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, _, _ in columns:
        table.add_column(heading, no_wrap=True, overflow="ellipsis")
    for line in lines:
        table.add_row(*(cell(line) for _, _, cell in columns))
    return table


def bar(used: float, total: float) -> Text:
    """How full something is: a bar and its percentage; a dash where there is nothing of it."""
    if total <= 0:
        return Text("-", style="dim")
    share = min(max(used / total, 0.0), 1.0)
    full = round(share * _BAR)
    style = "red" if share >= _FULL else "yellow" if share >= _HIGH else "green"
    return Text.assemble(("█" * full, style), ("░" * (_BAR - full), "dim"), f"{share:>4.0%}")


def _plain(text: str, style: str = "") -> Text:
    return Text(printable(text), style=style)


_NODE_COLUMNS: list[_NodeColumn] = [
    ("NODE", 0, lambda line: _plain(line.name)),
    ("STATE", 0, lambda line: _plain(line.state, "green" if line.good else "red")),
    ("TIER", 90, lambda line: _plain(line.tier)),
    ("REGION", 110, lambda line: _plain(line.region)),
    ("GPUS", 0, lambda line: _plain(f"{line.gpus[0]}/{line.gpus[1]}")),
    ("GPU", 100, lambda line: bar(*line.gpus)),
    ("CPU", 50, lambda line: bar(*line.cpu)),
    ("MEMORY", 70, lambda line: bar(*line.memory)),
    ("JOBS", 0, lambda line: _plain(str(line.jobs))),
    ("PRICE", 130, lambda line: _plain(line.price)),
]
_JOB_COLUMNS: list[_JobColumn] = [
    ("NAMESPACE", 70, lambda line: _plain(line.namespace)),
    ("JOB", 0, lambda line: _plain(line.name)),
    ("PHASE", 0, lambda line: _plain(line.phase, _STYLES.get(line.phase, ""))),
    ("NODES", 50, lambda line: _plain(line.nodes)),
    ("DONE", 0, lambda line: _plain(line.done)),
    ("GPUS", 60, lambda line: _plain(line.gpus)),
    ("COST", 90, lambda line: _plain(line.cost)),
    ("AGE", 40, lambda line: _plain(line.age)),
]
