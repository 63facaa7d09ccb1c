"""The ComputeJob that is asked about, by a consistent read: a status that was just written is in the answer."""

from typing import Protocol

import pydantic

from isthmus.api.computejob import ComputeJob
from isthmus.api.core import Manifest
from isthmus.clusters import COMPUTEJOBS, ClusterError, NotFound, Resource

from .refusals import Refused, not_found, unavailable


class Objects(Protocol):
    """The hub's API, as far as objects are read."""

    async def get(self, resource: Resource, name: str, namespace: str | None = None) -> Manifest:
        """The object."""
        ...


class JobReader:
    """Reads ComputeJobs for callers who may have them."""

    def __init__(self, hub: Objects) -> None:
        self._hub = hub

    async def read(self, namespace: str, name: str) -> ComputeJob:
        """The job. Raises Refused."""
        try:
            body = await self._hub.get(COMPUTEJOBS, name, namespace)
        except NotFound as error:
            raise not_found(name) from error
        except ClusterError as error:
            raise unavailable(f"the ComputeJob can't be read: {error.reason}") from error
        try:
            return ComputeJob.model_validate(body)
        except pydantic.ValidationError as error:
            raise Refused(500, "InternalError", f"ComputeJob {name} can't be understood by this hub") from error
