"""The client of one cluster: Kubernetes verbs over HTTP, answers decoded straight from the wire."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any, cast

import msgspec

from isthmus.api.core import Manifest

from .api import (
    DEFAULT_WATCH_SECONDS,
    PAGE,
    JsonPatch,
    KubernetesApi,
    Listing,
    PatchKind,
    Propagation,
    T,
    Undecodable,
    WatchEvent,
)
from .decoding import decode_object, decode_page, event_decoder
from .errors import ClusterError, Expired, NotFound, UnexpectedAnswer
from .lines import LineSplitter, LineTooLongError
from .resources import PODS, Resource
from .restclient import RestClient
from .transport import Request

# API servers send a bookmark about once a minute; silence for longer means the link is dead.
IDLE_SECONDS = 90.0
_PATCHES: dict[PatchKind, str] = {
    "merge": "application/merge-patch+json",
    "json": "application/json-patch+json",
    "strategic": "application/strategic-merge-patch+json",
}


class Client(RestClient, KubernetesApi):
    """One cluster, one session. Made by `connect` inside a running event loop; an async context manager."""

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, type: type[T] | None = None
    ) -> T:
        """The object, read consistently. NotFound where it isn't there."""
        request = Request("GET", resource.path(namespace, name), {}, repeatable=True)
        return await self._object("get", request, type)

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        fields: str | None = None,
        type: type[T] | None = None,
        page: int = PAGE,
        consistent: bool = True,
        received: Callable[[Listing[T]], Listing[T]] | None = None,
    ) -> Listing[T]:
        """All objects that match; read from quorum where `consistent`, else from the API server's cache.

        Pages of `page` objects, of each of which what `received` makes of it is kept; where the list's version expires
        between pages, it is read anew in one piece.
        """
        params = _selection(labels, fields)
        if not consistent:
            params["resourceVersion"] = "0"
        items: list[T] = []
        bad: tuple[Undecodable, ...] = ()
        params["limit"] = str(page)
        coming = self._page(resource, namespace, params)
        try:
            while True:
                try:
                    body = await coming
                except Expired:
                    if "continue" not in params:
                        raise
                    params = _selection(labels, fields)
                    items, bad = [], ()
                    coming = self._page(resource, namespace, params)
                    continue
                listing, token = decode_page(body, _or_dict(type), f"{self.name}: list of {resource.plural}")
                if token:  # the server makes the next page while this one is worked on
                    params = {key: value for key, value in params.items() if key != "resourceVersion"}
                    params["continue"] = token
                    coming = self._page(resource, namespace, params)
                    await asyncio.sleep(0)
                if received is not None:
                    listing = received(listing)
                items.extend(listing.items)
                bad += listing.undecodable
                if not token:
                    return Listing(items, listing.resource_version, bad)
        finally:
            coming.cancel()

    def _page(self, resource: Resource, namespace: str | None, params: Mapping[str, str]) -> asyncio.Task[bytes]:
        """Ask for a page of a list."""
        request = Request("GET", resource.path(namespace), params, repeatable=True)
        return asyncio.create_task(self._send("list", request))

    async def create(
        self,
        resource: Resource,
        obj: Manifest,
        namespace: str | None = None,
        *,
        dry_run: bool = False,
        strict: bool = False,
        type: type[T] | None = None,
    ) -> T:
        """Create and return the object as stored. AlreadyExists where the name is taken.

        `strict` refuses unknown and duplicate fields; `dry_run` runs admission and stores nothing.
        """
        params = {"fieldValidation": "Strict"} if strict else {}
        if dry_run:
            params["dryRun"] = "All"
        request = Request("POST", resource.path(namespace), params, _typed(resource, obj), repeatable=dry_run)
        return await self._object("create", request, type)

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
        path = resource.path(namespace, name, subresource)
        return await self._object("replace", Request("PUT", path, {}, _typed(resource, obj), repeatable=True), type)

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
        path = resource.path(namespace, name, subresource)
        request = Request("PATCH", path, {}, _encoded(body), _PATCHES[kind], repeatable=kind != "json")
        return await self._object("patch", request, type)

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
        path = resource.path(namespace, obj["metadata"]["name"], subresource)
        params = {"fieldManager": manager, "force": "true" if force else "false"}
        request = Request("PATCH", path, params, _typed(resource, obj), "application/apply-patch+yaml", repeatable=True)
        return await self._object("apply", request, type)

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
        options: Manifest = {"apiVersion": "v1", "kind": "DeleteOptions"}
        if uid is not None:
            options["preconditions"] = {"uid": uid}
        if propagation is not None:
            options["propagationPolicy"] = propagation
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        path = resource.path(namespace, name)
        try:
            await self._send("delete", Request("DELETE", path, {}, _encoded(options), repeatable=uid is not None))
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
        accept: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[WatchEvent[T], None]:
        """Changes after `resource_version`, with bookmarks, until the server ends it after `timeout_seconds`.

        `opened` is called once the server has accepted. Expired where that version is no longer kept; TimedOut where
        nothing at all arrives for `idle_seconds`. Close it (`contextlib.aclosing`) where it is left early. Objects
        come in the form that `accept` names, such as a Table, for which `params` can say more.
        """
        query = {**(params or {}), **_selection(labels, fields)} | {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": resource_version,
            "timeoutSeconds": str(max(1, round(timeout_seconds))),
        }
        request = Request("GET", resource.path(namespace), query, accept=accept)
        about = f"{self.name}: watch of {resource.plural}"
        decode = event_decoder(_or_dict(type), about)
        splitter = LineSplitter()
        self.requests["watch"] += 1
        try:
            async with (
                self._transport.stream(request, idle_seconds=idle_seconds or IDLE_SECONDS) as stream,
                aclosing(stream) as chunks,
            ):
                if opened is not None:
                    opened()
                async for chunk in chunks:
                    try:
                        lines = splitter.feed(chunk)
                    except LineTooLongError as error:
                        raise UnexpectedAnswer(f"{about}: {error}") from error
                    for line in lines:
                        yield decode(line)
        except ClusterError as error:
            self.traffic.failed("watch", error)
            raise

    @asynccontextmanager
    async def log(
        self, namespace: str, pod: str, options: Mapping[str, str], *, follow: bool
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """A pod's log, chunk by chunk as it comes; `options` are PodLogOptions but for `follow`.

        A log that is followed begins when its first line is written and ends with its container, however long either
        takes; one that is not may be silent for IDLE_SECONDS. Nothing is read ahead of whoever takes the chunks but
        what a connection buffers.
        """
        params = {**options, **({"follow": "true"} if follow else {})}
        request = Request("GET", PODS.path(namespace, pod, "log"), params, json=False)
        self.requests["log"] += 1
        async with (
            self._transport.stream(request, idle_seconds=None if follow else IDLE_SECONDS, patient=follow) as stream,
            aclosing(stream) as chunks,
        ):
            yield chunks

    async def probe(self, path: str = "/version") -> Manifest:
        """The JSON answer of a path outside the resources."""
        return await self._object("probe", Request("GET", path, {}, repeatable=True), None)

    async def _object(self, verb: str, request: Request, type_: type[T] | None) -> T:
        body = await self._send(verb, request)
        return decode_object(body, _or_dict(type_), self._transport.about(request))


def _or_dict(type_: type[T] | None) -> type[T]:
    return cast("type[T]", dict) if type_ is None else type_


def _selection(labels: str | None, fields: str | None) -> dict[str, str]:
    params = {}
    if labels:
        params["labelSelector"] = labels
    if fields:
        params["fieldSelector"] = fields
    return params


def _typed(resource: Resource, obj: Manifest) -> bytes:
    """The object with its kind, which a caller that names the resource need not say again."""
    return _encoded({"apiVersion": resource.api_version, "kind": resource.kind, **obj})


def _encoded(obj: Any) -> bytes:
    return msgspec.json.encode(obj)
