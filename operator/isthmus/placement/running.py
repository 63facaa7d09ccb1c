"""A shard that runs, as preemption sees it."""

from dataclasses import dataclass
from datetime import datetime

from .demand import Demand


@dataclass(frozen=True, slots=True)
class RunningShard:
    """`width` pods of a job that run on a node as one Dispatch.

    `demand` is the job's, `preemptible` whether this shard may be stopped now. `since` is when its pods began, or the
    last index of it was finished, whichever is later: what they did since then would be lost. `claimed_by` is the key
    of the job for which it is being stopped; empty where it is not.
    """

    dispatch: str
    node: str
    demand: Demand
    width: int
    preemptible: bool
    since: datetime
    claimed_by: str = ""

    @property
    def priority(self) -> int:
        """Its job's priority."""
        return self.demand.priority

    def lost_seconds(self, now: datetime) -> int:
        """Pod-seconds that would be lost if it were stopped at `now`."""
        return self.width * max(0, int((now - self.since).total_seconds()))
