"""How a node's shards ended in the last days, by which placement knows what it is worth.

Kept in memory. A hub that starts has what the Dispatches tell that are still there: those whose jobs are.
"""

from datetime import date, datetime, timedelta

from isthmus.api.dispatch import Dispatch, DispatchState

DAYS = 7
"""How long an end counts."""
PRIOR = 20
"""As many shards are taken to have been there before, so that one loss does not condemn a new node."""
PRIOR_PERCENT = 95
STEP = 5
"""Percent are rounded to this, so that each end does not have every job judged anew."""

_KEPT = frozenset({DispatchState.SUCCEEDED, DispatchState.FAILED})
_BROKEN = frozenset({DispatchState.LOST, DispatchState.REFUSED})
# Lost by the hub or by the job's own rules, through no fault of the node.
_EXCUSED = frozenset({"NeverCreated", "StoppedByPause"})


class Record:
    """Counts by day (UTC) of shards that ran to their end, and of those that the node lost or refused."""

    def __init__(self) -> None:
        self._days: dict[date, tuple[int, int]] = {}
        self._told: tuple[date, int] | None = None

    def ended(self, dispatch: Dispatch) -> None:
        """Take in the end of a shard, once. Cancelled ones, and those lost by no fault of the node, don't count."""
        status = dispatch.status
        broken = status.state in _BROKEN and status.reason not in _EXCUSED
        if not broken and status.state not in _KEPT:
            return
        text = status.completion_time or status.verdict_time or dispatch.metadata.get("creationTimestamp")
        if not text:
            return
        day = date.fromisoformat(text[:10])
        kept, lost = self._days.get(day, (0, 0))
        self._days[day] = (kept + (not broken), lost + broken)
        self._told = None

    def percent(self, now: datetime) -> int:
        """Of the shards of the last days the share that ran to their end, 0..100, with the prior, in whole steps."""
        today = now.date()
        if self._told is None or self._told[0] != today:
            first = today - timedelta(days=DAYS - 1)
            self._days = {day: counts for day, counts in self._days.items() if day >= first}
            kept = sum(each for each, _ in self._days.values())
            lost = sum(each for _, each in self._days.values())
            share = (100 * kept + PRIOR * PRIOR_PERCENT) / (kept + lost + PRIOR)
            self._told = (today, round(share / STEP) * STEP)
        return self._told[1]
