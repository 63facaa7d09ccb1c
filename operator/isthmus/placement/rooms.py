"""Rooms kept from one cycle to the next, so that a cycle costs what changed and not what there is."""

from collections.abc import Iterable

from isthmus.capacity.profile import Profile

from .assumed import Assumption
from .fit import subtract
from .room import Room, room_of_profile
from .snapshot import NodeView, PriceView


class Rooms:
    """The room of each node after its assumptions. Give the same one to every cycle; it holds no truth of its own.

    A room is built anew where the node's profile, price or assumptions changed in any way but further ones at the
    end.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[Profile | None, PriceView | None, tuple[Assumption, ...], Room]] = {}

    def of(self, node: NodeView) -> Room:
        """A copy of the node's room, to take from."""
        price = node.price if node.price is not None and node.price.current else None
        kept = self._kept.get(node.name)
        new = node.assumed
        if kept is not None and kept[0] is node.profile and kept[1] == price and kept[2] == new[: len(kept[2])]:
            room = kept[3]
            new = new[len(kept[2]) :]
        else:
            room = room_of_profile(node.profile)
        subtract(room, [(a.demand, a.width) for a in new], price)
        self._kept[node.name] = (node.profile, price, node.assumed, room)
        return room.copy()

    def keep(self, names: Iterable[str]) -> None:
        """Let go of the nodes that are not among the names."""
        present = set(names)
        for name in [name for name in self._kept if name not in present]:
            del self._kept[name]
