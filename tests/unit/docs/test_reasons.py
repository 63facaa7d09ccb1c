"""Condition reasons: the pages and the code name the same ones."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from tests.unit.docs.pages import PAGES, ROOT

from isthmus.clusters import errors
from isthmus.hub.session import SecretMissing
from isthmus.settlement.lines import UnpricedReason
from isthmus.settlement.tariff import TariffState

PACKAGE = ROOT / "operator" / "isthmus"
_REASON = re.compile(r"[A-Z][a-z]+(?:[A-Z]+[a-z]*)*")
_STATUSES = frozenset({"True", "False", "Unknown"})
# Kinds of error that end in no condition: they are roots, or dealt with where they occur.
_INTERNAL = frozenset({"ClusterError", "ApiError", "AlreadyExists", "Conflict"})
# Words of the hub's code that look like reasons of conditions and are none.
_OTHERS = frozenset(
    {
        "BearerToken",
        "ByIndex",
        "ComputeJob",
        "ComputeJobs",
        "ComputeNode",
        "DispatchWritten",
        "FailureTarget",
        "JobCreated",
        "NamespaceTaken",
        "NodeGone",
        "NodeRemoved",
        "OnFailure",
        "PriceCurrent",
        "RerunUnfenced",
    }
)
_TWO_WORDS = re.compile(r"[A-Z][a-z]+[A-Z][A-Za-z]*")
_HEADERS = frozenset({"reason", "event", "the Job controller's reason"})
# What stands in for a reason that is always given after all.
_UNSEEN = frozenset({"Failed", "NotReady", "PriceNotCurrent"})
# Passed on in the Job controller's own words, which no code here names.
_PASSED_ON = frozenset({"CompletionsReached", "PodFailurePolicy"})
# Events that the code puts together: from which of its words.
_MADE = {"Resumed": "resumed", "ShardLost": "Lost", "ShardRefused": "Refused"}


def documented() -> set[str]:
    """What stands in the first column of a table of reasons or events."""
    tables = [table for page in PAGES for table in page.tables() if table.header[0] in _HEADERS]
    return {word for table in tables for row in table.rows for word in re.findall(r"`(\w+)`", row[0])}


def _trees(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text())


def _texts(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def words_of_the_code() -> set[str]:
    """Every string literal of the package that could be a reason."""
    return {
        text
        for _, tree in _trees(PACKAGE)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for text in [node.value]
        if re.fullmatch(r"\w+", text)
    }


def _verdicts(node: ast.Tuple) -> Iterator[str]:
    """The reason in a tuple such as ("Placed", "False", "Suspended", …), or in a pair of reason and message."""
    texts = [_texts(each) for each in node.elts]
    for status, reason in itertools.pairwise(texts):
        if status in _STATUSES and reason is not None:
            yield reason
    if len(texts) == 2 and texts[0] is not None and isinstance(node.elts[1], ast.Constant | ast.JoinedStr):
        yield texts[0]


def _of_hub() -> set[str]:
    """What stands where verdicts have their reason, and all words of two parts."""
    found: set[str] = set()
    for path, tree in _trees(PACKAGE / "hub"):
        if path.parent.name == "query":  # it answers in words of HTTP and Kubernetes, and writes no condition
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Tuple):
                found.update(word for word in _verdicts(node) if _REASON.fullmatch(word))
            elif isinstance(node, ast.expr) and (text := _texts(node)) and _TWO_WORDS.fullmatch(text):
                found.add(text)
    return found - _STATUSES - _OTHERS


def _of_templates() -> set[str]:
    calls = [
        node
        for _, tree in _trees(PACKAGE / "manifests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refusal"
    ]
    return {text for call in calls if (text := _texts(call.args[0]))}


def _of_placement() -> set[str]:
    """Module constants that name reasons: UPPER_CASE = "CamelCase"."""
    return {
        text
        for path, tree in _trees(PACKAGE / "placement")
        if path.parent.name == "filters" or path.name == "engine.py"
        for node in tree.body
        if isinstance(node, ast.Assign) and (text := _texts(node.value)) and _REASON.fullmatch(text)
    }


def _of_clusters() -> set[str]:
    kinds = [each for each in vars(errors).values() if isinstance(each, type)]
    return {each.reason for each in (*kinds, SecretMissing) if issubclass(each, errors.ClusterError)} - _INTERNAL


def _of_pods() -> set[str]:
    tree = ast.parse((PACKAGE / "agent" / "observe.py").read_text())
    (problems,) = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "_WAITING_PROBLEMS"
    ]
    return {text for node in ast.walk(problems) if isinstance(node, ast.Constant) and (text := _texts(node))}


def _of_money() -> set[str]:
    return {*get_args(TariffState.__annotations__["reason"]), *get_args(UnpricedReason)}


SOURCES = {
    "hub": _of_hub,
    "templates": _of_templates,
    "placement": _of_placement,
    "clusters": _of_clusters,
    "pods": _of_pods,
    "money": _of_money,
}


def test_documented_reasons_exist() -> None:
    """Every reason and event in the tables of the pages stands in the code."""
    code = words_of_the_code() | _PASSED_ON
    assert {word for word in documented() if _MADE.get(word, word) not in code} == set()


@pytest.mark.parametrize("source", SOURCES)
def test_every_reason_is_documented(source: str) -> None:
    """Every reason that the code gives stands in a table, with its mend."""
    reasons = SOURCES[source]()
    assert reasons
    assert reasons - documented() - _UNSEEN == set()


def test_every_reason_says_what_it_means() -> None:
    """No row of such a table is without a meaning."""
    tables = [table for page in PAGES for table in page.tables() if table.header[0] in _HEADERS]
    assert tables
    assert [row for table in tables for row in table.rows if len(row) < 2 or not row[1]] == []
