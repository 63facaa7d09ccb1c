"""How objects go: finalizers, grace periods, and what garbage collection and the namespace controller then do."""

from collections.abc import Callable
from datetime import datetime, timedelta

from isthmus.api.core import Manifest
from isthmus.clusters.errors import Conflict
from isthmus.clusters.resources import JOBS, NAMESPACES, PODS, Resource

from .store import Key, Store
from .wording import full_name, stamp

FOREGROUND = "foregroundDeletion"
_DEFAULT_GRACE_SECONDS = 30


class Deletion:
    """The rules of deletion, over a store."""

    def __init__(self, store: Store, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._clock = clock

    def begin(
        self,
        resource: Resource,
        key: Key,
        obj: Manifest,
        *,
        uid: str | None,
        propagation: str | None,
        grace_seconds: int | None,
    ) -> None:
        """Delete the object, which is `obj` as it is stored, or mark it where something holds it."""
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
            metadata["deletionTimestamp"] = stamp(self._clock() + timedelta(seconds=grace))
            metadata["deletionGracePeriodSeconds"] = grace
            if metadata.get("generation"):
                metadata["generation"] += 1
        else:
            _shorten(metadata, grace)
        if resource == NAMESPACES:
            obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
        if self.held(resource, key, obj):
            if obj != self._store.get(resource, key):
                self._store.put(resource, key, obj)
        else:
            self.drop(resource, key, obj)
        self._cascade(resource, key, metadata["uid"])

    def held(self, resource: Resource, key: Key, obj: Manifest) -> bool:
        """Whether an object that is being deleted is still kept, by finalizers, its kubelet or what it contains."""
        metadata = obj["metadata"]
        if resource == NAMESPACES and any(True for _ in self._contents(key[1])):
            return True
        return bool(metadata.get("finalizers")) or metadata["deletionGracePeriodSeconds"] > 0

    def drop(self, gone_resource: Resource, gone_key: Key, gone: Manifest) -> None:
        """Remove it; an owner in foreground deletion or a terminating namespace may have waited for it alone."""
        self._store.remove(gone_resource, gone_key)
        for resource, key, obj in list(self._store.everything()):
            if obj["metadata"]["uid"] in _owners(gone):
                self._collect(resource, key)
        namespace = gone["metadata"].get("namespace")
        if namespace:
            self._collect(NAMESPACES, ("", namespace))

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
                stored = self._store.get(other, other_key)
                if "deletionTimestamp" not in obj["metadata"] and stored is not None:
                    self.begin(other, other_key, stored, uid=None, propagation="Background", grace_seconds=None)
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
        if self.held(resource, key, obj):
            return
        self.drop(resource, key, obj)


def _shorten(metadata: Manifest, grace: int) -> None:
    """Give what is being deleted a shorter grace period, from when its deletion was asked for first."""
    saved = max(metadata["deletionGracePeriodSeconds"] - grace, 0)
    due = datetime.fromisoformat(metadata["deletionTimestamp"]) - timedelta(seconds=saved)
    metadata["deletionTimestamp"] = stamp(due)
    metadata["deletionGracePeriodSeconds"] -= saved


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


def _owners(obj: Manifest) -> set[str]:
    return {reference["uid"] for reference in obj["metadata"].get("ownerReferences") or []}
