"""One node over many cycles: its room is renewed by what has changed."""

from .fit import subtract
from .room import Room, room_of_profile
from .snapshot import NodeView, in_force


class Site:
    """A node as last seen, and its room after its assumptions.

    `stamp` names all that standing filters and scores read of the node; it moves when any of that changes.
    """

    __slots__ = ("node", "room", "stamp")

    def __init__(self, node: NodeView, room: Room, stamp: int) -> None:
        self.node = node
        self.room = room
        self.stamp = stamp

    def renew(self, node: NodeView) -> bool:
        """Take in the node as it is now; returns whether more has changed than what is free."""
        if node is self.node:
            return False
        changed = self._renewed(node, self.node)
        self.node = node
        return changed

    def _renewed(self, node: NodeView, old: NodeView) -> bool:
        changed = _facts(node) != _facts(old)
        known = len(old.assumed)
        if node.profile is old.profile and node.price == old.price and node.assumed[:known] == old.assumed:
            subtract(self.room, node.assumed[known:], in_force(node.price))
            return changed
        room = room_of_profile(node.profile)
        subtract(room, node.assumed, in_force(node.price))
        if room.axes == self.room.axes and room.kinds == self.room.kinds:
            self.room.refill(room)
            return changed
        self.room = room
        return True


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
        node.profile is None,
        None if node.profile is None else tuple(total.accelerator.model for total in node.profile.accelerators),
    )
