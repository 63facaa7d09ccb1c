"""What a test sees of an in-memory cluster and does to it, past all faults: objects, errors, a link that can be cut."""

import asyncio
import uuid
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime

from isthmus.api.core import Manifest
from isthmus.clusters.api import JsonPatch
from isthmus.clusters.errors import ClusterError, Unreachable
from isthmus.clusters.resources import NAMESPACES, Resource
from isthmus.clusters.serverclock import ServerClock
from isthmus.clusters.traffic import Traffic

from .apply import Ownership
from .faults import Call, Callback, Faults, Matcher, matching
from .lifecycle import Lifecycle
from .store import Store

_VERSION: Manifest = {"major": "1", "minor": "36", "gitVersion": "v1.36.3", "platform": "linux/amd64"}


def _loop_time() -> float:
    return asyncio.get_running_loop().time()


def _now() -> datetime:
    return datetime.now(UTC)


class Controls:
    """The state of an in-memory cluster, and the test's own hands on it."""

    def __init__(
        self,
        name: str = "fake",
        *,
        clock: Callable[[], datetime] = _now,
        new_id: Callable[[], str] = lambda: str(uuid.uuid4()),
    ) -> None:
        self.name = name
        self.version = dict(_VERSION)
        self.traffic = Traffic()
        self.calls: list[Call] = []
        self._store = Store()
        self._lifecycle = Lifecycle(self._store, clock, new_id)
        self._ownerships: dict[str, Ownership] = {}
        self._server_clock = ServerClock(_loop_time)
        self._faults = Faults()
        self._cut: ClusterError | None = None
        self._closed = False
        for namespace in ("default", "kube-system"):
            self.put(NAMESPACES, {"metadata": {"name": namespace}})

    @property
    def requests(self) -> Counter[str]:
        """How often each verb was asked for."""
        return self.traffic.requests

    def put(self, resource: Resource, obj: Manifest) -> Manifest:
        """Store the object as given, status included and whatever its version, in one write; returns it as stored."""
        metadata = obj["metadata"]
        key = (metadata.get("namespace", ""), metadata["name"])
        found = self._store.get(resource, key)
        if found is None:
            new = self._lifecycle.created(resource, obj, key[0] or None, dry_run=True)
            return self._store.put(resource, key, {**new, **({"status": obj["status"]} if "status" in obj else {})})
        return self._lifecycle.updated(resource, key, obj, subresource=None, forced=True)

    def object(self, resource: Resource, name: str, namespace: str = "") -> Manifest | None:
        """The object as stored, or None."""
        return self._store.get(resource, (namespace, name))

    def objects(self, resource: Resource, namespace: str | None = None) -> JsonPatch:
        """All objects of the kind as stored."""
        return [*self._store.select(resource, namespace)]

    def remove(self, resource: Resource, name: str, namespace: str = "") -> None:
        """Delete the object at once, whatever holds it."""
        key = (namespace, name)
        self._lifecycle.find(resource, key)
        self._store.remove(resource, key)

    def fail(self, matches: Matcher, error: BaseException, times: int | None = 1, *, after: bool = False) -> None:
        """Raise `error` from the next `times` matching calls (None: from all), which then do nothing.

        With `after` they are carried out and only their answer is lost. `matching(verb, resource)` makes matchers.
        """

        def act(_: Call) -> None:
            raise error

        self._faults.add(matches, act, times, after=after)

    def before(self, verb: str | None, resource: Resource | None, callback: Callback, times: int | None = 1) -> None:
        """Run `callback` before the next `times` calls of that verb ("write": any that changes something)."""
        self._faults.add(matching(verb, resource), callback, times, after=False)

    def after(self, verb: str | None, resource: Resource | None, callback: Callback, times: int | None = 1) -> None:
        """Run `callback` after the next `times` calls of that verb, before their answer is given."""
        self._faults.add(matching(verb, resource), callback, times, after=True)

    def heal(self) -> None:
        """Drop all faults and mend the link."""
        self._faults.clear()
        self._cut = None

    def disconnect(self, error: ClusterError | None = None) -> None:
        """Cut the link: watches end, calls fail, until `heal`."""
        self._cut = error or Unreachable(f"{self.name}: connection refused")
        self._store.signal(self._cut)

    def end_watches(self, error: ClusterError) -> None:
        """End every watch with this error; the link stays, and a new watch can be opened."""
        self._store.signal(error)

    def bookmark(self) -> None:
        """Send every watch a bookmark."""
        self._store.signal(None)

    def compact(self) -> None:
        """Forget the history, so that a watch from an earlier version is Expired."""
        self._store.compact()
