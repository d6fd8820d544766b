"""The fast solver, exact by its certificate.

Programmes of all references run together on pools of columns (:mod:`~analysis_py.efficiency.simplex`). What is optimal
on a pool is computed anew from its basis and priced against every column of its reference; columns that are worth
taking join the pool and the programme goes on. A programme is finished when

- its basis, inverted anew, gives values of at least zero that fill its rows, and no column of the whole reference and
  no auxiliary column has a reduced cost below zero: optimal; or
- the same holds in phase 1 with artificials left over: then the duals are a Farkas row, and it is infeasible.

Whatever else happens (too many steps, a singular basis, a residual in doubt) goes to the full programme in HiGHS.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array
from analysis_py.efficiency.full_lp import solve_full
from analysis_py.efficiency.models import ARTIFICIAL, Programme
from analysis_py.efficiency.pool import Reference, price_all, price_exactly, price_face
from analysis_py.efficiency.simplex import ENTER, Batch, basis_matrices, inverse_norms, run
from analysis_py.efficiency.solution import INFEASIBLE, OK, Solution, empty_solution
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import ProgressCallback

#: Residuals above this are in doubt.
ACCEPT = 1e-9
#: Artificials that sum to less than this prove nothing.
_PROOF = 1e-6
#: Reduced costs above this are off the optimal face.
_FACE = 1e-9
_MOST_ROUNDS = 40
#: Programmes of one reference that run first to fill its pool, and the most that run together.
_FIRST, _FIRST_SHARE, _CHUNK = 48, 16, 8192


def solve_all(
    programmes: Sequence[Programme], *, with_slacks: bool = True, progress: ProgressCallback | None = None
) -> list[Solution]:
    """Solve the programmes of several references.

    Parameters
    ----------
    programmes : built for one model, so that all have the same rows and auxiliary columns.
    with_slacks : also find the largest slacks where the model has a second stage; scores do not depend on it.
    progress : called with (done, total, "") in programmes.

    Returns
    -------
    list of Solution : one for each, in order; counters of all stand in the first.
    """
    if not programmes or not sum(len(p) for p in programmes):
        return [empty_solution(len(p), p.aux.shape[2], p.n_rows) for p in programmes]
    with single_threaded_blas(), np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        return _Run(programmes, with_slacks, progress).solve()


class _Run:
    """One call of :func:`solve_all`."""

    def __init__(self, programmes: Sequence[Programme], with_slacks: bool, progress: ProgressCallback | None) -> None:
        self.programmes = programmes
        self.progress = progress
        self.edges = np.concatenate([[0], np.cumsum([len(p) for p in programmes])])
        self.references = [Reference(p) for p in programmes]
        self.aux_scale, self.cost_scale, self.batch = _assemble(programmes)
        has_second = with_slacks and all(p.second_cost is not None for p in programmes)
        self.second_cost = (
            np.concatenate([p.second_cost for p in programmes if p.second_cost is not None]) / self.aux_scale
            if has_second
            else None
        )
        n = len(self.batch)
        self.solution = empty_solution(n, self.batch.n_aux, self.batch.n_rows)
        self.is_open_case = np.ones(n, dtype=bool)
        self.limit = 60 + 30 * self.batch.n_rows

    def solve(self) -> list[Solution]:
        for rows in self._waves():
            self._solve_wave(rows)
            stop_if_interrupted()
            if self.progress is not None:
                self.progress(int((~self.is_open_case).sum()), len(self.batch), "")
        self._fall_back()
        if self.progress is not None:
            self.progress(len(self.batch), len(self.batch), "")
        parts = [self.solution.take(slice(a, b)) for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]
        parts[0].n_pivot, parts[0].n_fallback = self.solution.n_pivot, self.solution.n_fallback
        return parts

    def _waves(self) -> list[NDArray[np.int64]]:
        """A spread sample of every reference first, then the rest in chunks."""
        first = []
        for start, stop in zip(self.edges[:-1], self.edges[1:], strict=True):
            count = int(min(stop - start, max(_FIRST, (stop - start) // _FIRST_SHARE)))
            first.append(start + (np.arange(count) * int(stop - start)) // max(count, 1))
        sample = np.concatenate(first).astype(np.int64)
        is_left = np.ones(len(self.batch), dtype=bool)
        is_left[sample] = False
        rest = np.flatnonzero(is_left)
        chunks = [sample[i : i + _CHUNK] for i in range(0, len(sample), _CHUNK)]
        return chunks + [rest[i : i + _CHUNK] for i in range(0, len(rest), _CHUNK)]

    def _solve_wave(self, rows: NDArray[np.int64]) -> None:
        work = self.batch.take(rows)
        for _ in range(_MOST_ROUNDS):
            if not len(rows):
                return
            gave_up, n_pivot = run(work, self.references, inverse_norms(work, self.references), self.limit)
            self.solution.n_pivot += n_pivot
            keep = np.flatnonzero(~gave_up & _invert_again(work, self.references))
            rows, work = rows[keep], work.take(keep)
            duals, residual = _check_basis(work, self.references)
            least, column = self._price(work, duals)
            is_worth = least < -ENTER
            settled = np.flatnonzero(~is_worth & (residual <= ACCEPT))
            residual = np.maximum(residual, np.maximum(-least, 0.0))
            self._settle(rows[settled], work.take(settled), duals[settled], residual[settled])
            again = np.flatnonzero(is_worth)
            n_fresh = self._grow(work.group[again], column[again])
            rows, work = rows[again], work.take(again)
            if n_fresh == 0 and n_pivot == 0:
                return

    def _price(self, work: Batch, duals: Array) -> tuple[Array, NDArray[np.int64]]:
        """Least relative reduced cost over all columns of each reference, exactly where it may be below zero."""
        prices = work.raw_prices(duals)
        least = np.zeros(len(work))
        column = np.full(len(work), -1, dtype=np.int64)
        for reference, (first, last) in zip(self.references, work.spans(len(self.references)), strict=True):
            if last == first:
                continue
            raw, bound = price_all(reference, prices[first:last], work.row_scale[first:last])
            least[first:last] = np.minimum(raw / bound, 0.0)
            doubt = first + np.flatnonzero(raw < -0.1 * ENTER * bound)
            if len(doubt):
                least[doubt], column[doubt] = price_exactly(
                    reference, prices[doubt], work.norms[doubt], work.exclude[doubt]
                )
        return least, column

    def _grow(self, groups: NDArray[np.int64], columns: NDArray[np.int64]) -> int:
        edges = np.searchsorted(groups, np.arange(len(self.references) + 1))
        return sum(
            reference.grow(columns[a:b])
            for reference, a, b in zip(self.references, edges[:-1], edges[1:], strict=True)
            if b > a
        )

    def _settle(self, rows: NDArray[np.int64], work: Batch, duals: Array, residual: Array) -> None:
        """Write down programmes that have their certificate."""
        first = np.flatnonzero(work.phase == 1)
        left_over = _artificial_sum(work)[first]
        proved = (left_over > _PROOF) & (residual[first] <= 1e-7 * left_over)
        chosen = rows[first[proved]]
        self.solution.status[chosen] = INFEASIBLE
        self.solution.duals[chosen] = duals[first[proved]]
        self.solution.residual[chosen] = residual[first[proved]] / left_over[proved]
        self.is_open_case[chosen] = False
        good = np.flatnonzero((work.phase == 2) & (_artificial_sum(work) <= ACCEPT))
        rows, work, duals, residual = rows[good], work.take(good), duals[good], residual[good]
        objective = np.einsum("ij,ij->i", work.basic_cost(), np.maximum(work.x, 0.0))
        self.solution.objective[rows] = objective * self.cost_scale[rows]
        self.solution.duals[rows] = duals * self.cost_scale[rows][:, None]
        self.solution.residual[rows] = residual
        if self.second_cost is not None:
            kept = self._maximise_slacks(rows, work, duals)
            rows, work = rows[kept[0]], kept[1]
        self.solution.status[rows] = OK
        self._write_values(rows, work)
        self.is_open_case[rows] = False

    def _write_values(self, rows: NDArray[np.int64], work: Batch) -> None:
        n_aux, base = work.n_aux, work.n_aux + work.n_rows
        values = np.maximum(work.x, 0.0)
        aux = np.zeros((len(rows), n_aux))
        columns = np.full(work.basis.shape, -1, dtype=np.int64)
        for position in range(work.n_rows):
            code = work.basis[:, position]
            at = np.flatnonzero(code < n_aux)
            aux[at, code[at]] = values[at, position]
        for reference, (first, last) in zip(self.references, work.spans(len(self.references)), strict=True):
            codes = work.basis[first:last]
            at, places = np.nonzero(codes >= base)
            chosen = reference.pool[codes[at, places] - base]
            columns[first + at, places] = chosen
            norm = np.einsum("ij,ij->i", work.norms[first + at], reference.table[chosen])
            values[first + at, places] /= norm
        values[columns < 0] = 0.0
        self.solution.aux[rows] = aux / self.aux_scale[rows]
        self.solution.columns[rows] = columns
        self.solution.values[rows] = values

    def _maximise_slacks(self, rows: NDArray[np.int64], work: Batch, duals: Array) -> tuple[NDArray[np.int64], Batch]:
        """Second stage: among all optima one with the largest slacks; only columns without reduced cost may enter.

        Returns the places in ``rows`` that got there, and their batch; the others are left to the full programme.
        """
        assert self.second_cost is not None
        first_prices = work.raw_prices(duals)
        face = work.cost - np.einsum("ij,ijk->ik", duals, work.aux) <= _FACE
        work.is_open = work.is_open & face
        work.cost = self.second_cost[rows]
        places = np.arange(len(rows))
        finished: list[tuple[NDArray[np.int64], Batch]] = []
        for _ in range(_MOST_ROUNDS):
            inverses = inverse_norms(work, self.references)
            spans = work.spans(len(self.references))
            for reference, inverse, (a, b) in zip(self.references, inverses, spans, strict=True):
                inverse[(first_prices[places[a:b]] @ reference.pool_table.T) * inverse > _FACE] = 0.0
            gave_up, n_pivot = run(work, self.references, inverses, self.limit)
            self.solution.n_pivot += n_pivot
            keep = np.flatnonzero(~gave_up & _invert_again(work, self.references))
            places, work = places[keep], work.take(keep)
            second_duals, residual = _check_basis(work, self.references)
            least = np.zeros(len(work))
            column = np.zeros(len(work), dtype=np.int64)
            prices = work.raw_prices(second_duals)
            for reference, (a, b) in zip(self.references, work.spans(len(self.references)), strict=True):
                if b > a:
                    least[a:b], column[a:b] = price_face(
                        reference, first_prices[places[a:b]], prices[a:b], work.norms[a:b], work.exclude[a:b], _FACE
                    )
            is_worth = least < -_FACE
            done = np.flatnonzero(~is_worth & (residual <= ACCEPT) & (_artificial_sum(work) <= ACCEPT))
            finished.append((places[done], work.take(done)))
            again = np.flatnonzero(is_worth)
            n_fresh = self._grow(work.group[again], column[again])
            places, work = places[again], work.take(again)
            if not len(places) or (n_fresh == 0 and n_pivot == 0):
                break
        together = np.concatenate([p for p, _ in finished])
        order = np.argsort(together)
        return together[order], _concatenate([b for _, b in finished]).take(order)

    def _fall_back(self) -> None:
        """The full programme for whatever has no certificate."""
        rows = np.flatnonzero(self.is_open_case)
        self.solution.n_fallback = len(rows)
        for index, programme in enumerate(self.programmes):
            mine = rows[(rows >= self.edges[index]) & (rows < self.edges[index + 1])]
            if len(mine):
                self.solution.put(mine, solve_full(programme, mine - self.edges[index]))
                stop_if_interrupted()


def _assemble(programmes: Sequence[Programme]) -> tuple[Array, Array, Batch]:
    """All programmes in one batch at their starting bases; auxiliary columns and costs have a largest entry of 1."""
    row_scale = np.concatenate([p.row_scale for p in programmes])
    aux = np.concatenate([p.aux for p in programmes])
    cost = np.concatenate([p.cost for p in programmes])
    rhs = np.concatenate([p.rhs for p in programmes])
    counts = [len(p) for p in programmes]
    n, rows, n_aux = aux.shape
    aux_scale = np.abs(aux).max(axis=1)
    aux_scale[aux_scale == 0] = 1.0
    aux = aux / aux_scale[:, None, :]
    cost = cost / aux_scale
    cost_scale = np.abs(cost).max(axis=1)
    cost_scale[cost_scale == 0] = 1.0
    extra = np.repeat(np.stack([p.reference_extra for p in programmes]), counts, axis=0)
    start = np.repeat(np.stack([p.start for p in programmes]), counts, axis=0)
    basis = np.where(start == ARTIFICIAL, n_aux + np.arange(rows), start)
    batch = Batch(
        group=np.repeat(np.arange(len(programmes)), counts),
        exclude=np.concatenate([p.exclude for p in programmes]),
        row_scale=row_scale,
        extra=extra,
        norms=np.hstack([row_scale, np.abs(extra).sum(axis=1, keepdims=True)]),
        aux=aux,
        cost=cost / cost_scale[:, None],
        is_open=np.repeat(np.stack([~p.blocked for p in programmes]), counts, axis=0),
        rhs=rhs,
        sign=np.ones((n, rows)),
        basis=basis,
        inverse=np.empty((n, rows, rows)),
        x=np.empty((n, rows)),
        phase=np.ones(n, dtype=np.int64),
    )
    batch.inverse = _invert(basis_matrices(batch, []))
    batch.x = np.einsum("ijk,ik->ij", batch.inverse, rhs)
    is_negative = (basis >= n_aux) & (batch.x < 0)
    if np.any(is_negative):
        # an artificial sits in the row of its own position at the start
        batch.sign[is_negative] = -1.0
        batch.inverse = _invert(basis_matrices(batch, []))
        batch.x = np.einsum("ijk,ik->ij", batch.inverse, rhs)
    return aux_scale, cost_scale, batch


def _invert(matrices: Array) -> Array:
    return np.asarray(np.linalg.inv(matrices), dtype=float)


def _invert_again(work: Batch, references: Sequence[Reference]) -> NDArray[np.bool_]:
    """Basis inverse and values from the basis itself, with one step of refinement; False where it is singular."""
    matrix = basis_matrices(work, references)
    is_regular = np.ones(len(work), dtype=bool)
    try:
        work.inverse = _invert(matrix)
    except np.linalg.LinAlgError:
        for row in range(len(work)):
            try:
                work.inverse[row] = _invert(matrix[row])
            except np.linalg.LinAlgError:
                is_regular[row] = False
    work.x = np.einsum("ijk,ik->ij", work.inverse, work.rhs)
    missing = work.rhs - np.einsum("ijk,ik->ij", matrix, work.x)
    work.x += np.einsum("ijk,ik->ij", work.inverse, missing)
    return is_regular & np.isfinite(work.x).all(axis=1)


def _check_basis(work: Batch, references: Sequence[Reference]) -> tuple[Array, Array]:
    """Duals of the basis, refined, and the largest residual that does not concern reference columns."""
    matrix = basis_matrices(work, references)
    basic_cost = work.basic_cost()
    duals = np.einsum("ij,ijk->ik", basic_cost, work.inverse)
    missing = basic_cost - np.einsum("ij,ijk->ik", duals, matrix)
    duals += np.einsum("ij,ijk->ik", missing, work.inverse)
    primal = np.abs(work.rhs - np.einsum("ijk,ik->ij", matrix, work.x)).max(axis=1)
    negative = np.maximum(-work.x.min(axis=1), 0.0)
    cost = np.where((work.phase == 1)[:, None], 0.0, work.cost)
    reduced = np.where(work.is_open, cost - np.einsum("ij,ijk->ik", duals, work.aux), 0.0)
    dual = np.maximum(-reduced.min(axis=1), 0.0)
    gap = np.abs(np.einsum("ij,ij->i", basic_cost, work.x) - np.einsum("ij,ij->i", duals, work.rhs))
    worst = np.maximum.reduce([primal, negative, dual, gap])
    return duals, np.where(np.isfinite(worst), worst, np.inf)


def _artificial_sum(work: Batch) -> Array:
    is_artificial = (work.basis >= work.n_aux) & (work.basis < work.n_aux + work.n_rows)
    return np.where(is_artificial, np.abs(work.x), 0.0).sum(axis=1)


def _concatenate(batches: list[Batch]) -> Batch:
    names = list(Batch.__dataclass_fields__)
    return Batch(*(np.concatenate([getattr(b, name) for b in batches]) for name in names))
