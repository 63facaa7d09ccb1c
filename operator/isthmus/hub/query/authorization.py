"""Whether the caller may have the answer: the cluster is asked, for each call, in the caller's own name."""

from typing import Protocol

import structlog

from isthmus.api.core import Manifest
from isthmus.clusters import SUBJECTACCESSREVIEWS, ClusterError, Resource

from .frontproxy import Caller
from .refusals import GROUP, PLURAL, VERSION, Refused, unavailable

logger = structlog.get_logger(__name__)


class Reviews(Protocol):
    """The hub's API, as far as it is asked who may do what."""

    async def create(self, resource: Resource, obj: Manifest, namespace: str | None = None) -> Manifest:
        """Create the review; its answer comes in the status."""
        ...


def review_of(caller: Caller, namespace: str, name: str, subresource: str) -> Manifest:
    """The SubjectAccessReview that asks whether the caller may get that subresource of that ComputeJob."""
    place = {"resource": PLURAL, "subresource": subresource, "verb": "get", "namespace": namespace, "name": name}
    return _review(caller, place)


def _review(caller: Caller, attributes: Manifest) -> Manifest:
    return {
        "spec": {
            "user": caller.user,
            "groups": list(caller.groups),
            **({"uid": caller.uid} if caller.uid else {}),
            "extra": {key: list(values) for key, values in caller.extra},
            "resourceAttributes": {"group": GROUP, "version": VERSION, **attributes},
        }
    }


async def authorize(hub: Reviews, caller: Caller, namespace: str, name: str, subresource: str) -> None:
    """Return where the caller may; raise Refused (403) where not, or (503) where nobody can say."""
    why = await _denied(hub, review_of(caller, namespace, name, subresource))
    if why is not None:
        message = (
            f'{PLURAL}.{GROUP} "{name}" is forbidden: User "{caller.user}" cannot get resource '
            f'"{PLURAL}/{subresource}" in API group "{GROUP}" in the namespace "{namespace}"{why}'
        )
        raise Refused(403, "Forbidden", message, name=name)


async def authorize_list(hub: Reviews, caller: Caller, resource: str) -> None:
    """Return where the caller may list the resource, of the whole hub; raise Refused as `authorize` does."""
    why = await _denied(hub, _review(caller, {"resource": resource, "verb": "list"}))
    if why is not None:
        message = (
            f'{resource}.{GROUP} is forbidden: User "{caller.user}" cannot list resource "{resource}" in API group '
            f'"{GROUP}" at the cluster scope{why}'
        )
        raise Refused(403, "Forbidden", message)


async def _denied(hub: Reviews, review: Manifest) -> str | None:
    """What the cluster says of why not, None where the caller may. Raises Refused (503)."""
    try:
        answer = await hub.create(SUBJECTACCESSREVIEWS, review)
    except ClusterError as error:
        logger.warning("the hub can't ask who may do what", reason=error.reason, error=str(error))
        raise unavailable(f"the hub can't ask whether you may: {error.reason}; its log has more") from error
    status = answer.get("status") or {}
    if status.get("allowed") is True and not status.get("denied"):
        return None
    return f": {status['reason']}" if status.get("reason") else ""
