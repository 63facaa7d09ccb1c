"""A job over all its Dispatches: what is done, what is left to dispatch, and whether and how it has ended. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from isthmus.api.computejob import Phase
from isthmus.api.dispatch import TERMINAL, Dispatch, DispatchState
from isthmus.api.indexes import IndexSet, claimed

from .attempts import MAX_ATTEMPTS, wasted
from .work import Work

FAILED_INDEXES = "FailedIndexes"


@dataclass(frozen=True, slots=True)
class Ending:
    """How the job ended, or will once its last shards have stopped."""

    phase: Phase
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Rest:
    """What is to be dispatched now, `width` pods at once; `indexes` and `count` are None where it is the whole job."""

    width: int
    indexes: IndexSet | None = None
    count: int | None = None
    index_failures: int = 0
    """How many pods of each of these indexes have failed before."""

    @property
    def whole(self) -> bool:
        """Whether it is the job as its template says."""
        return self.indexes is None and self.count is None


@dataclass(frozen=True, slots=True)
class Progress:
    """What the Dispatches of a job say together."""

    completed: IndexSet
    failed: IndexSet
    succeeded: int
    """Of an Indexed job, indexes; of others, pods."""
    failures: int
    """Pods that failed for reasons of their own."""
    live: tuple[tuple[str, Dispatch], ...]
    rest: Rest | None
    ending: Ending | None
    ended_restarts: int = 0
    """Restarts of containers in shards that have ended, where they count: those of a live one may yet not."""
    active_seconds: int = 0
    """For how long the job has been active, where that is limited."""


def progress_of(work: Work, dispatches: Sequence[tuple[str, Dispatch]]) -> Progress:
    """Judge the job by its limits, over all shards and attempts."""
    sums = _Sums.of(work, dispatches)
    ending = _failed_shard(sums) or _passed_limit(sums)
    rest = None if ending else _rest(sums)
    if ending is None and rest is None and dispatches and not sums.live:
        ending = _done(sums)
    return Progress(
        sums.completed,
        sums.failed,
        sums.succeeded,
        sums.failures,
        sums.live,
        rest,
        ending,
        ended_restarts=sums.ended_restarts,
        active_seconds=sums.active_seconds,
    )


def covered(work: Work, dispatch: Dispatch) -> IndexSet:
    """The indexes that a Dispatch is for."""
    if dispatch.spec.indexes is not None:
        return claimed(dispatch.spec.indexes)
    return IndexSet.span(work.completions or 0) if work.indexed else IndexSet()


def width_of(dispatch: Dispatch) -> int:
    """How many pods of the shard run at once."""
    spec = dispatch.spec.manifest.get("spec") or {}
    parallelism = spec.get("parallelism", 1)
    completions = spec.get("completions")
    return int(parallelism if completions is None else min(parallelism, completions))


@dataclass(frozen=True, slots=True)
class _Sums:
    """What all judgements are made of."""

    work: Work
    dispatches: Sequence[tuple[str, Dispatch]]
    live: tuple[tuple[str, Dispatch], ...]
    completed: IndexSet
    failed: IndexSet
    succeeded: int
    failures: int
    restarts: int
    ended_restarts: int
    active_seconds: int

    @staticmethod
    def of(work: Work, dispatches: Sequence[tuple[str, Dispatch]]) -> "_Sums":
        completed, failed = _indexes(work, [d for _, d in dispatches])
        pods = sum(d.status.succeeded for _, d in dispatches)
        counting = dispatches if work.restarts_count else ()
        return _Sums(
            work,
            dispatches,
            live=tuple((node, d) for node, d in dispatches if d.status.state not in TERMINAL),
            completed=completed,
            failed=failed,
            succeeded=len(completed) if work.numbered else min(pods, work.completions or pods),
            failures=sum(d.status.failed for _, d in dispatches),
            restarts=sum(d.status.restarts for _, d in counting),
            ended_restarts=sum(d.status.restarts for _, d in counting if d.status.state in TERMINAL),
            active_seconds=max((_active_seconds(work, d) for _, d in dispatches), default=0),
        )

    @property
    def winner(self) -> Dispatch | None:
        """The last shard that succeeded."""
        return next((d for _, d in reversed(self.dispatches) if d.status.state is DispatchState.SUCCEEDED), None)


def _active_seconds(work: Work, dispatch: Dispatch) -> int:
    """For how long the job has been active by what one shard tells; no clock but its member's own has a part in it.

    What the shard was not given of the limit had been used before it was made. Gaps between attempts are no part of
    it, nor what a shard did not tell before it was lost.
    """
    limit = work.active_deadline_seconds
    if limit is None:
        return 0
    own = (dispatch.spec.manifest.get("spec") or {}).get("activeDeadlineSeconds")
    before = max(limit - own, 0) if isinstance(own, int) else 0
    return before + dispatch.status.active_seconds


def _indexes(work: Work, dispatches: Sequence[Dispatch]) -> tuple[IndexSet, IndexSet]:
    completed, failed = IndexSet(), IndexSet()
    for dispatch in dispatches if work.numbered else ():
        status, mine = dispatch.status, covered(work, dispatch)
        done = (claimed(status.completed_indexes) | claimed(status.late_indexes)) & mine
        bad = claimed(status.failed_indexes) & mine
        if status.state is DispatchState.SUCCEEDED and not work.success_policy:
            done = mine
        elif status.state is DispatchState.FAILED and status.reason == FAILED_INDEXES:
            bad = mine - done
        completed, failed = completed | done, failed | bad
    return completed, failed - completed


def _failed_shard(sums: _Sums) -> Ending | None:
    """A shard whose end is the whole job's."""
    for _, dispatch in sums.dispatches:
        status = dispatch.status
        if status.state is DispatchState.FAILED and status.reason != FAILED_INDEXES:
            return Ending(Phase.FAILED, status.reason or "Failed", status.message)
        if status.state is DispatchState.SUCCEEDED and sums.work.success_policy:
            return Ending(Phase.SUCCEEDED, status.reason or "SuccessPolicy", status.message)
    return None


def _passed_limit(sums: _Sums) -> Ending | None:
    """A limit of the template that all shards together have passed; of a single one its member is the judge."""
    if len(sums.dispatches) < 2:
        return None
    work, spent = sums.work, _spent_backoff(sums)
    if spent:
        return Ending(Phase.FAILED, "BackoffLimitExceeded", spent)
    if work.max_failed_indexes is not None and len(sums.failed) > work.max_failed_indexes:
        message = f"{len(sums.failed)} indexes have failed, more than maxFailedIndexes {work.max_failed_indexes}"
        return Ending(Phase.FAILED, "MaxFailedIndexesExceeded", message)
    return _taken_too_long(sums) if _unfinished(sums) else None


def _taken_too_long(sums: _Sums) -> Ending | None:
    work = sums.work
    if work.active_deadline_seconds is not None and sums.active_seconds >= work.active_deadline_seconds:
        return Ending(Phase.FAILED, "DeadlineExceeded", "Job was active longer than specified deadline")
    attempts = wasted(sums.dispatches)
    if attempts >= MAX_ATTEMPTS:
        message = f"{attempts} attempts were lost or refused one after another, the last on {sums.dispatches[-1][0]}"
        return Ending(Phase.FAILED, "TooManyAttempts", message)
    return None


def _unfinished(sums: _Sums) -> bool:
    """Whether there is anything that time or attempts are needed for: what succeeded at the last moment has."""
    all_done = sums.work.completions is not None and sums.succeeded >= sums.work.completions
    return not all_done and (bool(sums.live) or _rest(sums) is not None)


def _spent_backoff(sums: _Sums) -> str:
    """How `backoffLimit` was passed, for people; empty where it was not.

    As the Job controller does: more pods failed than it says, or as many restarts were made where these count.
    """
    limit, failures, restarts = sums.work.backoff_limit, sums.failures, sums.restarts
    if limit is not None and failures > limit:
        return f"{failures} pods have failed on all nodes together, more than backoffLimit {limit}"
    if limit is not None and restarts >= max(limit, 1):
        return f"containers were restarted {restarts} times on all nodes together, and backoffLimit is {limit}"
    return ""


def _rest(sums: _Sums) -> Rest | None:
    work = sums.work
    untouched = not sums.succeeded and not sums.failed and not (work.by_index and _failed_before(sums))
    if not sums.live and untouched and sums.winner is None:
        return Rest(work.parallelism if work.completions is None else min(work.parallelism, work.completions))
    if work.by_count and work.completions is not None:
        if sums.live or sums.winner is not None or sums.succeeded >= work.completions:
            return None
        left = work.completions - sums.succeeded
        return Rest(min(work.parallelism, left), count=left)
    if not work.by_index:
        return None
    remaining = IndexSet.span(work.completions or 0) - sums.completed - sums.failed
    busy = 0
    for _, dispatch in sums.live:
        mine = covered(work, dispatch)
        busy += min(width_of(dispatch), len(mine & remaining))
        remaining -= mine
    width = min(work.parallelism - busy, len(remaining))
    return _least_failed(sums, remaining, width) if width > 0 else None


def _failed_before(sums: _Sums) -> bool:
    """Whether pods of some index have failed, where each has a limit: such an index has less of it left."""
    limited = sums.work.backoff_limit_per_index is not None
    return limited and any(dispatch.status.index_failures for _, dispatch in sums.dispatches)


def _least_failed(sums: _Sums, remaining: IndexSet, width: int) -> Rest:
    """Of indexes with a limit each, those that have used it up the least: one Job has one limit for all its indexes."""
    if sums.work.backoff_limit_per_index is None:
        return Rest(width, remaining)
    failures = _index_failures(sums, remaining)
    indexes, count = remaining - IndexSet.of(failures), 0
    if not indexes:
        count = min(failures.values())
        indexes = IndexSet.of(index for index, failed in failures.items() if failed == count)
    return Rest(min(width, len(indexes)), indexes, index_failures=count)


def _index_failures(sums: _Sums, remaining: IndexSet) -> dict[int, int]:
    totals: dict[int, int] = {}
    for _, dispatch in sums.dispatches:
        for count, text in (dispatch.status.index_failures or {}).items():
            for index in claimed(text) & remaining if count.isdigit() else ():
                totals[index] = totals.get(index, 0) + int(count)
    return totals


def _done(sums: _Sums) -> Ending:
    """The ending where nothing is live or left to dispatch."""
    work, (node, last) = sums.work, sums.dispatches[-1]
    if work.indexed and sums.failed and len(sums.completed) + len(sums.failed) >= (work.completions or 0):
        told = last.status.message if len(sums.dispatches) == 1 else ""
        return Ending(Phase.FAILED, FAILED_INDEXES, told or f"{len(sums.failed)} indexes have failed")
    winner = sums.winner
    if winner is not None or (work.completions is not None and sums.succeeded >= work.completions):
        reason, message = (winner.status.reason, winner.status.message) if winner else ("", "")
        return Ending(Phase.SUCCEEDED, reason or "Complete", message or "all pods succeeded")
    why = work.unsplittable.message if work.unsplittable is not None and work.indexed else "it is a work queue"
    message = (
        f"{sums.succeeded} pods had succeeded on {node} when its Job vanished, and the rest can't run alone: {why}"
    )
    return Ending(Phase.FAILED, "PartlyLost", f"{message}; apply the job anew to run it as a whole again")
