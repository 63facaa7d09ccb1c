"""An API in memory that answers access reviews."""

import asyncio
from typing import Any

from isthmus.clusters import SELFSUBJECTACCESSREVIEWS, FakeCluster


class Authorizer(FakeCluster):
    """Allows all but what is `denied`, such as `patch computejobs/status`."""

    def __init__(self) -> None:
        super().__init__("hub")
        self.denied: set[str] = set()
        self.reviews = 0

    async def create(self, resource: Any, obj: Any, namespace: Any = None, **options: Any) -> Any:
        """Answer a review; anything else is stored."""
        if resource != SELFSUBJECTACCESSREVIEWS:
            return await super().create(resource, obj, namespace, **options)
        await asyncio.sleep(0)
        self.reviews += 1
        asked = obj["spec"]["resourceAttributes"]
        what = f"{asked['verb']} {asked['resource']}" + (f"/{asked['subresource']}" if "subresource" in asked else "")
        return {**obj, "status": {"allowed": what not in self.denied}}
