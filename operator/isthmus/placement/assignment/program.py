"""The linear program, solved by HiGHS (Huangfu and Hall, "Parallelizing the dual revised simplex method", 2018).

Least cost of what is placed plus penalty of what is not; each pool's units are placed or left out, no row's limit is
passed. Its optimum is a lower bound of the objective for any placement on whole machines.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .columns import Columns
from .limits import Limits
from .pool import Pool
from .rows import Rows, rows_of

if TYPE_CHECKING:
    import highspy

_LONGEST_SECONDS = 3600.0
_LEAST_ITERATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Relaxation:
    """The program's answer: units of each column, units left out of each pool, and the objective.

    `reduced` is each column's cost with what it takes of scarce resources added at their prices (the duals).
    """

    units: list[float]
    left_out: list[float]
    reduced: list[float]
    bound: float


def relax(pools: Sequence[Pool], columns: Columns, limits: Limits) -> Relaxation | None:
    """The program's optimum; None where the limits are over before it is found."""
    import highspy  # a hub that sees single arrivals only never needs it
    from highspy._core import _Highs  # the public class prints a banner, and wires callbacks that nobody uses

    if not pools:
        return Relaxation([], [], [], 0.0)
    rows = rows_of(columns, [pool.width for pool in pools])
    steps = [(number, units, penalty) for number, pool in enumerate(pools) for units, penalty in pool.steps]
    model = _model(pools, columns, rows, steps)
    solver = _Highs()
    options: dict[str, bool | float | str] = {
        "output_flag": False,
        "threads": 1,
        "presolve": "off",  # takes longer than it saves
        "solver": "simplex",
        "random_seed": limits.seed,
        "time_limit": min(_LONGEST_SECONDS, limits.left),
        "simplex_iteration_limit": _LEAST_ITERATIONS + int(limits.iterations * (model.num_col_ + model.num_row_)),
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    solution = solver.getSolution()
    duals = np.asarray(solution.row_dual)[len(pools) :]
    reduced = np.asarray(columns.cost)
    if rows.limit:
        np.subtract.at(reduced, np.asarray(rows.column), duals[np.asarray(rows.row)] * np.asarray(rows.amount))
    left_out = [0.0] * len(pools)
    for (number, _, _), value in zip(steps, solution.col_value[len(columns) :], strict=True):
        left_out[number] += value
    return Relaxation(
        units=list(solution.col_value[: len(columns)]),
        left_out=left_out,
        reduced=reduced.tolist(),
        bound=float(solver.getInfo().objective_function_value),
    )


def _model(
    pools: Sequence[Pool],
    columns: Columns,
    rows: Rows,
    steps: Sequence[tuple[int, int, float]],
) -> "highspy.HighsLp":
    """The program as HiGHS takes it, by arrays: first the columns, then a column for each step of a penalty."""
    import highspy

    count = len(columns) + len(steps)
    units = np.asarray([pool.units for pool in pools], dtype=np.float64)
    lp = highspy.HighsLp()
    lp.num_col_ = count
    lp.num_row_ = len(pools) + len(rows.limit)
    lp.col_cost_ = np.asarray([*columns.cost, *(penalty for _, _, penalty in steps)])
    lp.col_lower_ = np.zeros(count)
    lp.col_upper_ = np.asarray([*columns.limit, *(units for _, units, _ in steps)], dtype=np.float64)
    lp.row_lower_ = np.concatenate([units, np.full(len(rows.limit), -highspy.kHighsInf)])
    lp.row_upper_ = np.concatenate([units, np.asarray(rows.limit)])
    row = np.concatenate(
        [
            np.asarray(columns.pool, dtype=np.int32),
            np.asarray([number for number, _, _ in steps], dtype=np.int32),
            np.asarray(rows.row, dtype=np.int32) + len(pools),
        ]
    )
    column = np.concatenate([np.arange(count), np.asarray(rows.column, dtype=np.int32)])
    value = np.concatenate([np.ones(count), np.asarray(rows.amount)])
    by_column = np.lexsort((row, column))
    matrix = lp.a_matrix_
    matrix.format_ = highspy.MatrixFormat.kColwise
    matrix.start_ = np.concatenate([[0], np.cumsum(np.bincount(column, minlength=count))]).astype(np.int32)
    matrix.index_ = row[by_column].astype(np.int32)
    matrix.value_ = value[by_column]
    return lp
