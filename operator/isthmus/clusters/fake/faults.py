"""Faults on demand: errors and callbacks before or after chosen calls, so that a test can crash between any two."""

from collections.abc import Callable
from dataclasses import dataclass

from isthmus.api.core import Manifest
from isthmus.clusters.api import JsonPatch
from isthmus.clusters.resources import Resource

WRITES = frozenset({"create", "replace", "patch", "apply", "delete"})


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the client."""

    verb: str
    resource: Resource | None
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None
    body: Manifest | JsonPatch | None = None

    @property
    def is_write(self) -> bool:
        """Whether it changes the cluster."""
        return self.verb in WRITES


Matcher = Callable[[Call], bool]
Callback = Callable[[Call], object]


class _Rule:
    """One fault: its act runs at the moments it matches, at most `times` times (None: always)."""

    def __init__(self, matches: Matcher, act: Callback, times: int | None, *, after: bool) -> None:
        self.matches = matches
        self.act = act
        self.left = times
        self.after = after


class Faults:
    """The rules in force, in the order they were given."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []

    def add(self, matches: Matcher, act: Callback, times: int | None, *, after: bool) -> None:
        """Run `act` before, or `after`, each of the next `times` calls that match; what it raises, the caller gets."""
        self._rules.append(_Rule(matches, act, times, after=after))

    def run(self, call: Call, *, after: bool) -> None:
        """Let every rule act that matches this moment."""
        for rule in list(self._rules):
            if rule.after != after or not rule.matches(call):
                continue
            if rule.left is not None:
                rule.left -= 1
                if rule.left <= 0:
                    self._rules.remove(rule)
            rule.act(call)

    def clear(self) -> None:
        """Drop all rules."""
        self._rules.clear()


def matching(verb: str | None, resource: Resource | None, name: str | None = None) -> Matcher:
    """A matcher of calls of that verb ("write" for any that changes something), resource and name; None: any."""

    def matches(call: Call) -> bool:
        return (
            (verb is None or call.verb == verb or (verb == "write" and call.is_write))
            and (resource is None or call.resource == resource)
            and (name is None or call.name == name)
        )

    return matches
