"""Batches: the program with rounding and repair against the job-after-job greedy pass, on the same instances."""

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median
from time import perf_counter, process_time
from typing import Any, TypeVar

from isthmus.placement import Demand, Limits, Outcome, Rooms, Snapshot, Terms, place
from isthmus.placement.batch import account, planned
from isthmus.placement.order import rounds_of
from placement.instances import Instance, Size, instance

Result = TypeVar("Result")
_EVERY_PAIR = 1 << 30  # of class and node is kept, so that a second cycle is a warm one


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds by the clock and of the processor."""

    wall: float
    processor: float


@dataclass(frozen=True, slots=True)
class Trial:
    """One instance placed by the program and by the greedy pass.

    `cold` is a cycle in which every class meets every node for the first time, `warm` one in which nothing has changed
    since, `program` of a warm one the program alone: columns, rows, HiGHS, rounding and repair.
    """

    bound: float
    objective: float
    greedy_objective: float
    unplaced: int
    greedy_unplaced: int
    cold: Timed
    warm: Timed
    program: Timed
    greedy: Timed


def measured(size: Size, seeds: int, repeats: int) -> dict[str, Any]:
    """The medians over seeds 1..`seeds`, of each the fastest of `repeats` runs."""
    trials = [_trial(instance(size, seed), repeats) for seed in range(1, seeds + 1)]
    gaps = [100 * (trial.objective / trial.bound - 1) for trial in trials]
    greedy_gaps = [100 * (trial.greedy_objective / trial.bound - 1) for trial in trials]
    return {
        "jobs": size.jobs,
        "nodes": size.nodes,
        "classes": size.classes,
        "load": size.load,
        "seeds": seeds,
        "gapPercent": round(median(gaps), 2),
        "largestGapPercent": round(max(gaps), 2),
        "unplaced": round(median(trial.unplaced for trial in trials)),
        "coldMilliseconds": milliseconds([trial.cold for trial in trials]),
        "warmMilliseconds": milliseconds([trial.warm for trial in trials]),
        "programMilliseconds": milliseconds([trial.program for trial in trials]),
        "greedyGapPercent": round(median(greedy_gaps), 1),
        "greedyUnplaced": round(median(trial.greedy_unplaced for trial in trials)),
        "greedyMilliseconds": milliseconds([trial.greedy for trial in trials]),
    }


def shared(size: Size, repeats: int) -> dict[str, Any]:
    """A cycle whose jobs are of several accounts, which no offer tells apart, and the same where one leaves all out."""
    one = instance(size, 1)
    first, *others = one.snapshot.nodes
    excepted = frozenset(demand.account for demand in one.demands)
    apart = replace(one.snapshot, nodes=(replace(first, terms=Terms(excepted=excepted)), *others))
    cycles = {
        "alike": _cycle(one.snapshot, one.demands, repeats),
        "toldApart": _cycle(apart, one.demands, repeats),
    }
    return {
        "jobs": size.jobs,
        "nodes": size.nodes,
        "shapes": size.classes,
        "accounts": size.accounts,
        "load": size.load,
        **cycles,
    }


def _cycle(snapshot: Snapshot, demands: Sequence[Demand], repeats: int) -> dict[str, Any]:
    kept = Rooms(_EVERY_PAIR)
    _, cold = fastest(repeats, lambda: place(snapshot, demands, rooms=Rooms(_EVERY_PAIR)))
    place(snapshot, demands, rooms=kept)
    _, warm = fastest(repeats, lambda: place(snapshot, demands, rooms=kept))
    return {
        "classes": len({kept.key_of(demand) for demand in demands}),
        "coldMilliseconds": milliseconds([cold]),
        "warmMilliseconds": milliseconds([warm]),
    }


def milliseconds(times: list[Timed]) -> dict[str, float]:
    """The medians, as they are written down."""
    return {
        "wall": round(median(each.wall for each in times) * 1000, 1),
        "processor": round(median(each.processor for each in times) * 1000, 1),
    }


def _trial(one: Instance, repeats: int) -> Trial:
    (round_,) = rounds_of(one.snapshot, one.demands)
    kept = Rooms(_EVERY_PAIR)
    outcome, cold = fastest(repeats, lambda: place(one.snapshot, one.demands, rooms=Rooms(_EVERY_PAIR)))
    place(one.snapshot, one.demands, rooms=kept)
    again, warm = fastest(repeats, lambda: place(one.snapshot, one.demands, rooms=kept))
    greedy, greedy_time = fastest(1, lambda: _greedy(one))
    kept.begin(one.snapshot.nodes)
    plan, program = fastest(repeats, lambda: planned(round_, kept, Limits()))
    programs = outcome.programs
    if again != outcome or programs is None or plan is None:
        raise AssertionError("a warm cycle decides as a cold one, by a program")
    compared = account(plan, round_, greedy.assignments, None)
    return Trial(
        bound=programs.bound,
        objective=programs.objective,
        greedy_objective=compared.objective,
        unplaced=len(outcome.unplaced),
        greedy_unplaced=len(greedy.unplaced),
        cold=cold,
        warm=warm,
        program=program,
        greedy=greedy_time,
    )


def _greedy(one: Instance) -> Outcome:
    return place(one.snapshot, one.demands, rooms=Rooms(_EVERY_PAIR), batch=len(one.demands) + 1)


def fastest(repeats: int, run: Callable[[], Result]) -> tuple[Result, Timed]:
    """What it returns, and the least time of each kind; garbage of runs before is cleared away first."""
    walls: list[float] = []
    processors: list[float] = []
    for _ in range(max(1, repeats)):
        gc.collect()
        start, used = perf_counter(), process_time()
        result = run()
        walls.append(perf_counter() - start)
        processors.append(process_time() - used)
    return result, Timed(min(walls), min(processors))
