"""What can be told of jobs before a cycle places any: whether one could start, and which keep to accounts' limits."""

from .allowance import Allowance
from .classkey import ClassKey
from .demand import Demand
from .jobclass import Entry, by_rank
from .order import Round
from .rooms import Rooms


class Startable:
    """Whether some node has room for the job as the cycle begins, and its account's limits allow it there."""

    def __init__(self, rooms: Rooms, allowance: Allowance) -> None:
        self._rooms = rooms
        self._allowance = allowance
        self._found: dict[ClassKey, bool] = {}

    def __call__(self, demand: Demand) -> bool:
        """The answer, found out once for each class, and account with limits."""
        limits = self._allowance.limits_of(demand.account)
        key = self._rooms.key_of(demand), None if limits is None else demand.account
        found = self._found.get(key)
        if found is None:
            found = self._found[key] = self._rooms.job_class(demand).best(demand, limits) is not None
        return found


def admitted(round_: Round, rooms: Rooms, allowance: Allowance) -> Round:
    """The round without jobs that would take their accounts over a limit, were each before them on its best node.

    Which node that will be is for the program to say: it is asked for each job again once that is known.
    """
    if not any(allowance.bounded(account) for account in {demand.account for demand in round_.demands}):
        return round_
    trial = allowance.trial()
    open_to: dict[ClassKey, list[Entry]] = {}
    kept: list[Demand] = []
    for demand in round_.demands:
        if trial.bounded(demand.account):
            key = rooms.key_of(demand)
            if key not in open_to:
                entries = rooms.job_class(demand).ranked()
                open_to[key] = by_rank(entry for entry in entries if entry.rank is not None)
            pods = (entry.candidate.pod for entry in open_to[key])
            pod = next((pod for pod in pods if trial.pods(demand.account, pod, demand.width) >= demand.width), None)
            if pod is None:
                continue
            trial.take(demand.account, pod, demand.width)
        kept.append(demand)
    return Round(tuple(kept), round_.urgency)
