"""What an in-memory cluster holds: objects by kind, one counter of versions, and the history that watches read."""

import asyncio
import copy
from collections.abc import Iterator
from dataclasses import dataclass

from isthmus.api.core import Manifest
from isthmus.clusters.api import EventKind
from isthmus.clusters.errors import ClusterError
from isthmus.clusters.resources import Resource

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """One step of the history: the object before and after; None where it wasn't, or is no longer, there."""

    version: int
    resource: Resource
    key: Key
    before: Manifest | None
    after: Manifest | None


@dataclass(frozen=True, slots=True)
class Signal:
    """What reaches a watch beside changes: a bookmark (no error), or the end of its link."""

    version: int
    error: ClusterError | None = None


Watcher = asyncio.Queue[Change | Signal]


class Store:
    """Objects in, copies out: nobody holds what is stored."""

    def __init__(self) -> None:
        self.version = 1
        self.compacted = 0
        self._objects: dict[Resource, dict[Key, Manifest]] = {}
        self._history: list[Change] = []
        self._watchers: set[Watcher] = set()

    def get(self, resource: Resource, key: Key) -> Manifest | None:
        """A copy of the object."""
        return copy.deepcopy(self._objects.get(resource, {}).get(key))

    def select(self, resource: Resource, namespace: str | None) -> Iterator[Manifest]:
        """Copies of all objects of the kind, in the order of namespace and name."""
        for key, obj in sorted(self._objects.get(resource, {}).items()):
            if namespace is None or key[0] == namespace:
                yield copy.deepcopy(obj)

    def everything(self) -> Iterator[tuple[Resource, Key, Manifest]]:
        """Copies of all objects of all kinds."""
        for resource, objects in list(self._objects.items()):
            for key, obj in list(objects.items()):
                yield resource, key, copy.deepcopy(obj)

    def put(self, resource: Resource, key: Key, obj: Manifest) -> Manifest:
        """Store under a new resourceVersion and tell the watches; returns a copy."""
        self.version += 1
        stored = copy.deepcopy(obj)
        stored["metadata"]["resourceVersion"] = str(self.version)
        objects = self._objects.setdefault(resource, {})
        self._record(Change(self.version, resource, key, objects.get(key), stored))
        objects[key] = stored
        return copy.deepcopy(stored)

    def remove(self, resource: Resource, key: Key) -> None:
        """Remove under a new resourceVersion and tell the watches."""
        self.version += 1
        last = self._objects[resource].pop(key)
        gone = {**last, "metadata": {**last["metadata"], "resourceVersion": str(self.version)}}
        self._record(Change(self.version, resource, key, gone, None))

    def compact(self) -> None:
        """Forget the history: watches from an earlier version are Expired."""
        self.compacted = self.version
        self._history.clear()

    def since(self, version: int) -> list[Change]:
        """The changes after that version, oldest first."""
        return [change for change in self._history if change.version > version]

    def as_added(self, resource: Resource) -> list[Change]:
        """All objects of the kind, as if they were just created."""
        return [
            Change(int(obj["metadata"]["resourceVersion"]), resource, key, None, obj)
            for key, obj in sorted(self._objects.get(resource, {}).items())
        ]

    def attach(self, watcher: Watcher) -> None:
        """Send all further changes and signals to it."""
        self._watchers.add(watcher)

    def detach(self, watcher: Watcher) -> None:
        """Send it nothing more."""
        self._watchers.discard(watcher)

    def signal(self, error: ClusterError | None) -> None:
        """A bookmark to every watch, or the end of its link."""
        for watcher in self._watchers:
            watcher.put_nowait(Signal(self.version, error))

    def _record(self, change: Change) -> None:
        self._history.append(change)
        for watcher in self._watchers:
            watcher.put_nowait(change)


def event_of(change: Change, matched_before: bool, matches_now: bool) -> tuple[EventKind, Manifest] | None:
    """What a watch with a selector sees of a change, with the object to send; None where it sees nothing."""
    if change.after is not None and matches_now:
        return ("MODIFIED" if matched_before else "ADDED"), change.after
    if change.before is not None and matched_before:
        last = change.before
        metadata = {**last["metadata"], "resourceVersion": str(change.version)}
        return "DELETED", {**last, "metadata": metadata}
    return None
