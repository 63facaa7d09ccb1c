"""When a change of a shard is worth a write of its status: at once, soon, or with the next. Pure."""

from zlib import crc32

from isthmus.api.dispatch import TERMINAL, DispatchState, DispatchStatus, PodProblem

# Progress is told at most this often: a status write a second a shard, and none between for short work.
REPORT_SECONDS = 1.0
# While the hub's API has more to do than it can, what brings work on its way and to its end goes before progress.
REPORT_BUSY_SECONDS = 10.0
# Cost so far of long work moves at least this often.
READING_SECONDS = 60.0
# Pods that ended are let go, and restarts told, at least this often while their Job goes on; the former soon where
# something deletes them.
SETTLE_SECONDS = 5.0


def seconds_until_due(
    old: DispatchStatus,
    new: DispatchStatus,
    *,
    urgent: bool,
    backlog: bool,
    since: float,
    noticed: float,
    busy: bool = False,
) -> float:
    """Seconds until the write of `new` is due; zero or less when it is now.

    `since` is how many seconds ago the last write was, `noticed` how long there has been something new to tell: it is
    kept back for a while, since more may follow, and short work ends within it. `urgent`: a pod that something deletes
    waits for its reading; `backlog`: a pod that ended does. `busy`: the hub's API is.
    """
    if new.state in TERMINAL or (old.armed and not new.armed) or (old.stopped and not new.stopped):
        return 0.0  # nobody may rely any longer on what was told
    if urgent:
        return REPORT_SECONDS - since
    if has_news(old, new, busy=busy):
        # Until a shard is known to have stopped, or to stop by itself, nobody can take over its work; and failures may
        # add up to a limit of the whole job.
        waits = busy and (new.armed, new.stopped, new.failed) == (old.armed, old.stopped, old.failed)
        return (REPORT_BUSY_SECONDS if waits else REPORT_SECONDS) - noticed
    if new.restarts > old.restarts:  # they may add up to a limit; of many pods some container restarts all the time
        return (REPORT_BUSY_SECONDS if busy else SETTLE_SECONDS) - since
    return (SETTLE_SECONDS if backlog else READING_SECONDS) - since


def spread(uid: str, seconds: float) -> float:
    """A part of so many seconds, another one for each UID: what is taken up at once is not all due at once."""
    return crc32(uid.encode()) / 2**32 * seconds


def has_news(old: DispatchStatus, new: DispatchStatus, *, busy: bool = False) -> bool:
    """Whether state or counts differ, or whether the shard has stopped, or stops by itself.

    While the hub's API is `busy`, how many pods wait to begin is none: that is told with whatever comes next.
    """
    stops = (new.armed, new.stopped) != (old.armed, old.stopped)
    return new.state is not old.state or stops or _progress(new, busy=busy) != _progress(old, busy=busy)


def _progress(status: DispatchStatus, *, busy: bool) -> tuple[int, int, int, PodProblem | None]:
    active = 0 if busy and status.state is DispatchState.ACCEPTED else status.active
    return active, status.succeeded, status.failed, status.pod_problem
