"""Scores of units against a reference: the one way from data and a specification to efficiency.

Conventions: CCR and BCC give theta in (0, 1] (input, bad) or phi >= 1 (output); SBM gives rho in (0, 1];
super-efficiency may exceed 1; additive, DDF, NDDF and SBM-DDF give the inefficiency (0 = efficient), which DDF lets be
negative for a unit beyond the frontier of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array, Frontier, make_frontier
from analysis_py.efficiency.full_lp import solve_full
from analysis_py.efficiency.models import Programme, build_super_programme, choose_builder
from analysis_py.efficiency.reading import Scores, merge_scores, read_scores
from analysis_py.efficiency.solution import INFEASIBLE, OK, Solution
from analysis_py.efficiency.solver import solve_all
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.progress import ProgressCallback

#: A unit whose SBM score is this near to one is taken as efficient, and super-SBM measures it without itself.
EFFICIENT = 1e-9


def evaluate(
    inputs: Array,
    goods: Array,
    bads: Array | None,
    reference_inputs: Array,
    reference_goods: Array,
    reference_bads: Array | None,
    spec: ModelSpec,
    *,
    exclude: NDArray[np.int64] | None = None,
    units: Sequence[object] | None = None,
    with_slacks: bool = True,
    progress: ProgressCallback | None = None,
) -> Scores:
    """Score units against the frontier of a reference.

    Parameters
    ----------
    inputs, goods, bads : (n, m), (n, s), (n, q) of the evaluated units, positive, any units of measurement; bads may be
        None or have no column.
    reference_inputs, reference_goods, reference_bads : the same columns of the r units that span the frontier.
    spec : the model.
    exclude : (n,) place of each unit in the reference that it may not use (super-efficiency), -1 for none. Needed for
        ``super-sbm`` unless evaluated and reference units are the same; any other model takes it too.
    units : n labels for messages; positions from 1 by default.
    with_slacks : whether radial models look for the largest slacks in a second stage, as most programs do; scores are
        the same without, and come sooner.
    progress : called with (done, total, "") in evaluated units.

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-VALUE`` (missing, zero or negative number, the unit named),
        ``CP-EFFICIENCY-SPEC`` (weights or direction that do not fit), ``CP-EFFICIENCY-EMPTY``.
    """
    frontier = make_frontier(
        inputs,
        goods,
        bads,
        reference_inputs,
        reference_goods,
        reference_bads,
        zero=spec.zero,
        exclude=exclude,
        units=units,
    )
    return evaluate_frontiers([frontier], spec, with_slacks=with_slacks, progress=progress)[0]


def evaluate_frontiers(
    frontiers: Sequence[Frontier],
    spec: ModelSpec,
    *,
    with_slacks: bool = True,
    progress: ProgressCallback | None = None,
    solver: Callable[..., list[Solution]] | None = None,
) -> list[Scores]:
    """Score the units of several frontiers in one go, which is much faster than one after another when they are small.

    Parameters
    ----------
    frontiers : made by :func:`~analysis_py.efficiency.frontier.make_frontier`; all with the same numbers of columns.
    spec : the model, the same for all.
    with_slacks : as for :func:`evaluate`.
    progress : called with (done, total, "") in evaluated units.
    solver : replaces the solver in tests: takes a list of programmes, returns a list of solutions.
    """
    run = solver or partial(solve_all, with_slacks=with_slacks)
    if spec.model == "super-sbm":
        return _evaluate_super(frontiers, spec, run, progress)
    build = choose_builder(spec)
    programmes = [build(frontier, spec) for frontier in frontiers]
    solutions = run(programmes, progress=progress)
    return [
        read_scores(frontier, spec, programme, solution)
        for frontier, programme, solution in zip(frontiers, programmes, solutions, strict=True)
    ]


def solve_all_full(programmes: Sequence[Programme], *, progress: ProgressCallback | None = None) -> list[Solution]:
    """Every programme by :func:`~analysis_py.efficiency.full_lp.solve_full`, with progress over all of them."""
    total = sum(len(p) for p in programmes)
    base = 0
    solutions = []
    for programme in programmes:
        solutions.append(solve_full(programme, progress=_shift(progress, base, total)))
        base += len(programme)
    return solutions


def _shift(progress: ProgressCallback | None, base: int, total: int) -> ProgressCallback | None:
    if progress is None:
        return None

    def step(done: int, _: int, label: str) -> None:
        progress(base + done, total, label)

    return step


def _evaluate_super(
    frontiers: Sequence[Frontier],
    spec: ModelSpec,
    run: Callable[..., list[Solution]],
    progress: ProgressCallback | None,
) -> list[Scores]:
    """Plain SBM with the unit in the reference; where that gives one, or has no solution, super-SBM without it."""
    marked = [_with_own_places(frontier) for frontier in frontiers]
    build = choose_builder(spec)
    plain = [_replace_exclude(frontier, np.full(len(frontier), -1)) for frontier in marked]
    programmes = [build(frontier, spec) for frontier in plain]
    total = 2 * sum(len(f) for f in frontiers)
    solutions = run(programmes, progress=_shift(progress, 0, total))
    first = [read_scores(f, spec, p, s) for f, p, s in zip(plain, programmes, solutions, strict=True)]
    chosen = []
    for scores in first:
        beyond = (scores.status == INFEASIBLE) | ((scores.status == OK) & (scores.score >= 1.0 - EFFICIENT))
        chosen.append(np.flatnonzero(beyond))
    again = [_take(frontier, rows) for frontier, rows in zip(marked, chosen, strict=True)]
    super_programmes = [build_super_programme(frontier, spec) for frontier in again]
    super_solutions = run(super_programmes, progress=_shift(progress, total // 2, total))
    second = [
        read_scores(*each) for each in zip(again, [spec] * len(again), super_programmes, super_solutions, strict=True)
    ]
    if progress is not None:
        progress(total, total, "")
    return [merge_scores(a, b, rows) for a, b, rows in zip(first, second, chosen, strict=True)]


def _with_own_places(frontier: Frontier) -> Frontier:
    if np.any(frontier.exclude >= 0):
        return frontier
    if frontier.values.shape == frontier.reference.shape and np.array_equal(frontier.values, frontier.reference):
        return _replace_exclude(frontier, np.arange(len(frontier)))
    return frontier


def _replace_exclude(frontier: Frontier, exclude: NDArray[np.int64]) -> Frontier:
    return Frontier(
        frontier.values,
        frontier.reference,
        frontier.n_inputs,
        frontier.n_goods,
        frontier.n_bads,
        np.asarray(exclude, dtype=np.int64),
        frontier.units,
    )


def _take(frontier: Frontier, rows: NDArray[np.int64]) -> Frontier:
    return Frontier(
        frontier.values[rows],
        frontier.reference,
        frontier.n_inputs,
        frontier.n_goods,
        frontier.n_bads,
        frontier.exclude[rows],
        [frontier.units[int(r)] for r in rows],
    )
