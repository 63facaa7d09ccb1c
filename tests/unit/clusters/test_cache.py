from typing import Any

from isthmus.clusters import Listing, Undecodable, WatchEvent
from isthmus.clusters.cache import ObjectCache

Told = list[tuple[str, str, str | None, str]]


def _object(name: str, version: int, uid: str = "u") -> dict[str, Any]:
    return {"metadata": {"namespace": "a", "name": name, "resourceVersion": str(version), "uid": uid}}


def _version(obj: dict[str, Any]) -> str:
    version: str = obj["metadata"]["resourceVersion"]
    return version


def _cache() -> tuple[ObjectCache[dict[str, Any]], Told]:
    told: Told = []

    def on_change(kind: str, old: dict[str, Any] | None, new: dict[str, Any]) -> None:
        told.append((kind, new["metadata"]["name"], _version(old) if old else None, _version(new)))

    return ObjectCache("test", on_change), told


def _event(kind: Any, obj: dict[str, Any]) -> WatchEvent[dict[str, Any]]:
    return WatchEvent(kind, obj, _version(obj))


def test_events_are_told_with_the_state_before() -> None:
    """Each event of a watch is told once, with the object as it was."""
    cache, told = _cache()
    for event in (
        _event("ADDED", _object("p", 1)),
        _event("MODIFIED", _object("p", 2)),
        _event("DELETED", _object("p", 3)),
    ):
        cache.take(event)
    assert told == [("ADDED", "p", None, "1"), ("MODIFIED", "p", "1", "2"), ("DELETED", "p", "2", "3")]
    assert cache.items == {}


def test_a_new_list_tells_only_the_differences() -> None:
    """After a gap: what is gone, what is new, what changed; nothing about what stayed."""
    cache, told = _cache()
    cache.replace([_object("gone", 1), _object("same", 2), _object("changed", 3)], [])
    told.clear()
    cache.replace([_object("same", 2), _object("changed", 5), _object("new", 6)], [])
    assert told == [("DELETED", "gone", "1", "1"), ("MODIFIED", "changed", "3", "5"), ("ADDED", "new", None, "6")]


def test_an_object_made_anew_is_another_object() -> None:
    """Same name, other UID: deleted and made anew while nobody looked, so both are told."""
    cache, told = _cache()
    cache.replace([_object("p", 1, "first")], [])
    cache.replace([_object("p", 9, "second")], [])
    assert told == [("ADDED", "p", None, "1"), ("DELETED", "p", "1", "1"), ("ADDED", "p", None, "9")]


def test_what_cannot_be_read_keeps_its_last_good_state() -> None:
    """An object that can't be read any more is not taken for deleted, by a watch or a new list, until it is."""
    cache, told = _cache()
    cache.replace([_object("p", 1)], [])
    bad = Undecodable("a", "p", "2", "$.status: expected an object")
    cache.take(WatchEvent("MODIFIED", None, "2", bad))
    cache.replace([], [bad])
    assert cache.items == {("a", "p"): _object("p", 1)}
    assert cache.undecodable == {("a", "p"): bad}
    assert told == [("ADDED", "p", None, "1")]
    cache.take(WatchEvent("DELETED", None, "3", bad))
    assert (cache.items, cache.undecodable) == ({}, {})
    assert told[-1] == ("DELETED", "p", "1", "1")


def test_what_can_be_read_again_is_no_longer_told_as_unreadable() -> None:
    """A mended object takes its place again."""
    cache, told = _cache()
    cache.replace([], [Undecodable("a", "p", "1", "odd"), Undecodable("a", "q", "1", "odd")])
    cache.take(_event("MODIFIED", _object("p", 2)))
    cache.replace([_object("p", 2)], [])
    assert cache.undecodable == {}
    assert told == [("ADDED", "p", None, "2")]


def test_a_callback_that_raises_ends_nothing() -> None:
    """The cache takes every change though its caller's function fails on each."""

    def fails(*_: object) -> None:
        raise RuntimeError("a bug of the caller")

    cache: ObjectCache[dict[str, Any]] = ObjectCache("test", fails)
    cache.replace([_object("p", 1)], [])
    cache.take(_event("ADDED", _object("q", 2)))
    assert len(cache.items) == 2


def test_a_transform_shrinks_what_is_kept() -> None:
    """Only the transformed object is kept; one that can't be transformed is told as unreadable."""

    def transform(obj: dict[str, Any]) -> dict[str, Any]:
        return {"metadata": obj["metadata"], "kept": obj["spec"]["wanted"]}

    cache: ObjectCache[dict[str, Any]] = ObjectCache("test", None, transform)
    good = {**_object("p", 1), "spec": {"wanted": 1, "other": "x" * 100}}
    page = cache.received(Listing([good, _object("q", 2)], "2"))
    cache.replace(page.items, page.undecodable)
    assert cache.items == {("a", "p"): {"metadata": good["metadata"], "kept": 1}}
    assert cache.undecodable["a", "q"].problem == "KeyError('spec')"
