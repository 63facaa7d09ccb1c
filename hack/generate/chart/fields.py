"""The values one by one, as tables and values.yaml tell them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .schema import Schema, values_schema
from .values import ChartValues


@dataclass(frozen=True, slots=True)
class Entry:
    """A value, or a group of values; `path` is its key by the groups above it."""

    path: tuple[str, ...]
    schema: Schema
    default: Any

    @property
    def is_group(self) -> bool:
        """Whether it holds values of its own."""
        return "properties" in self.schema

    @property
    def text(self) -> str:
        """What people read about it."""
        return str(self.schema.get("description", ""))


def entries() -> Iterator[Entry]:
    """All groups and values, each group before what it holds."""
    defaults = ChartValues().model_dump(mode="json", by_alias=True)
    schema = values_schema()
    schema["properties"].pop("global")
    return _entries(schema, defaults, ())


def _entries(schema: Schema, defaults: Mapping[str, Any], above: tuple[str, ...]) -> Iterator[Entry]:
    for name, field in schema["properties"].items():
        entry = Entry((*above, name), field, defaults[name])
        yield entry
        if entry.is_group:
            yield from _entries(field, defaults[name], entry.path)
