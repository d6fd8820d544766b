"""Every fast path against one plain fit: least squares on explicit dummies, nothing shared with the package, to 1e-10.

Each runs on an unbalanced panel, weighted, with one effect and with two, with units of a single row. The threshold
search and each draw of its bootstrap are held to plain fits in ``tests/unit/test_threshold_search.py``, instruments in
``test_iv_dense.py``, Poisson in ``test_fe_poisson.py``, large clusters in ``test_fe_few_clusters.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators import mediation
from analysis_py.estimators.factors import encode
from analysis_py.estimators.mediation import bootstrap_indirect
from analysis_py.estimators.threshold import fit_threshold
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.inference import permutation, wild_bootstrap
from analysis_py.inference.conley import conley_covariance
from analysis_py.inference.entity_grams import Columns
from analysis_py.inference.multiple_testing import correct_family
from analysis_py.inference.permutation import permute_groups
from tests.reference.dense_clusters import independent_basis, wild_statistics
from tests.reference.dense_lsdv import dummies, lsdv, unbalanced_panel

EXACT = 1e-10
SLOPES = ["x1", "x2"]


@dataclass(frozen=True)
class Case:
    frame: pd.DataFrame
    effects: tuple[str, ...]
    weights: str | None

    @property
    def w(self) -> np.ndarray:
        return np.ones(len(self.frame)) if self.weights is None else self.frame[self.weights].to_numpy()

    def columns(self, names: Sequence[str]) -> Columns:
        return Columns(
            self.frame[list(names)].to_numpy(),
            self.w / self.w.mean(),
            tuple(encode(self.frame, e) for e in self.effects),
        )


def with_singletons(frame: pd.DataFrame) -> pd.DataFrame:
    """Three units keep their first row alone."""
    few = frame["city"].isin(sorted(frame["city"].unique())[:3])
    return frame[~few | ~frame.duplicated("city")].reset_index(drop=True)


PANEL = unbalanced_panel(23, units=24, times=7)
CASES = {
    f"{shape}, {'+'.join(effects)}{', weighted' if weights else ''}": Case(frame, effects, weights)
    for shape, frame in (("unbalanced", PANEL), ("singletons", with_singletons(PANEL)))
    for effects in (("city",), ("year",), ("city", "year"))
    for weights in (None, "w")
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def plain_slopes(case: Case, counts: np.ndarray, outcome: str, names: Sequence[str]) -> np.ndarray:
    """Weighted least squares on explicit dummies, rows counted ``counts`` times."""
    z = np.column_stack([case.frame[list(names)].to_numpy(), *(dummies(case.frame[e]) for e in case.effects)])
    root = np.sqrt(case.w * counts)
    return np.linalg.lstsq(z * root[:, None], case.frame[outcome].to_numpy() * root, rcond=None)[0][: len(names)]


@every_case
@pytest.mark.parametrize("convention", ["plain", "reghdfe", "fixest"])
def test_absorption(case: Case, convention: str) -> None:
    """Slopes with effects absorbed; a unit with one row changes them neither where it stays nor where it goes."""
    result = fit_twfe(
        case.frame, outcome="y", regressors=SLOPES, fixed_effects=case.effects, covariance="iid", convention=convention,
        unit="city", time="year", weights=case.weights,
    )  # fmt: skip
    np.testing.assert_allclose(
        result.estimate[:2], plain_slopes(case, np.ones(len(case.frame)), "y", SLOPES), rtol=EXACT, atol=EXACT
    )


@every_case
def test_permutation_of_units(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each draw, two fits apart; dealt in blocks of a few draws it is the same."""
    units = encode(case.frame, "city")
    labels = (np.arange(units.levels) % 2).astype(int)
    columns = case.columns([*SLOPES, "y"])
    found = permute_groups(columns, labels[units.codes], units, draws=12, seed=3)
    dealt = np.random.default_rng(3).permuted(np.tile(labels, (12, 1)), axis=1)
    for draw, own in enumerate(dealt):
        slopes = [plain_slopes(case, (own == g)[units.codes].astype(float), "y", SLOPES) for g in (0, 1)]
        np.testing.assert_allclose(found.draws[draw, 0], slopes[0] - slopes[1], rtol=EXACT, atol=EXACT)
    monkeypatch.setattr(permutation, "_DEALT_CELLS", 5 * units.levels)
    np.testing.assert_allclose(
        permute_groups(columns, labels[units.codes], units, draws=12, seed=3).draws, found.draws, rtol=1e-12
    )


@every_case
def test_cluster_bootstrap_of_an_indirect_effect(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each draw from two fits with the clusters counted as they were drawn; in blocks of a few draws the same."""
    frame = case.frame.assign(m=lambda d: 0.5 * d.x1 + np.sin(np.arange(len(d))))
    case = Case(frame, case.effects, case.weights)
    cities = encode(frame, "city")
    columns = case.columns(["x2", "x1", "m", "y"])
    found = bootstrap_indirect(columns, cities, controls=1, treatments=1, draws=60, seed=5)
    drawn = np.random.default_rng(5).integers(0, cities.levels, size=(60, cities.levels))
    for draw in range(15):
        counts = np.bincount(drawn[draw], minlength=cities.levels)[cities.codes].astype(float)
        path = plain_slopes(case, counts, "m", ["x2", "x1"])[1]
        effect = plain_slopes(case, counts, "y", ["x2", "x1", "m"])[2]
        np.testing.assert_allclose(found.draws[draw, 0, 0], path * effect, rtol=EXACT, atol=EXACT)
    monkeypatch.setattr(mediation, "_DRAWN_CELLS", 7 * cities.levels)
    again = bootstrap_indirect(columns, cities, controls=1, treatments=1, draws=60, seed=5)
    np.testing.assert_allclose(again.draws, found.draws, rtol=1e-11)


@every_case
@pytest.mark.parametrize(
    ("by", "distribution"), [(["city"], "rademacher"), (["region"], "webb"), (["city", "year"], "rademacher")], ids=str
)
def test_wild_bootstrap(case: Case, by: list[str], distribution: str) -> None:
    """The p-value from each drawn sample formed and refitted."""
    spec = {"type": "wild", "by": by, "draws": 99, "seed": 8, "distribution": distribution}
    result = fit_twfe(
        case.frame, outcome="y", regressors=SLOPES, fixed_effects=case.effects, covariance=spec, convention="plain",
        unit="city", time="year", weights=case.weights,
    )  # fmt: skip
    boot = min(by, key=lambda b: case.frame[b].nunique())
    levels = case.frame[boot].nunique()
    assert dict(result.small_sample).get("enumerated") is None
    v = np.concatenate(list(wild_bootstrap._draw_weights(levels, 99, 8, distribution, False)))
    dense = independent_basis(lsdv(case.frame, "y", SLOPES, case.effects, None if case.weights is None else case.w))
    sample, draws = wild_statistics(dense, 0, 0.0, list(case.frame[boot]), [list(case.frame[b]) for b in by], v)
    if sample < 0:
        assert np.isnan(result.p_value[0])
        return
    valid = draws > 0
    wanted = np.mean(draws[valid] >= sample * (1 - 1e-9))
    np.testing.assert_allclose(result.p_value[0], wanted, rtol=EXACT, atol=EXACT)


@pytest.mark.parametrize("seed", range(20))
def test_interval_search_counts_as_all_draws_do(seed: int) -> None:
    """Draws put aside as decided between two distances are decided: counts with and without them are the same."""
    rng = np.random.default_rng(seed)
    n0, n1, q1 = rng.normal(size=(3, 500))
    q0, q2 = rng.gamma(2.0, size=(2, 500)) - (0.3 if seed % 2 else 0.0)
    polynomials = wild_bootstrap._Polynomials(n0, n1, q0, q1, q2, 1.3)
    low = float(rng.choice([-1.0, 1.0]) * rng.uniform(0.5, 3.0))
    high = low + float(rng.uniform(0.05, 0.4))
    is_open = polynomials.undecided(low, high)
    assert is_open.sum() < 400
    decided, rest = polynomials.take(np.flatnonzero(~is_open)), polynomials.take(np.flatnonzero(is_open))
    once = decided.count(high)
    for d in np.linspace(low, high, 41):
        more = rest.count(float(d))
        assert polynomials.count(float(d)) == (once[0] + more[0], once[1] + more[1])


@every_case
def test_threshold(case: Case) -> None:
    """The curve of one threshold and the slopes at it."""
    frame = case.frame.assign(q=np.round(np.cos(np.arange(len(case.frame))), 2))
    result = fit_threshold(
        frame, outcome="y", regime_terms=["x1"], regressors=["x2"], fixed_effects=case.effects, covariance="iid",
        convention="plain", threshold={"variable": "q", "grid": "all", "bootstrap": 0, "trim": 0.1}, unit="city",
        time="year", weights=case.weights,
    )  # fmt: skip
    curve, split = result.curves[0], None
    n, ssr = len(frame), []
    for value in curve.x:
        low = (frame["q"] <= value).to_numpy()
        z = np.column_stack(
            [frame["x1"] * low, frame["x1"] * ~low, frame["x2"], *(dummies(frame[e]) for e in case.effects)]
        )
        # weights of mean one, as analytic weights are taken
        root = np.sqrt(case.w / case.w.mean())
        b = np.linalg.lstsq(z * root[:, None], frame["y"] * root, rcond=None)[0]
        ssr.append(float(np.sum((root * (frame["y"] - z @ b)) ** 2)))
        if value == result.thresholds[0].value:
            split = b[:3]
    assert len(curve.x) > 20 and n == len(result.regime)
    found = np.asarray(curve.y)
    wanted = (np.array(ssr) - min(ssr)) / (min(ssr) / result.degrees)
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * result.degrees)
    np.testing.assert_allclose(result.tests[0].ssr, min(ssr), rtol=1e-10)
    assert split is not None
    np.testing.assert_allclose(result.regression.estimate[:3], split, rtol=EXACT, atol=EXACT)


def test_family_of_tests() -> None:
    """Romano-Wolf: the largest statistic of every draw added up hypothesis by hypothesis, cluster by cluster."""
    rng = np.random.default_rng(4)
    influence, estimate = rng.normal(size=(30, 4)), rng.normal(size=4) * 6.0
    influence[:4, 1] = 0.0
    found = correct_family(estimate, influence, draws=300, seed=9)
    signs = np.random.default_rng(9).integers(0, 2, size=(300, 30)) * 2.0 - 1.0
    statistic, drawn = [], []
    for j in range(4):
        parts = [value for value in influence[:, j] if value != 0]
        error = sum(v * v for v in parts) ** 0.5
        statistic.append(estimate[j] / error)
        drawn.append([abs(sum(s * v for s, v in zip(row, influence[:, j], strict=True)) / error) for row in signs])
    np.testing.assert_allclose(found.statistic, statistic, rtol=1e-10)
    left, floor = sorted(range(4), key=lambda j: -abs(statistic[j])), 0.0
    while left:
        at = left[0]
        beyond = sum(max(drawn[j][b] for j in left) >= abs(statistic[at]) * (1 - 1e-12) for b in range(300))
        floor = max(floor, (1 + beyond) / 301)
        np.testing.assert_allclose(found.romano_wolf[at], floor, rtol=1e-10)
        left = left[1:]


@pytest.mark.parametrize("kernel", ["uniform", "bartlett"])
@pytest.mark.parametrize("cutoff", [150.0, 900.0, 12_000.0])
@pytest.mark.parametrize("box", [(70, 135, 18, 53), (170, 190, -20, 5), (-180, 180, 60, 90)], ids=str)
def test_conley(box: tuple[float, float, float, float], cutoff: float, kernel: str) -> None:
    """Every pair of rows one by one: in China, across the date line, around the pole."""
    rng = np.random.default_rng(6)
    n = 90
    lon, lat = rng.uniform(*box[:2], n), rng.uniform(*box[2:], n)
    lon[5:9], lat[5:9] = lon[5], lat[5]
    scores = rng.normal(size=(n, 2))
    wanted = np.zeros((2, 2))
    for a in range(n):
        for b in range(n):
            half = np.sin(np.radians(lat[a] - lat[b]) / 2) ** 2
            half += (
                np.cos(np.radians(lat[a])) * np.cos(np.radians(lat[b])) * np.sin(np.radians(lon[a] - lon[b]) / 2) ** 2
            )
            d = 2 * 6371.0088 * float(np.arcsin(np.sqrt(half)))
            if d <= cutoff:
                wanted += (1.0 if kernel == "uniform" else 1.0 - d / cutoff) * np.outer(scores[a], scores[b])
    found = conley_covariance(scores, lon, lat, cutoff, kernel)
    np.testing.assert_allclose(found, wanted, rtol=EXACT, atol=EXACT)
