"""A cache of the objects of one kind, which tells every difference between one state and the next. Does no I/O."""

from collections.abc import Callable, Iterable
from typing import Generic, Literal, TypeVar

import structlog

from isthmus.api.reference import reference

from .api import Listing, Undecodable, WatchEvent
from .decoding import identity_of

T = TypeVar("T")
Key = tuple[str, str]
ChangeKind = Literal["ADDED", "MODIFIED", "DELETED"]
OnChange = Callable[[ChangeKind, T | None, T], None]

_log = structlog.get_logger(__name__)


class ObjectCache(Generic[T]):
    """`items` holds the objects by (namespace, name); `undecodable` what is there but can't be read.

    An object that can't be read any more keeps its last good state: it is there all the same, and to take it for
    deleted would set things in motion. `name` and `kind` say in logs whose objects these are, and which.
    """

    def __init__(
        self,
        name: str,
        on_change: OnChange[T] | None = None,
        transform: Callable[[T], T] | None = None,
        kind: str = "",
    ) -> None:
        self.items: dict[Key, T] = {}
        self.undecodable: dict[Key, Undecodable] = {}
        self._name = name
        self._kind = kind
        self._on_change = on_change
        self._transform = transform

    def received(self, page: Listing[T]) -> Listing[T]:
        """A page of a list as it is to be kept, so that no more than one page ever stands in memory as it came."""
        if self._transform is None:
            return page
        kept, bad = list[T](), list(page.undecodable)
        for obj in page.items:
            shrunk = self._shrunk(obj)
            if isinstance(shrunk, Undecodable):
                bad.append(shrunk)
            else:
                kept.append(shrunk)
        return Listing(kept, page.resource_version, tuple(bad))

    def replace(self, objects: Iterable[T], undecodable: Iterable[Undecodable]) -> None:
        """Take a whole list, each page of which was `received`, as the new state; tell differences, deletions first."""
        bad = {(entry.namespace, entry.name): entry for entry in undecodable}
        new = {identity_of(obj)[:2]: obj for obj in objects}
        for key in [key for key in self.items if key not in new and key not in bad]:
            self._remove(key, None)
        self.undecodable = {key: entry for key, entry in self.undecodable.items() if key in bad}
        for key, obj in new.items():
            self._put(key, obj)
        for entry in bad.values():
            self._complain(entry)

    def take(self, event: WatchEvent[T]) -> None:
        """Take one event of a watch."""
        if event.undecodable is not None:
            if event.kind == "DELETED":
                self._remove((event.undecodable.namespace, event.undecodable.name), None)
            else:
                self._complain(event.undecodable)
        elif event.object is not None:
            key = identity_of(event.object)[:2]
            if event.kind == "DELETED":
                self._remove(key, event.object)
            else:
                shrunk = self._shrunk(event.object)
                if isinstance(shrunk, Undecodable):
                    self._complain(shrunk)
                else:
                    self._put(key, shrunk)

    def _shrunk(self, obj: T) -> T | Undecodable:
        if self._transform is None:
            return obj
        namespace, name, version, uid = identity_of(obj)
        old = self.items.get((namespace, name))
        if old is not None and identity_of(old)[2:] == (version, uid):
            return old
        try:
            return self._transform(obj)
        except Exception as error:  # noqa: BLE001 - one odd object must not end the cache
            return Undecodable(namespace, name, version, repr(error))

    def _put(self, key: Key, obj: T) -> None:
        _, _, version, uid = identity_of(obj)
        old = self.items.get(key)
        if old is not None:
            _, _, old_version, old_uid = identity_of(old)
            if old_version == version and old_uid == uid:
                return
            if old_uid != uid:  # deleted and made anew while nobody looked
                self._remove(key, None)
                old = None
        self.undecodable.pop(key, None)
        self.items[key] = obj
        self._tell("MODIFIED" if old is not None else "ADDED", old, obj)

    def _remove(self, key: Key, last: T | None) -> None:
        self.undecodable.pop(key, None)
        old = self.items.pop(key, None)
        if old is not None:
            self._tell("DELETED", old, old if last is None else last)

    def _complain(self, bad: Undecodable) -> None:
        key = (bad.namespace, bad.name)
        if self.undecodable.get(key) != bad:
            _log.warning(
                "object can't be read, its last good state is kept",
                cache=self._name,
                **reference(self._kind, {"namespace": bad.namespace, "name": bad.name}),
                problem=bad.problem,
            )
        self.undecodable[key] = bad

    def _tell(self, kind: ChangeKind, old: T | None, new: T) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(kind, old, new)
        except Exception:  # noqa: BLE001 - whatever the caller's function raises, the cache goes on
            _log.exception("a change callback failed", cache=self._name)
