"""Whether the late time of a shard is billed: not where another did its work again. Pure."""

from collections.abc import Iterable

from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import claimed


def repeated(dispatch: Dispatch, others: Iterable[Dispatch], assigned: int) -> bool:
    """Whether a later attempt of the job covers any of the indexes that the late time of `dispatch` is of.

    `others` are the job's Dispatches, `assigned` is the last attempt that it was given nodes for: one that is not
    there yet may cover anything. So may one of a job whose pods have no numbers.
    """
    status, attempt = dispatch.status, dispatch.spec.attempt
    own = claimed(status.late_indexes) | claimed(status.overrun_indexes)
    later = [other for other in others if other.spec.attempt > attempt]
    if assigned > max([attempt, *(other.spec.attempt for other in later)]):
        return True
    return any(not own or other.spec.indexes is None or claimed(other.spec.indexes) & own for other in later)
