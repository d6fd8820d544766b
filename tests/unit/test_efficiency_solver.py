"""The fast solver against the full linear programmes, and the proofs it gives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from analysis_py.efficiency import solver as solver_module
from analysis_py.efficiency.frontier import Frontier, make_frontier
from analysis_py.efficiency.full_lp import full_columns, solve_full
from analysis_py.efficiency.models import Programme, build_radial_programme, build_slack_programme, choose_builder
from analysis_py.efficiency.reading import Scores
from analysis_py.efficiency.scores import evaluate_frontiers, solve_all_full
from analysis_py.efficiency.solution import INFEASIBLE, OK
from analysis_py.efficiency.solver import solve_all
from analysis_py.efficiency.specification import ModelSpec
from tests.unit.efficiency_problems import draw_problems, draw_values, split


def assert_same(name: str, frontier: Frontier, fast: Scores, full: Scores) -> int:
    """Verdicts equal, scores to 1e-8; the number of infeasible units.

    Sums of slacks in the data's units (additive with weights of one) are compared in shares of the unit's size.
    """
    np.testing.assert_array_equal(fast.status, full.status, err_msg=name)
    ok = fast.status == OK
    is_sum = fast.spec.model == "additive" and fast.spec.weights == "ones"
    size = np.maximum(1.0, frontier.values.max(axis=1))[ok] if is_sum else 1.0
    np.testing.assert_allclose(fast.score[ok] / size, full.score[ok] / size, rtol=1e-8, atol=1e-8, err_msg=name)
    assert np.all(fast.residual <= 1e-7), name
    return int((fast.status == INFEASIBLE).sum())


def compare(count: int, seed: int, most_units: int = 25) -> tuple[int, int, int]:
    """Programmes, infeasible ones and fallbacks among the fast ones of ``count`` problems."""
    n_programmes = n_infeasible = n_fallback = 0
    for name, frontier, spec in draw_problems(count, seed, most_units):
        fast = evaluate_frontiers([frontier], spec)[0]
        full = evaluate_frontiers([frontier], spec, solver=solve_all_full)[0]
        n_infeasible += assert_same(name, frontier, fast, full)
        n_programmes += len(fast)
        n_fallback += fast.n_fallback
    return n_programmes, n_infeasible, n_fallback


def test_equals_full_programmes() -> None:
    n_programmes, n_infeasible, n_fallback = compare(240, seed=11)
    assert n_programmes > 2_000
    assert n_infeasible > 100  # verdicts were compared, not only scores
    assert n_fallback <= n_programmes // 100  # the fast solver itself did the work


@pytest.mark.nightly
def test_equals_full_programmes_at_length() -> None:
    n_programmes, n_infeasible, n_fallback = compare(2_500, seed=12)
    assert n_programmes > 25_000
    assert n_infeasible > 1_000
    assert n_fallback <= n_programmes // 100


@pytest.mark.nightly
def test_equals_full_programmes_with_hundreds_of_units() -> None:
    n_programmes, _, n_fallback = compare(60, seed=13, most_units=250)
    assert n_fallback <= n_programmes // 100


def test_largest_slacks_equal_full_programmes() -> None:
    """Radial models: the sum of slack shares of the second stage is unique, and the target is what the peers make."""
    compared = 0
    for name, frontier, spec in draw_problems(400, seed=21):
        if spec.model not in ("ccr", "bcc", "ddf") or np.any(frontier.values == 0):
            continue
        fast = evaluate_frontiers([frontier], spec)[0]
        full = evaluate_frontiers([frontier], spec, solver=solve_all_full)[0]
        ok = fast.status == OK
        values = frontier.values
        sums = [
            (np.hstack([s.slacks_input, s.slacks_good, s.slacks_bad]) / values).sum(axis=1)[ok] for s in (fast, full)
        ]
        np.testing.assert_allclose(sums[0], sums[1], rtol=1e-6, atol=1e-6, err_msg=name)
        compared += int(ok.sum())
    assert compared > 300


def test_several_references_at_once_equal_one_after_another() -> None:
    rng = np.random.default_rng(3)
    sizes = (2, 1, 1)
    spec = ModelSpec("sbm-ddf", returns="vrs")
    blocks = [draw_values(rng, n, sizes, "smooth") for n in (5, 40, 1, 90)]
    frontiers = [make_frontier(*split(b, sizes), *split(b, sizes)) for b in blocks]
    together = evaluate_frontiers(frontiers, spec)
    for frontier, found in zip(frontiers, together, strict=True):
        alone = evaluate_frontiers([frontier], spec)[0]
        np.testing.assert_allclose(found.score, alone.score, rtol=0, atol=1e-12)


def test_infeasible_has_a_farkas_row() -> None:
    """y'(column) <= 0 for every column that may be used, y'd > 0: checked here from scratch."""
    rng = np.random.default_rng(5)
    sizes = (2, 2, 1)
    values, reference = draw_values(rng, 40, sizes, "smooth"), draw_values(rng, 12, sizes, "smooth")
    values[:, 2:4] *= 4.0
    frontier = make_frontier(*split(values, sizes), *split(reference, sizes))
    programme = build_slack_programme(frontier, ModelSpec("sbm-ddf", returns="vrs"))
    solution = solve_all([programme])[0]
    infeasible = np.flatnonzero(solution.status == INFEASIBLE)
    assert len(infeasible) > 10
    assert solution.n_fallback == 0
    for row in infeasible:
        proof = solution.duals[row]
        strength = proof @ programme.rhs[row]
        columns = full_columns(programme, int(row))
        columns = columns / np.abs(columns).max(axis=0)
        assert strength > 1e-6
        assert (proof @ columns).max() <= 1e-7 * strength


def test_optimum_has_its_certificate() -> None:
    """Values fill the rows, no column has a reduced cost below zero, and costs and duals meet: from scratch."""
    for name, frontier, spec in draw_problems(60, seed=31):
        if spec.model == "super-sbm":
            continue
        programme = choose_builder(spec)(frontier, spec)
        solution = solve_all([programme], with_slacks=False)[0]
        for row in np.flatnonzero(solution.status == OK):
            columns = full_columns(programme, int(row))
            r = len(programme.reference)
            values = np.zeros(columns.shape[1])
            used = solution.columns[row] >= 0
            np.add.at(values, solution.columns[row][used], solution.values[row][used])
            values[r:] = solution.aux[row]
            cost = np.concatenate([np.zeros(r), programme.cost[row]])
            scale = np.abs(columns).max(axis=0)
            scale[scale == 0] = 1.0
            size = max(1.0, np.abs(cost / scale).max())
            assert values.min() >= 0.0, name
            assert np.abs(columns @ values - programme.rhs[row]).max() <= 1e-9, name
            reduced = (cost - solution.duals[row] @ columns) / scale / size
            may = np.ones(len(cost), dtype=bool)
            may[r:] = ~programme.blocked
            if programme.exclude[row] >= 0:
                may[:r] = programme.owner != programme.exclude[row]
            assert reduced[may].min() >= -1e-9, name
            assert abs(cost @ values - solution.duals[row] @ programme.rhs[row]) <= 1e-9 * size, name


def test_doubtful_exits_go_to_the_full_programme(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without steps to take the fast solver gives everything up, and the scores are the same."""
    rng = np.random.default_rng(7)
    sizes = (2, 1, 1)
    values = draw_values(rng, 12, sizes, "smooth")
    frontier = make_frontier(*split(values, sizes), *split(values, sizes))
    spec = ModelSpec("sbm", returns="vrs")
    fast = evaluate_frontiers([frontier], spec)[0]

    class NoSteps(solver_module._Run):
        def __init__(self, programmes: Sequence[Programme], *rest: object) -> None:
            super().__init__(programmes, *rest)  # type: ignore[arg-type]
            self.limit = 1

    monkeypatch.setattr(solver_module, "_Run", NoSteps)
    slow = evaluate_frontiers([frontier], spec)[0]
    assert fast.n_fallback == 0
    assert slow.n_fallback == len(values)
    np.testing.assert_allclose(fast.score, slow.score, rtol=0, atol=1e-9)


def test_singular_basis_goes_to_the_full_programme(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(8)
    sizes = (2, 1, 0)
    values = draw_values(rng, 9, sizes, "smooth")
    frontier = make_frontier(*split(values, sizes), *split(values, sizes))
    programme = build_radial_programme(frontier, ModelSpec("ccr"))
    wanted = solve_full(programme)
    real = solver_module._invert_again
    monkeypatch.setattr(solver_module, "_invert_again", lambda work, refs: real(work, refs) & False)
    found = solve_all([programme])[0]
    assert found.n_fallback == len(values)
    np.testing.assert_allclose(found.objective, wanted.objective, rtol=0, atol=1e-12)


def test_same_bytes_twice_and_progress_ends_at_the_total() -> None:
    rng = np.random.default_rng(9)
    sizes = (3, 2, 1)
    values = draw_values(rng, 300, sizes, "smooth")
    frontier = make_frontier(*split(values, sizes), *split(values, sizes))
    seen: list[tuple[int, int]] = []
    spec = ModelSpec("ddf", returns="vrs")
    first = evaluate_frontiers([frontier], spec, progress=lambda done, total, label: seen.append((done, total)))[0]
    again = evaluate_frontiers([frontier], spec)[0]
    for name in ("score", "residual", "slacks_input", "slacks_good", "duals", "peer_weight", "targets_bad"):
        assert getattr(first, name).tobytes() == getattr(again, name).tobytes(), name
    assert seen[-1] == (300, 300)
    assert [d for d, _ in seen] == sorted(d for d, _ in seen)


def test_scores_without_slacks_are_the_same() -> None:
    rng = np.random.default_rng(10)
    sizes = (2, 2, 1)
    values = draw_values(rng, 80, sizes, "ties")
    frontier = make_frontier(*split(values, sizes), *split(values, sizes))
    spec = ModelSpec("ddf")
    with_slacks = evaluate_frontiers([frontier], spec)[0]
    without = evaluate_frontiers([frontier], spec, with_slacks=False)[0]
    np.testing.assert_allclose(with_slacks.score, without.score, rtol=0, atol=1e-12)


def test_thousands_of_units_are_certified() -> None:
    """A reference larger than the pool's opening and the chunks of pricing."""
    rng = np.random.default_rng(12)
    sizes = (3, 1, 1)
    values = draw_values(rng, 3_000, sizes, "smooth")
    frontier = make_frontier(*split(values, sizes), *split(values, sizes))
    spec = ModelSpec("sbm", returns="vrs")
    found = evaluate_frontiers([frontier], spec)[0]
    assert found.residual.max() <= 1e-9
    assert found.n_fallback == 0
    rows = rng.choice(len(values), 5, replace=False)
    programme = choose_builder(spec)(frontier, spec)
    np.testing.assert_allclose(found.score[rows], solve_full(programme, rows).objective, rtol=0, atol=1e-8)
