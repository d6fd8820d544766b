"""Reference cases of instrumental variables: what each expected number of ivreg2 is called here."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.fe_cases import agree, shared_case

#: p-values are compared more loosely: they amplify the last digits of a statistic.
P_VALUES = 1e-5


def iv_case(name: str, data: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Expected numbers and data of a case beside the project; the test is skipped where it is absent."""
    wanted = json.loads(shared_case("econometrics", name, "expected.json").read_text(encoding="utf-8"))
    return wanted, pd.read_csv(shared_case("econometrics", name, data))


def covariance_of(key: str, *by: str) -> Any:
    """The covariance behind ``iid``, ``hc1``, ``cl`` or ``cl2``, with or without ``_small``."""
    kind = key.removesuffix("_small")
    return {"type": "cluster", "by": list(by)} if kind.startswith("cl") else kind


def fit_key(frame: pd.DataFrame, key: str, by: tuple[str, ...], **model: Any) -> IvResult:
    return fit_iv(frame, covariance=covariance_of(key, *by), convention="ivreg2", small=key.endswith("_small"), **model)


def statistic(result: IvResult, test: str) -> float:
    found = result.main.diagnostic(test)
    assert found is not None, test
    return found.statistic


def p_value(result: IvResult, test: str) -> float | None:
    found = result.main.diagnostic(test)
    assert found is not None, test
    return found.p_value


def agree_with_ivreg2(result: IvResult, wanted: dict[str, Any], *, is_iid: bool) -> None:
    """Every statistic that the fixtures of ivreg2 hold."""
    main = result.main
    for name, found in (
        ("r2", main.r2),
        ("r2_a", main.r2_adjusted),
        ("rmse", main.rmse),
        ("F_stat", main.f),
        ("cdf", statistic(result, "cragg_donald_f")),
        ("widstat", statistic(result, "kleibergen_paap_rk_wald_f")),
        ("idstat", statistic(result, "anderson_lm" if is_iid else "kleibergen_paap_rk_lm")),
        ("arf", statistic(result, "anderson_rubin")),
        ("archi2", statistic(result, "anderson_rubin_chi2")),
        ("sstat", statistic(result, "stock_wright_s")),
        ("estat", statistic(result, "endogeneity")),
        ("j", statistic(result, "sargan" if is_iid else "hansen_j")),
    ):
        if wanted.get(name) is not None:
            agree(found, wanted[name]) if wanted[name] else _is_zero(found)
    for name, test in (
        ("idp", "anderson_lm" if is_iid else "kleibergen_paap_rk_lm"),
        ("arfp", "anderson_rubin"),
        ("archi2p", "anderson_rubin_chi2"),
        ("estatp", "endogeneity"),
        ("jp", "sargan" if is_iid else "hansen_j"),
    ):
        if wanted.get(name):
            agree(p_value(result, test), wanted[name], P_VALUES)
    if wanted.get("F_p"):
        agree(main.f_p_value, wanted["F_p"], P_VALUES)
    assert main.n_obs == wanted["N"]
    if wanted.get("N_clust"):
        assert min(main.n_clusters) == wanted["N_clust"]
        assert result.counts.df_t == wanted["N_clust"] - 1 == wanted["F_df2"]
    else:
        assert result.counts.df_t == wanted["F_df2"]
    ar = result.tests.anderson_rubin
    assert (ar.df1, ar.df2) == (wanted["ardf"], wanted["ardf_r"])
    assert result.tests.identification.anderson_lm.df == wanted["iddf"]


def _is_zero(found: float | None) -> None:
    assert found == 0.0


def agree_with_first_stage(result: IvResult, rows: list[dict[str, Any]]) -> None:
    """ivreg2's matrix e(first), one column an endogenous variable."""
    for position, name in enumerate(result.design.endogenous.names):
        wanted = {row["statistic"]: row[name] for row in rows}
        test = result.tests.first_stages[position]
        agree(test.f, wanted["F"])
        agree(test.f_p_value, wanted["pvalue"], P_VALUES)
        agree(test.rmse, wanted["rmse"])
        agree(test.partial_r2, wanted["pr2"])
        agree(test.shea_r2, wanted["sheapr2"])
        agree(test.sanderson_windmeijer_f, wanted["SWF"])
        agree(test.angrist_pischke_f, wanted["APF"])
        assert (test.df1, test.df2) == (wanted["df"], wanted["df_r"])
        assert (test.conditional_df1, test.df2) == (wanted["SWFdf1"], wanted["SWFdf2"])
