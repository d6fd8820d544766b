"""Many regressions on reweighted entities (cities, clusters, rows) from one small cross-product matrix an entity.

A permutation of whole units, or a draw of clusters with replacement, changes only how often each entity counts. With
the fixed effects that lie inside entities taken out once and the others (years) kept as dummies D, the cross products
of [D, X] within entities add up: the matrix of a draw is one row of counts times the entities' matrices, and its
Cholesky factor holds the slopes of every regression of a column on those before it.

For z = (D, x_1 .. x_p) and G = LL' the factor of a draw's matrix, the slopes of x_j on the columns S before it, D
partialled out, solve L_SS' b = L_jS'. Exact: no approximation is made, and draws in which a column loses its variation
are handed back to a plain fit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.absorption import demean, group_means, independent_columns
from analysis_py.estimators.factors import Factor, is_nested
from analysis_py.interrupts import stop_if_interrupted

#: Cells of the entities' matrices, and of dummies in the making, above which plain fits are made instead.
MAX_CELLS = 30_000_000
#: Cells of the matrices of one block of draws.
BLOCK_CELLS = 2_000_000
#: A column is too near to lost for this way when less than this share of its own variation is left beside earlier
#: ones (cross products square the condition: a millionth still leaves ten digits) ...
_LOST = 1e-6
#: ... or less than this share of its variance over all rows is left within the effects of the draw.
_ABSORBED = 1e-9


@dataclass(frozen=True)
class Columns:
    """Regressors and outcomes on common rows.

    Attributes
    ----------
    values : (n, p) in their own units.
    weights : (n,) analytic weights of mean one.
    effects : fixed effects; none means a constant.
    """

    values: np.ndarray
    weights: np.ndarray
    effects: tuple[Factor, ...]


@dataclass(frozen=True)
class EntityGrams:
    """Cross products by entity.

    Attributes
    ----------
    packed : (entities, m (m + 1) / 2) upper triangles of each entity's matrix over m = d + p columns.
    dummies : d, the dummies in front of the p columns of standard scale.
    nulls : (d, q) combinations of the dummies that vanish once the inner effects are out.
    scales, means : (p,) by which the columns were standardised.
    weight : (entities,) weight of each entity's rows.
    """

    packed: np.ndarray
    dummies: int
    nulls: np.ndarray
    scales: np.ndarray
    means: np.ndarray
    weight: np.ndarray

    @property
    def size(self) -> int:
        """d + p."""
        return self.dummies + len(self.scales)

    def factor(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cholesky factors of the p columns of each draw, dummies partialled out.

        Parameters
        ----------
        counts : (draws, entities) how often each entity counts.

        Returns
        -------
        (draws, p, p) lower factors and (draws,) whether every column but the last kept its variation; factors of other
        draws mean nothing.
        """
        size, d = self.size, self.dummies
        upper = np.triu_indices(size)
        place = np.empty((size, size), dtype=np.int64)
        place[upper] = np.arange(len(upper[0]))
        place.T[upper] = place[upper]
        found = np.empty((len(counts), size - d, size - d))
        good = np.empty(len(counts), dtype=bool)
        step = max(1, BLOCK_CELLS // size**2)
        for start in range(0, len(counts), step):
            rows = slice(start, start + step)
            gram = (counts[rows] @ self.packed)[:, place]
            found[rows], good[rows] = self._factor_block(gram, counts[rows] @ self.weight)
            stop_if_interrupted()
        return found, good

    def _factor_block(self, gram: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size, d = self.size, self.dummies
        at = np.arange(size)
        own = gram[:, at, at].copy()
        if d:
            # a level that no entity of the draw has is a dummy of zeros: it is given a variance of its own
            absent = own[:, :d] <= _ABSORBED
            typical = own[:, :d].max(axis=1, initial=1.0)
            gram[:, at[:d], at[:d]] += np.where(absent, typical[:, None], 0.0)
            if self.nulls.shape[1]:
                # adding a null combination leaves the projection on the dummies as it is and makes it invertible
                gram[:, :d, :d] += (typical / d)[:, None, None] * (self.nulls @ self.nulls.T)
        # the last column is never regressed on: its own square may be fitted exactly
        gram[:, size - 1, size - 1] = 2.0 * own[:, size - 1] + 1.0
        own = gram[:, at, at]
        try:
            lower = np.linalg.cholesky(gram)
            done = np.ones(len(gram), dtype=bool)
        except np.linalg.LinAlgError:
            lower = np.tile(np.eye(size), (len(gram), 1, 1))
            done = np.zeros(len(gram), dtype=bool)
            for draw in range(len(gram)):
                try:
                    lower[draw] = np.linalg.cholesky(gram[draw])
                    done[draw] = True
                except np.linalg.LinAlgError:
                    continue
        pivots = lower[:, at, at] ** 2
        done &= (pivots[:, : size - 1] > _LOST * own[:, : size - 1]).all(axis=1)
        done &= (own[:, d : size - 1] > _ABSORBED * weight[:, None]).all(axis=1)
        return lower[:, d:, d:], done

    def slopes(self, factor: np.ndarray, outcome: int, regressors: Sequence[int]) -> np.ndarray:
        """Slopes of column ``outcome`` on the leading columns ``regressors`` (0 .. k-1), in units of the data.

        ``factor`` is (draws, p, p) as :meth:`factor` gives it; returns (draws, k).
        """
        k = len(regressors)
        if list(regressors) != list(range(k)) or outcome < k:
            raise ValueError("regressors must be the leading columns, the outcome one after them")
        top = np.swapaxes(factor[:, :k, :k], 1, 2)
        slopes = np.linalg.solve(top, factor[:, outcome, :k, None])[:, :, 0]
        return np.asarray(slopes * self.scales[outcome] / self.scales[:k])


def gram_by_entity(columns: Columns, entities: Factor, *, constant: bool = False) -> EntityGrams | None:
    """The entities' matrices, or None where they would be too large (then plain fits are the way).

    ``constant`` keeps a column of ones as the first of the p columns, in place of a dummy; only without effects.
    """
    values, w = columns.values, columns.weights
    n, p = values.shape
    means = np.average(values, axis=0, weights=w)
    scales = np.sqrt(np.average((values - means) ** 2, axis=0, weights=w))
    scales = np.where(scales > 1e-13 * np.maximum(np.abs(values).max(axis=0), 1e-300), scales, 1.0)
    standard = (values - means) / scales
    inner = _inner_effect(columns.effects, entities)
    outer = [f for f in columns.effects if f is not inner]
    width = sum(f.levels for f in outer) if columns.effects else 1
    cells = (width + p) * (width + p + 1) // 2
    if n * (width + p) > MAX_CELLS or entities.levels * cells > MAX_CELLS:
        return None
    if not columns.effects:
        dummies = np.ones((n, 1))
        nulls = np.empty((1, 0))
    else:
        dummies = np.zeros((n, width))
        starts = np.concatenate([[0], np.cumsum([f.levels for f in outer])]).astype(np.int64)
        for f, start in zip(outer, starts, strict=False):
            dummies[np.arange(n), f.codes + start] = 1.0
        nulls = _null_combinations(starts, width, has_inner=inner is not None)
    stacked = np.column_stack([dummies, standard])
    if inner is not None:
        stacked = stacked - group_means(inner, w, stacked)[inner.codes]
    if constant:
        if columns.effects:
            raise ValueError("a constant is estimated only without fixed effects")
        width, nulls = 0, np.empty((0, 0))
        means, scales = np.append(0.0, means), np.append(1.0, scales)
    weight = np.bincount(entities.codes, w, entities.levels)
    return EntityGrams(_pack(stacked, w, entities), width, nulls, scales, means, weight)


def _inner_effect(effects: Sequence[Factor], entities: Factor) -> Factor | None:
    """The finest effect whose levels each lie inside one entity: it can be taken out before entities are drawn."""
    inside = [f for f in effects if is_nested(f, entities)]
    return max(inside, key=lambda f: f.levels) if inside else None


def _null_combinations(starts: np.ndarray, width: int, *, has_inner: bool) -> np.ndarray:
    """Within an inner effect the dummies of each factor sum to zero; without one the factors sum to the same."""
    count = len(starts) - 1
    sums = np.zeros((width, count))
    for j in range(count):
        sums[starts[j] : starts[j + 1], j] = 1.0
    if has_inner:
        return sums
    return sums[:, 1:] - sums[:, :1] if count > 1 else np.empty((width, 0))


def _pack(stacked: np.ndarray, weights: np.ndarray, entities: Factor) -> np.ndarray:
    """Upper triangles of each entity's weighted cross products, rows in the order of the entities."""
    order = np.argsort(entities.codes, kind="stable")
    bounds = np.concatenate([[0], np.cumsum(np.bincount(entities.codes, minlength=entities.levels))])
    sorted_rows, sorted_weights = stacked[order], weights[order]
    upper = np.triu_indices(stacked.shape[1])
    packed = np.empty((entities.levels, len(upper[0])))
    if entities.levels == len(stacked):
        for column, (i, j) in enumerate(zip(*upper, strict=True)):
            packed[:, column] = sorted_weights * sorted_rows[:, i] * sorted_rows[:, j]
        return packed
    for entity in range(entities.levels):
        rows = sorted_rows[bounds[entity] : bounds[entity + 1]]
        gram = (rows * sorted_weights[bounds[entity] : bounds[entity + 1], None]).T @ rows
        packed[entity] = gram[upper]
    return packed


def plain_slopes(columns: Columns, counts: np.ndarray, outcome: int, regressors: Sequence[int]) -> np.ndarray:
    """One fit on the rows that count, fixed effects taken out afresh; NaN for a slope that is not identified.

    Parameters
    ----------
    counts : (n,) how often each row counts; a weight, so copies of a unit share one effect, which changes no slope.
    outcome, regressors : positions among the columns.

    Returns
    -------
    (k,) slopes in units of the data.
    """
    rows = np.flatnonzero(counts > 0)
    found = np.full(len(regressors), np.nan)
    if len(rows) == 0:
        return found
    weights = columns.weights[rows] * counts[rows]
    values = columns.values[np.ix_(rows, np.array([outcome, *regressors], dtype=np.int64))]
    means = np.average(values, axis=0, weights=weights)
    scales = np.sqrt(np.average((values - means) ** 2, axis=0, weights=weights))
    varying = scales > 1e-13 * np.maximum(np.abs(values).max(axis=0), 1e-300)
    if not varying[0]:
        return np.where(varying[1:], 0.0, np.nan)
    scales = np.where(varying, scales, 1.0)
    within = demean((values - means) / scales, [f.take(rows) for f in columns.effects], weights)
    gram = (within * weights[:, None]).T @ within
    own = np.diag(gram)[1:]
    free = np.flatnonzero(varying[1:] & (own > 1e-10 * weights.sum()))
    kept = free[independent_columns(gram[1:, 1:][np.ix_(free, free)], own[free], 1e-10)]
    if len(kept):
        solved = np.linalg.solve(gram[1:, 1:][np.ix_(kept, kept)], gram[1:, 0][kept])
        found[kept] = solved * scales[0] / scales[1:][kept]
    return found
