"""The table of reasons and the code that gives them name the same ones."""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from tests.unit.docs.pages import NAMES, PAGES, ROOT, Page, page

from isthmus.agent import fence
from isthmus.agent.failedpods import STOPPED_BY_PAUSE
from isthmus.agent.tenancy import NamespaceTaken
from isthmus.api.reasons import TABLES, Reason, ReasonTable
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
        "FiguresCurrent",
        "RerunUnfenced",
    }
)
_TWO_WORDS = re.compile(r"[A-Z][a-z]+[A-Z][A-Za-z]*")
# What stands in for a reason that is always given after all.
_UNSEEN = frozenset({"Failed", "NotReady", "PriceNotCurrent"})
# Passed on in the Job controller's own words, which no code here names.
_PASSED_ON = frozenset({"CompletionsReached", "PodFailurePolicy"})
# What the code puts together: from which of its words.
_MADE = {
    "Resumed": "resumed",
    "ShardLost": "Lost",
    "ShardRefused": "Refused",
    **{f"Member{word}": word for word in ("Invalid", "Forbidden", "NamespaceTaken")},
}


# Nothing is to be done about these: all is well, or it was asked for, or it passes by itself.
_NOTHING_TO_MEND = frozenset(
    {
        *("Connected", "Ready", "Schedulable", "Current", "TemplateValid", "InTime", "Dispatched", "Progressing"),
        *("CompletionsReached", "SuccessPolicy", "PodsSucceeded", "Cancelled", "Suspended", "Resumed"),
        *("Draining", "Deleting", "Other", "ShardLost", "NeverCreated", "NeverAccepted", "Forgotten"),
    }
)


def told() -> set[str]:
    """The reasons of all tables."""
    return {reason.name for table in TABLES for reason in table.reasons}


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


def _of_lost_shards() -> set[str]:
    """What verdicts on nodes out of reach say, and what the agent ends shards with."""
    words = {fence.FENCED, fence.UNFENCED, fence.FORGOTTEN, fence.NEVER_ACCEPTED}
    refusals = {f"Member{error.reason}" for error in (errors.Invalid, errors.Forbidden, NamespaceTaken)}
    return words | refusals | _after_states(PACKAGE / "agent") | {STOPPED_BY_PAUSE}


def _after_states(folder: Path) -> set[str]:
    """The words right after DispatchState.LOST and its like, in calls and tuples."""
    groups = [
        node.elts if isinstance(node, ast.Tuple) else node.args
        for _, tree in _trees(folder)
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple | ast.Call)
    ]
    return {
        text
        for group in groups
        for state, reason in itertools.pairwise(group)
        if ast.unparse(state).startswith("DispatchState.") and (text := _texts(reason))
    }


def _of_money() -> set[str]:
    return {*get_args(TariffState.__annotations__["reason"]), *get_args(UnpricedReason)}


SOURCES = {
    "hub": _of_hub,
    "templates": _of_templates,
    "placement": _of_placement,
    "clusters": _of_clusters,
    "pods": _of_pods,
    "lost shards": _of_lost_shards,
    "money": _of_money,
}


def test_reasons_of_the_tables_exist() -> None:
    """Every reason of the tables stands in the code that gives it."""
    code = words_of_the_code() | _PASSED_ON
    assert {word for word in told() if _MADE.get(word, word) not in code} == set()


@pytest.mark.parametrize("source", SOURCES)
def test_every_reason_has_its_place(source: str) -> None:
    """Every reason that the code gives stands in a table."""
    reasons = SOURCES[source]()
    assert reasons
    assert reasons - told() - _UNSEEN == set()


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_a_reason_is_there_once(table: ReasonTable) -> None:
    """No table has a reason twice, and each is found by its name."""
    names = [reason.name for reason in table.reasons]
    assert sorted(names) == sorted(set(names))
    assert [table.find(name) for name in names] == list(table.reasons)
    assert table.find("Unheard") is None


REASONS = [(table, reason) for table in TABLES for reason in table.reasons]


@pytest.mark.parametrize(("table", "reason"), REASONS, ids=[f"{table.title} {each.name}" for table, each in REASONS])
def test_every_reason_says_what_it_means_and_what_to_do(table: ReasonTable, reason: Reason) -> None:
    """Meaning and mend are sentences; only what needs none has no mend; and what it leads to is a heading."""
    assert reason.meaning.endswith(".")
    assert reason.mend.endswith(".") or (not reason.mend and reason.name in _NOTHING_TO_MEND), table.title
    if reason.see:
        name, _, anchor = reason.see.partition("#")
        assert anchor in page(f"docs/{name}").anchors()


def test_the_page_is_rendered_from_the_tables() -> None:
    """docs/reference/reasons.md has each reason in a table under its own heading."""
    rendered = page("docs/reference/reasons.md")
    rows = [row[0].strip("`") for table in rendered.tables() for row in table.rows]
    assert rows == [reason.name for table in TABLES for reason in table.reasons]


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_no_other_page_repeats_the_tables(page: Page) -> None:
    """Reasons are explained in one place: no other page has a table of them."""
    tables = [table for table in page.tables() if table.header[0] in {"reason", "event"}]
    assert not tables or page.name == "docs/reference/reasons.md"
