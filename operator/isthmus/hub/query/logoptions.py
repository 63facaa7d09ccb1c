"""What of a log is asked for, as the query string says it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from .refusals import bad_request

_TRUE = frozenset({"true", "1"})
_FALSE = frozenset({"false", "0"})
_LARGEST = 2**31 - 1
_CONTAINER_LENGTH = 63


@dataclass(frozen=True, slots=True)
class LogOptions:
    """`index` is the job's own, global one; the rest is as in PodLogOptions, by its names there, but `follow`."""

    index: int | None
    follow: bool
    rest: Mapping[str, str]


def options_of(query: Mapping[str, str]) -> LogOptions:
    """Read the query; parameters that are not known are passed over, as Kubernetes does. Raises Refused (400)."""
    rest: dict[str, str] = {}
    for name, least in (("tailLines", 0), ("sinceSeconds", 1), ("limitBytes", 1)):
        number = _number(query, name, least)
        if number is not None:
            rest[name] = str(number)
    for name in ("timestamps", "previous"):
        if _flag(query, name):
            rest[name] = "true"
    container = query.get("container")
    if container:
        if len(container) > _CONTAINER_LENGTH or not all(c.isascii() and (c.isalnum() or c == "-") for c in container):
            raise bad_request("container is no name of a container")
        rest["container"] = container
    return LogOptions(_number(query, "index", 0), _flag(query, "follow"), rest)


def _number(query: Mapping[str, str], name: str, least: int) -> int | None:
    text = query.get(name)
    if text is None or text == "":
        return None
    # Longer than any number that is allowed, and Python would take its time over it.
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(_LARGEST)) or not least <= int(text) <= _LARGEST:
        raise bad_request(f"{name} must be a whole number from {least} to {_LARGEST}")
    return int(text)


def _flag(query: Mapping[str, str], name: str) -> bool:
    text = query.get(name, "false").lower()
    if text == "":  # as a URL's ?follow has it
        return True
    if text not in _TRUE | _FALSE:
        raise bad_request(f"{name} must be true or false")
    return text in _TRUE
