from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from tests.unit.hub.world import BEGIN, compute_node, profile
from tests.unit.placement.fleets import demand

from isthmus.api.computenode import ComputeNode
from isthmus.hub.dispatches import NodeDispatches
from isthmus.hub.fleet import Fleet
from isthmus.hub.nodestatus import node_status
from isthmus.placement import place
from isthmus.placement.holding import NOTHING
from isthmus.settlement.tariff import tariff_state


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


def test_impossible_figures_set_the_node_aside() -> None:
    """Figures that can't be keep new work off a node, whatever its last good ones say, until good ones come again."""
    fleet = Fleet("CNY", lambda _: NodeDispatches(), lambda: 0.0)
    facts = fleet.put(compute_node("n1")).facts
    facts.connected, facts.problem, facts.observed = True, None, True
    assert not fleet.observed("n1", profile(4))
    job = demand()
    assert [each.node for each in place(fleet.snapshot(BEGIN), [job]).assignments] == ["n1"]
    assert fleet.observed("n1", replace(profile(65), sequence=9))
    (waits,) = place(fleet.snapshot(BEGIN), [job]).unplaced
    assert (waits.never, waits.reason) == (False, "ImpossibleProfile")
    assert waits.message == (
        "0/1 nodes are available: 1 ImpossibleProfile (the member's figures can't be: shape 1 has 65 cpu free of 64)"
    )
    status = node_status(
        compute_node("n1"), facts, tariff=tariff_state(None, BEGIN, "CNY"), profile=None, jobs=0, now=BEGIN
    )
    told = {c.type: (c.status, c.reason) for c in status.conditions}
    assert told["Schedulable"] == told["Ready"] == ("False", "ImpossibleProfile")
    fleet.assume("n1", 1, job, 1, NOTHING)
    assert fleet.observed("n1", profile(4))
    (seen,) = fleet.snapshot(BEGIN).nodes
    assert (seen.ready, len(seen.assumed)) == (True, 1), "what bad figures claimed to cover was taken for covered"


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
    assert (seen.classifications, seen.jurisdictions) == (frozenset({"Secret"}), frozenset({"CN"}))
    assert seen.reliability == 95
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
