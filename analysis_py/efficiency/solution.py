"""What solving programmes gives, whoever solved them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array

OK, INFEASIBLE, UNBOUNDED, FAILED = "ok", "infeasible", "unbounded", "failed"


@dataclass
class Solution:
    """Optima of n programmes.

    ``status`` (n,) texts; ``objective`` (n,); ``aux`` (n, p) values of the auxiliary columns; ``peers[i]`` and
    ``weights[i]`` the reference columns with z > 0 and their z; ``duals`` (n, rows) of the scaled rows at the optimum
    of the first cost, or the Farkas row of an infeasible programme; ``residual`` (n,) the largest of primal, dual and
    gap residual on the scaled programme (of an infeasible one: the worst violation of its Farkas row).
    """

    status: NDArray[np.str_]
    objective: Array
    aux: Array
    duals: Array
    residual: Array
    peers: list[NDArray[np.int64]] = field(default_factory=list)
    weights: list[Array] = field(default_factory=list)
    n_pivot: int = 0
    n_fallback: int = 0


def empty_solution(n: int, n_aux: int, n_rows: int) -> Solution:
    """A solution with nothing solved: status ``failed``, NaN everywhere."""
    return Solution(
        status=np.full(n, FAILED, dtype="<U10"),
        objective=np.full(n, np.nan),
        aux=np.full((n, n_aux), np.nan),
        duals=np.full((n, n_rows), np.nan),
        residual=np.full(n, np.nan),
        peers=[np.empty(0, dtype=np.int64) for _ in range(n)],
        weights=[np.empty(0) for _ in range(n)],
    )
