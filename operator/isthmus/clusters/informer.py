"""An informer: a cache of one kind in one cluster that follows its changes through whatever happens to the link."""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import aclosing
from typing import Generic, TypeVar

import structlog

from .api import DEFAULT_WATCH_SECONDS, KubernetesApi, Undecodable
from .cache import Key, ObjectCache, OnChange
from .errors import (
    ApiError,
    ClusterError,
    Expired,
    Forbidden,
    InvalidCredentials,
    TimedOut,
    TLSFailure,
    TooManyRequests,
    Unauthorized,
    Unreachable,
)
from .resources import Resource

T = TypeVar("T")

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# After these the watch goes on from where it was; after any other error the list is read anew.
_RESUMABLE = (Unreachable, TimedOut, TLSFailure, InvalidCredentials, Unauthorized, Forbidden, TooManyRequests)
_RESUMABLE_STATUS = {502, 503}

_log = structlog.get_logger(__name__)


class Informer(Generic[T]):
    """Lists once, then watches; `items` holds what is there by (namespace, name).

    `on_change` is told of every difference between one state of the cache and the next: by the watch, or by comparing
    a new list with the cache after a gap. On DELETED its last argument is the object's last state, where that was
    seen. `on_connection` hears None when the watch stands, and the error when it fails, once for each reason. Both are
    plain functions that must not raise; where one does, it is logged and the informer goes on. `transform` may shrink
    an object before it is kept, but not its metadata's namespace, name, UID and resourceVersion.

    Pauses between attempts double from `first_pause_seconds` to `longest_pause_seconds` and vary by half. A watch that
    is silent for `idle_seconds` (the client's default: 90; a server sends a bookmark each minute) counts as dead.
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
        self.synced = asyncio.Event()
        self.connected = False
        self.restarts = 0
        self.lost_at: float | None = None
        self.error: ClusterError | None = None
        self._client = client
        self._resource = resource
        self._type = type
        self._namespace = namespace
        self._labels = labels
        self._fields = fields
        self._on_connection = on_connection
        self._watch_seconds = watch_seconds
        self._idle_seconds = idle_seconds
        self._first_pause = first_pause_seconds
        self._longest_pause = longest_pause_seconds
        self._rng = rng or random.Random()  # noqa: S311 - jitter, not a secret
        self._name = f"{client.name}: {resource.plural}"
        self._cache = ObjectCache(self._name, on_change, transform, resource.kind)
        self._version = ""
        self._heard = float("-inf")
        self._failures = 0
        self._relisting = False

    @property
    def items(self) -> Mapping[Key, T]:
        """What is there by (namespace, name); the namespace of cluster-scoped objects is ""."""
        return self._cache.items

    @property
    def undecodable(self) -> Mapping[Key, Undecodable]:
        """What is there but can't be read; where it once could, `items` has its last good state."""
        return self._cache.undecodable

    @property
    def version(self) -> str:
        """The resourceVersion up to which `items` shows what is there; empty while a list is read.

        It moves with each change and each bookmark, which comes about once a minute.
        """
        return self._version

    def get(self, namespace: str, name: str) -> T | None:
        """The object as last seen, or None."""
        return self._cache.items.get((namespace, name))

    def silence_seconds(self) -> float:
        """Seconds since anything was heard: a list, a change, or a bookmark, which says that nothing has changed."""
        return asyncio.get_running_loop().time() - self._heard

    def broken_seconds(self) -> float | None:
        """For how long nothing could be followed; None while the watch stands, or has not been tried yet."""
        return None if self.lost_at is None else asyncio.get_running_loop().time() - self.lost_at

    async def wait_synced(self) -> None:
        """Return once the first list stands in the cache."""
        await self.synced.wait()

    async def run(self) -> None:
        """Follow the cluster until cancelled; run again, it goes on from what it had."""
        self.error = None  # what a former run met was told then, and is told anew where it is met again
        try:
            while True:
                try:
                    if not self._version:
                        await self._list()
                    await self._watch()
                except ClusterError as error:
                    await self._recover(error)
        finally:
            self.connected = False

    async def _list(self) -> None:
        asked = asyncio.get_running_loop().time()
        listing = await self._client.list(
            self._resource,
            self._namespace,
            labels=self._labels,
            fields=self._fields,
            type=self._type,
            received=self._cache.received,
        )
        self._cache.replace(listing.items, listing.undecodable)
        self._version, self._heard = listing.resource_version, asked
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
            opened=lambda: self._report(None),
        )
        useful = False
        async with aclosing(stream):
            async for event in stream:
                useful = True
                self._failures, self._relisting = 0, False
                self._heard = asyncio.get_running_loop().time()
                self._cache.take(event)
                if event.resource_version:
                    self._version = event.resource_version
        if not useful:  # something between us may end each watch at once: no busy loop
            await self._pause()

    async def _recover(self, error: ClusterError) -> None:
        """Wait before the next attempt, and forget the version where watching on from it is no use."""
        self.restarts += 1
        self._client.traffic.restarts[self._resource.plural] += 1
        self._failures += 1
        status = error.status if isinstance(error, ApiError) else 0
        if not isinstance(error, _RESUMABLE) and status not in _RESUMABLE_STATUS:
            self._version = ""
        if isinstance(error, Expired):
            if not self._relisting:  # the link is fine, only the history was too short: list anew at once
                self._relisting = True
                return
        else:
            self._report(error)
        await self._pause(error.retry_after if isinstance(error, ApiError) else None)

    async def _pause(self, at_least: float | None = None) -> None:
        pause = min(self._first_pause * 2 ** min(max(self._failures - 1, 0), 16), self._longest_pause)
        await asyncio.sleep(max(pause * (0.5 + self._rng.random()), at_least or 0.0))

    def _report(self, error: ClusterError | None) -> None:
        before = (self.connected, self.error.reason if self.error else "")
        self.connected, self.error = error is None, error
        if error is None:
            self.lost_at = None
        elif self.lost_at is None:
            self.lost_at = asyncio.get_running_loop().time()
        if before == (self.connected, error.reason if error else "") or self._on_connection is None:
            return
        try:
            self._on_connection(error)
        except Exception:  # noqa: BLE001 - whatever the caller's function raises, the informer goes on
            _log.exception("a connection callback failed", informer=self._name)
