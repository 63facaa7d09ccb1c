"""Reservations: machines of one node whose free room is kept for a job that others would keep out for ever.

The idea is that of EASY backfill (Lifka, The ANL/IBM SP Scheduling System, JSSPP 1995): whoever heads the queue is
promised room, and others may go before it where that does not delay it. There the promise is a time, by the run times
that users state. Nobody states any here, so it is a place: as many machines of one node as the job needs, those with
most free; what gets free on them is its own. Other nodes, and other machines of that node, stay open to all. How a
member's scheduler deals pods to machines is not the hub's to say, so others' pods can still land on them; therefore
twice as many machines are kept after each further `WIDEN_SECONDS`, in the end all that the job may use there. From
then on nothing behind it starts on these, and it starts at the latest once what runs there now has ended.
"""

from dataclasses import dataclass
from datetime import datetime

from .demand import Demand

RESERVATIONS = 4
"""Jobs at most that have machines reserved at once, those apart for which work is being stopped."""
RESERVE_AFTER_SECONDS = 60
"""Who heads its priority has machines reserved at once, others when they have waited for so long."""
WIDEN_SECONDS = 60
_DOUBLINGS = 40


@dataclass(frozen=True, slots=True)
class Reservation:
    """Room kept on a node for a job that waits, since when; `preempting`: work of lower priority is stopped for it.

    While that is so all machines that the job may use there are kept, lest what is stopped comes back to them.
    """

    demand: Demand
    node: str
    since: datetime
    preempting: bool = False

    def pods(self, now: datetime) -> int:
        """For how many pods of the job, machines empty, machines are kept at `now`."""
        waited = max(0, int((now - self.since).total_seconds()))
        return self.demand.least << min(waited // WIDEN_SECONDS, _DOUBLINGS)
