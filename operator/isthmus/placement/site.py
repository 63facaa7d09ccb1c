"""One node over many cycles: its room is renewed by what has changed."""

from collections.abc import Iterable
from functools import lru_cache

from isthmus.capacity.profile import ExpectedPods, Shape
from isthmus.capacity.taints import untolerated

from .fit import subtract
from .machines import Kind
from .room import Room, room_of_profile
from .snapshot import NodeView, in_force


def room_of_node(node: NodeView) -> Room:
    """What may be given out of the node: its machines after what was sent there, within what it lends."""
    room = room_of_profile(node.profile, node.terms.coming if node.terms is not None else ())
    if room.coming and node.profile is not None:
        promise(room, node.profile.waiting)
    subtract(room, node.assumed, in_force(node.price))
    lend(room, node)
    return room


def promise(room: Room, waiting: Iterable[ExpectedPods]) -> None:
    """Take what waits in the member out of machines that are yet to come: there is no other room for it."""
    for pods in waiting:
        need = room.need(pods.request)
        kinds = frozenset(number for number in room.coming if _suits(room.kinds[number], pods))
        if need is not None and kinds:
            room.take(need, kinds, pods.count)


def _suits(kind: Kind, pods: ExpectedPods) -> bool:
    """Whether such a machine may be what the pods wait for; labels that are not told of it are between them and it."""
    if any(kind.labels[key] not in allowed for key, allowed in pods.labels.items() if key in kind.labels):
        return False
    return not kind.taints or untolerated(kind.taints, pods.tolerations) is None


def lend(room: Room, node: NodeView) -> None:
    """Bound the room by what the node lends, from which all that was sent there is taken already."""
    terms = node.terms
    room.lend(*((None, None) if terms is None else (terms.share, terms.left)))


class Site:
    """A node as last seen, and its room after its assumptions.

    `stamp` names all that standing filters and scores read of the node; it moves when any of that changes. `declared`
    is one object for all nodes whose administrators declared the same of what filters go by.
    """

    __slots__ = ("declared", "node", "room", "stamp")

    def __init__(self, node: NodeView, room: Room, stamp: int) -> None:
        self.node = node
        self.declared = _declared(node)
        self.room = room
        self.stamp = stamp

    def renew(self, node: NodeView) -> bool:
        """Take in the node as it is now; returns whether more has changed than what is free."""
        if node is self.node:
            return False
        changed = self._renewed(node, self.node)
        self.node = node
        if changed:
            self.declared = _declared(node)
        return changed

    def _renewed(self, node: NodeView, old: NodeView) -> bool:
        changed = _facts(node) != _facts(old)
        known = len(old.assumed)
        same = node.profile is old.profile and node.price == old.price and node.assumed[:known] == old.assumed
        if same and _coming(node) == _coming(old):
            if len(node.assumed) > known:
                self.room.lend(None, None)
                subtract(self.room, node.assumed[known:], in_force(node.price))
            lend(self.room, node)
            return changed
        room = room_of_node(node)
        if room.axes == self.room.axes and room.kinds == self.room.kinds:
            self.room.refill(room)
            lend(self.room, node)
            return changed
        self.room = room
        return True


def _coming(node: NodeView) -> tuple[Shape, ...]:
    return () if node.terms is None else node.terms.coming


def _facts(node: NodeView) -> tuple[object, ...]:
    """All of a node but its name, what is free on it, and what was sent to it."""
    return (
        node.tier,
        node.parent,
        node.region,
        node.labels,
        node.taints,
        node.scheduling_state,
        node.stop_allowance_seconds,
        node.classifications,
        node.jurisdictions,
        node.energy,
        node.network,
        node.reliability,
        node.ready,
        node.not_ready_reason,
        node.not_ready_message,
        node.price,
        None if node.terms is None else node.terms.standing,
        node.profile is None,
        None if node.profile is None else tuple(total.accelerator.model for total in node.profile.accelerators),
    )


def _declared(node: NodeView) -> object:
    network = node.network
    return _alike(
        node.tier,
        node.region,
        frozenset(node.labels.items()),
        tuple((taint.key, taint.value, taint.effect) for taint in node.taints),
        node.classifications,
        node.jurisdictions,
        node.stop_allowance_seconds,
        None if network is None else (frozenset(network.latencies.items()), frozenset(network.lapses.items())),
    )


@lru_cache(maxsize=4096)
def _alike(*_declared: object) -> object:
    """One object for all nodes of which the same is declared."""
    return object()
