"""What the Dispatches of one node hold of its machines, all together."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from isthmus.api.core import JobSpec
from isthmus.api.dispatch import TERMINAL, Dispatch
from isthmus.capacity import effective_request
from isthmus.placement import Assumption


@dataclass(frozen=True, slots=True)
class _Held:
    uid: str
    sequence: int
    request: Mapping[str, int]
    """Of one pod, by resource, in the units of `isthmus.api.quantities.Resources`."""
    width: int


class Holdings:
    """Kept up Dispatch by Dispatch once somebody has asked, so that asking costs the same however many there are.

    A shard holds what its pods ask for from when it is sent until it has ended, whether they run, wait or are
    suspended: it may have them all at any time. Towards its end it holds what it has still to do.
    """

    def __init__(self) -> None:
        self._kept: dict[str, _Held] | None = None
        self._sums: Counter[str] = Counter()

    def put(self, dispatch: Dispatch) -> None:
        """Take in a form of a Dispatch of the node."""
        if self._kept is None:
            return
        name, uid = dispatch.metadata["name"], dispatch.metadata["uid"]
        known = self._kept.get(name)
        self.drop(name)
        if dispatch.status.state in TERMINAL:
            return
        spec = dispatch.spec.manifest.get("spec") or {}
        request = known.request if known is not None and known.uid == uid else _request_of(spec)
        held = self._kept[name] = _Held(
            uid, dispatch.spec.sequence, request, _width_of(spec, dispatch.status.succeeded)
        )
        self._sums.update({resource: amount * held.width for resource, amount in request.items()})

    def drop(self, name: str) -> None:
        """The Dispatch holds nothing any more."""
        held = self._kept.pop(name, None) if self._kept is not None else None
        if held is not None:
            self._sums.subtract({resource: amount * held.width for resource, amount in held.request.items()})

    def sums(self, live: Collection[Dispatch], assumed: Iterable[Assumption]) -> Mapping[str, int]:
        """What is held, by resource, and what is `assumed` of Dispatches that are not among the `live` yet."""
        if self._kept is None:
            self._kept = {}
            for dispatch in live:
                self.put(dispatch)
        coming = list(assumed)
        if not coming:
            return self._sums
        written = {held.sequence for held in self._kept.values()}
        sums = Counter(self._sums)
        for each in coming:
            if each.sequence not in written:
                sums.update({resource: amount * each.width for resource, amount in each.demand.request.items()})
        return sums


def _request_of(spec: Mapping[str, object]) -> Mapping[str, int]:
    return effective_request(msgspec.convert(spec, JobSpec, strict=False).template.spec)


def _width_of(spec: Mapping[str, object], succeeded: int) -> int:
    """How many of its pods may run at once yet."""
    parallelism, completions = spec.get("parallelism", 1), spec.get("completions")
    width = parallelism if isinstance(parallelism, int) else 1
    return min(width, max(completions - succeeded, 0)) if isinstance(completions, int) else width
