from typing import Any

import pytest

from isthmus.cli.kubectl.explanation import Explained, explanation_sheet, from_query, from_status
from isthmus.cli.kubectl.sheet import sheet_lines

QUERY: dict[str, Any] = {
    "metadata": {"name": "train", "namespace": "team-a"},
    "decisionTime": "2026-11-29T08:00:00Z",
    "phase": "Running",
    "message": "placed on east",
    "nodes": [
        {
            "node": "east",
            "verdict": "Chosen",
            "score": 71,
            "scoreParts": {"price": 80, "tier": 60},
            "price": {"amountPerHour": "3.60", "currency": "CNY"},
            "fit": {"largestFreeBlock": 4, "podsNow": 2, "podsIfEmpty": 8},
        },
        {"node": "west", "verdict": "Rejected", "reason": "ModelNotOffered", "message": "wants A100", "score": None},
        {"node": "north", "verdict": "Fits", "score": 70, "price": None},
    ],
    "counts": [{"reason": "ModelNotOffered", "nodes": 1}],
    "remedies": [{"change": "AnyModel", "message": "1 node would do", "nodes": ["west"]}],
}
STATUS: dict[str, Any] = {
    "phase": "Pending",
    "explanation": {
        "winner": "east",
        "nodes": [
            {"node": "east", "score": 71, "parts": {"price": 80}},
            {"node": "north", "score": 70},
            {"node": "west", "reason": "ModelNotOffered", "message": "wants A100"},
        ],
        "reasons": {"ModelNotOffered": 1},
    },
    "conditions": [{"type": "Placed", "status": "False", "reason": "NoNodes", "message": "there are no nodes"}],
}


def test_the_whole_answer_of_the_hub() -> None:
    """The chosen node stands first, then those that would do, then the others with their reasons; scores and prices."""
    assert list(sheet_lines(explanation_sheet(from_query(QUERY)), None)) == [
        "Job:      team-a/train",
        "Phase:    Running",
        "Decided:  2026-11-29T08:00:00Z",
        "Why:      placed on east",
        "Nodes:",
        "  NODE    VERDICT    SCORE   PRICE/H    BLOCK   NOW   EMPTY   PARTS              REASON            MESSAGE",
        "  east    Chosen     71      3.60 CNY   4       2     8       price=80 tier=60",
        "  north   Fits       70",
        "  west    Rejected                                                               ModelNotOffered   wants A100",
        "Kept out by:",
        "  REASON            NODES",
        "  ModelNotOffered   1",
        "Would run with one of:",
        "  CHANGE     WHAT",
        "  AnyModel   1 node would do",
    ]


def test_what_the_status_has_room_for() -> None:
    """The same verdicts from a job's status, with a note that it may not be all, and why."""
    explained = from_status({"metadata": {"name": "train", "namespace": "team-a"}, "status": STATUS}, "no query API")
    assert [(v.node, v.verdict) for v in explained.verdicts] == [
        ("east", "Chosen"),
        ("north", "Fits"),
        ("west", "Rejected"),
    ]
    assert (explained.message, explained.counts) == ("there are no nodes", [("ModelNotOffered", 1)])
    assert explained.note == "at most 16 nodes, from the job's status: no query API"


def test_a_job_that_nobody_has_looked_at() -> None:
    """Without a status there is nothing to tell, and that is told."""
    explained = from_status({"metadata": {"name": "train", "namespace": "team-a"}}, "x")
    assert "Nodes: the hub has not looked at it yet" in list(sheet_lines(explanation_sheet(explained), None))


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_a_page_is_no_wider_than_the_terminal(columns: int) -> None:
    """Fields go on below themselves and tables are folded."""
    message = "0/3 nodes are available: " + "a reason that is long; " * 10
    explained = Explained("team-a/train", "Pending", "", message, from_query(QUERY).verdicts, [("ModelNotOffered", 1)])
    found = list(sheet_lines(explanation_sheet(explained, hint="[red]" * 20), columns))
    assert all(len(line) <= columns for line in found)
    assert "".join("".join(found).split()).count("areasonthatislong;") == 10
