"""What the API server does to objects that are created, changed and deleted, and what garbage collection does then."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from isthmus.api.core import Manifest
from isthmus.api.names import GROUP
from isthmus.clusters.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from isthmus.clusters.resources import (
    CONFIGMAPS,
    EVENTS,
    JOBS,
    NAMESPACES,
    PODS,
    SECRETS,
    SERVICEACCOUNTS,
    Resource,
)

from .store import Key, Store

FOREGROUND = "foregroundDeletion"
_WITHOUT_STATUS = {CONFIGMAPS, SECRETS, EVENTS, SERVICEACCOUNTS}
_WITHOUT_GENERATION = _WITHOUT_STATUS | {NAMESPACES}
_DEFAULT_GRACE_SECONDS = 30


class Lifecycle:
    """The rules of writing, over a store. Time and ids come from the caller."""

    def __init__(self, store: Store, clock: Callable[[], datetime], new_id: Callable[[], str]) -> None:
        self._store = store
        self.clock = clock
        self._new_id = new_id

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
        if "deletionTimestamp" in new["metadata"] and not self._held(resource, key, new):
            self._drop(resource, key, new)  # the last finalizer is gone, and the object with it
            return new
        return self._store.put(resource, key, new)

    def deleted(
        self, resource: Resource, key: Key, *, uid: str | None, propagation: str | None, grace_seconds: int | None
    ) -> None:
        """Delete the object, or mark it where finalizers, dependents or its kubelet hold it."""
        obj = self.find(resource, key)
        metadata = obj["metadata"]
        if uid is not None and uid != metadata["uid"]:
            raise Conflict(
                409,
                "Conflict",
                f'Operation cannot be fulfilled on {full_name(resource)} "{key[1]}": Precondition failed: '
                f"UID in precondition: {uid}, UID in object meta: {metadata['uid']}",
            )
        policy = propagation or ("Orphan" if resource == JOBS else "Background")
        grace = _grace(resource, obj, grace_seconds)
        finalizers = [name for name in metadata.get("finalizers") or [] if name != FOREGROUND]
        if policy == "Foreground" and self._dependents(metadata["uid"]):
            finalizers.append(FOREGROUND)
        if policy == "Orphan":
            self._release_dependents(metadata["uid"])
        metadata["finalizers"] = finalizers
        if not finalizers:
            del metadata["finalizers"]
        if "deletionTimestamp" not in metadata:
            metadata["deletionTimestamp"] = stamp(self.clock() + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
            if metadata.get("generation"):
                metadata["generation"] += 1
        else:
            _shorten(metadata, grace)
        if resource == NAMESPACES:
            obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
        if self._held(resource, key, obj):
            if obj != self._store.get(resource, key):
                self._store.put(resource, key, obj)
        else:
            self._drop(resource, key, obj)
        self._cascade(resource, key, metadata["uid"])

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

    def _held(self, resource: Resource, key: Key, obj: Manifest) -> bool:
        metadata = obj["metadata"]
        if resource == NAMESPACES and any(True for _ in self._contents(key[1])):
            return True
        return bool(metadata.get("finalizers")) or metadata["deletionGracePeriodSeconds"] > 0

    def _contents(self, namespace: str) -> list[tuple[Resource, Key, Manifest]]:
        return [entry for entry in self._store.everything() if entry[0].namespaced and entry[1][0] == namespace]

    def _dependents(self, uid: str) -> list[tuple[Resource, Key, Manifest]]:
        return [entry for entry in self._store.everything() if uid in _owners(entry[2])]

    def _release_dependents(self, uid: str) -> None:
        for resource, key, obj in self._dependents(uid):
            obj["metadata"]["ownerReferences"] = [
                reference for reference in obj["metadata"]["ownerReferences"] if reference["uid"] != uid
            ]
            self._store.put(resource, key, obj)

    def _cascade(self, resource: Resource, key: Key, uid: str) -> None:
        """Garbage collection and the namespace controller, at once."""
        doomed = self._contents(key[1]) if resource == NAMESPACES else self._dependents(uid)
        owner = self._store.get(resource, key)
        if owner is None or resource == NAMESPACES or FOREGROUND in (owner["metadata"].get("finalizers") or []):
            for other, other_key, obj in doomed:
                if "deletionTimestamp" not in obj["metadata"] and self._store.get(other, other_key) is not None:
                    self.deleted(other, other_key, uid=None, propagation="Background", grace_seconds=None)
        self._collect(resource, key)

    def _collect(self, resource: Resource, key: Key) -> None:
        """Remove the object where nothing holds it any more, then whatever waited for it."""
        obj = self._store.get(resource, key)
        if obj is None or "deletionTimestamp" not in obj["metadata"]:
            return
        metadata = obj["metadata"]
        finalizers = metadata.get("finalizers") or []
        if FOREGROUND in finalizers and not self._dependents(metadata["uid"]):
            metadata["finalizers"] = finalizers = [name for name in finalizers if name != FOREGROUND]
            if not finalizers:
                del metadata["finalizers"]
            self._store.put(resource, key, obj)
        if self._held(resource, key, obj):
            return
        self._drop(resource, key, obj)

    def _drop(self, gone_resource: Resource, gone_key: Key, gone: Manifest) -> None:
        """Remove it; an owner in foreground deletion or a terminating namespace may have waited for it alone."""
        self._store.remove(gone_resource, gone_key)
        for resource, key, obj in list(self._store.everything()):
            if obj["metadata"]["uid"] in _owners(gone):
                self._collect(resource, key)
        namespace = gone["metadata"].get("namespace")
        if namespace:
            self._collect(NAMESPACES, ("", namespace))


def full_name(resource: Resource) -> str:
    """`jobs.batch`, as the API server calls a kind in its messages."""
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _shorten(metadata: Manifest, grace: int) -> None:
    """Give what is being deleted a shorter grace period, from when its deletion was asked for first."""
    saved = max(metadata["deletionGracePeriodSeconds"] - grace, 0)
    due = datetime.fromisoformat(metadata["deletionTimestamp"]) - timedelta(seconds=saved)
    metadata["deletionTimestamp"] = stamp(due)
    metadata["deletionGracePeriodSeconds"] -= saved


def stamp(instant: datetime) -> str:
    """RFC 3339 in UTC, whole seconds, as the API server writes times."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


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


def _grace(resource: Resource, obj: Manifest, asked: int | None) -> int:
    """Only a pod on a machine, and not ended yet, is given time; its kubelet confirms with a grace of 0."""
    if resource != PODS or not obj.get("spec", {}).get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
        return 0
    if asked is not None:
        return asked
    default: int = obj["spec"].get("terminationGracePeriodSeconds", _DEFAULT_GRACE_SECONDS)
    return default


def _content(obj: Manifest) -> Manifest:
    return {key: value for key, value in obj.items() if key not in {"metadata", "status"}}


def _owners(obj: Manifest) -> set[str]:
    return {reference["uid"] for reference in obj["metadata"].get("ownerReferences") or []}
