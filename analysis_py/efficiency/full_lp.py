"""Every programme as one full linear programme for scipy's HiGHS: slow, plain, and what the fast solver is held to.

All reference columns are there from the start. Columns and costs are divided by their largest entry, tolerances are
HiGHS's tightest. An infeasible verdict is proved by a Farkas row: y with y'(column) <= 0 for every column and y'd > 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog

from analysis_py.efficiency.frontier import Array
from analysis_py.efficiency.models import Programme
from analysis_py.efficiency.solution import FAILED, INFEASIBLE, OK, UNBOUNDED, Solution, empty_solution
from analysis_py.progress import ProgressCallback

_OPTIONS: dict[str, Any] = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10}
#: Presolve calls feasible programmes infeasible where sizes differ by seven orders of magnitude, so its word is not
#: taken for it.
_ATTEMPTS: tuple[dict[str, Any], ...] = (
    {"method": "highs-ds", "options": _OPTIONS},
    {"method": "highs-ds", "options": {**_OPTIONS, "presolve": False}},
    {"method": "highs-ipm", "options": {**_OPTIONS, "presolve": False}},
)
#: A Farkas row may violate a column by this share of its own strength; a residual above _DOUBTFUL is not accepted.
_FARKAS = 1e-7
_DOUBTFUL = 1e-7
#: Reduced costs above this keep a column out of the second stage.
_FACE = 1e-9


@dataclass(frozen=True)
class _Unit:
    """One programme with its columns scaled: reference columns first, then auxiliary ones."""

    matrix: Array
    scale: Array
    cost: Array
    rhs: Array
    is_open: NDArray[np.bool_]
    n_reference: int
    cost_scale: float


def solve_full(
    programme: Programme, rows: NDArray[np.int64] | None = None, *, progress: ProgressCallback | None = None
) -> Solution:
    """Solve programmes one by one with all columns.

    Parameters
    ----------
    programme : what to solve.
    rows : which of its units, (n',); all by default. The solution has one entry for each, in that order.
    progress : called with (done, total, "").

    Returns
    -------
    Solution : status ``ok``, ``infeasible`` (with a proof), ``unbounded`` or ``failed``.
    """
    chosen = np.arange(len(programme)) if rows is None else np.asarray(rows)
    solution = empty_solution(len(chosen), programme.aux.shape[2], programme.n_rows)
    for at, row in enumerate(chosen):
        _solve_one(programme, int(row), solution, at)
        if progress is not None:
            progress(at + 1, len(chosen), "")
    return solution


def full_columns(programme: Programme, row: int) -> Array:
    """Reference and auxiliary columns of one unit, (n_rows, r' + p), unscaled."""
    data = programme.reference * programme.row_scale[row]
    extra = np.broadcast_to(programme.reference_extra, (len(data), len(programme.reference_extra)))
    return np.hstack([np.hstack([data, extra]).T, programme.aux[row]])


def _prepare(programme: Programme, row: int) -> _Unit:
    matrix = full_columns(programme, row)
    scale = np.abs(matrix).max(axis=0)
    scale[scale == 0] = 1.0
    is_open = np.ones(matrix.shape[1], dtype=bool)
    n_reference = len(programme.reference)
    is_open[n_reference:] = ~programme.blocked
    skipped = int(programme.exclude[row])
    if skipped >= 0:
        is_open[:n_reference] = programme.owner != skipped
    cost = np.concatenate([np.zeros(n_reference), programme.cost[row]]) / scale
    cost_scale = float(np.abs(cost).max()) or 1.0
    return _Unit(matrix / scale, scale, cost / cost_scale, programme.rhs[row], is_open, n_reference, cost_scale)


def _solve_one(programme: Programme, row: int, solution: Solution, at: int) -> None:
    unit = _prepare(programme, row)
    open_columns = np.flatnonzero(unit.is_open)
    matrix, cost = unit.matrix[:, open_columns], unit.cost[open_columns]
    said: list[int] = []
    for attempt in _ATTEMPTS:
        outcome = linprog(cost, A_eq=matrix, b_eq=unit.rhs, bounds=(0, None), **attempt)
        if outcome.status == 0:
            values, duals = np.maximum(outcome.x, 0.0), np.asarray(outcome.eqlin.marginals)
            reduced = cost - duals @ matrix
            objective = float(cost @ values)
            gap = abs(objective - float(duals @ unit.rhs))
            residual = max(float(np.abs(matrix @ values - unit.rhs).max()), float(max(0.0, -reduced.min())), gap)
            if residual <= _DOUBTFUL:
                break
        said.append(int(outcome.status))
        if said.count(2) == 2:
            break
    if outcome.status != 0 or residual > _DOUBTFUL:
        if 2 in said:
            _prove_infeasible(unit, matrix, solution, at)
        elif 3 in said:
            solution.status[at] = UNBOUNDED
        return
    solution.objective[at] = objective * unit.cost_scale
    solution.duals[at] = duals * unit.cost_scale
    solution.residual[at] = residual
    if programme.second_cost is not None:
        values = _maximise_slacks(programme, row, unit, open_columns, reduced, values)
    full = np.zeros(unit.matrix.shape[1])
    full[open_columns] = values
    full /= unit.scale
    solution.status[at] = OK
    solution.aux[at] = full[unit.n_reference :]
    used = np.flatnonzero(full[: unit.n_reference] > 0)
    solution.widen(len(used))
    solution.columns[at, : len(used)] = used
    solution.values[at, : len(used)] = full[used]


def _maximise_slacks(
    programme: Programme, row: int, unit: _Unit, open_columns: NDArray[np.int64], reduced: Array, values: Array
) -> Array:
    """The second stage on the optimal face: only columns without reduced cost may be used."""
    assert programme.second_cost is not None
    second = np.concatenate([np.zeros(unit.n_reference), programme.second_cost[row]]) / unit.scale
    face = reduced <= _FACE
    columns = open_columns[face]
    outcome = _run(second[columns], unit.matrix[:, columns], unit.rhs)
    if outcome.status != 0:
        return values
    found = np.zeros(len(open_columns))
    found[face] = np.maximum(outcome.x, 0.0)
    return found


def _prove_infeasible(unit: _Unit, matrix: Array, solution: Solution, at: int) -> None:
    """Least sum of artificials; its duals are the Farkas row."""
    n_rows = len(unit.rhs)
    signs = np.where(unit.rhs < 0, -1.0, 1.0)
    widened = np.hstack([matrix, np.diag(signs)])
    cost = np.concatenate([np.zeros(matrix.shape[1]), np.ones(n_rows)])
    outcome = _run(cost, widened, unit.rhs)
    if outcome.status != 0:
        solution.status[at] = FAILED
        return
    duals = np.asarray(outcome.eqlin.marginals)
    strength = float(duals @ unit.rhs)
    violation = float(max(0.0, (duals @ matrix).max()))
    solution.duals[at] = duals
    if strength > 0:
        solution.residual[at] = violation / strength
        if violation <= _FARKAS * strength:
            solution.status[at] = INFEASIBLE


def _run(cost: Array, matrix: Array, rhs: Array):  # type: ignore[no-untyped-def]  # scipy's result type has no stubs
    for attempt in _ATTEMPTS:
        outcome = linprog(cost, A_eq=matrix, b_eq=rhs, bounds=(0, None), **attempt)
        if outcome.status == 0:
            break
    return outcome
