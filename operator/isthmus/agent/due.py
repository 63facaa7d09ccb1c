"""When a change of a shard is worth a write of its status: at once, soon, or with the next. Pure."""

from zlib import crc32

from isthmus.api.dispatch import TERMINAL, DispatchStatus, PodProblem

# Progress is told at most this often: a status write a second a shard, and none between for short work.
REPORT_SECONDS = 1.0
# While the hub's API has more to do than it can, what brings work on its way and to its end goes before progress.
REPORT_BUSY_SECONDS = 10.0
# Cost so far of long work moves at least this often.
READING_SECONDS = 60.0
# Pods that ended are let go at least this often while their Job goes on, and soon where something deletes them.
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
    if new.state in TERMINAL or (old.armed and not new.armed):  # nobody may rely any longer on what was told
        return 0.0
    if urgent:
        return REPORT_SECONDS - since
    if has_news(old, new):
        return (REPORT_BUSY_SECONDS if busy else REPORT_SECONDS) - noticed
    return (SETTLE_SECONDS if backlog else READING_SECONDS) - since


def spread(uid: str, seconds: float) -> float:
    """A part of so many seconds, another one for each UID: what is taken up at once is not all due at once."""
    return crc32(uid.encode()) / 2**32 * seconds


def has_news(old: DispatchStatus, new: DispatchStatus) -> bool:
    """Whether state or counts differ, or whether the shard stops by itself."""
    return new.state is not old.state or new.armed != old.armed or _progress(new) != _progress(old)


def _progress(status: DispatchStatus) -> tuple[int, int, int, PodProblem | None]:
    return status.active, status.succeeded, status.failed, status.pod_problem
