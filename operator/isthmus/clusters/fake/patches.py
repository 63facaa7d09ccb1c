"""The three patches: JSON merge (RFC 7396), JSON (RFC 6902) and Kubernetes' strategic merge."""

import copy
from typing import Any

from isthmus.api.core import Manifest
from isthmus.clusters.api import JsonPatch
from isthmus.clusters.errors import Invalid

# By the name of the list: the key that tells its entries apart; "" where the entries themselves do.
MERGE_KEYS = {
    "conditions": "type",
    "containers": "name",
    "initContainers": "name",
    "env": "name",
    "volumes": "name",
    "volumeMounts": "mountPath",
    "ownerReferences": "uid",
    "schedulingGates": "name",
    "taints": "key",
    "finalizers": "",
}
_DELETE = "$deleteFromPrimitiveList/"


def merged(target: Any, patch: Any) -> Any:
    """JSON merge patch: null removes, maps merge, all else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def strategic(target: Any, patch: Any, key: str = "") -> Any:
    """Strategic merge patch: as above, but the lists in MERGE_KEYS merge entry by entry.

    `$patch: delete` removes an entry of a list of maps, `$deleteFromPrimitiveList/NAME` entries of the list NAME.
    """
    if isinstance(patch, dict):
        result = dict(target) if isinstance(target, dict) else {}
        for name, value in patch.items():
            if value is None:
                result.pop(name, None)
            elif name.startswith(_DELETE):
                short = name.removeprefix(_DELETE)
                result[short] = [entry for entry in result.get(short) or [] if entry not in value]
            elif not name.startswith("$"):
                result[name] = strategic(result.get(name), value, name)
        return result
    if isinstance(patch, list) and isinstance(target, list) and key in MERGE_KEYS:
        return _merged_list(target, patch, MERGE_KEYS[key])
    return copy.deepcopy(patch)


def _merged_list(target: list[Any], patch: list[Any], merge_key: str) -> list[Any]:
    if not merge_key:
        return [*target, *(entry for entry in patch if entry not in target)]
    result = list(target)
    for entry in patch:
        places = [place for place, old in enumerate(result) if old.get(merge_key) == entry.get(merge_key)]
        if entry.get("$patch") == "delete":
            result = [old for place, old in enumerate(result) if place not in places]
        elif places:
            result[places[0]] = strategic(result[places[0]], entry)
        else:
            result.append(copy.deepcopy(entry))
    return result


def json_patched(target: Manifest, patch: JsonPatch) -> Manifest:
    """JSON patch, all operations or none. Invalid (422) where a path isn't there or a test fails."""
    document: Any = copy.deepcopy(target)
    for operation in patch:
        op, path = operation.get("op"), operation.get("path", "")
        value = copy.deepcopy(operation.get("value"))
        if op in {"move", "copy"}:
            value = _read(document, operation["from"])
            if op == "move":
                _remove(document, operation["from"])
            _add(document, path, copy.deepcopy(value))
        elif op == "add":
            _add(document, path, value)
        elif op == "remove":
            _remove(document, path)
        elif op == "replace":
            _read(document, path)
            _put(document, path, value)
        elif op == "test":
            if _read(document, path) != value:
                raise _refused(f"testing value {path} failed")
        else:
            raise _refused(f"unknown operation {op!r}")
    result: Manifest = document
    return result


def _parent(document: Any, path: str) -> tuple[Any, str]:
    *heads, last = [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]] or [""]
    for head in heads:
        document = _child(document, head, path)
    if not isinstance(document, dict | list):
        raise _refused(f"the path {path} does not exist")
    return document, last


def _child(document: Any, key: str, path: str) -> Any:
    try:
        return document[int(key)] if isinstance(document, list) else document[key]
    except (KeyError, IndexError, ValueError, TypeError):
        raise _refused(f"the path {path} does not exist") from None


def _read(document: Any, path: str) -> Any:
    parent, key = _parent(document, path)
    return _child(parent, key, path)


def _put(document: Any, path: str, value: Any) -> None:
    parent, key = _parent(document, path)
    parent[int(key) if isinstance(parent, list) else key] = value


def _add(document: Any, path: str, value: Any) -> None:
    parent, key = _parent(document, path)
    if not isinstance(parent, list):
        parent[key] = value
    elif key == "-":
        parent.append(value)
    elif key.isdigit() and int(key) <= len(parent):
        parent.insert(int(key), value)
    else:
        raise _refused(f"the index {key} of {path} is out of bounds")


def _remove(document: Any, path: str) -> None:
    parent, key = _parent(document, path)
    _child(parent, key, path)
    del parent[int(key) if isinstance(parent, list) else key]


def _refused(problem: str) -> Invalid:
    return Invalid(422, "Invalid", f"the server rejected our request due to an error in our request: {problem}")
