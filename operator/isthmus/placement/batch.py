"""A batch on its nodes: the plan of its program, taken from the rooms job by job, and told."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from isthmus.api.computejob import Explanation

from .assignment import Limits, Plan, Pool, plan, pools_of
from .assignment.packing import room_for
from .classkey import ClassKey
from .demand import Demand
from .explanation import Verdicts, explain, explain_winner, verdicts_of
from .jobclass import Entry
from .order import Round
from .outcome import Assignment, Programs
from .pieces import pieces_of
from .rooms import Rooms

Placing = tuple[Demand, Sequence[tuple[Entry, int]], Explanation]
"""A job, the nodes that take it with how many of its pods each, and why."""

PAIRS = 1 << 18
"""Pairs of class and node in one batch, which bounds its memory: about 1 KiB each."""


def batches_of(round_: Round, rooms: Rooms, nodes: int) -> Iterator[Round]:
    """The round in one batch, or in several where it has more classes than a batch may, the first jobs first."""
    most = max(1, PAIRS // max(1, nodes))
    if len(round_.demands) <= most:
        yield round_
        return
    found: list[Demand] = []
    keys: set[ClassKey] = set()
    for demand in round_.demands:
        key = rooms.key_of(demand)
        if len(keys) == most and key not in keys:
            yield Round(tuple(found), round_.urgency)
            found, keys = [], set()
        keys.add(key)
        found.append(demand)
    yield Round(tuple(found), round_.urgency)


def planned(round_: Round, rooms: Rooms, limits: Limits) -> Plan | None:
    """The plan of a batch on the rooms as they are; None where the limits leave it no time.

    To judge nodes for classes that were not seen before has to be done in any case, and is not counted.
    """
    pools, limits = limits.aside(lambda: pools_of(round_.demands, round_.urgency, rooms))
    return plan(pools, limits)


def placings(found: Plan) -> Iterator[Placing]:
    """What the plan places, job by job; the pods of each must be taken before the next is asked for.

    A job is passed over where its pods, taken one job after another, find no room after all: so they are subtracted
    once they are assumed. Scores are told as they were before the batch.
    """
    columns = found.columns
    verdicts = {number: _verdicts(found.pools[number]) for number in _used(found)}
    bases = {number: explain(each) for number, each in verdicts.items() if not found.pools[number].divided}
    jobs = _jobs(found)
    for loads in found.loads:
        for column in loads:
            number = columns.pool[column]
            pool, entry = found.pools[number], columns.entry[column]
            if pool.divided:
                continue
            explanation = explain_winner(bases[number], verdicts[number], entry)
            room = entry.candidate.room
            left = room_for(room, columns.need[column], columns.kinds[column])
            for demand in jobs[column]:
                if left >= demand.width:
                    version = room.version
                    yield demand, [(entry, demand.width)], explanation
                    if room.version != version:  # else a limit of the account's was against it
                        left -= demand.width
    for number, each in verdicts.items():
        if found.pools[number].divided:
            yield from _divided(found, number, each)


def _verdicts(pool: Pool) -> Verdicts:
    """What is told to all jobs of the pool: where they are of several accounts, nothing that is one's alone."""
    first = pool.demands[0]
    alone = all(demand.account == first.account for demand in pool.demands)
    return verdicts_of(pool.job_class, first if alone else replace(first, account=""))


def _used(found: Plan) -> list[int]:
    """The pools that have anything placed."""
    return sorted({found.columns.pool[column] for loads in found.loads for column in loads})


def _jobs(found: Plan) -> Mapping[int, Sequence[Demand]]:
    """The jobs by column, of pools that are not divided: the most urgent on the nodes where the pool costs least."""
    columns = found.columns
    units = {column: count for loads in found.loads for column, count in loads.items()}
    jobs: dict[int, Sequence[Demand]] = {}
    for pool, mine in zip(found.pools, columns.of_pool, strict=True):
        queue = iter(pool.demands)
        for column in sorted((c for c in mine if c in units), key=columns.cost.__getitem__):
            jobs[column] = () if pool.divided else tuple(islice(queue, units[column]))
    return jobs


def _divided(found: Plan, number: int, verdicts: Verdicts) -> Iterator[Placing]:
    """The jobs of a pool that may be divided, each over nodes where the plan has a share of the pool."""
    columns, pool = found.columns, found.pools[number]
    shares = {column: loads[column] for loads in found.loads for column in loads if columns.pool[column] == number}
    chosen: dict[int, int] = {}
    for column in sorted(shares, key=lambda c: (-shares[c], columns.cost[c])):
        chosen.setdefault(columns.node[column], column)  # of several forms on a node, the one with most pods
    nodes = sorted(chosen.values(), key=columns.cost.__getitem__)
    for demand in pool.demands:
        if demand.split is None:
            continue
        rooms = [
            min(shares[c], room_for(columns.entry[c].candidate.room, columns.need[c], columns.kinds[c])) for c in nodes
        ]
        pieces = [(nodes[place], pods) for place, pods in pieces_of(rooms, demand.width, demand.split)]
        if sum(pods for _, pods in pieces) < demand.width:
            continue
        for column, pods in pieces:
            shares[column] -= pods
        taken = [(columns.entry[column], pods) for column, pods in pieces]
        yield demand, taken, explain(verdicts, [entry.candidate.node.name for entry, _ in taken])


def account(found: Plan, round_: Round, assignments: Sequence[Assignment], before: Programs | None) -> Programs:
    """The programs of the cycle with this one, and what all of its jobs have come to, placed by it or after it.

    What went to machines that are yet to come, which are not the program's, counts as left out.
    """
    columns = found.columns
    pools = {demand.key: (number, pool) for number, pool in enumerate(found.pools) for demand in pool.demands}
    candidates = [entry.candidate for entry in columns.entry]
    costs = [
        {(candidates[c].node.name, candidates[c].demand.variant): columns.cost[c] for c in mine}
        for mine in columns.of_pool
    ]
    placed: dict[str, int] = {}
    objective = 0.0
    for each in assignments:
        key = each.demand.key
        if key in pools:
            number, pool = pools[key]
            cost = costs[number].get((each.node, each.variant))
            if cost is None:
                continue
            units = each.width if pool.divided else 1
            placed[key] = placed.get(key, 0) + units
            objective += units * cost
    for key, (_, pool) in pools.items():
        left = (pool.demands[0].width if pool.divided else 1) - placed.get(key, 0)
        if left:
            objective += left * pool.penalty_of(round_.urgency.get(key, 1.0))
    count, bound, reached = (0, 0.0, 0.0) if before is None else (before.count, before.bound, before.objective)
    return Programs(count + 1, bound + min(found.bound, objective), reached + objective)
