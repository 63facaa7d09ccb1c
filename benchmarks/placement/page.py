"""The figures as tables in the documentation. No I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from report.page import measured_on, placed, table

NAME = "placement.json"
_SIZE = "jobs x nodes x classes"


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the tables of the report between its marks. ValueError where it has no such place."""
    where = f"{measured_on(report['machine'])}; of each instance the fastest of {report['repeats']} runs."
    batches, preemption = report["batches"], report["preemption"]
    return placed(
        page,
        NAME,
        _batches(batches),
        _times(batches),
        _accounts(report["accounts"]),
        _arrivals(report["arrivals"]),
        _preemption(preemption["cases"]),
        f"Load average before preemption {preemption['loadAverageBefore']}.",
        where,
    )


def _batches(batches: Sequence[Mapping[str, Any]]) -> str:
    titles = (_SIZE, "load", "seeds", "gap, median", "largest", "left out", "greedy: gap", "left out")
    rows = [
        (
            _size(each),
            _load(each),
            each["seeds"],
            f"{each['gapPercent']} %",
            f"{each['largestGapPercent']} %",
            each["unplaced"],
            f"{each['greedyGapPercent']} %",
            each["greedyUnplaced"],
        )
        for each in batches
    ]
    return table(titles, rows)


def _times(batches: Sequence[Mapping[str, Any]]) -> str:
    titles = (
        "milliseconds (of processor time)",
        "load",
        "whole cycle, cold",
        "whole cycle, warm",
        "program alone",
        "greedy",
    )
    kinds = ("coldMilliseconds", "warmMilliseconds", "programMilliseconds", "greedyMilliseconds")
    return table(titles, [(_size(each), _load(each), *(_time(each[kind]) for kind in kinds)) for each in batches])


def _accounts(each: Mapping[str, Any]) -> str:
    queue = f"{each['jobs']} jobs of {each['shapes']} shapes and {each['accounts']} accounts on {each['nodes']} nodes"
    titles = (f"{queue} at {_load(each)}", "classes", "whole cycle, cold", "whole cycle, warm")
    found = (("no offer selects accounts", each["alike"]), ("an offer leaves each of them out", each["toldApart"]))
    kinds = ("coldMilliseconds", "warmMilliseconds")
    return table(titles, [(name, one["classes"], *(_time(one[kind]) for kind in kinds)) for name, one in found])


def _arrivals(each: Mapping[str, Any]) -> str:
    return (
        f"Single arrivals, {each['jobs']} jobs one by one on {each['nodes']} nodes of {each['machines']} machines: "
        f"{each['decisionsPerSecond']} decisions a second, P50 {each['p50Milliseconds']} ms, "
        f"P99 {each['p99Milliseconds']} ms; by processor time {each['decisionsPerProcessorSecond']} a second, "
        f"P99 {each['p99ProcessorMilliseconds']} ms."
    )


def _preemption(cases: Sequence[Mapping[str, Any]]) -> str:
    titles = (
        "preemptible shards",
        "nodes (machines)",
        "made room for",
        "milliseconds (of processor time)",
        "without preemption",
    )
    rows = [
        (
            each["shards"],
            f"{each['nodes']} ({each['machines']})",
            f"{each['served']} of {each['jobs']} jobs",
            _time(each["milliseconds"]),
            _time(each["withoutMilliseconds"]),
        )
        for each in cases
    ]
    return table(titles, rows)


def _size(each: Mapping[str, Any]) -> str:
    return f"{each['jobs']} x {each['nodes']} x {each['classes']}"


def _load(each: Mapping[str, Any]) -> str:
    return f"{each['load']:.0%}"


def _time(times: Mapping[str, float]) -> str:
    return f"{times['wall']} ({times['processor']})"
