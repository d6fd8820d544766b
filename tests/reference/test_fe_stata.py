"""Stata's ``xtreg, fe`` and ``regress`` on a simulated panel: complete, and with few and with many missing values.

Source: Stata 13's log in the tests of linearmodels 7.1 (``stata-panel-simulated-results.txt``; 1,000 firms, three
years, ``_light`` and ``_heavy`` columns with missing values), with and without weights, conventional and clustered.
"""

from __future__ import annotations

from typing import Any

import pytest

from analysis_py.estimators.twfe import fit_twfe
from tests.reference.estout_logs import LOGGED, read_log, read_stata
from tests.reference.fe_cases import agree, cluster

#: What Stata calls the statistics of ``xtreg, fe``.
_DIAGNOSTICS = {"rho": "rho", "sigma_u": "sigma_u", "sigma_e": "sigma_e", "corr": "corr_u_xb", "F_f": "f_u"}


@pytest.mark.parametrize("missing", ["", "_light", "_heavy"])
@pytest.mark.parametrize("weights", ["", "weighted"])
@pytest.mark.parametrize("vce", ["conventional", "robust", "cluster"])
@pytest.mark.parametrize("model", ["fixed_effect", "pooled"])
def test_panel(model: str, vce: str, weights: str, missing: str) -> None:
    wanted = read_log("panel", "stata-panel-simulated-results.txt")[f"{model}-{vce}-{weights}-{missing}"]
    is_panel = model == "fixed_effect"
    # `xtreg, fe vce(robust)` clusters by unit
    covariance: Any = cluster("firm") if vce == "cluster" or (is_panel and vce == "robust") else None
    result = fit_twfe(
        read_stata("panel", "simulated-panel.dta"),
        outcome=f"y{missing}",
        regressors=[f"x{j}{missing}" for j in range(1, 6)],
        fixed_effects=["firm"] if is_panel else [],
        covariance=covariance or ("hc1" if vce == "robust" else "iid"),
        convention="xtreg",
        unit="firm",
        time="time",
        weights="w" if weights else None,
    )
    assert set(wanted.estimate) == set(result.terms)
    for term in result.terms:
        agree(result.coefficient(term), wanted.estimate[term], LOGGED)
        agree(result.error(term), wanted.std_error[term], LOGGED)
    p_values = dict(zip(result.terms, result.p_value, strict=True))
    for term, p in wanted.p_value.items():
        if p > 0:
            agree(float(p_values[term]), p, 1e-4)
    for name, found in (
        ("rmse", result.rmse),
        ("r2", result.r2),
        ("r2_a", result.r2_adjusted),
        ("r2_w", result.r2_within),
        ("r2_b", result.r2_between),
        ("r2_o", result.r2_overall),
        ("F", result.f),
    ):
        if name in wanted.statistics:
            agree(found, wanted.statistics[name], LOGGED)
    assert result.n_obs == wanted.statistics["N"]
    assert result.df_t == wanted.statistics["df_r"]
    for name, test in _DIAGNOSTICS.items():
        if name in wanted.statistics:
            found = result.diagnostic(test)
            assert found is not None
            agree(found.statistic, wanted.statistics[name], LOGGED)
    if is_panel:
        assert {"r2_o", "corr", "rmse", "r2_a"} <= set(wanted.statistics)
