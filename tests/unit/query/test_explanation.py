from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from isthmus.api.computejob import ComputeJob
from isthmus.api.dispatch import Dispatch, DispatchSpec, DispatchState, DispatchStatus, JobReference
from isthmus.api.names import ANNOTATION_PLACEMENT
from isthmus.hub.query.explanation import decision_of, document
from isthmus.placement import Examination, Finding, Rejection, Remedy, ShapeFit
from isthmus.placement.verdict import Score

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
JOB = ComputeJob.model_validate(
    {"metadata": {"name": "job", "namespace": "team", "uid": "u-1"}, "spec": {"template": {}}, "status": {}}
)


def dispatch(
    node: str, told: list[dict[str, Any]], *, attempt: int = 1, state: DispatchState = DispatchState.RUNNING
) -> tuple[str, Dispatch]:
    """A shard on the node, with what placement told of these nodes."""
    content = {
        "explanation": {"winner": node, "reasons": {}, "nodes": told},
        "estimate": {"amount": "1.5000", "currency": "CNY"},
    }
    metadata = {
        "name": f"{node}-{attempt}",
        "creationTimestamp": f"2026-03-01T0{attempt}:00:00Z",
        "annotations": {ANNOTATION_PLACEMENT: msgspec.json.encode(content).decode()},
    }
    spec = DispatchSpec(
        job=JobReference(namespace="team", name="job", uid="u-1"),
        account="team",
        shard=0,
        attempt=attempt,
        sequence=1,
        manifest={},
    )
    return node, Dispatch(metadata=metadata, spec=spec, status=DispatchStatus(state=state))


def scored(node: str, score: int) -> dict[str, Any]:
    """What placement told of a node with room."""
    return {"node": node, "score": score, "parts": {"price": score}}


def fits(node: str, score: int) -> Finding:
    """A node with room now."""
    return Finding(node, Score(score, {"price": score}), None, Decimal("2.00004"), "CNY", ShapeFit(4, 2, 8))


def full(node: str) -> Finding:
    """A node without room now."""
    return Finding(node, None, Rejection("InsufficientCapacity", "full"), None, "CNY", ShapeFit(0, 0, 8))


def verdicts(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Each node with its verdict."""
    return [(row["node"], row["verdict"]) for row in answer["nodes"]]


def test_decision_of_a_small_fleet_is_told_as_kept() -> None:
    """Where all nodes had room in the status, nothing is looked at anew."""
    told = [scored("east", 80), scored("west", 70), {"node": "north", "reason": "Cordoned", "message": "closed"}]
    decision = decision_of([dispatch("east", told)], waiting=False)
    assert decision is not None
    assert decision.whole
    answer = document(JOB, decision, None, NOW, waiting=False)
    assert verdicts(answer) == [("east", "Chosen"), ("west", "Fits"), ("north", "Rejected")]
    assert answer["nodes"][0]["price"] == {"amountPerHour": "1.5000", "currency": "CNY"}
    assert answer["counts"] == [{"reason": "Cordoned", "nodes": 1}]
    assert (answer["decisionTime"], "recomputedTime" in answer) == ("2026-03-01T01:00:00Z", False)


def test_nodes_beyond_the_status_are_looked_at_anew() -> None:
    """What was told at the decision stays, of a chosen node that is full by now too; the others say they are new."""
    told = [scored("n00", 90), *(scored(f"n{number:02}", 50) for number in range(1, 16))]
    decision = decision_of([dispatch("n00", told)], waiting=False)
    assert decision is not None
    assert not decision.whole
    examined = Examination((*(fits(f"n{number:02}", 60) for number in range(1, 18)), full("n00"), full("n18")), "")
    answer = document(JOB, decision, examined, NOW, waiting=False)
    assert len(answer["nodes"]) == 19
    rows = {row["node"]: row for row in answer["nodes"]}
    assert (rows["n00"]["verdict"], rows["n00"]["score"], rows["n00"]["recomputed"]) == ("Chosen", 90, False)
    assert (rows["n01"]["score"], rows["n01"]["recomputed"]) == (50, False)
    assert rows["n01"]["price"] == {"amountPerHour": "2.0000", "currency": "CNY"}
    assert (rows["n17"]["score"], rows["n17"]["recomputed"]) == (60, True)
    assert (rows["n18"]["verdict"], rows["n18"]["price"]) == ("Rejected", None)
    assert answer["recomputedTime"] == "2026-03-01T12:00:00Z"


def test_job_that_waits_again() -> None:
    """Once no shard stands and the job waits, all nodes are told of as they are now."""
    lost = dispatch("east", [scored("east", 80)], state=DispatchState.LOST)
    assert decision_of([lost], waiting=True) is None
    answer = document(JOB, None, Examination((full("east"), full("west")), "0/2 nodes"), NOW, waiting=True)
    assert verdicts(answer) == [("east", "Rejected"), ("west", "Rejected")]
    assert (answer["message"], answer["decisionTime"]) == ("0/2 nodes", "2026-03-01T12:00:00Z")
    assert answer["counts"] == [{"reason": "InsufficientCapacity", "nodes": 2}]


def test_part_that_waits() -> None:
    """Of a split job whose rest waits, the nodes that have the others are chosen, and the rest is told as it is now."""
    decision = decision_of([dispatch("east", [scored("east", 80), scored("west", 70)])], waiting=True)
    examined = Examination((full("east"), full("west")), "")
    answer = document(JOB, decision, examined, NOW, waiting=True)
    assert verdicts(answer) == [("east", "Chosen"), ("west", "Rejected")]


def test_attempt_that_counts() -> None:
    """A job that was run again stands by its last attempt."""
    first = dispatch("east", [scored("east", 80)], state=DispatchState.LOST)
    second = dispatch("west", [scored("west", 60)], attempt=2, state=DispatchState.SUCCEEDED)
    decision = decision_of([first, second], waiting=False)
    assert decision is not None
    assert (list(decision.chosen), decision.time) == (["west"], "2026-03-01T02:00:00Z")


def test_what_fits_and_what_would_help() -> None:
    """Each node's machines are told as they are now, and of a job that waits what would have to change."""
    decision = decision_of([dispatch("east", [scored("east", 80), scored("west", 70)])], waiting=False)
    answer = document(JOB, decision, Examination((fits("east", 1), fits("west", 2)), ""), NOW, waiting=False)
    room = {"largestFreeBlock": 4, "podsNow": 2, "podsIfEmpty": 8}
    assert [(row["score"], row["fit"]) for row in answer["nodes"]] == [(80, room), (70, room)]
    assert (answer["remedies"], "recomputedTime" in answer) == ([], False)
    remedy = Remedy("AnyTier", "20 nodes would do if any tier were allowed", tuple(f"n{n}" for n in range(20)))
    answer = document(JOB, None, Examination((full("east"),), ""), NOW, waiting=True, remedies=[remedy])
    assert answer["remedies"] == [
        {"change": "AnyTier", "message": remedy.message, "nodes": [f"n{n}" for n in range(16)]}
    ]
