"""One process' side of the reading protocol for one shard, as these tests play it."""

from collections.abc import Iterable
from datetime import datetime

from isthmus.api.dispatch import Reading
from isthmus.metering import Advance, PodUse, advance


class Tally:
    """Remembers, between two readings of a shard, the pods that are not settled yet.

    For each turn: `advance`, write its reading if it changed, tell `stands` what the status says after that, and only
    when it is that reading remove the finalizers of `release`. Whoever wrote the status, and whether a write that
    failed did land after all, `stands` works out.
    """

    def __init__(self, standing: Reading | None) -> None:
        """`standing` is the reading in the Dispatch's status; the pods must be listed after it was read."""
        self.standing = standing
        self._live: dict[str, PodUse] = {}
        self._pending: Advance | None = None

    def advance(self, pods: Iterable[PodUse], *, now: datetime, final: bool = False) -> Advance:
        """The next reading; see `isthmus.metering.advance`."""
        self._pending = advance(self.standing, pods, now=now, final=final, last_known=self._live)
        if not self._pending.changed:
            self._live = dict(self._pending.live)
        return self._pending

    def stands(self, reading: Reading | None) -> bool:
        """Take in the reading that stands in the status now.

        False where it is neither the last one computed here nor the one before: another process wrote it, and the pods
        must be listed anew before the next turn.
        """
        pending, self._pending = self._pending, None
        before, self.standing = self.standing, reading
        if pending is not None and reading == pending.reading:
            self._live = dict(pending.live)
        elif reading == before:
            # The write failed. What it would have settled is still to be settled; what was new is known now.
            self._live |= dict(pending.live) if pending is not None else {}
        else:
            self._live = {}
            return False
        return True
