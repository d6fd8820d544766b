"""What solving programmes gives, whoever solved them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array

OK, INFEASIBLE, UNBOUNDED, FAILED = "ok", "infeasible", "unbounded", "failed"


@dataclass
class Solution:
    """Optima of n programmes.

    ``status`` (n,) texts; ``objective`` (n,); ``aux`` (n, p) values of the auxiliary columns; ``columns`` (n, c) the
    reference columns with z > 0, -1 where there are fewer, and ``values`` (n, c) their z; ``duals`` (n, rows) of the
    scaled rows at the optimum of the first cost, or the Farkas row of an infeasible programme; ``residual`` (n,) the
    largest of primal, dual and gap residual on the scaled programme (of an infeasible one: the worst violation of its
    Farkas row, relative to what it proves).
    """

    status: NDArray[np.str_]
    objective: Array
    aux: Array
    duals: Array
    residual: Array
    columns: NDArray[np.int64]
    values: Array
    n_pivot: int = 0
    n_fallback: int = 0

    def widen(self, count: int) -> None:
        """Make room for ``count`` reference columns a programme."""
        missing = count - self.columns.shape[1]
        if missing > 0:
            self.columns = np.pad(self.columns, ((0, 0), (0, missing)), constant_values=-1)
            self.values = np.pad(self.values, ((0, 0), (0, missing)))

    def put(self, rows: NDArray[np.int64], other: Solution) -> None:
        """Overwrite the programmes ``rows`` with those of another solution."""
        self.widen(other.columns.shape[1])
        other.widen(self.columns.shape[1])
        for name in ("status", "objective", "aux", "duals", "residual", "columns", "values"):
            getattr(self, name)[rows] = getattr(other, name)

    def take(self, rows: slice) -> Solution:
        """The programmes of a span; counters stay behind."""
        return Solution(
            self.status[rows],
            self.objective[rows],
            self.aux[rows],
            self.duals[rows],
            self.residual[rows],
            self.columns[rows],
            self.values[rows],
        )


def empty_solution(n: int, n_aux: int, n_rows: int) -> Solution:
    """A solution with nothing solved: status ``failed``, NaN everywhere."""
    return Solution(
        status=np.full(n, FAILED, dtype="<U10"),
        objective=np.full(n, np.nan),
        aux=np.full((n, n_aux), np.nan),
        duals=np.full((n, n_rows), np.nan),
        residual=np.full(n, np.nan),
        columns=np.full((n, n_rows), -1, dtype=np.int64),
        values=np.zeros((n, n_rows)),
    )
