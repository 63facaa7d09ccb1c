"""What placement gave to nodes, as Dispatches to write: each with its part of the job and what is left of limits."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from isthmus.api.dispatch import Fence
from isthmus.api.indexes import IndexSet
from isthmus.manifests import Piece
from isthmus.placement import Assignment, divide

from .progress import Progress, Rest
from .work import Work


@dataclass(slots=True)
class Parcel:
    """One Dispatch on its way."""

    assignment: Assignment
    sequence: int
    shard: int
    piece: Piece | None
    """None is the whole job, exactly as its template says."""
    fence: Fence | None = None
    sent_at: float | None = None
    """When, on the loop's clock, a create was last sent of which nobody knows whether it is carried out."""
    numbered_at: float = field(default=0.0, kw_only=True)
    """When, on the loop's clock, it was given its sequence."""

    @property
    def node(self) -> str:
        """The ComputeNode it goes to."""
        return self.assignment.node

    @property
    def indexes(self) -> IndexSet | None:
        """Its indexes, where it is a part of an Indexed job."""
        return self.piece.indexes if self.piece is not None else None


def pieces_of(
    work: Work, progress: Progress, rest: Rest, widths: Sequence[int], *, first: bool
) -> dict[int, Piece | None]:
    """The part of the job for each width, by its place among them; one for which nothing is left has none.

    `first` says that nothing of the job was ever dispatched, so that its limits are whole.
    """
    limits: dict[str, Any] = {} if first else _limits(work, progress, rest)
    if rest.count is not None:
        return {0: Piece(rest.width, completions=rest.count, **limits)}
    if rest.whole and (not work.by_index or (len(widths) == 1 and widths[0] >= rest.width)):
        return {0: Piece(rest.width, **limits) if limits else None}
    indexes = IndexSet.span(work.completions or 0) if rest.indexes is None else rest.indexes
    parts = divide(indexes, widths, max(rest.width, sum(widths)))
    return {
        place: Piece(min(width, len(part)), indexes=part, **limits)
        for place, (width, part) in enumerate(zip(widths, parts, strict=True))
        if part
    }


def overtaken(work: Work, progress: Progress, parcel: Parcel) -> bool:
    """Whether something of what the parcel is for is done by now."""
    piece = parcel.piece
    if piece is not None and piece.completions is not None:
        return piece.completions > (work.completions or 0) - progress.succeeded
    if parcel.indexes is None:
        return progress.succeeded > 0
    return bool(parcel.indexes & (progress.completed | progress.failed))


def _limits(work: Work, progress: Progress, rest: Rest) -> dict[str, Any]:
    """What earlier shards have left of the template's limits; a limit that is untouched stays the template's own.

    Restarts in pods that still run are not charged, since they count no more once these have ended well: whether all
    that count now are too many is the hub's to judge.
    """
    limits: dict[str, Any] = {}
    # Each is counted by itself, and a Job has one limit for both.
    spent = max(progress.failures, progress.ended_restarts)
    if work.backoff_limit is not None and spent:
        limits["backoff_limit"] = max(work.backoff_limit - spent, 0)
    if work.max_failed_indexes is not None and progress.failed:
        limits["max_failed_indexes"] = max(work.max_failed_indexes - len(progress.failed), 0)
    if work.backoff_limit_per_index is not None and rest.index_failures:
        limits["backoff_limit_per_index"] = max(work.backoff_limit_per_index - rest.index_failures, 0)
    if work.active_deadline_seconds is not None:
        limits["active_deadline_seconds"] = max(work.active_deadline_seconds - progress.active_seconds, 1)
    return limits
