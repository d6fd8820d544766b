"""Instrumental variables with absorbed effects against linearmodels 7.1 on explicit dummies, unbalanced and weighted.

The wage panel of Vella & Verbeek (1998) in linearmodels' copy: 60 men, a fifth of the rows left out, instruments drawn
here. linearmodels' errors have no small-sample factor; that of the convention is divided out.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.fe_cases import agree, cluster
from tests.reference.iv_cases import statistic

COVARIANCES: dict[str, Any] = {
    "iid": "iid",
    "hc1": "hc1",
    "one_way": cluster("nr"),
    "two_way": cluster("nr", "year"),
}


@pytest.fixture(scope="module")
def men() -> pd.DataFrame:
    frame = import_module("linearmodels.datasets.wage_panel").load()
    frame = frame[(frame["nr"] * 7 + frame["year"]) % 5 != 0]
    frame = frame[frame["nr"].isin(frame["nr"].unique()[:60])].reset_index(drop=True)
    draws = np.random.default_rng(3).normal(size=(len(frame), 2))
    frame["z1"], frame["z2"] = draws.T
    frame["work"] = frame["hours"] / 1000 + 0.3 * frame["z1"] + 0.2 * frame["z2"]
    frame["weight"] = 0.5 + frame["nr"] % 7 / 3
    return frame


def theirs(frame: pd.DataFrame, effects: list[str], covariance: str, weights: str | None, method: str) -> Any:
    dummies = [pd.get_dummies(frame[e], prefix=e, drop_first=i > 0).astype(float) for i, e in enumerate(effects)]
    options: dict[str, Any] = {"cov_type": {"iid": "unadjusted", "hc1": "robust"}.get(covariance, "clustered")}
    if covariance == "one_way":
        options["clusters"] = frame["nr"]
    elif covariance == "two_way":
        options["clusters"] = frame[["nr", "year"]]
    model = getattr(import_module("linearmodels.iv"), "IV2SLS" if method == "2sls" else "IVLIML")
    exogenous = pd.concat([frame[["union", "married"]], *dummies], axis=1)
    given = None if weights is None else frame[weights]
    return model(frame["lwage"], exogenous, frame[["work"]], frame[["z1", "z2"]], weights=given).fit(**options)


def factor_of(found: IvResult) -> float:
    """What the convention multiplies a variance without any factor by."""
    counts = found.counts
    return counts.n / counts.sigma2_divisor() if counts.kind == "iid" else counts.sandwich_factor()


@pytest.mark.parametrize("covariance", list(COVARIANCES))
@pytest.mark.parametrize("weights", [None, "weight"])
@pytest.mark.parametrize("method", ["2sls", "liml"])
@pytest.mark.parametrize("effects", [["nr"], ["nr", "year"], ["year"]], ids="^".join)
def test_dummies(men: pd.DataFrame, effects: list[str], method: str, weights: str | None, covariance: str) -> None:
    wanted = theirs(men, effects, covariance, weights, method)
    for convention in ("ivreg2", "xtivreg2", "ivreghdfe"):
        found = fit_iv(
            men,
            outcome="lwage",
            endogenous=["work"],
            instruments=["z1", "z2"],
            exogenous=["union", "married"],
            fixed_effects=effects,
            covariance=COVARIANCES[covariance],
            convention=convention,
            method=method,
            weights=weights,
            unit="nr",
            time="year",
        )
        for term in ("work", "union", "married"):
            agree(found.main.coefficient(term), float(wanted.params[term]))
            error = float(np.sqrt(factor_of(found) * max(float(wanted.cov.loc[term, term]), 0.0)))
            # a two-way variance may be negative: no error then
            assert (error > 0) == np.isfinite(found.main.error(term))
            if error > 0:
                agree(found.main.error(term), error)
        if convention != "ivreg2" or method != "2sls":
            continue
        if covariance == "iid":
            agree(statistic(found, "sargan"), wanted.sargan.stat)
            agree(statistic(found, "basmann"), wanted.basmann.stat)
            agree(statistic(found, "wu_hausman"), wanted.wu_hausman().stat)
            agree(statistic(found, "endogeneity"), wanted.durbin().stat)
        elif covariance == "hc1":
            agree(statistic(found, "overid_score"), wanted.wooldridge_overid.stat)
            agree(statistic(found, "endogeneity_score"), wanted.wooldridge_score.stat)
