"""Label and field selectors as the API server reads them."""

import re
from collections.abc import Callable
from typing import Any

from isthmus.api.core import Manifest
from isthmus.clusters.errors import Invalid

Predicate = Callable[[Manifest], bool]

_SET = re.compile(r"^(?P<key>\S+)\s+(?P<op>in|notin)\s*\((?P<values>[^)]*)\)$")
_COMMA = re.compile(r",(?![^(]*\))")


def selection(labels: str | None, fields: str | None) -> Predicate:
    """A predicate for both selectors; Invalid where one can't be read."""
    requirements = [_label_requirement(part.strip()) for part in _COMMA.split(labels or "") if part.strip()]
    requirements += [_field_requirement(part.strip()) for part in (fields or "").split(",") if part.strip()]
    return lambda obj: all(holds(obj) for holds in requirements)


def _label_requirement(text: str) -> Predicate:
    found = _SET.match(text)
    if found:
        key, values = found["key"], {value.strip() for value in found["values"].split(",")}
        if found["op"] == "in":
            return lambda obj: _labels(obj).get(key) in values
        return lambda obj: _labels(obj).get(key) not in values
    if "!=" in text:
        key, value = (part.strip() for part in text.split("!=", 1))
        return lambda obj: _labels(obj).get(key) != value
    if "=" in text:
        key, value = (part.strip() for part in text.replace("==", "=").split("=", 1))
        return lambda obj: _labels(obj).get(key) == value
    if text.startswith("!"):
        return lambda obj: text[1:].strip() not in _labels(obj)
    if not re.fullmatch(r"[A-Za-z0-9./_-]+", text):
        raise Invalid(400, "BadRequest", f"unable to parse requirement: {text!r}")
    return lambda obj: text in _labels(obj)


def _field_requirement(text: str) -> Predicate:
    if "!=" in text:
        path, value = text.split("!=", 1)
        return lambda obj: _value_at(obj, path) != value
    path, _, value = text.replace("==", "=").partition("=")
    return lambda obj: _value_at(obj, path) == value


def _labels(obj: Manifest) -> dict[str, str]:
    return obj["metadata"].get("labels") or {}


def _value_at(obj: Manifest, path: str) -> str:
    value: Any = obj
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)
