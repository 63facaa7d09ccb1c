"""The seam: what the hub and the agent ask of a cluster, whether it is real or in memory."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol

from typing_extensions import TypeVar

from isthmus.api.core import Manifest

from .resources import Resource
from .traffic import Traffic

T = TypeVar("T", default=Manifest)

EventKind = Literal["ADDED", "MODIFIED", "DELETED", "BOOKMARK"]
PatchKind = Literal["merge", "json", "strategic"]
JsonPatch = list[dict[str, Any]]
Propagation = Literal["Foreground", "Background", "Orphan"]

DEFAULT_WATCH_SECONDS = 300
PAGE = 500


@dataclass(frozen=True, slots=True)
class Undecodable:
    """An object that is there but can't be read as the type asked for."""

    namespace: str
    name: str
    resource_version: str
    problem: str


@dataclass(frozen=True, slots=True)
class Listing(Generic[T]):
    """A whole list, all pages of it, at one resource version."""

    items: list[T]
    resource_version: str
    undecodable: tuple[Undecodable, ...] = ()


@dataclass(frozen=True, slots=True)
class WatchEvent(Generic[T]):
    """One line of a watch. `object` is None on a bookmark and where the object can't be decoded."""

    kind: EventKind
    object: T | None
    resource_version: str
    undecodable: Undecodable | None = None


class KubernetesApi(Protocol):
    """One cluster's API. Every method raises only errors of the tree in errors.py.

    `type` is a msgspec Struct or `dict` (the default), into which answers are decoded. `namespace=None` means all
    namespaces in lists and watches, and is what cluster-scoped kinds take.
    """

    name: str
    traffic: Traffic

    @property
    def busy(self) -> bool:
        """Whether so many requests are under way that what can wait should."""
        ...

    async def get(
        self, resource: Resource, name: str, namespace: str | None = None, *, type: type[T] | None = None
    ) -> T:
        """The object, read consistently. NotFound where it isn't there."""
        ...

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

        Of each page, what `received` makes of it is kept.
        """
        ...

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
        ...

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
        ...

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
        ...

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
        ...

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
        ...

    def watch(
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
        """Changes after `resource_version`, with bookmarks, until the server ends it after `timeout_seconds`.

        `opened` is called once the server has accepted. Expired where that version is no longer kept; TimedOut where
        nothing at all arrives for `idle_seconds`. Close it (`contextlib.aclosing`) where it is left early.
        """
        ...

    def server_time(self) -> datetime | None:
        """A lower bound of the cluster's own time of day, in UTC, from its last answer; None before the first."""
        ...

    async def probe(self, path: str = "/version") -> Manifest:
        """The JSON answer of a path outside the resources."""
        ...

    async def close(self) -> None:
        """Give up the connections; every later call fails."""
        ...
