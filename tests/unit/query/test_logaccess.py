from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from isthmus.api.core import Manifest
from isthmus.clusters import NAMESPACES, ROLEBINDINGS, SELFSUBJECTREVIEWS, FakeCluster, Forbidden
from isthmus.hub.query.logaccess import binding, opened_log

FORMER = "system:serviceaccount:isthmus:hub"
HUB = "system:serviceaccount:isthmus-system:isthmus"


class Guarded(FakeCluster):
    """A member that lets the users read logs who have a RoleBinding there."""

    def __init__(self, user: str) -> None:
        super().__init__("east")
        self.user = user
        self.put(NAMESPACES, {"metadata": {"name": "iwt-a-b"}})

    async def create(self, resource: Any, obj: Manifest, namespace: str | None = None, **options: Any) -> Any:
        """Say who asks; anything else is stored."""
        if resource == SELFSUBJECTREVIEWS:
            return {"status": {"userInfo": {"username": self.user}}}
        return await super().create(resource, obj, namespace, **options)

    @asynccontextmanager
    async def log(
        self, namespace: str, pod: str, options: Mapping[str, str], *, follow: bool
    ) -> AsyncIterator[AsyncGenerator[bytes, None]]:
        """Two chunks of a log."""
        del pod, options, follow
        bound = await self.list(ROLEBINDINGS, namespace)
        if binding("", "", self.user)["subjects"] not in [each["subjects"] for each in bound.items]:
            raise Forbidden(403, "Forbidden", "no role")

        async def chunks() -> AsyncGenerator[bytes, None]:
            yield b"one"
            yield b"two"

        yield chunks()


@pytest.mark.parametrize("users", [[HUB], [FORMER, HUB], [FORMER, HUB, FORMER]], ids=["new", "renamed", "and back"])
async def test_a_hub_under_another_name_reads_on(users: list[str]) -> None:
    """Whoever the hub is in a member, it binds the role to that; a binding of a former name is in nobody's way."""
    member = Guarded(users[0])
    for user in users:
        member.user = user
        async with opened_log(member, "hub-1", "iwt-a-b", "pod", {}, follow=False) as chunks:
            assert [chunk async for chunk in chunks] == [b"one", b"two"]
    bound = await member.list(ROLEBINDINGS, "iwt-a-b")
    assert len(bound.items) == len(set(users))
