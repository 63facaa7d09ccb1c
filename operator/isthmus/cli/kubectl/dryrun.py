"""--dry-run as kubectl takes it: with a value, or alone for `client`."""

from collections.abc import Sequence
from enum import StrEnum

_FLAG = "--dry-run"


class DryRun(StrEnum):
    """Whether anything is written, and who checks."""

    NONE = "none"
    CLIENT = "client"
    SERVER = "server"


def with_value(arguments: Sequence[str]) -> list[str]:
    """The arguments with the value written out where the option stands alone; what follows `--` is another's."""
    found: list[str] = []
    for place, each in enumerate(arguments):
        if each == "--":
            return found + list(arguments[place:])
        following = arguments[place + 1] if place + 1 < len(arguments) else ""
        found.append(f"{_FLAG}={DryRun.CLIENT}" if each == _FLAG and following not in set(DryRun) else each)
    return found
