"""The machines that the hub has in mind for shards, by the nodes' latest figures and by what jobs have asked for."""

from dataclasses import dataclass

from isthmus.capacity import Profile
from isthmus.placement import Asked, Demand, MachineLosses, ShapeHint, shape_hint
from isthmus.placement.room import Room, room_of_profile


@dataclass(slots=True)
class _Figures:
    """A node's profile, machine by machine, and what its kinds of machine lose by the jobs of one `version`."""

    profile: Profile
    room: Room
    losses: MachineLosses
    version: int


class Hinting:
    """By node; `asked` is told of the jobs that come."""

    def __init__(self) -> None:
        self.asked = Asked()
        self._figures: dict[str, _Figures] = {}

    def hint(self, name: str, profile: Profile, demand: Demand) -> ShapeHint | None:
        """A machine of the node that would suit the demand's pods, by this profile."""
        known = self._figures.get(name)
        if known is None or known.profile is not profile or known.version != self.asked.version:
            known = self._figures[name] = self._renewed(profile, known)
        return shape_hint(demand, known.room, None, known.losses)

    def drop(self, name: str) -> None:
        """The node is gone."""
        self._figures.pop(name, None)

    def _renewed(self, profile: Profile, old: _Figures | None) -> _Figures:
        room = old.room if old is not None and old.profile is profile else room_of_profile(profile)
        version = self.asked.version
        if old is not None and old.version == version and old.losses.measures(room):
            return _Figures(profile, room, old.losses, version)
        return _Figures(profile, room, MachineLosses(room, self.asked.told()), version)
