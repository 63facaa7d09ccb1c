"""Which Dispatches are in a profile's figures, told in a number and a short list."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field

BEYOND_LIMIT = 256
# A number that is handed out but never seen belonged to a create that failed, or to a Dispatch since deleted. A create
# takes at most a request timeout, so after this long it can't appear any more.
GAP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Visible:
    """Every Dispatch up to `sequence` is in the figures, and those of `beyond`."""

    sequence: int
    beyond: tuple[int, ...]


@dataclass(slots=True)
class SequenceTracker:
    """Follows the Dispatch sequences of one node.

    `floor` is the sequence that was last published: what was covered once stays covered.
    """

    floor: int = 0
    _gaps: dict[int, float] = field(default_factory=dict)

    def visible(self, counted: Iterable[int], now: float) -> Visible:
        """What is in the figures: the sequences that are `counted` in them, and those before that can't come any more.

        `now` is in seconds of a monotonic clock.
        """
        seen = counted if isinstance(counted, AbstractSet) else set(counted)
        top = max(seen, default=self.floor)
        current = self.floor
        while current < top:
            following = current + 1
            if following not in seen and now - self._gaps.setdefault(following, now) < GAP_SECONDS:
                break
            self._gaps.pop(following, None)
            current = following
        # Gaps age together: each is first noticed as soon as something stands beyond it, not one after the other.
        for number in range(current + 1, top):
            if number not in seen:
                self._gaps.setdefault(number, now)
        self.floor = current
        self._gaps = {number: since for number, since in self._gaps.items() if current < number < top}
        return Visible(current, tuple(sorted(s for s in seen if s > current))[:BEYOND_LIMIT])

    def seconds_left(self, now: float) -> float | None:
        """Seconds until a number that is missing can't come any more, which is news by itself; None where none is."""
        oldest = min(self._gaps.values(), default=None)
        return None if oldest is None else max(oldest + GAP_SECONDS - now, 0.0)
