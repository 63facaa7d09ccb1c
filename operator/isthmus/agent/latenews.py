"""Whether news of pods comes late, though some comes all the time: how far what is known here is behind. Pure."""

from datetime import datetime, timedelta

from isthmus.api.core import Pod
from isthmus.metering import LIVE_LAG, pod_interval

from .observe import pod_ended

# Live pods are held back by LIVE_LAG. In the moment until a reading is made, news may get later by as much.
IN_TIME = LIVE_LAG - timedelta(seconds=2)
# For so long after the last of it, news is taken to be as late still.
KEPT = timedelta(seconds=30)
# Machines tell of an end a moment later or earlier than others.
SPREAD = timedelta(seconds=2)


class LateNews:
    """Of one member. An end that is told later than news comes as a rule says that others may have come too.

    Be it that we read more slowly than changes come, that the link or a machine is slow, or that its clock is behind.
    """

    def __init__(self) -> None:
        self._known: datetime | None = None
        self._noted: datetime | None = None

    def pod_changed(self, old: object, new: object, now: datetime) -> None:
        """The watch showed a change of a pod of ours."""
        if not (isinstance(old, Pod) and isinstance(new, Pod) and pod_ended(new) and not pod_ended(old)):
            return
        interval = pod_interval(new, now=now)
        if interval is not None and not interval.estimated and now - interval.end > IN_TIME:
            self._known, self._noted = interval.end, now

    def seconds(self, now: datetime) -> float:
        """For how long ends may have come that are not known here; 0 where news comes in time."""
        if self._known is None or self._noted is None or not timedelta() <= now - self._noted < KEPT:
            return 0.0
        return (now - self._known + SPREAD).total_seconds()
