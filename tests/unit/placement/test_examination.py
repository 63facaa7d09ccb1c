from hypothesis import given
from tests.unit.placement.fleets import UNHURRIED, demand, demands, fleets, node, price, shape, snapshot

from isthmus.placement import Demand, NodeView, examine, place


@UNHURRIED
@given(fleets(), demands())
def test_examination_is_what_a_cycle_would_find(nodes: tuple[NodeView, ...], asked: Demand) -> None:
    """Every node is told of once, and the best is the one that a cycle with this job alone would choose."""
    examined = examine(snapshot(*nodes), asked)
    assert sorted(finding.node for finding in examined.findings) == sorted(each.name for each in nodes)
    assert all((finding.score is None) != (finding.rejection is None) for finding in examined.findings)
    outcome = place(snapshot(*nodes), [asked])
    if outcome.assignments:
        assert examined.findings[0].node == outcome.assignments[0].node
    if outcome.unplaced:
        assert examined.summary == outcome.unplaced[0].message


def test_many_nodes() -> None:
    """Of more nodes than a status has room for, all are told of, with score parts and prices."""
    nodes = [node(f"n{number:02}", shape(), price=price()) for number in range(20)]
    nodes += [node(f"x{number:02}", shape(cores=1), price=price()) for number in range(20)]
    examined = examine(snapshot(*nodes), demand(request={"cpu": 4000, "pods": 1}))
    assert len(examined.findings) == 40
    assert all(finding.score and finding.score.parts and finding.per_hour for finding in examined.findings[:20])
    assert {finding.rejection.reason for finding in examined.findings[20:] if finding.rejection} == {"NeverFits"}
    assert examined.summary.startswith("20/40 nodes are available")
