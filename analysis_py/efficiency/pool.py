"""Reference units as columns: the few that a solution is looked for among, and the price of all of them.

Each programme needs only a handful of its reference columns. A pool holds columns that have been of use to some unit of
the same reference; the certificate is that at the duals found on the pool no column of the whole reference is worth
taking.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array
from analysis_py.efficiency.models import Programme

#: Random price vectors whose best columns open a pool, and their seed: the pool only steers the work, never the result.
_OPENING_PRICES, _SEED = 32, 20_010_113
#: Numbers in one block of prices, a size that stays near the processor.
_BLOCK = 400_000


class Reference:
    """Columns of one reference and its pool.

    ``table`` (r', k+1) are the columns with a last entry of 1 for the added rows; ``scaled`` (k+1, r') the same, each
    divided by its size, for pricing; ``floor`` is such that column j divided by its size has, for a unit with row scale
    c, a norm of at least ``min(c * floor)`` (and 1 at most).
    """

    def __init__(self, programme: Programme) -> None:
        data = programme.reference
        self.owner = programme.owner
        self.k = data.shape[1]
        self.has_extra = bool(np.any(programme.reference_extra != 0))
        means = data.mean(axis=0)
        means[means <= 0] = 1.0
        self.floor = means * self.k
        size = (data / means).mean(axis=1)
        size[size <= 0] = 1.0
        divisor = 1.0 + size if self.has_extra else size
        self.table = np.hstack([data, np.ones((len(data), 1))])
        self.scaled = np.ascontiguousarray((self.table / divisor[:, None]).T)
        self.pool = np.empty(0, dtype=np.int64)
        self._in_pool = np.zeros(len(data), dtype=bool)
        self.pool_table = np.empty((0, self.k + 1))
        self.grow(self._opening(programme, data / means))

    def __len__(self) -> int:
        return len(self.table)

    def grow(self, columns: NDArray[np.int64]) -> int:
        """Add columns that are not in the pool yet, in the order of the reference; how many came in."""
        fresh = np.unique(columns)
        fresh = fresh[~self._in_pool[fresh]]
        self._in_pool[fresh] = True
        self.pool = np.concatenate([self.pool, fresh])
        self.pool_table = self.table[self.pool]
        return len(fresh)

    def _opening(self, programme: Programme, shares: Array) -> NDArray[np.int64]:
        """Columns best at random prices: of goods over inputs and bads, and of single rows."""
        if len(shares) <= 12:
            return np.arange(len(shares))
        rng = np.random.default_rng(_SEED)
        signs = programme.row_signs
        prices = np.exp(rng.normal(scale=1.5, size=(_OPENING_PRICES, self.k)))
        made = shares @ (prices * (signs < 0)).T
        spent = shares @ (prices * (signs > 0)).T
        best = [np.argmax(made / np.maximum(spent, 1e-300), axis=0)]
        if self.has_extra:
            best += [np.argmax(made - spent, axis=0), np.argmin(shares, axis=0), np.argmax(shares, axis=0)]
        return np.concatenate(best)


def price_all(reference: Reference, prices: Array, row_scale: Array) -> tuple[Array, Array]:
    """Least price of any column for each unit.

    Parameters
    ----------
    prices : (n, k+1) what one of each row of a raw column costs: minus the duals in raw units, then the added rows.
    row_scale : (n, k) of the same units.

    Returns
    -------
    least : (n,) the least cost over all columns, each divided by its size.
    bound : (n,) a lower bound of the norms of the columns so divided: a column's cost relative to its norm is never
        below ``least / bound`` where least is negative.
    """
    least = np.empty(len(prices))
    step = max(1, _BLOCK // max(len(reference), 1))
    for start in range(0, len(prices), step):
        block = slice(start, start + step)
        least[block] = (prices[block] @ reference.scaled).min(axis=1)
    bound = np.where(row_scale > 0, row_scale * reference.floor, np.inf).min(axis=1)
    if reference.has_extra:
        bound = np.minimum(bound, 1.0)
    return least, bound


def price_exactly(
    reference: Reference, prices: Array, norms: Array, exclude: NDArray[np.int64]
) -> tuple[Array, NDArray[np.int64]]:
    """Least cost relative to the column's norm, and the column where it is, without the excluded unit's columns.

    ``norms`` (n, k+1) are the row scales and the weight of the added rows: norm of column j = norms @ table[j].
    """
    least = np.empty(len(prices))
    place = np.empty(len(prices), dtype=np.int64)
    step = max(1, _BLOCK // max(len(reference), 1))
    columns = reference.table.T
    for start in range(0, len(prices), step):
        block = slice(start, start + step)
        relative = (prices[block] @ columns) / (norms[block] @ columns)
        drop_excluded(relative, exclude[block], reference.owner, 0.0)
        place[block] = relative.argmin(axis=1)
        least[block] = relative[np.arange(len(relative)), place[block]]
    return least, place


def price_face(
    reference: Reference,
    first: Array,
    second: Array,
    norms: Array,
    exclude: NDArray[np.int64],
    face: float,
) -> tuple[Array, NDArray[np.int64]]:
    """As :func:`price_exactly` at the prices ``second``, among the columns that cost at most ``face`` at ``first``.

    Those are few: they are found at the prices of divided columns with an upper bound of the norm, then priced one by
    one. Where there is none the least cost is 0.
    """
    least = np.zeros(len(second))
    place = np.zeros(len(second), dtype=np.int64)
    most = norms @ reference.scaled.max(axis=1)
    step = max(1, _BLOCK // max(len(reference), 1))
    for start in range(0, len(second), step):
        block = slice(start, start + step)
        row, column = np.nonzero(first[block] @ reference.scaled <= (face * most[block])[:, None])
        row += start
        raw = reference.table[column]
        norm = np.einsum("ij,ij->i", norms[row], raw)
        on_face = (np.einsum("ij,ij->i", first[row], raw) <= face * norm) & (reference.owner[column] != exclude[row])
        row, column = row[on_face], column[on_face]
        cost = np.einsum("ij,ij->i", second[row], raw[on_face]) / norm[on_face]
        order = np.lexsort((column, cost, row))
        row, column, cost = row[order], column[order], cost[order]
        is_first = np.ones(len(row), dtype=bool)
        is_first[1:] = row[1:] != row[:-1]
        least[row[is_first]] = np.minimum(cost[is_first], 0.0)
        place[row[is_first]] = column[is_first]
    return least, place


def drop_excluded(values: Array, exclude: NDArray[np.int64], owner: NDArray[np.int64], replacement: float) -> None:
    """Overwrite, in place, the entries of ``values`` (n, columns) that belong to each row's excluded unit."""
    rows = np.flatnonzero(exclude >= 0)
    if not len(rows):
        return
    order = np.argsort(owner, kind="stable")
    ranked = owner[order]
    first = np.searchsorted(ranked, exclude[rows], side="left")
    last = np.searchsorted(ranked, exclude[rows], side="right")
    for shift in range(int((last - first).max(initial=0))):
        there = first + shift < last
        values[rows[there], order[first[there] + shift]] = replacement
