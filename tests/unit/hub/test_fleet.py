import pytest
from tests.unit.hub.world import BEGIN, compute_node, profile

from isthmus.api.computenode import ComputeNode
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet


@pytest.mark.parametrize(
    ("declared", "state", "allowance"),
    [
        pytest.param({}, "Active", 60, id="by default"),
        pytest.param(
            {"schedulingState": "Drained", "timing": {"stopAllowanceSeconds": 900}}, "Drained", 900, id="as declared"
        ),
    ],
)
def test_what_placement_sees(declared: dict[str, object], state: str, allowance: int) -> None:
    """The snapshot tells of each node how it is scheduled, and how long pods may take to stop there."""
    fleet = Fleet("CNY", lambda _: NodeDispatches(), lambda: 0.0)
    known = compute_node("n1").model_dump(by_alias=True, exclude_none=True)
    facts = fleet.put(ComputeNode.model_validate({**known, "spec": {**known["spec"], **declared}})).facts
    facts.connected, facts.problem, facts.observed = True, None, True
    fleet.observed("n1", profile(4))
    (seen,) = fleet.snapshot(BEGIN).nodes
    assert (seen.ready, seen.scheduling_state, seen.stop_allowance_seconds) == (True, state, allowance)
