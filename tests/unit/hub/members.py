"""Members that answer Dispatches as agents would, and what must hold of all Dispatches that were ever written."""

import random
from collections import defaultdict
from typing import Any

from tests.unit.hub.world import Process, World

from isthmus.api.dispatch import TERMINAL
from isthmus.api.indexes import IndexSet
from isthmus.api.names import node_of_namespace
from isthmus.clusters import DISPATCHES

Object = dict[str, Any]
CORES = 4


def dispatches(world: World) -> list[Object]:
    """All Dispatches that there are, by attempt and shard."""
    found = world.hub.objects(DISPATCHES)
    return sorted(found, key=lambda each: (each["spec"]["attempt"], each["spec"]["shard"]))


def node_of(dispatch: Object) -> str:
    """The node that a Dispatch is for."""
    node = node_of_namespace(dispatch["metadata"]["namespace"])
    assert node is not None
    return node


def indexes_of(dispatch: Object) -> IndexSet:
    """What a Dispatch of an Indexed job is for."""
    text = dispatch["spec"].get("indexes")
    return IndexSet.parse(text) if text else IndexSet.span(dispatch["spec"]["manifest"]["spec"]["completions"])


def completed_of(dispatch: Object) -> IndexSet:
    """What it is known to have completed."""
    return IndexSet.parse(dispatch.get("status", {}).get("completedIndexes"))


def live(dispatch: Object) -> bool:
    """Whether it has not ended."""
    return dispatch.get("status", {}).get("state") not in TERMINAL


def report(world: World, dispatch: Object, state: str, completed: IndexSet | None = None, **status: Any) -> None:
    """Have the agent write the Dispatch's status; what was completed before stays so."""
    found = world.hub.object(DISPATCHES, dispatch["metadata"]["name"], dispatch["metadata"]["namespace"])
    assert found is not None
    done = completed_of(found) | (completed or IndexSet())
    if state == "Succeeded":
        done = indexes_of(found)
    told = {**found.get("status", {}), "state": state, "succeeded": len(done), **status}
    if done:
        told["completedIndexes"] = done.encoded()
    if state in TERMINAL:
        told["released"] = True
    world.hub.put(DISPATCHES, {**found, "status": told})


class Members:
    """All nodes' agents and machines. Each look carries out some of what is asked, and loses some of it."""

    def __init__(self, world: World, draw: random.Random) -> None:
        self._world = world
        self._draw = draw
        self._lost: dict[str, IndexSet] = {}
        self.chance_of_loss = 0.0
        self.late = IndexSet()
        """All indexes whose success came to light late."""

    def look(self, running: Process) -> None:
        """One round over all Dispatches; the nodes' figures follow."""
        for dispatch in dispatches(self._world):
            if live(dispatch):
                self._carry_out(dispatch)
            elif dispatch["metadata"]["name"] in self._lost:
                self._tell_late(dispatch)
        self.tell_room(running)

    def tell_room(self, running: Process) -> None:
        """Each node's figures, with all its Dispatches in them."""
        for node in self._world.nodes:
            mine = [each for each in dispatches(self._world) if node_of(each) == node]
            used = sum(each["spec"]["manifest"]["spec"]["parallelism"] for each in mine if live(each))
            sequence = max((each["spec"]["sequence"] for each in mine), default=0)
            running.room(node, max(CORES - used, 0), sequence=sequence)

    def _carry_out(self, dispatch: Object) -> None:
        wish, state = dispatch["spec"].get("desiredState"), dispatch.get("status", {}).get("state")
        missing = [*(indexes_of(dispatch) - completed_of(dispatch))]
        if self._draw.random() < 0.3:  # not looked at yet
            return
        if wish == "Cancelled":
            report(self._world, dispatch, "Cancelled")
        elif state is None:
            report(self._world, dispatch, "Accepted")
        elif self._draw.random() < self.chance_of_loss:
            width = dispatch["spec"]["manifest"]["spec"]["parallelism"]
            self._lost[dispatch["metadata"]["name"]] = IndexSet.of(missing[:width])
            report(self._world, dispatch, "Lost")
        elif wish == "Suspended":
            report(self._world, dispatch, "Suspended")
        else:
            width = dispatch["spec"]["manifest"]["spec"]["parallelism"]
            done = IndexSet.of(missing[: self._draw.randint(0, width)])
            state = "Succeeded" if len(done) == len(missing) else "Running"
            report(self._world, dispatch, state, done)

    def _tell_late(self, dispatch: Object) -> None:
        """What ran when the shard was given up may have succeeded."""
        if self._draw.random() < 0.2:
            ran = self._lost.pop(dispatch["metadata"]["name"])
            late = IndexSet.of(index for index in ran if self._draw.random() < 0.3)
            if late:
                self.late |= late
                report(self._world, dispatch, "Lost", late, lateIndexes=late.encoded())


def check_history(world: World, *, late: IndexSet | None = None) -> None:
    """Of each job at every moment: no index in two live Dispatches; of all time: each name in one namespace only.

    Nor is a Dispatch written for an index that is known to be completed, but those of which word came `late`: it may
    come when a create is under way.
    """
    now: dict[tuple[str, str], Object] = {}
    names: dict[str, set[str]] = defaultdict(set)
    for change in world.hub._store.since(0):
        if change.resource != DISPATCHES:
            continue
        if change.after is None:
            del now[change.key]
            continue
        if change.before is None:
            done = IndexSet.of(index for each in now.values() for index in completed_of(each))
            assert not indexes_of(change.after) & done - (late or IndexSet()), (
                change.after["metadata"]["name"],
                str(done),
            )
        now[change.key] = change.after
        names[change.after["metadata"]["name"]].add(change.after["metadata"]["namespace"])
        held = [index for each in now.values() if live(each) for index in indexes_of(each)]
        assert len(held) == len(set(held)), [(each["metadata"]["name"], indexes_of(each)) for each in now.values()]
    assert all(len(namespaces) == 1 for namespaces in names.values()), names


def check_all_done(world: World, completions: int, *, late: IndexSet | None = None) -> None:
    """Each index was completed by one Dispatch, but those that came to light `late`, which may have been run again."""
    counts: dict[int, int] = defaultdict(int)
    for dispatch in dispatches(world):
        assert not completed_of(dispatch) - indexes_of(dispatch)
        for index in completed_of(dispatch):
            counts[index] += 1
    assert set(counts) == set(range(completions))
    twice = {index for index, count in counts.items() if count > 1}
    assert twice <= set(late or ())
