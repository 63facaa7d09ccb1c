"""How work leaves a drained node without a loss: at once, or once it is certain that none of it is done. Pure.

What can't be run in part is moved only where nothing of it has succeeded. A status may be some seconds old when it is
read, so the shard is suspended first, and what it tells once it has stopped decides. All of that is read off the
Dispatch; nothing has to be remembered, and it ends: what has been cancelled stays so, and a count never falls.
"""

from collections.abc import Iterable

from isthmus.api.dispatch import Dispatch

from .work import Work


def leaves(work: Work, dispatch: Dispatch, wish: str) -> str:
    """What a live shard on a drained node is to do, where its job's `wish` is that it be Running or Suspended."""
    status = dispatch.status
    if work.by_index or work.by_count:
        return "Cancelled"
    if status.succeeded:
        return wish
    stopped = status.state is None or (dispatch.spec.desired_state == "Suspended" and status.stopped)
    return "Cancelled" if stopped else "Suspended"


def leaving(work: Work, drained: Iterable[tuple[str, Dispatch]]) -> dict[str, str]:
    """For each drained node with a live shard that can't be run in part, what becomes of it, for people."""
    if work.by_index or work.by_count:
        return {}
    return {
        node: f"{node} is drained, and the job stays there to its end: part of it is done, and the rest can't run alone"
        if dispatch.status.succeeded
        else f"{node} is drained, and the job is stopped there, to be moved unless part of it proves to be done"
        for node, dispatch in drained
    }
