"""Whether the late time of a shard is billed: not where another did its work again. Pure."""

from collections.abc import Iterable

from isthmus.agent.fence import FENCED
from isthmus.agent.shardindexes import shard_indexes
from isthmus.api.dispatch import Dispatch
from isthmus.api.indexes import IndexSet, claimed


def repeated(dispatch: Dispatch, others: Iterable[Dispatch], pin: tuple[int, int]) -> bool:
    """Whether another Dispatch of the job that was made after the verdict on `dispatch` does any of its work again.

    `others` are the job's Dispatches, `pin` is the last attempt that it was given nodes for and the number of these:
    one of them that is not there yet may cover anything. So may one of a job whose pods have no numbers.
    """
    made = list(others)
    attempt, nodes = pin
    if sum(1 for other in made if other.spec.attempt == attempt) < nodes:
        return True
    own = _indexes(dispatch)
    later = [other for other in made if _follows(other, dispatch)]
    return any(not own or other.spec.indexes is None or claimed(other.spec.indexes) & own for other in later)


def _indexes(dispatch: Dispatch) -> IndexSet:
    """The indexes that the late time may be of.

    Beside those that came to light as completed: where the verdict rests on a fence, those whose pods ran on after it;
    else all that are unfinished.
    """
    status = dispatch.status
    mine = claimed(dispatch.spec.indexes) if dispatch.spec.indexes else shard_indexes(dispatch) or IndexSet()
    fenced = status.reason == FENCED
    unfinished = claimed(status.overrun_indexes) if fenced else mine - claimed(status.completed_indexes)
    return claimed(status.late_indexes) | unfinished or mine


def _follows(other: Dispatch, dispatch: Dispatch) -> bool:
    """Whether `other` may have been made after `dispatch` was lost.

    Numbers of attempts only rise, but a piece of an attempt that a killed hub never wrote is written later under that
    number, with what is missing then. Pieces that were made together share no index, so of those of one attempt all
    that were not made before count: by the creation times, which one clock gives.
    """
    if other.metadata["uid"] == dispatch.metadata["uid"]:
        return False
    if other.spec.attempt != dispatch.spec.attempt:
        return other.spec.attempt > dispatch.spec.attempt
    mine, its = (each.metadata.get("creationTimestamp") for each in (dispatch, other))
    return mine is None or its is None or its >= mine
