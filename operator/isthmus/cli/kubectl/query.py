"""What a command asks the hub for: objects of one kind, by name, label and namespace, as they are or as a table."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from isthmus.api.names import GROUP, VERSION
from isthmus.clusters.errors import ApiError
from isthmus.clusters.resources import Resource

from .kinds import Kind
from .servertable import ACCEPT, ServerTable, decode, include, page_of

if TYPE_CHECKING:
    from isthmus.clusters.client import Client

PAGE = 500


@dataclass(frozen=True, slots=True)
class Query:
    """`namespace` None is all of them, and for nodes the only one. Without `names` all are meant."""

    kind: Kind
    namespace: str | None
    names: tuple[str, ...] = ()
    selector: str | None = None
    wide: bool = False

    @property
    def across(self) -> bool:
        """Whether rows must say their namespace."""
        return self.kind.namespaced and self.namespace is None

    @property
    def resource(self) -> Resource:
        """The kind as the API serves it."""
        return resource_of(self.kind)

    async def tables(self, client: "Client") -> tuple[list[ServerTable], list[ApiError]]:
        """The rows, page by page or name by name, and what was refused of single names."""
        if self.names:
            return await self._tables_by_name(client)
        params = {**self._params(), "limit": str(PAGE)}
        pages: list[ServerTable] = []
        while True:
            page = decode(await client.raw("GET", self.resource.path(self.namespace), params=params, accept=ACCEPT))
            pages.append(page)
            if not page.metadata.continue_:
                return pages, []
            params["continue"] = page.metadata.continue_

    async def objects(self, client: "Client") -> tuple[list[dict[str, Any]], list[ApiError]]:
        """The objects whole, and what was refused of single names."""
        found: list[dict[str, Any]] = []
        if not self.names:
            listing = await client.list(self.resource, self.namespace, labels=self.selector)
            kind = {"apiVersion": self.resource.api_version, "kind": self.kind.kind}
            return [{**kind, **obj} for obj in listing.items], []
        refused = []
        for name in self.names:
            try:
                found.append(await client.get(self.resource, name, self.namespace))
            except ApiError as error:
                refused.append(error)
        return found, refused

    async def changes(self, client: "Client", version: str) -> AsyncIterator[ServerTable]:
        """A table of one row for each change after that version, for as long as the server lets it be watched."""
        events = client.watch(
            self.resource,
            self.namespace,
            resource_version=version,
            labels=self.selector,
            fields=f"metadata.name={self.names[0]}" if self.names else None,
            accept=ACCEPT,
            params=self._params(),
        )
        async with aclosing(events) as stream:
            async for event in stream:
                if event.object is not None:
                    yield page_of(event.object)

    async def _tables_by_name(self, client: "Client") -> tuple[list[ServerTable], list[ApiError]]:
        pages: list[ServerTable] = []
        refused: list[ApiError] = []
        for name in self.names:
            path = self.resource.path(self.namespace, name)
            try:
                pages.append(decode(await client.raw("GET", path, params=self._params(), accept=ACCEPT)))
            except ApiError as error:
                refused.append(error)
        return pages, refused

    def _params(self) -> dict[str, str]:
        chosen = {"labelSelector": self.selector} if self.selector else {}
        return {"includeObject": include(wide=self.wide, across=self.across), **chosen}


def resource_of(kind: Kind) -> Resource:
    """The kind as the API serves it."""
    return Resource(GROUP, VERSION, kind.plural, kind.kind, kind.namespaced)
