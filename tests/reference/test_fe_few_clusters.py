"""CR2, CR3 and the wild cluster bootstrap against their definitions on dense matrices, weighted and unbalanced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.twfe import fit_twfe
from analysis_py.inference import bias_reduced as bias_reduced_module
from tests.reference.dense_clusters import all_signs, bias_reduced, independent_basis, leave_one_out, wild_statistics
from tests.reference.dense_lsdv import lsdv, unbalanced_panel
from tests.reference.fe_cases import agree

SLOPES = ["x1", "x2"]
EFFECTS = [[], ["city"], ["year"], ["city", "year"], ["city", "region^year"], ["city", "year", "region"]]
WEIGHTS = [None, "w"]


def with_interaction(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{"region^year": lambda d: d.region + d.year.astype(str)})


PANEL = with_interaction(unbalanced_panel(7))
SMALL = with_interaction(unbalanced_panel(7, units=14, times=5, regions=7))


def fit(
    frame: pd.DataFrame, effects: list[str], covariance: Any, weights: str | None, outcome: str = "y"
) -> RegressionResult:
    return fit_twfe(
        frame.drop(columns="region^year"),
        outcome=outcome,
        regressors=SLOPES,
        fixed_effects=effects,
        covariance=covariance,
        convention="plain",
        unit="city",
        time="year",
        weights=weights,
    )


def weight(frame: pd.DataFrame, name: str | None) -> np.ndarray | None:
    return None if name is None else frame[name].to_numpy()


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("effects", EFFECTS, ids="+".join)
@pytest.mark.parametrize("by", ["city", "region", "year"])
def test_bias_reduced(effects: list[str], weights: str | None, by: str) -> None:
    """Covariance and Satterthwaite degrees of freedom by definition; CR3 is also the jackknife of clusters."""
    dense = lsdv(PANEL, "y", SLOPES, effects, weight(PANEL, weights))
    groups = list(PANEL[by])
    jackknife = (PANEL[by].nunique() - 1) / PANEL[by].nunique()
    for kind, power, factor in (("cr2", -0.5, 1.0), ("cr3", -1.0, jackknife)):
        wanted, df = bias_reduced(dense, groups, power)
        result = fit(PANEL, effects, {"type": kind, "by": [by], "df": "satterthwaite"}, weights)
        np.testing.assert_allclose(result.vcov[:2, :2], factor * wanted[:2, :2], rtol=1e-9)
        assert result.df_terms is not None
        np.testing.assert_allclose(result.df_terms[:2], df[:2], rtol=1e-9)
        agree(float(result.vcov[0, 0]), float(factor * wanted[0, 0]), 1e-9)
        if kind == "cr3":
            removed = leave_one_out(dense, groups, 2)
            np.testing.assert_allclose(result.vcov[:2, :2], removed, rtol=1e-8)
            agree(float(result.vcov[1, 1]), float(removed[1, 1]), 1e-8)


@pytest.mark.parametrize("kind", ["cr2", "cr3"])
@pytest.mark.parametrize(
    ("effects", "by"), [(["city", "year"], "year"), (["city", "year"], "region"), (["city"], "year")]
)
def test_large_clusters_need_no_dense_matrix(
    kind: str, effects: list[str], by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hundreds of rows a cluster, dense matrices forbidden: as from the definition; with weights by year refused."""
    frame = with_interaction(unbalanced_panel(3, units=160, times=4, regions=5))
    result_of = {"type": kind, "by": [by], "df": "satterthwaite"}
    groups = list(frame[by])
    dense = independent_basis(lsdv(frame, "y", SLOPES, effects, None))
    wanted, df = bias_reduced(dense, groups, -0.5 if kind == "cr2" else -1.0)
    factor = 1.0 if kind == "cr2" else (len(set(groups)) - 1) / len(set(groups))
    monkeypatch.setattr(bias_reduced_module, "_MAX_DENSE", 0)
    result = fit(frame, effects, result_of, None)
    np.testing.assert_allclose(result.vcov[:2, :2], factor * wanted[:2, :2], rtol=1e-9)
    assert result.df_terms is not None
    np.testing.assert_allclose(result.df_terms[:2], df[:2], rtol=1e-9)
    if by == "year":
        with pytest.raises(CarbonpanelError, match="need a dense matrix"):
            fit(frame, effects, result_of, "w")


def test_cr2_of_a_difference_in_means_is_welch() -> None:
    """One observation a cluster: CR2 is HC2 and its degrees of freedom are those of Bell and McCaffrey for HC2."""
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"d": np.repeat([0.0, 1.0], [5, 9]), "id": np.arange(14)})
    frame["y"] = rng.normal(size=14) * (1 + frame.d)
    ours = fit_twfe(
        frame,
        outcome="y",
        regressors=["d"],
        fixed_effects=[],
        covariance={"type": "cr2", "by": ["id"]},
        convention="plain",
    )
    a, b = frame.y[frame.d == 0], frame.y[frame.d == 1]
    agree(ours.error("d"), float(np.sqrt(a.var() / 5 + b.var() / 9)), 1e-12)
    # Bell & McCaffrey for two means: (1/n0 + 1/n1)^2 / (1/(n0^2 (n0-1)) + 1/(n1^2 (n1-1))), Imbens & Kolesar (2016)
    assert ours.df_terms is not None
    agree(float(ours.df_terms[0]), (1 / 5 + 1 / 9) ** 2 / (1 / (25 * 4) + 1 / (81 * 8)), 1e-12)


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("effects", EFFECTS, ids="+".join)
@pytest.mark.parametrize(
    ("by", "boot"),
    [(["region"], "region"), (["region", "year"], "region"), (["region", "year"], "year"), (["city", "year"], "year")],
    ids=str,
)
@pytest.mark.parametrize("null", [0.0, 0.6])
def test_wild_bootstrap(effects: list[str], weights: str | None, by: list[str], boot: str, null: float) -> None:
    """Every combination of signs, each bootstrap sample formed and refitted: the same p-value at several nulls."""
    frame = SMALL.assign(moved=SMALL.y - null * SMALL.x1)
    dense = independent_basis(lsdv(frame, "y", SLOPES, effects, weight(frame, weights)))
    covariance = {"type": "wild", "by": by, "boot_by": boot, "distribution": "rademacher", "draws": 999}
    result = fit(frame, effects, covariance, weights, "moved")
    assert dict(result.small_sample)["enumerated"] is True
    sample, draws = wild_statistics(
        dense, 0, null, list(frame[boot]), [list(frame[b]) for b in by], all_signs(frame[boot].nunique())
    )
    if sample < 0:
        assert np.isnan(result.p_value[0])
        return
    valid = draws > 0
    wanted = float(np.mean(draws[valid] >= sample * (1 - 1e-9)))
    agree(float(result.p_value[0]), wanted, 1e-12)


def test_interval_holds_what_is_not_rejected() -> None:
    """Just inside the limits the bootstrap of the moved outcome does not reject, just outside it does."""
    frame = with_interaction(unbalanced_panel(5, units=40, times=6, regions=9))
    covariance = {"type": "wild", "by": ["city"], "draws": 1999, "seed": 4}
    result = fit(frame, ["city", "year"], covariance, None)
    for limit, outward in ((result.ci_low[0], -1.0), (result.ci_high[0], 1.0)):
        for step, is_inside in ((-1e-6, True), (1e-6, False)):
            null = limit + outward * step
            moved = fit(frame.assign(moved=frame.y - null * frame.x1), ["city", "year"], covariance, None, "moved")
            assert (moved.p_value[0] >= 0.05) is np.bool_(is_inside)


@pytest.mark.parametrize("distribution", ["rademacher", "webb"])
def test_draws_do_not_depend_on_blocks(distribution: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """One block of draws or many give the same numbers."""
    from analysis_py.inference import wild_bootstrap

    frame = with_interaction(unbalanced_panel(5, units=40, times=6, regions=9))
    covariance = {"type": "wild", "by": ["city"], "draws": 999, "seed": 4, "distribution": distribution}
    once = fit(frame, ["city", "year"], covariance, "w")
    monkeypatch.setattr(wild_bootstrap, "_BLOCK_CELLS", 40 * 37)
    again = fit(frame, ["city", "year"], covariance, "w")
    np.testing.assert_array_equal(once.p_value, again.p_value)
    np.testing.assert_allclose(once.ci_low, again.ci_low, rtol=1e-9)


def test_simple_and_general_routes_agree() -> None:
    """The product of a block and the quadratic form give the same draws, for a constant too."""
    from analysis_py.estimators.conventions import find_convention
    from analysis_py.estimators.least_squares import constant_from_means, solve
    from analysis_py.estimators.projection import find_projection
    from analysis_py.estimators.result import CovarianceSpec
    from analysis_py.estimators.sample import draw_sample
    from analysis_py.inference.wild_bootstrap import _general, _simple

    spec = CovarianceSpec.parse({"type": "wild", "by": ["region"]})
    sample = draw_sample(
        PANEL,
        outcome="y",
        regressors=SLOPES,
        fixed_effects=["city", "year"],
        spec=spec,
        convention=find_convention("plain"),
        unit="city",
        time="year",
        weights="w",
    )
    solution = solve(sample)
    projection = find_projection(sample, solution)
    root = np.sqrt(sample.weights)
    boot = sample.clusters[0]
    v = np.random.default_rng(1).choice([-1.5, -1.0, 0.5, 1.0], (50, boot.levels))
    for influence in (*solution.influence.T, constant_from_means(sample, solution).influence):
        made = [
            maker(projection, sample.clusters, boot, root * solution.residuals, root * influence)
            for maker in (_simple, _general)
        ]
        assert made[0].observed == pytest.approx(made[1].observed, rel=1e-12)
        drawn = v @ projection.basis_sums(root * solution.residuals, boot)
        for first, second in zip(*(m.evaluate(v, drawn, are_signs=False) for m in made), strict=True):
            np.testing.assert_allclose(first, second, rtol=1e-8, atol=1e-10 * np.abs(second).max())
