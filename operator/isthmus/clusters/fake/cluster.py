"""The in-memory cluster: the client's methods over a store."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import datetime
from email.utils import format_datetime
from typing import Any, cast

import msgspec

from isthmus.api.core import Manifest
from isthmus.clusters.api import (
    DEFAULT_WATCH_SECONDS,
    PAGE,
    JsonPatch,
    KubernetesApi,
    Listing,
    PatchKind,
    Propagation,
    T,
    WatchEvent,
)
from isthmus.clusters.decoding import decode_object, decode_page, event_decoder
from isthmus.clusters.errors import Expired, Invalid, NotFound, Unreachable
from isthmus.clusters.resources import Resource

from .apply import Ownership
from .controls import Controls
from .faults import Call
from .patches import json_patched, merged, strategic
from .selectors import selection
from .store import Key, Watcher
from .watching import entries, line_of


class FakeCluster(Controls, KubernetesApi):
    """A cluster in memory with the namespaces default and kube-system.

    It does what the API server, garbage collection and the namespace controller do to an object's life: versions,
    conflicts, UIDs, generations, finalizers, status apart, cascading deletion. It knows no schemas (no defaults, no
    validation of a spec: let a test refuse with `before`), runs no pods, and asks nobody for permission. What tests
    do to it stands in controls.py.
    """

    @property
    def busy(self) -> bool:
        """Never: it answers at once."""
        return False

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, type: type[T] | None = None
    ) -> T:
        """The object, read consistently. NotFound where it isn't there."""
        call = Call("get", resource, namespace, name)
        return await self._answer(call, lambda: self._lifecycle.find(resource, _key(call)), type)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        type: type[T] | None = None,
        page: int = PAGE,  # noqa: ARG002 - memory needs no pages
        consistent: bool = True,  # noqa: ARG002 - memory is always consistent
        received: Callable[[Listing[T]], Listing[T]] | None = None,
    ) -> Listing[T]:
        """All objects that match."""
        resource.path(namespace)
        matches = selection(labels, fields)
        call = Call("list", resource, namespace)

        def answer() -> Manifest:
            items = [obj for obj in self._store.select(resource, namespace) if matches(obj)]
            return {"metadata": {"resourceVersion": str(self._store.version)}, "items": items}

        body = msgspec.json.encode(await self._call(call, answer))
        listing = decode_page(body, _or_dict(type), f"{self.name}: list of {resource.plural}")[0]
        return listing if received is None else received(listing)

    async def create(
        self,
        resource: Resource,
        obj: Manifest,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        strict: bool = False,  # noqa: ARG002 - without schemas no field is unknown
        type: type[T] | None = None,
    ) -> T:
        """Create and return the object as stored. AlreadyExists where the name is taken."""
        resource.path(namespace)
        call = Call("create", resource, namespace, (obj.get("metadata") or {}).get("name"), None, obj)
        return await self._answer(
            call, lambda: self._lifecycle.created(resource, obj, namespace, dry_run=dry_run), type
        )

    async def replace(
        self,
        resource: Resource,
        obj: Manifest,
        namespace: str | None,
        name: str,
        *,
        subresource: str | None = None,
        type: type[T] | None = None,
    ) -> T:
        """PUT the object; Conflict where `metadata.resourceVersion` is set and is not the current one."""
        call = Call("replace", resource, namespace, name, subresource, obj)
        return await self._answer(
            call, lambda: self._lifecycle.updated(resource, _key(call), obj, subresource=subresource), type
        )

    async def patch(
        self,
        resource: Resource,
        name: str,
        namespace: str | None,
        body: Manifest | JsonPatch,
        *,
        subresource: str | None = None,
        kind: PatchKind = "merge",
        type: type[T] | None = None,
    ) -> T:
        """Patch the object and return it as stored."""
        call = Call("patch", resource, namespace, name, subresource, body)

        def answer() -> Manifest:
            old = self._lifecycle.find(resource, _key(call))
            if (kind == "json") != isinstance(body, _LIST):
                raise Invalid(400, "BadRequest", f"the body is no {kind} patch")
            if kind == "json":
                new = json_patched(old, cast("JsonPatch", body))
            else:
                new = merged(old, body) if kind == "merge" else strategic(old, body)
            if new["metadata"].get("uid") != old["metadata"]["uid"]:
                raise Invalid(422, "Invalid", f'{resource.kind} "{name}" is invalid: metadata.uid: field is immutable')
            return self._lifecycle.updated(resource, _key(call), new, subresource=subresource)

        return await self._answer(call, answer, type)

    async def apply(
        self,
        resource: Resource,
        obj: Manifest,
        namespace: str | None = None,
        *,
        manager: str = "isthmus",
        force: bool = True,
        subresource: str | None = None,
        type: type[T] | None = None,
    ) -> T:
        """Server-side apply: fields in `obj` become the manager's, others of its former ones are removed."""
        call = Call("apply", resource, namespace, obj["metadata"]["name"], subresource, obj)

        def answer() -> Manifest:
            key = _key(call)
            owner = f"{manager}/{subresource}" if subresource else manager
            if subresource is None and self._store.get(resource, key) is None:
                self._lifecycle.created(resource, obj, namespace, dry_run=False)
            stored = self._lifecycle.find(resource, key)
            ownership = self._ownerships.setdefault(stored["metadata"]["uid"], Ownership())
            new = ownership.apply(stored, obj, owner, force=force)
            return self._lifecycle.updated(resource, key, new, subresource=subresource)

        return await self._answer(call, answer, type)

    async def delete(
        self,
        resource: Resource,
        name: str,
        namespace: str | None = None,
        *,
        uid: str | None = None,
        propagation: Propagation | None = "Foreground",
        grace_seconds: int | None = None,
    ) -> bool:
        """Ask for the object's deletion; False where it isn't there. Conflict where its UID is not `uid`."""
        call = Call("delete", resource, namespace, name)

        def answer() -> Manifest:
            self._lifecycle.deleted(resource, _key(call), uid=uid, propagation=propagation, grace_seconds=grace_seconds)
            return {}

        try:
            await self._call(call, answer)
        except NotFound:
            return False
        return True

    async def watch(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        resource_version: str,
        labels: str | None = None,
        fields: str | None = None,
        type: type[T] | None = None,
        timeout_seconds: float = DEFAULT_WATCH_SECONDS,
        idle_seconds: float | None = None,
        opened: Callable[[], None] | None = None,
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """Changes after `resource_version`, until `timeout_seconds` are over; bookmarks when the test sends them."""
        resource.path(namespace)
        matches = selection(labels, fields)
        decode = event_decoder(_or_dict(type), f"{self.name}: watch of {resource.plural}")
        watcher: Watcher = asyncio.Queue()
        await self._call(
            Call("watch", resource, namespace), lambda: self._open_watch(watcher, resource, resource_version)
        )
        try:
            if opened is not None:
                opened()
            async with aclosing(entries(watcher, timeout_seconds, idle_seconds, self.name)) as arriving:
                async for entry in arriving:
                    line = line_of(entry, resource, namespace, matches)
                    if line is not None:
                        yield decode(msgspec.json.encode(line))
        finally:
            self._store.detach(watcher)

    def server_time(self) -> datetime | None:
        """A lower bound of the cluster's own time of day, in UTC, from its last answer; None before the first."""
        return self._server_clock.now()

    async def probe(self, path: str = "/version") -> Manifest:
        """The version, whatever the path."""
        version: Manifest = await self._call(Call("probe", None, name=path), lambda: dict(self.version))
        return version

    async def close(self) -> None:
        """Every later call fails."""
        self._closed = True
        self._store.signal(Unreachable(f"{self.name}: the client is closed"))

    def _open_watch(self, watcher: Watcher, resource: Resource, resource_version: str) -> None:
        """Give the watch what it missed; without a version (or with "0") that is all there is, as ADDED."""
        version = int(resource_version or 0)
        if version and version < self._store.compacted:
            raise Expired(410, "Expired", f"too old resource version: {version} ({self._store.compacted})")
        for change in self._store.since(version) if version else self._store.as_added(resource):
            watcher.put_nowait(change)
        self._store.attach(watcher)

    async def _call(self, call: Call, answer: Callable[[], Any]) -> Any:
        """One call, with a switch to other tasks before and after it, as a real one has."""
        self.requests[call.verb] += 1
        self.calls.append(call)
        await asyncio.sleep(0)
        if self._closed:
            raise Unreachable(f"{self.name}: the client is closed")
        if self._cut is not None:
            raise self._cut
        self._faults.run(call, after=False)
        result = answer()
        self._faults.run(call, after=True)
        self._server_clock.answered(format_datetime(self._lifecycle.clock()))
        await asyncio.sleep(0)
        return result

    async def _answer(self, call: Call, answer: Callable[[], Manifest], type_: type[T] | None) -> T:
        body = msgspec.json.encode(await self._call(call, answer))
        return decode_object(body, _or_dict(type_), f"{self.name}: {call.verb} {call.name}")


_LIST = list


def _or_dict(type_: type[T] | None) -> type[T]:
    return cast("type[T]", dict) if type_ is None else type_


def _key(call: Call) -> Key:
    if call.resource is not None:
        call.resource.path(call.namespace, call.name)
    return call.namespace or "", call.name or ""
