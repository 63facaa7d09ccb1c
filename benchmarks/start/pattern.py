"""All that stands in the API servers of one job, and the same of another job made from it. No I/O."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from federation.manifests import Object


@dataclass(frozen=True, slots=True)
class Footprint:
    """A job in the hub, and in its member, where its Job stays until the ComputeJob goes."""

    job: Object
    dispatch: Object
    member_job: Object
    pod: Object

    def reworded(self, words: Mapping[str, str]) -> Self:
        """The same with other words (names, UIDs, digests), wherever they stand, all at once: two may change places."""
        longest_first = sorted(words, key=len, reverse=True)
        found = re.compile("|".join(map(re.escape, longest_first)))
        text = found.sub(lambda match: words[match.group()], json.dumps(self._all()))
        return type(self)(*json.loads(text))

    def in_hub(self) -> list[tuple[str, Object]]:
        """What the hub's API server stores, by its keys."""
        return [
            (_key("isthmus.dev/computejobs", self.job), _stored(self.job)),
            (_key("isthmus.dev/dispatches", self.dispatch), _stored(self.dispatch)),
        ]

    def in_member(self) -> list[tuple[str, Object]]:
        """What the member's stores, by its keys; the owner first."""
        return [
            (_key("jobs", self.member_job), _stored(self.member_job)),
            (_key("pods", self.pod), _stored(self.pod)),
        ]

    def _all(self) -> list[Object]:
        return [self.job, self.dispatch, self.member_job, self.pod]


def _key(kind: str, obj: Object) -> str:
    return f"{kind}/{obj['metadata']['namespace']}/{obj['metadata']['name']}"


def _stored(obj: Object) -> dict[str, Any]:
    """The object as it is stored: its version is that of the store."""
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "resourceVersion"}}
