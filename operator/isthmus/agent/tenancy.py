"""The member namespace of one tenant: made before its first Job, with its quota and its network policy."""

from isthmus.api.core import Manifest
from isthmus.api.dispatch import Dispatch
from isthmus.api.names import LABEL_HUB, tenant_namespace
from isthmus.clusters import (
    NAMESPACES,
    NETWORKPOLICIES,
    RESOURCEQUOTAS,
    SERVICEACCOUNTS,
    AlreadyExists,
    ApiError,
    Conflict,
    KubernetesApi,
    NotFound,
    Resource,
)
from isthmus.manifests import tenant_objects

_RESOURCES: dict[str, Resource] = {
    "Namespace": NAMESPACES,
    "NetworkPolicy": NETWORKPOLICIES,
    "ResourceQuota": RESOURCEQUOTAS,
    "ServiceAccount": SERVICEACCOUNTS,
}


class NamespaceTaken(ApiError):  # noqa: N818 - the tree of cluster errors names what happened
    """The namespace is there and isn't ours."""

    reason = "NamespaceTaken"


class Tenancy:
    """Makes tenants' namespaces in one member, each once a connection."""

    def __init__(self, member: KubernetesApi, hub_uid: str) -> None:
        self._member = member
        self._hub_uid = hub_uid
        self._ready: set[str] = set()

    def forget(self, namespace: str) -> None:
        """The namespace was found missing: make it again before the next Job."""
        self._ready.discard(namespace)

    async def ensure(self, dispatch: Dispatch) -> str:
        """The namespace for the Dispatch's Job, made with all that belongs to it. Raises ClusterError."""
        reference = dispatch.spec.job
        namespace = tenant_namespace(self._hub_uid, reference.namespace)
        if namespace in self._ready:
            return namespace
        for manifest in tenant_objects(self._hub_uid, reference.namespace, dispatch.spec.account):
            await self._ensure(manifest)
        self._ready.add(namespace)
        return namespace

    async def _ensure(self, manifest: Manifest) -> None:
        resource = _RESOURCES[manifest["kind"]]
        metadata = manifest["metadata"]
        namespace = metadata.get("namespace")
        try:
            present = await self._member.get(resource, metadata["name"], namespace)
        except NotFound:
            try:
                await self._member.create(resource, manifest, namespace)
            except AlreadyExists:
                # The member's own controllers make the default ServiceAccount at about the same time.
                await self._ensure(manifest)
            return
        if present["metadata"].get("deletionTimestamp"):
            raise Conflict(409, "Terminating", f"{manifest['kind']} {metadata['name']} is being deleted")
        if manifest["kind"] == "Namespace":
            owner = (present["metadata"].get("labels") or {}).get(LABEL_HUB)
            if owner != metadata["labels"][LABEL_HUB]:
                raise NamespaceTaken(
                    409, "NamespaceTaken", f"namespace {metadata['name']} is there without this hub's label"
                )
        elif manifest["kind"] == "ServiceAccount" and present.get("automountServiceAccountToken") is not False:
            await self._member.patch(
                resource, metadata["name"], namespace, {"automountServiceAccountToken": False}, kind="merge"
            )
