"""The hub's right to read logs in a tenant's namespace of a member: it binds the role that the member made for it."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Protocol, TypeVar

import structlog

from isthmus.api.core import Manifest, Pod
from isthmus.api.names import LABEL_HUB, LABEL_MANAGED_BY, MANAGED_BY, digest
from isthmus.clusters import ROLEBINDINGS, SELFSUBJECTREVIEWS, AlreadyExists, ClusterError, Forbidden, Listing, Resource

from .refusals import Refused

T = TypeVar("T")

logger = structlog.get_logger(__name__)

ROLE = "isthmus-member-logs"
# A role that has just been bound is in force once the API server's watch has shown it.
EFFECTIVE_SECONDS = 5.0
_PAUSE_SECONDS = 0.1
_SERVICE_ACCOUNT = "system:serviceaccount:"


class Member(Protocol):
    """A member's API, as far as logs go."""

    name: str

    async def create(self, resource: Resource, obj: Manifest, namespace: str | None = None) -> Manifest:
        """Create the object."""
        ...

    async def list(
        self,
        resource: Resource,
        namespace: str | None = None,
        *,
        labels: str | None = None,
        type: type[Pod],  # noqa: A002 - as the client has it
    ) -> Listing[Pod]:
        """All that match."""
        ...

    def log(
        self, namespace: str, pod: str, options: Mapping[str, str], *, follow: bool
    ) -> AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
        """A pod's log, chunk by chunk."""
        ...


@asynccontextmanager
async def opened_log(
    member: Member, hub_uid: str, namespace: str, pod: str, options: Mapping[str, str], *, follow: bool
) -> AsyncIterator[AsyncGenerator[bytes, None]]:
    """The pod's log; where the member refuses it, the role is bound in the namespace first.

    Raises Refused (403) where the member lets the hub have neither, and ClusterError.
    """
    clock = asyncio.get_running_loop().time
    deadline: float | None = None
    while True:
        try:
            async with member.log(namespace, pod, options, follow=follow) as chunks:
                yield chunks
                return
        except Forbidden as error:
            refused = error
        if deadline is None:
            await _bind(member, hub_uid, namespace, refused)
            deadline = clock() + EFFECTIVE_SECONDS
        elif clock() > deadline:
            raise _denied(member, refused) from refused
        else:
            await asyncio.sleep(_PAUSE_SECONDS)


async def _bind(member: Member, hub_uid: str, namespace: str, refused: Forbidden) -> None:
    try:
        answer = await member.create(SELFSUBJECTREVIEWS, {})
        user = str(((answer.get("status") or {}).get("userInfo") or {}).get("username", ""))
        await member.create(ROLEBINDINGS, binding(hub_uid, namespace, user), namespace)
    except AlreadyExists:
        return
    except ClusterError as error:
        logger.warning("the hub can't read logs in a member", member=member.name, namespace=namespace, error=str(error))
        raise _denied(member, refused) from error
    logger.info("role for logs bound", member=member.name, namespace=namespace)


def binding(hub_uid: str, namespace: str, user: str) -> Manifest:
    """The RoleBinding that lets `user`, the hub as the member knows it, read logs in the namespace.

    It is named after the user: one of a user that the hub was before stands beside it, and is never written again.
    """
    if user.startswith(_SERVICE_ACCOUNT):
        home, _, account = user.removeprefix(_SERVICE_ACCOUNT).partition(":")
        subject = {"kind": "ServiceAccount", "name": account, "namespace": home}
    else:
        subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}
    return {
        "metadata": {
            "name": f"{ROLE}-{digest(user)}",
            "namespace": namespace,
            "labels": {LABEL_MANAGED_BY: MANAGED_BY, LABEL_HUB: hub_uid},
        },
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE},
        "subjects": [subject],
    }


def _denied(member: Member, error: Forbidden) -> Refused:
    message = (
        f"node {member.name} does not let the hub read logs; its administrator allows it by applying the member's "
        f"manifests anew ({error.message})"
    )
    return Refused(403, "Forbidden", message)
