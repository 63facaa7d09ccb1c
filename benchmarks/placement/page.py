"""The figures as tables in the documentation. No I/O."""

from collections.abc import Mapping
from typing import Any

from burst.page import placed

NAME = "placement.json"


def with_figures(page: str, report: Mapping[str, Any]) -> str:
    """The page with the tables of the report between its marks. ValueError where it has no such place."""
    return placed(page, NAME, "\n".join(["", *_batches(report), "", *_times(report), "", *_arrivals(report), ""]))


def _batches(report: Mapping[str, Any]) -> list[str]:
    head = [
        "| jobs x nodes x classes | load | seeds | gap, median | largest | left out | greedy: gap | left out |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    return head + [
        f"| {_size(each)} | {_load(each)} | {each['seeds']} | {each['gapPercent']} % | {each['largestGapPercent']} % "
        f"| {each['unplaced']} | {each['greedyGapPercent']} % | {each['greedyUnplaced']} |"
        for each in report["batches"]
    ]


def _times(report: Mapping[str, Any]) -> list[str]:
    head = [
        "| milliseconds (of processor time) | load | whole cycle, cold | whole cycle, warm | program alone | greedy |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    kinds = ("coldMilliseconds", "warmMilliseconds", "programMilliseconds", "greedyMilliseconds")
    return head + [
        " | ".join([f"| {_size(each)}", _load(each), *(_time(each[kind]) for kind in kinds)]) + " |"
        for each in report["batches"]
    ]


def _arrivals(report: Mapping[str, Any]) -> list[str]:
    each, machine = report["arrivals"], report["machine"]
    decided = (
        f"Single arrivals, {each['jobs']} jobs one by one on {each['nodes']} nodes of {each['machines']} machines: "
        f"{each['decisionsPerSecond']} decisions a second, P50 {each['p50Milliseconds']} ms, "
        f"P99 {each['p99Milliseconds']} ms; by processor time {each['decisionsPerProcessorSecond']} a second, "
        f"P99 {each['p99ProcessorMilliseconds']} ms."
    )
    where = (
        f"Measured on: {machine['cpu']}, {machine['cores']} cores, {machine['memoryMebibytes']} MiB, "
        f"Python {machine['python']}, HiGHS {machine['highs']}; load average before it {machine['loadAverageBefore']}; "
        f"of each instance the fastest of {report['repeats']} runs."
    )
    return [decided, "", where]


def _size(each: Mapping[str, Any]) -> str:
    return f"{each['jobs']} x {each['nodes']} x {each['classes']}"


def _load(each: Mapping[str, Any]) -> str:
    return f"{each['load']:.0%}"


def _time(times: Mapping[str, float]) -> str:
    return f"{times['wall']} ({times['processor']})"
