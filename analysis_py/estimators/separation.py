"""Which observations of a Poisson regression no finite estimate can fit.

A row with y = 0 is separated where some combination z = x g + fixed effects is zero in every row with y > 0, never
negative in those with y = 0, and positive in this one: the likelihood rises for ever as the fitted mean of such rows
goes to zero (Correia, Guimaraes & Zylkin 2019, arXiv:1903.01633). Where the rows with y > 0 pin down every coefficient
there is no such z; a count of ranks says so, and is all that most data need. Else the rows are found by one linear
programme: maximise sum t over 0 <= t <= 1, t <= z in the rows of zeros, z = 0 in the others; as any z may be scaled up,
every separated row has t = 1 at the optimum.
"""

from __future__ import annotations

import numpy as np
from scipy import optimize, sparse

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import demean, independent_columns, rank
from analysis_py.estimators.sample import Sample

#: Largest coefficient of a separating combination of columns of unit scale.
_LARGEST = 1e6


def find_separated(sample: Sample) -> np.ndarray:
    """Positions of separated rows, ascending; empty where every coefficient is pinned down by positive outcomes.

    Raises ``CP-EST-CONVERGE`` where the linear programme cannot be solved.
    """
    zero = sample.y == 0
    if not zero.any() or zero.all():
        return np.empty(0, dtype=np.int64)
    centre = sample.x.mean(axis=0)
    scale = np.sqrt(np.mean((sample.x - centre) ** 2, axis=0)) if sample.x.size else np.empty(0)
    varying = scale > 1e-13 * np.maximum(np.abs(sample.x).max(axis=0, initial=0.0), 1e-300)
    x = (sample.x - centre)[:, varying] / scale[varying]
    everything = np.arange(len(zero))
    if _count_parameters(sample, x, everything) == _count_parameters(sample, x, np.flatnonzero(~zero)):
        return np.empty(0, dtype=np.int64)
    blocks = [sparse.csr_matrix(x)]
    for factor in sample.fixed_effects:
        ones = np.ones(len(zero))
        blocks.append(sparse.csr_matrix((ones, (everything, factor.codes)), shape=(len(zero), factor.levels)))
    if not sample.fixed_effects:
        blocks.append(sparse.csr_matrix(np.ones((len(zero), 1))))
    design = sparse.hstack(blocks).tocsr()
    width, rows = design.shape[1], np.flatnonzero(zero)
    solved = optimize.linprog(
        np.concatenate([np.zeros(width), -np.ones(len(rows))]),
        A_ub=sparse.hstack([-design[rows], sparse.eye(len(rows))]).tocsr(),
        b_ub=np.zeros(len(rows)),
        A_eq=sparse.hstack([design[~zero], sparse.csr_matrix((int((~zero).sum()), len(rows)))]).tocsr(),
        b_eq=np.zeros(int((~zero).sum())),
        bounds=[*[(-_LARGEST, _LARGEST)] * width, *[(0.0, 1.0)] * len(rows)],
        method="highs",
    )
    if solved.status != 0:
        raise CarbonpanelError(
            "CP-EST-CONVERGE",
            f"the search for separated observations of '{sample.outcome}' found no solution ({solved.message})",
            remedy="rescale the regressors, or leave out those of very different size",
        )
    return rows[solved.x[width:] > 0.5]


def _count_parameters(sample: Sample, x: np.ndarray, rows: np.ndarray) -> int:
    """Rank of regressors and fixed effects on some rows; levels without a row count as a parameter lost."""
    effects = [f.take(rows) for f in sample.fixed_effects]
    counted, _ = rank(effects)
    within = demean(x[rows], effects, np.ones(len(rows)))
    gram = within.T @ within
    own = np.sum(x[rows] ** 2, axis=0)
    kept = independent_columns(gram, np.maximum(own, 1e-300), 1e-10)
    return counted + len(kept)
