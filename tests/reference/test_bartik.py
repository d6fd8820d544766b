"""Autor, Dorn & Hanson (2013): the China shock with its finished shift-share instrument.

Sources: ``bartik_adh`` beside the project, and the Stata logs quoted in the tests of CRAN's ShiftShareSE
(``test_adh.R``, ``test_se.R``): ``ivregress 2sls`` without small-sample factors, first stages and reduced forms by
``regress``.
"""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from analysis_py.estimators.iv import IvResult, fit_iv
from tests.reference.fe_cases import agree, agree_as_printed
from tests.reference.iv_cases import iv_case

CONTROLS = [
    "t2",
    "l_shind_manuf_cbp",
    "l_sh_popedu_c",
    "l_sh_popfborn",
    "l_sh_empl_f",
    "l_sh_routine33",
    "l_task_outsource",
]
STATE = {"type": "cluster", "by": ["statefip"]}


def commuting_zones() -> tuple[dict[str, Any], pd.DataFrame]:
    wanted, frame = iv_case("bartik_adh", "adh_reg.csv")
    for division in sorted(frame["division"].unique())[1:]:
        frame[f"division{division}"] = (frame["division"] == division).astype(float)
    return wanted["expected"], frame


def fit(frame: pd.DataFrame, covariance: Any = "iid", *, full: bool = True, **more: Any) -> IvResult:
    divisions = [c for c in frame.columns if c.startswith("division") and c != "division"]
    more.setdefault("convention", "ivregress")
    return fit_iv(
        frame,
        outcome="d_sh_empl_mfg",
        endogenous=["shock"],
        instruments=["IV"],
        exogenous=[*CONTROLS, *divisions] if full else ["t2"],
        covariance=covariance,
        **more,
    )


def test_as_in_the_case() -> None:
    wanted, frame = commuting_zones()
    full, few = fit(frame, STATE), fit(frame, STATE, full=False)
    agree_as_printed(full.main.coefficient("shock"), f"{wanted['full'][0]:.7f}")
    agree_as_printed(full.main.error("shock"), f"{wanted['full'][1]:.7f}")
    agree_as_printed(full.first_stages[0].coefficient("IV"), f"{wanted['first_stage'][0]:.7f}")
    agree_as_printed(few.main.coefficient("shock"), f"{wanted['only_t2']['iv'][0]:.7f}")
    agree_as_printed(few.main.error("shock"), f"{wanted['only_t2']['iv'][1]:.7f}")
    agree_as_printed(few.first_stages[0].coefficient("IV"), f"{wanted['only_t2']['fs'][0]:.7f}")


@pytest.mark.parametrize(
    ("weights", "main", "first", "reduced"),
    [
        (
            None,
            (0.0390714, 0.090163192, 0.100470868),
            (0.029158413, 0.171520974, 0.181839343),
            (0.028257944, 0.048665505, 0.051901337),
        ),
        (
            "weights",
            (0.053969004, 0.095215853, 0.098773877),
            (0.02732516, 0.087007189, 0.091423724),
            (0.030314902, 0.050950162, 0.040030546),
        ),
    ],
    ids=["unweighted", "weighted"],
)
def test_errors_of_every_stage(weights: str | None, main: Any, first: Any, reduced: Any) -> None:
    """Errors iid, robust and by state: large-sample in the second stage, Stata's ``regress`` in the others."""
    _, frame = commuting_zones()
    for i, covariance in enumerate(("iid", "hc1", STATE)):
        result = fit(frame, covariance, weights=weights)
        agree(result.main.error("shock"), main[i])
        agree(result.first_stages[0].error("IV"), first[i])
        agree(result.reduced_form.error("IV"), reduced[i])


def test_weighted_as_printed() -> None:
    _, frame = commuting_zones()
    full, few = fit(frame, STATE, weights="weights"), fit(frame, STATE, full=False, weights="weights")
    agree_as_printed(full.main.coefficient("shock"), "-0.5963601")
    agree_as_printed(full.main.error("shock"), "0.0987739")
    agree_as_printed(full.first_stages[0].coefficient("IV"), "0.6310409")
    agree_as_printed(few.main.coefficient("shock"), "-0.7460301")
    agree_as_printed(few.main.error("shock"), "0.0680391")
    agree_as_printed(few.first_stages[0].coefficient("IV"), "0.7916466")
