"""An informer: a cache of one kind in one cluster that follows its changes through whatever happens to the link."""

import asyncio
import random
from collections.abc import Callable
from contextlib import aclosing
from typing import Generic, Literal, TypeVar

import structlog

from .api import DEFAULT_WATCH_SECONDS, KubernetesApi, Undecodable, WatchEvent
from .decoding import identity_of
from .errors import ClusterError, Expired
from .resources import Resource

T = TypeVar("T")
Key = tuple[str, str]
ChangeKind = Literal["ADDED", "MODIFIED", "DELETED"]
OnChange = Callable[[ChangeKind, T | None, T], None]

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

_log = structlog.get_logger(__name__)


class Informer(Generic[T]):
    """Lists once, then watches; `items` holds what is there by (namespace, name).

    `on_change` is told of every difference between one state of the cache and the next: by the watch, or by comparing
    a new list with the cache after a gap. `on_connection` hears None once the cache is current and each time it is
    again, and the error when the link fails. Both are plain functions that must not raise; where one does, it is
    logged and the informer goes on.
    """

    def __init__(
        self,
        client: KubernetesApi,
        resource: Resource,
        *,
        type: type[T],
        namespace: str | None = None,
        labels: str | None = None,
        fields: str | None = None,
        on_change: OnChange[T] | None = None,
        on_connection: Callable[[ClusterError | None], None] | None = None,
        transform: Callable[[T], T] | None = None,
        watch_seconds: float = DEFAULT_WATCH_SECONDS,
        idle_seconds: float | None = None,
        first_pause_seconds: float = FIRST_PAUSE_SECONDS,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        rng: random.Random | None = None,
    ) -> None:
        self.items: dict[Key, T] = {}
        self.undecodable: dict[Key, Undecodable] = {}
        self.synced = asyncio.Event()
        self.connected = False
        self.restarts = 0
        self.error: ClusterError | None = None
        self._client = client
        self._resource = resource
        self._type = type
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self._on_change = on_change
        self._on_connection = on_connection
        self._transform = transform
        self._watch_seconds = watch_seconds
        self._idle_seconds = idle_seconds
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._version = ""

    def get(self, namespace: str, name: str) -> T | None:
        """The object as last seen; the namespace of cluster-scoped objects is ""."""
        return self.items.get((namespace, name))

    async def wait_synced(self) -> None:
        """Return once the first list stands in the cache."""
        await self.synced.wait()

    async def run(self) -> None:
        """Follow the cluster until cancelled."""
        failures = 0
        while True:
            try:
                if not self._version:
                    await self._list()
                self._report(None)
                await self._watch()
                failures = 0
            except Expired:
                self._version = ""
                self.restarts += 1
            except ClusterError as error:
                failures = 1 if self.connected else failures + 1
                self.restarts += 1
                self._report(error)
                pause = min(self._first_pause * 2 ** min(failures - 1, 16), self._longest_pause)
                await asyncio.sleep(pause * (0.5 + self._rng.random()))

    async def _list(self) -> None:
        listing = await self._client.list(
            self._resource, self._namespace, labels=self._labels, fields=self._fields, type=self._type
        )
        bad = {(entry.namespace, entry.name): entry for entry in listing.undecodable}
        new: dict[Key, T] = {}
        for obj in listing.items:
            namespace, name, _, _ = identity_of(obj)
            new[namespace, name] = obj
        # What can't be decoded is there all the same: it keeps its last good state.
        for key in [key for key in self.items if key not in new and key not in bad]:
            self._remove(key, None)
        for key, obj in new.items():
            self._put(key, obj)
        for key, entry in bad.items():
            self._complain(key, entry)
        for key in [key for key in self.undecodable if key not in bad]:
            del self.undecodable[key]
        self._version = listing.resource_version
        self.synced.set()

    async def _watch(self) -> None:
        stream = self._client.watch(
            self._resource,
            self._namespace,
            resource_version=self._version,
            labels=self._labels,
            fields=self._fields,
            type=self._type,
            timeout_seconds=self._watch_seconds * (1 + self._rng.random()),
            idle_seconds=self._idle_seconds,
        )
        async with aclosing(stream):
            async for event in stream:
                self._take(event)
                if event.resource_version:
                    self._version = event.resource_version

    def _take(self, event: WatchEvent[T]) -> None:
        if event.kind == "BOOKMARK":
            return
        bad = event.undecodable
        if bad is not None:
            key = (bad.namespace, bad.name)
            if event.kind == "DELETED":
                self._remove(key, None)
            else:
                self._complain(key, bad)
            return
        if event.object is None:
            return
        namespace, name, _, _ = identity_of(event.object)
        key = (namespace, name)
        if event.kind == "DELETED":
            self._remove(key, event.object)
        else:
            self._put(key, event.object)

    def _put(self, key: Key, obj: T) -> None:
        self.undecodable.pop(key, None)
        _, _, version, uid = identity_of(obj)
        old = self.items.get(key)
        if old is not None:
            _, _, old_version, old_uid = identity_of(old)
            if old_version == version and old_uid == uid:
                return
            if old_uid != uid:  # deleted and made anew while we did not look
                self._remove(key, None)
                old = None
        if self._transform is not None:
            obj = self._transform(obj)
        self.items[key] = obj
        self._tell("MODIFIED" if old is not None else "ADDED", old, obj)

    def _remove(self, key: Key, last: T | None) -> None:
        self.undecodable.pop(key, None)
        old = self.items.pop(key, None)
        if old is None:
            return
        if last is not None and self._transform is not None:
            last = self._transform(last)
        self._tell("DELETED", old, old if last is None else last)

    def _complain(self, key: Key, bad: Undecodable) -> None:
        if self.undecodable.get(key) != bad:
            _log.warning(
                "object can't be decoded, its last good state is kept",
                cluster=self._client.name,
                kind=self._resource.kind,
                namespace=bad.namespace,
                name=bad.name,
                problem=bad.problem,
            )
        self.undecodable[key] = bad

    def _tell(self, kind: ChangeKind, old: T | None, new: T) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(kind, old, new)
        except Exception:  # noqa: BLE001 - whatever the caller's function raises, the cache goes on
            _log.exception("a change callback failed", cluster=self._client.name, kind=self._resource.kind)

    def _report(self, error: ClusterError | None) -> None:
        connected = error is None
        changed = (
            connected != self.connected
            or (error is not None and self.error is None)
            or (error is not None and self.error is not None and error.reason != self.error.reason)
        )
        self.connected = connected
        self.error = error
        if not changed or self._on_connection is None:
            return
        try:
            self._on_connection(error)
        except Exception:  # noqa: BLE001 - whatever the caller's function raises, the cache goes on
            _log.exception("a connection callback failed", cluster=self._client.name, kind=self._resource.kind)
