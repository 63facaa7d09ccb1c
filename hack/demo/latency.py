"""How long a job takes to get through: from the call that creates it to the first sight of its Job in a member."""

import threading
from collections.abc import Sequence
from math import ceil


class Stopwatch:
    """Instants of one monotonic clock (seconds) by the ComputeJob's UID, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._created: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def created(self, uid: str, at: float) -> None:
        """The call that created the job began."""
        with self._lock:
            self._created[uid] = at

    def seen(self, uid: str, at: float) -> None:
        """A watch told of the job's Job in a member; only the first time counts."""
        with self._lock:
            self._seen[uid] = min(at, self._seen.get(uid, at))

    def milliseconds(self) -> dict[str, float]:
        """The time of each job that is through, by UID."""
        with self._lock:
            return {uid: 1000 * (at - self._created[uid]) for uid, at in self._seen.items() if uid in self._created}


def percentile(values: Sequence[float], percent: float) -> float | None:
    """The nearest-rank percentile: the smallest value that `percent` of them don't exceed; None of nothing."""
    if not values:
        return None
    return sorted(values)[max(1, ceil(len(values) * percent / 100)) - 1]
