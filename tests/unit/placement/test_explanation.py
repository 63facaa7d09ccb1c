import pytest
from tests.unit.placement.fleets import A100, GPU, T4, demand, node, shape, snapshot

from isthmus.placement import NodeView, place


def _wordy(n: int) -> NodeView:
    """A node that is not ready for a long reason of its own, in a language of many bytes."""
    reason = f"Reason{n}" + "X" * 200
    return node(f"{n:03}" + "n" * 47, shape(), ready=False, not_ready_reason=reason, not_ready_message="没有回答" * 500)


def test_bounded() -> None:
    """However many nodes and however long their messages, the explanation keeps to 16 nodes and 8 KiB."""
    fleet = [_wordy(n) for n in range(200)]
    (unplaced,) = place(snapshot(*fleet), [demand()]).unplaced
    explanation = unplaced.explanation
    assert len(explanation.nodes) == 16
    assert len(explanation.model_dump_json(by_alias=True, exclude_none=True).encode()) <= 8192
    assert sum(explanation.reasons.values()) == 200
    assert len(unplaced.message) <= 1024


def test_control_characters() -> None:
    """Characters that JSON writes with six do not break the bound either."""
    fleet = [
        node(f"n{n:049}", shape(), ready=False, not_ready_reason=f"R{n}" + "X" * 99, not_ready_message="\x01" * 999)
        for n in range(40)
    ]
    (unplaced,) = place(snapshot(*fleet), [demand()]).unplaced
    assert len(unplaced.explanation.model_dump_json(by_alias=True, exclude_none=True).encode()) <= 8192


def test_winner_and_variety() -> None:
    """The winner comes first, then the others with room, and every reason has a node to show for it."""
    roomy = [node(f"a{n:02}", shape()) for n in range(30)]
    cordoned = [node(f"b{n:02}", shape(), scheduling_state="Cordoned") for n in range(30)]
    lost = node("z", shape(), ready=False, not_ready_reason="Unreachable")
    (placed,) = place(snapshot(*cordoned, lost, *roomy), [demand()]).assignments
    explanation = placed.explanation
    assert (explanation.winner, explanation.nodes[0].node, placed.node) == ("a00", "a00", "a00")
    assert [v.score is not None for v in explanation.nodes] == [True] * 8 + [False] * 8
    assert {v.reason for v in explanation.nodes[8:]} == {"Cordoned", "Unreachable"}
    assert explanation.reasons == {"Cordoned": 30, "Unreachable": 1}
    assert explanation.nodes[0].parts == {
        "price": 100,
        "carbon": 0,
        "tier": 25,
        "reliability": 95,
        "free": 96,
        "fragmentation": 100,
    }
    assert explanation.nodes[0].score == (29 * 100 + 12 * 0 + 18 * 25 + 6 * 95 + 12 * 96 + 23 * 100) // 100


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        pytest.param(
            [
                node("full", shape(1, accelerator=A100, free={GPU: 0})),
                node("other", shape(1, accelerator=T4)),
                node("out", shape(1, accelerator=A100), scheduling_state="Cordoned"),
            ],
            "0/3 nodes are available: 1 Cordoned, 1 InsufficientCapacity (needs a pod of 1 x nvidia.com/gpu + 1 cpu + "
            "1Gi memory), 1 ModelNotOffered (wants A100)",
            id="three reasons",
        ),
        pytest.param(
            [node("a", shape(1, accelerator=T4)), node("b", shape(1, accelerator=T4)), node("c", shape(1))],
            "0/3 nodes are available: 3 ModelNotOffered (wants A100; no node offers it)",
            id="one reason, said differently",
        ),
        pytest.param(
            [node("a", shape(1, accelerator=A100), ready=False, not_ready_message="no answer")],
            "0/1 nodes are available: 1 NotReady (no answer)",
            id="one node",
        ),
    ],
)
def test_summary(nodes: list[NodeView], message: str) -> None:
    """One sentence counts the nodes by reason, the commonest first."""
    (unplaced,) = place(snapshot(*nodes), [demand(gpus=1, models=("A100",))]).unplaced
    assert unplaced.message == message
