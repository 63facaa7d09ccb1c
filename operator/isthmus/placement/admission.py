"""What can be told of jobs before a cycle places any: whether one could start, and which keep to accounts' limits."""

from .allowance import Allowance
from .classkey import class_key
from .demand import Demand
from .jobclass import Entry, by_rank
from .order import Round
from .rooms import Rooms

Key = tuple[object, ...]


class Startable:
    """Whether some node has room for the job as the cycle begins, and its account's limits allow it there."""

    def __init__(self, rooms: Rooms, allowance: Allowance) -> None:
        self._rooms = rooms
        self._allowance = allowance
        self._found: dict[Key, bool] = {}

    def __call__(self, demand: Demand) -> bool:
        """The answer, found out once for each class."""
        key = class_key(demand)
        found = self._found.get(key)
        if found is None:
            best = self._rooms.job_class(key, demand).best(self._allowance.limits_of(demand.account))
            found = self._found[key] = best is not None
        return found


def admitted(round_: Round, rooms: Rooms, allowance: Allowance) -> Round:
    """The round without jobs that would take their accounts over a limit, were each before them on its best node.

    Which node that will be is for the program to say: it is asked for each job again once that is known.
    """
    if not any(allowance.bounded(account) for account in {demand.account for demand in round_.demands}):
        return round_
    trial = allowance.trial()
    open_to: dict[Key, list[Entry]] = {}
    kept: list[Demand] = []
    for demand in round_.demands:
        if trial.bounded(demand.account):
            key = class_key(demand)
            if key not in open_to:
                entries = rooms.job_class(key, demand).ranked()
                open_to[key] = by_rank(entry for entry in entries if entry.rank is not None)
            pods = (entry.candidate.pod for entry in open_to[key])
            pod = next((pod for pod in pods if trial.pods(demand.account, pod, demand.width) >= demand.width), None)
            if pod is None:
                continue
            trial.take(demand.account, pod, demand.width)
        kept.append(demand)
    return Round(tuple(kept), round_.urgency)
