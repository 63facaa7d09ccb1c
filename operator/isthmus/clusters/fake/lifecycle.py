"""What the API server does to objects that are created and changed; how they go is told in deletion.py."""

import copy
from collections.abc import Callable
from datetime import datetime

from isthmus.api.core import Manifest
from isthmus.api.names import GROUP
from isthmus.clusters.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from isthmus.clusters.resources import (
    CONFIGMAPS,
    EVENTS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    Resource,
)

from .deletion import Deletion
from .store import Key, Store
from .wording import full_name, stamp

_WITHOUT_STATUS = {CONFIGMAPS, SECRETS, EVENTS, SERVICEACCOUNTS}
_WITHOUT_GENERATION = _WITHOUT_STATUS | {NAMESPACES}


class Lifecycle:
    """The rules of writing, over a store. Time and ids come from the caller."""

    def __init__(self, store: Store, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self.clock = clock
        self._new_id = new_id
        self._deletion = Deletion(store, clock)

    def find(self, resource: Resource, key: Key) -> Manifest:
        """The stored object or NotFound, in the API server's words."""
        found = self._store.get(resource, key)
        if found is None:
            raise NotFound(404, "NotFound", f'{full_name(resource)} "{key[1]}" not found')
        return found

    def created(self, resource: Resource, obj: Manifest, namespace: str | None, *, dry_run: bool) -> Manifest:
        """Create the object; with `dry_run` only return what would be stored."""
        new = copy.deepcopy(obj)
        new = {"apiVersion": resource.api_version, "kind": resource.kind, **new}
        metadata = new["metadata"] = dict(new.get("metadata") or {})
        self._check_identity(resource, new, namespace)
        if resource.namespaced:
            metadata["namespace"] = namespace
            self._check_namespace(resource, namespace or "", metadata.get("name", ""))
        if not metadata.get("name"):
            metadata["name"] = metadata["generateName"] + self._new_id()[:5]
        key = (metadata.get("namespace", ""), metadata["name"])
        if self._store.get(resource, key) is not None:
            raise AlreadyExists(409, "AlreadyExists", f'{full_name(resource)} "{key[1]}" already exists')
        for unset in ("deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion", "generation"):
            metadata.pop(unset, None)
        metadata["uid"] = self._new_id()
        metadata["creationTimestamp"] = stamp(self.clock())
        if resource not in _WITHOUT_GENERATION:
            metadata["generation"] = 1
        if resource == NAMESPACES:
            new["spec"] = {"finalizers": ["kubernetes"]}
            new["status"] = {"phase": "Active"}
        elif resource not in _WITHOUT_STATUS:
            new.pop("status", None)
            if resource == PODS:
                new["status"] = {"phase": "Pending"}
        return new if dry_run else self._store.put(resource, key, new)

    def updated(
        self, resource: Resource, key: Key, new: Manifest, *, subresource: str | None, forced: bool = False
    ) -> Manifest:
        """Put `new` in the place of the stored object: its status alone, or all but its status.

        `forced` checks no version and takes a status with the rest.
        """
        old = self.find(resource, key)
        new = {"apiVersion": resource.api_version, "kind": resource.kind, **copy.deepcopy(new)}
        metadata = new["metadata"] = dict(new.get("metadata") or {})
        metadata.setdefault("name", key[1])
        if resource.namespaced:
            metadata.setdefault("namespace", key[0])
        self._check_identity(resource, new, key[0] or None, name=key[1])
        if not forced:
            _check_version(resource, old, metadata)
        if subresource == "status":
            new = (
                {**old, "status": new["status"]} if "status" in new else {k: v for k, v in old.items() if k != "status"}
            )
        elif subresource is None:
            status = {"status": new["status"]} if forced and "status" in new else {}
            new = {**self._main_part(resource, old, new), **status}
        else:
            raise NotFound(404, "NotFound", "the server could not find the requested resource")
        new["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
        if new == old:  # a write that changes nothing makes no version and no event
            return old
        if "deletionTimestamp" in new["metadata"] and not self._deletion.held(resource, key, new):
            self._deletion.drop(resource, key, new)  # the last finalizer is gone, and the object with it
            return new
        return self._store.put(resource, key, new)

    def deleted(
        self, resource: Resource, key: Key, *, uid: str | None, propagation: str | None, grace_seconds: int | None
    ) -> None:
        """Delete the object, or mark it where finalizers, dependents or its kubelet hold it."""
        obj = self.find(resource, key)
        self._deletion.begin(resource, key, obj, uid=uid, propagation=propagation, grace_seconds=grace_seconds)

    def _main_part(self, resource: Resource, old: Manifest, new: Manifest) -> Manifest:
        kept = old["metadata"]
        metadata = new["metadata"]
        for key in ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation"):
            metadata.pop(key, None)
            if key in kept:
                metadata[key] = kept[key]
        added = set(metadata.get("finalizers") or []) - set(kept.get("finalizers") or [])
        if "deletionTimestamp" in kept and added:
            raise Invalid(
                422,
                "Invalid",
                f'{resource.kind} "{metadata["name"]}" is invalid: metadata.finalizers: Forbidden: '
                f"no new finalizers can be added if the object is being deleted, found new finalizers {sorted(added)}",
            )
        for key in ("finalizers", "labels", "annotations", "ownerReferences"):
            if not metadata.get(key):
                metadata.pop(key, None)
        if resource not in _WITHOUT_STATUS:
            new.pop("status", None)
            if "status" in old:
                new["status"] = old["status"]
        if "generation" in kept and _content(new) != _content(old):
            metadata["generation"] += 1
        return new

    def _check_identity(
        self, resource: Resource, obj: Manifest, namespace: str | None, name: str | None = None
    ) -> None:
        metadata = obj["metadata"]
        problem = ""
        if obj["kind"] != resource.kind or obj["apiVersion"] != resource.api_version:
            problem = f"{obj['apiVersion']} {obj['kind']} is not {resource.api_version} {resource.kind}"
        elif not metadata.get("name") and not metadata.get("generateName"):
            problem = "name or generateName is required"
        elif name is not None and metadata["name"] != name:
            problem = "the name of the object does not match the name on the URL"
        elif resource.namespaced and namespace is None:
            problem = "an empty namespace may not be set during creation"
        elif resource.namespaced and metadata.get("namespace") not in {None, "", namespace}:
            problem = "the namespace of the provided object does not match the namespace sent on the request"
        if problem:
            raise Invalid(400, "BadRequest", problem)

    def _check_namespace(self, resource: Resource, namespace: str, name: str) -> None:
        found = self.find(NAMESPACES, ("", namespace))
        if "deletionTimestamp" in found["metadata"]:
            raise Forbidden(
                403,
                "Forbidden",
                f'{full_name(resource)} "{name}" is forbidden: unable to create new content in namespace {namespace} '
                "because it is being terminated",
                details={"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace"}]},
            )


def _check_version(resource: Resource, old: Manifest, metadata: Manifest) -> None:
    version = metadata.get("resourceVersion")
    if not version and resource.group == GROUP:
        raise Invalid(
            422,
            "Invalid",
            f'{full_name(resource)} "{metadata["name"]}" is invalid: metadata.resourceVersion: Invalid value: 0x0: '
            "must be specified for an update",
        )
    problem = ""
    if metadata.get("uid") and metadata["uid"] != old["metadata"]["uid"]:
        problem = (
            f"Precondition failed: UID in precondition: {metadata['uid']}, UID in object meta: {old['metadata']['uid']}"
        )
    elif version and version != old["metadata"]["resourceVersion"]:
        problem = "the object has been modified; please apply your changes to the latest version and try again"
    if problem:
        about = f'Operation cannot be fulfilled on {full_name(resource)} "{metadata["name"]}"'
        raise Conflict(409, "Conflict", f"{about}: {problem}")


def _content(obj: Manifest) -> Manifest:
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}
