"""The revised simplex method on many small programmes at once.

Every step prices, tests ratios and updates the basis inverse of all programmes that are still running, as arrays over
programmes. Programmes have the same few rows; their reference columns come from the pools of their references.

Codes of basic columns: auxiliary column j is j; the artificial of row i is p + i; pool column t is p + rows + t.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array
from analysis_py.efficiency.pool import Reference, drop_excluded

#: Reduced costs (relative to the column's norm) down to minus this do not enter.
ENTER = 1e-10
#: Entries of a direction smaller than this do not leave.
PIVOT = 1e-9
#: Ratios this near to the least are ties; the largest pivot among them leaves.
_TIE = 1e-13
#: Steps without movement after which Bland's rule takes over.
_STALL = 20
#: Sum of artificials that counts as none.
FEASIBLE = 1e-11


@dataclass
class Batch:
    """Programmes that run together, sorted by their reference; all arrays have one entry a programme.

    ``aux`` (n, rows, p), ``cost`` (n, p) and ``is_open`` (n, p) are the auxiliary columns, their cost and whether they
    may enter; ``norms`` (n, k+1) give the norm of a column of the reference table; ``extra`` (n, rows - k) its
    coefficients in the added rows; ``sign`` (n, rows) the sign of artificials; ``phase`` is 1 while artificials are
    driven out and 2 after.
    """

    group: NDArray[np.int64]
    exclude: NDArray[np.int64]
    row_scale: Array
    extra: Array
    norms: Array
    aux: Array
    cost: Array
    is_open: NDArray[np.bool_]
    rhs: Array
    sign: Array
    basis: NDArray[np.int64]
    inverse: Array
    x: Array
    phase: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.group)

    def take(self, rows: NDArray[np.int64]) -> Batch:
        """A copy of some programmes."""
        return Batch(*(getattr(self, f.name)[rows] for f in fields(self)))

    @property
    def n_aux(self) -> int:
        return self.aux.shape[2]

    @property
    def n_rows(self) -> int:
        return self.rhs.shape[1]

    def spans(self, n_groups: int) -> list[tuple[int, int]]:
        """First and last place of each reference's programmes."""
        edges = np.searchsorted(self.group, np.arange(n_groups + 1))
        return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))

    def basic_cost(self) -> Array:
        """Cost of the basic columns in the current phase, (n, rows)."""
        n_aux = self.n_aux
        is_aux = self.basis < n_aux
        picked = np.take_along_axis(self.cost, np.where(is_aux, self.basis, 0), axis=1)
        in_first = self.phase[:, None] == 1
        is_artificial = (self.basis >= n_aux) & (self.basis < n_aux + self.n_rows)
        return np.where(in_first, is_artificial.astype(float), np.where(is_aux, picked, 0.0))

    def raw_prices(self, duals: Array) -> Array:
        """What a raw reference column costs at these duals, by row and for its added rows together, (n, k+1)."""
        k = self.row_scale.shape[1]
        added = np.einsum("ij,ij->i", duals[:, k:], self.extra)
        return np.hstack([-duals[:, :k] * self.row_scale, -added[:, None]])


def inverse_norms(batch: Batch, references: Sequence[Reference]) -> list[Array]:
    """One over the norm of each pool column for each programme, by reference; 0 where a column may not be used."""
    found = []
    for reference, (first, last) in zip(references, batch.spans(len(references)), strict=True):
        norms = batch.norms[first:last] @ reference.pool_table.T
        inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
        drop_excluded(inverse, batch.exclude[first:last], reference.owner[reference.pool], 0.0)
        found.append(inverse)
    return found


def basis_matrices(batch: Batch, references: Sequence[Reference]) -> Array:
    """The basic columns themselves, (n, rows, rows), pool columns divided by their norm."""
    n, rows, n_aux = len(batch), batch.n_rows, batch.n_aux
    matrix = np.zeros((n, rows, rows))
    everyone = np.arange(n)
    for position in range(rows):
        code = batch.basis[:, position]
        is_aux = code < n_aux
        matrix[is_aux, :, position] = batch.aux[everyone[is_aux], :, code[is_aux]]
        artificial = np.flatnonzero((code >= n_aux) & (code < n_aux + rows))
        row = code[artificial] - n_aux
        matrix[artificial, row, position] = batch.sign[artificial, row]
        pooled = np.flatnonzero(code >= n_aux + rows)
        if len(pooled):
            matrix[pooled, :, position] = pool_columns(batch, references, pooled, code[pooled] - n_aux - rows)
    return matrix


def pool_columns(
    batch: Batch, references: Sequence[Reference], rows: NDArray[np.int64], places: NDArray[np.int64]
) -> Array:
    """Pool columns ``places`` of the programmes ``rows`` (in increasing order) over their norms, (len, n_rows)."""
    table = np.empty((len(rows), references[0].k + 1))
    groups = batch.group[rows]
    edges = np.searchsorted(groups, np.arange(len(references) + 1))
    for reference, first, last in zip(references, edges[:-1], edges[1:], strict=True):
        if last > first:
            table[first:last] = reference.pool_table[places[first:last]]
    columns = np.hstack([table[:, :-1] * batch.row_scale[rows], batch.extra[rows]])
    return columns / np.einsum("ij,ij->i", batch.norms[rows], table)[:, None]


def run(
    batch: Batch, references: Sequence[Reference], pool_inverse: list[Array], limit: int
) -> tuple[NDArray[np.bool_], int]:
    """Step until no pool or auxiliary column of any programme is worth taking; the batch is changed in place.

    Parameters
    ----------
    batch : programmes with a basis that is feasible (but for artificials).
    pool_inverse : :func:`inverse_norms` of the batch; zeros keep a column out.
    limit : most steps.

    Returns
    -------
    gave_up : (n,) True for programmes that ran out of steps or have no leaving row; the rest are optimal on the pool,
        in the phase they are in.
    n_pivot : steps taken, summed over programmes.
    """
    n = len(batch)
    gave_up = np.zeros(n, dtype=bool)
    origin = np.arange(n)
    work, inverses = batch, pool_inverse
    basic_cost = work.basic_cost()
    stall = np.zeros(n, dtype=np.int64)
    is_done = np.zeros(n, dtype=bool)
    n_pivot = 0
    for _ in range(limit):
        duals = np.einsum("ij,ijk->ik", basic_cost, work.inverse)
        best, code = _choose_entering(work, references, inverses, duals, stall > _STALL)
        is_stuck = best >= -ENTER
        advance = _advance_phase(work, is_stuck & ~is_done)
        if np.any(advance):
            basic_cost = work.basic_cost()
        is_done |= is_stuck & ~advance
        moving = ~(is_done | advance)
        if np.any(moving):
            stranded, still = _pivot(work, references, code, moving, stall > _STALL, basic_cost)
            n_pivot += int(moving.sum())
            stall = np.where(still, stall + 1, 0)
            gave_up[origin[stranded]] = True
            is_done |= stranded
        finished = int(is_done.sum())
        if finished == len(work):
            break
        if finished * 5 >= len(work):
            _write_back(batch, work, origin)
            keep = np.flatnonzero(~is_done)
            inverses = _keep_rows(work, inverses, keep, len(references))
            work, origin, stall, basic_cost = work.take(keep), origin[keep], stall[keep], basic_cost[keep]
            is_done = np.zeros(len(keep), dtype=bool)
    else:
        gave_up[origin[~is_done]] = True
    _write_back(batch, work, origin)
    return gave_up, n_pivot


def _write_back(batch: Batch, work: Batch, origin: NDArray[np.int64]) -> None:
    if work is batch:
        return
    for name in ("basis", "inverse", "x", "phase"):
        getattr(batch, name)[origin] = getattr(work, name)


def _keep_rows(batch: Batch, inverses: list[Array], keep: NDArray[np.int64], n_groups: int) -> list[Array]:
    kept = []
    for inverse, (first, last) in zip(inverses, batch.spans(n_groups), strict=True):
        a, b = np.searchsorted(keep, [first, last])
        kept.append(inverse[keep[a:b] - first])
    return kept


def _advance_phase(work: Batch, is_stuck: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Programmes in phase 1 that have nothing left to gain and no artificial above zero go on to phase 2."""
    artificial = (work.basis >= work.n_aux) & (work.basis < work.n_aux + work.n_rows)
    total = np.where(artificial, work.x, 0.0).sum(axis=1)
    advance = (work.phase == 1) & ((is_stuck & (total <= FEASIBLE)) | ~artificial.any(axis=1))
    work.phase[advance] = 2
    return advance


def _choose_entering(
    work: Batch,
    references: Sequence[Reference],
    inverses: list[Array],
    duals: Array,
    use_bland: NDArray[np.bool_],
) -> tuple[Array, NDArray[np.int64]]:
    """Least relative reduced cost and its code; by Bland's rule the first that is worth taking."""
    everyone = np.arange(len(work))
    cost = np.where((work.phase == 1)[:, None], 0.0, work.cost)
    reduced = np.where(work.is_open, cost - np.einsum("ij,ijk->ik", duals, work.aux), 0.0)
    code = reduced.argmin(axis=1)
    best = reduced[everyone, code]
    blands = np.flatnonzero(use_bland)
    if len(blands):
        worth = reduced[blands] < -ENTER
        code[blands] = worth.argmax(axis=1)
        best[blands] = np.where(worth.any(axis=1), reduced[blands, code[blands]], 0.0)
    prices = work.raw_prices(duals)
    base = work.n_aux + work.n_rows
    for reference, inverse, (first, last) in zip(references, inverses, work.spans(len(references)), strict=True):
        if last == first or not len(reference.pool):
            continue
        relative = prices[first:last] @ reference.pool_table.T
        relative *= inverse
        place = relative.argmin(axis=1)
        least = relative[np.arange(last - first), place]
        local = blands[(blands >= first) & (blands < last)] - first
        if len(local):
            worth = relative[local] < -ENTER
            place[local] = worth.argmax(axis=1)
            least[local] = np.where(worth.any(axis=1), relative[local, place[local]], 0.0)
        better = least < best[first:last]
        if len(local):
            better[local] = (least[local] < -ENTER) & (best[first:last][local] >= -ENTER)
        best[first:last] = np.where(better, least, best[first:last])
        code[first:last] = np.where(better, place + base, code[first:last])
    return best, code


def _pivot(
    work: Batch,
    references: Sequence[Reference],
    code: NDArray[np.int64],
    moving: NDArray[np.bool_],
    use_bland: NDArray[np.bool_],
    basic_cost: Array,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Exchange the entering column of each moving programme for the one that leaves; basic costs follow.

    Returns which programmes have no leaving row, and which did not move.
    """
    n, rows, n_aux = len(work), work.n_rows, work.n_aux
    everyone = np.arange(n)
    is_aux = code < n_aux
    column = np.ascontiguousarray(work.aux[everyone, :, np.where(is_aux, code, 0)])
    pooled = np.flatnonzero(~is_aux & moving)
    if len(pooled):
        column[pooled] = pool_columns(work, references, pooled, code[pooled] - n_aux - rows)
    direction = np.einsum("ijk,ik->ij", work.inverse, column)
    artificial = (work.basis >= n_aux) & (work.basis < n_aux + rows)
    held = artificial & (work.phase == 2)[:, None]
    size = np.abs(direction)
    may_leave = np.where(held, size > PIVOT, direction > PIVOT)
    ratio = np.full((n, rows), np.inf)
    np.divide(np.maximum(work.x, 0.0), direction, out=ratio, where=may_leave & ~held)
    ratio[may_leave & held] = 0.0
    least = ratio.min(axis=1)
    stranded = moving & ~np.isfinite(least)
    go = moving & ~stranded
    step = np.where(go, least, 0.0)
    tied = ratio <= (step * (1.0 + _TIE) + _TIE)[:, None]
    strength = np.where(tied, size + 1e3 * artificial, 0.0)
    bland_rows = np.flatnonzero(use_bland)
    if len(bland_rows):
        strength[bland_rows] = np.where(tied[bland_rows], 1.0 / (1.0 + work.basis[bland_rows]), 0.0)
    leaving = strength.argmax(axis=1)
    pivot = np.where(go, direction[everyone, leaving], 1.0)
    step = np.where(go, np.where(held[everyone, leaving], 0.0, ratio[everyone, leaving]), 0.0)
    step = np.where(np.isfinite(step), step, 0.0)
    direction[~go] = 0.0
    work.x -= step[:, None] * direction
    np.maximum(work.x, 0.0, out=work.x)
    pivot_row = work.inverse[everyone, leaving] / pivot[:, None]
    movers = np.flatnonzero(go)
    work.inverse -= direction[:, :, None] * pivot_row[:, None, :]
    work.inverse[movers, leaving[movers]] = pivot_row[movers]
    work.x[movers, leaving[movers]] = step[movers]
    work.basis[movers, leaving[movers]] = code[movers]
    entering_cost = np.where(is_aux & (work.phase == 2), work.cost[everyone, np.where(is_aux, code, 0)], 0.0)
    basic_cost[movers, leaving[movers]] = entering_cost[movers]
    return stranded, go & (step <= 1e-12)
