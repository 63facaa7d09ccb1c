from datetime import timedelta
from decimal import Decimal

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


def test_what_a_node_states_holds_while_it_is_valid() -> None:
    """The snapshot has clearances, and figures until the very instant at which they end; a change counts at once."""
    fleet = Fleet("CNY", lambda _: NodeDispatches(), lambda: 0.0)
    end = BEGIN + timedelta(hours=1)
    known = compute_node("n1").model_dump(by_alias=True, exclude_none=True)
    intensity = {"gramsPerKilowattHour": "100", "source": "x", "validUntil": end.isoformat()}
    facts = {
        "clearances": {"classifications": ["Secret"], "jurisdictions": ["CN"]},
        "energy": {"pue": "2", "carbonIntensity": intensity},
        "network": {"latencies": [{"region": "r1", "milliseconds": 7}]},
    }
    fleet.put(ComputeNode.model_validate({**known, "spec": {**known["spec"], **facts}}))
    (seen,) = fleet.snapshot(BEGIN).nodes
    assert (seen.classifications, seen.jurisdictions, seen.reliability) == ({"Secret"}, {"CN"}, 95)
    assert seen.network is not None
    assert seen.network.latencies == {"r1": 7}
    grams = [
        view.energy.grams if view.energy else None
        for now in (BEGIN, end - timedelta(microseconds=1), end, end + timedelta(days=1), BEGIN)
        for view in fleet.snapshot(now).nodes
    ]
    assert grams == [Decimal(200), Decimal(200), None, None, Decimal(200)]
    later = {**known["metadata"], "resourceVersion": str(int(known["metadata"]["resourceVersion"]) + 1)}
    fleet.put(ComputeNode.model_validate({**known, "metadata": later}))
    (seen,) = fleet.snapshot(BEGIN).nodes
    assert (seen.classifications, seen.energy, seen.network) == (frozenset(), None, None)
