"""YAML from files that may be meant badly: bounded in depth, and in what its aliases come to."""

from typing import Any

import yaml

# Ten times as fast, where libyaml is there. It recurses on the C stack, which nothing but the bound below protects.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 200
_TIMES = 10
_ALIASED = 1_000_000  # values that a small file's aliases may come to


class YamlTooLargeError(Exception):
    """It is nested too deeply, or its aliases come to too much."""


def load_all(text: str) -> list[Any]:
    """The documents. Raises yaml.YAMLError, ValueError and YamlTooLargeError."""
    aliased = _aliased(text)
    documents = list(yaml.load_all(text, Loader=_LOADER))
    if aliased:
        known: dict[int, tuple[int, int]] = {}
        if _expanded(documents, known, set()) > _ALIASED + _TIMES * sum(own for _, own in known.values()):
            raise YamlTooLargeError(f"its aliases make it more than {_TIMES} times what it is")
    return documents


def _aliased(text: str) -> bool:
    """Whether there are aliases; looks at the depth before anything is built."""
    depth, found = 0, False
    for event in yaml.parse(text, Loader=_LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _DEEPEST:
                place = f"line {event.start_mark.line + 1}: " if event.start_mark else ""
                raise YamlTooLargeError(f"{place}nested more than {_DEEPEST} levels deep")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        found = found or isinstance(event, yaml.AliasEvent)
    return found


def _expanded(value: object, known: dict[int, tuple[int, int]], above: set[int]) -> int:
    """How many values it is with all aliases written out. `known` has that of each collection, and its own length."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) in above:
        raise YamlTooLargeError("an alias stands for what it is in itself")
    if id(value) not in known:
        above.add(id(value))
        inner = value.values() if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded(each, known, above) for each in inner), 1 + len(value)
        above.remove(id(value))
    return known[id(value)][0]
