"""Server-side apply: who owns which field, what a manager gives up, and where two disagree."""

import copy
from collections.abc import Iterator
from typing import Any

from isthmus.api.core import Manifest
from isthmus.clusters.errors import Conflict

from .patches import MERGE_KEYS

Path = tuple[str, ...]
_IDENTITY = {("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace"), ("metadata", "uid")}


class Ownership:
    """What each manager applied last to one object, as paths and values."""

    def __init__(self) -> None:
        self._applied: dict[str, dict[Path, Any]] = {}

    def apply(self, stored: Manifest, obj: Manifest, manager: str, *, force: bool) -> Manifest:
        """The stored object with the applied one in it.

        Fields the manager applied formerly and no longer are removed, unless another one owns them too. Without
        `force`, Conflict where another manager applied another value.
        """
        fields = dict(_leaves(obj))
        former = self._applied.get(manager, {})
        others = {name: owned for name, owned in self._applied.items() if name != manager}
        for name, owned in others.items():
            clashing = [path for path, value in fields.items() if path in owned and owned[path] != value]
            if clashing and not force:
                raise Conflict(
                    409, "Conflict", f'Apply failed with 1 conflict: conflict with "{name}": .{".".join(clashing[0])}'
                )
            for path in clashing:
                del owned[path]
        result = copy.deepcopy(stored)
        for path in former.keys() - fields.keys():
            if not any(path in owned for owned in others.values()):
                _remove(result, path)
        for path, value in fields.items():
            _set(result, path, value)
        self._applied[manager] = fields
        return result


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every field by its path; entries of keyed lists are steps of the path, other lists are one value."""
    if path in _IDENTITY:
        return
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list) and path and path[-1] in MERGE_KEYS:
        merge_key = MERGE_KEYS[path[-1]]
        for entry in value:
            if merge_key:
                yield from _leaves(entry, (*path, f"[{entry[merge_key]}]"))
            else:
                yield (*path, f"[{entry}]"), entry
    elif path:
        yield path, value


def _find(entries: list[Any], list_name: str, step: str) -> int | None:
    merge_key = MERGE_KEYS[list_name]
    name = step[1:-1]
    return next((i for i, entry in enumerate(entries) if (entry[merge_key] if merge_key else entry) == name), None)


def _set(document: Manifest, path: Path, value: Any) -> None:
    current: Any = document
    for place, step in enumerate(path[:-1]):
        if isinstance(current, list):
            index = _find(current, path[place - 1], step)
            if index is None:
                current.append({})
                index = len(current) - 1
            current = current[index]
            continue
        below: Any = [] if path[place + 1].startswith("[") and step in MERGE_KEYS else {}
        if not isinstance(current.get(step), type(below)):
            current[step] = below
        current = current[step]
    if not isinstance(current, list):
        current[path[-1]] = copy.deepcopy(value)
    elif _find(current, path[-2], path[-1]) is None:
        current.append(value)


def _remove(document: Manifest, path: Path) -> None:
    """Remove the field, and the maps and entries above it that it leaves empty."""
    chain: list[tuple[Any, Any]] = []
    current: Any = document
    for place, step in enumerate(path):
        key: Any = _find(current, path[place - 1], step) if isinstance(current, list) else step
        if key is None or (isinstance(current, dict) and key not in current):
            return
        chain.append((current, key))
        current = current[key]
    container, key = chain.pop()
    del container[key]
    while chain and not container:
        container, key = chain.pop()
        del container[key]
