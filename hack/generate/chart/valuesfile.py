"""values.yaml: every value with its default, and what it means above it."""

import textwrap
from collections.abc import Iterator

from generate.yamltext import yaml_text

from .fields import Entry, entries

_HEAD = (
    "# Rendered by `make generate` from hack/generate/chart/values.py, where the values of this chart are declared.\n"
)
_WIDTH = 118


def values_text() -> str:
    """The file."""
    return _HEAD + "".join(_lines(entry) for entry in entries())


def _lines(entry: Entry) -> str:
    depth = len(entry.path) - 1
    space = "\n" if depth == 0 else ""
    return space + textwrap.indent("\n".join([*_comment(entry, depth), _value(entry)]) + "\n", "  " * depth)


def _comment(entry: Entry, depth: int) -> Iterator[str]:
    text = " ".join([entry.text, *([_allowed(entry)] if _allowed(entry) else [])])
    yield from (f"# {line}" for line in textwrap.wrap(text, _WIDTH - 2 * depth - 2, break_long_words=False))


def _allowed(entry: Entry) -> str:
    choices = entry.schema.get("enum")
    return f"({', '.join(choices)})" if choices else ""


def _value(entry: Entry) -> str:
    name = entry.path[-1]
    return f"{name}:" if entry.is_group else yaml_text({name: entry.default}).rstrip("\n")
