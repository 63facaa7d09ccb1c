"""Which cluster can be a node's member."""

from collections.abc import Collection, Sequence

import pytest

from isthmus.api.computenode import ComputeNode
from isthmus.hub.fleetnode import FleetNode
from isthmus.hub.misfit import misfit
from isthmus.hub.nodestatus import CONNECTING, NodeFacts

HUB, MINE = "uid-hub", "uid-mine"
REMOTE = {"kubeConfig": {"secretRef": {"name": "x"}}}


def known(
    name: str,
    *,
    day: int = 2,
    uid: str = "",
    before: str = "",
    local: bool = False,
    code: str | None = None,
    connecting: bool = False,
) -> FleetNode:
    """A node made on that day; `uid` is the cluster that it is, `before` the one that its status says that it was."""
    body = {
        "metadata": {"name": name, "uid": name, "creationTimestamp": f"2026-11-{day:02}T00:00:00Z"},
        "spec": {
            "identity": {"code": code or f"CN-{name}"},
            "tier": "Core",
            "region": {"code": "cn-east"},
            "access": {"local": {}} if local else REMOTE,
        },
        "status": {"clusterUid": before} if before else {},
    }
    facts = NodeFacts(cluster_uid=uid)
    facts.problem = (CONNECTING, "it is being reached") if connecting else None
    return FleetNode(ComputeNode.model_validate(body), facts)


EAST = known("east")


@pytest.mark.parametrize(
    ("node", "others", "cluster", "stands_in", "reason"),
    [
        pytest.param(EAST, [], MINE, {MINE}, None, id="its own"),
        pytest.param(EAST, [], HUB, (), "PointsAtHub", id="the hub"),
        pytest.param(known("east", local=True), [], HUB, (), None, id="the hub, which is lent"),
        pytest.param(EAST, [], MINE, {"uid-former"}, "MemberChanged", id="another than where its shards stand"),
        pytest.param(EAST, [known("west", uid=MINE)], MINE, (), "DuplicateMember", id="another node's"),
        pytest.param(EAST, [known("west", uid="uid-west")], MINE, (), None, id="not the other node's"),
        pytest.param(
            EAST,
            [known("west", day=1, before=MINE, connecting=True)],
            MINE,
            (),
            "DuplicateMember",
            id="what an older node was, of which it is not known yet what it is",
        ),
        pytest.param(
            EAST, [known("west", day=3, before=MINE, connecting=True)], MINE, (), None, id="what a younger node was"
        ),
        pytest.param(EAST, [known("west", day=1, before=MINE)], MINE, (), None, id="what an older node is no more"),
        pytest.param(EAST, [known("west", day=1, code="CN-east")], MINE, (), "DuplicateIdentity", id="an older's code"),
        pytest.param(EAST, [known("west", day=3, code="CN-east")], MINE, (), None, id="a younger's code"),
        pytest.param(EAST, [known("a", code="CN-east")], MINE, (), "DuplicateIdentity", id="as old, by its name"),
    ],
)
def test_misfit(
    node: FleetNode, others: Sequence[FleetNode], cluster: str, stands_in: Collection[str], reason: str | None
) -> None:
    """Of two nodes for one cluster, or with one code, the older keeps it; a node's shards bind it to its cluster."""
    found = misfit(node, [*others, node], cluster, hub_uid=HUB, clusters=stands_in)
    assert (found[0] if found is not None else None) == reason
