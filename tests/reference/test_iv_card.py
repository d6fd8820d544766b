"""Card (1995), returns to schooling: exactly and overidentified, 2SLS, LIML and Fuller, weights.

Sources: Stata ivreg2's own output in the fixtures of github restatr/ivreg2r (``iv_card_*`` beside the project; LIML,
Fuller and weighted numbers from ``card_liml_overid_*``, ``card_fuller1_overid_*`` and ``card_aweight_overid_*``).
"""

from __future__ import annotations

from typing import Any

import pytest

from analysis_py.estimators.iv import fit_iv
from analysis_py.inference.weak_iv import stock_yogo
from tests.reference.fe_cases import agree
from tests.reference.iv_cases import agree_with_first_stage, agree_with_ivreg2, fit_key, iv_case, statistic

MODEL: dict[str, Any] = {
    "outcome": "lwage",
    "endogenous": ["educ"],
    "exogenous": ["exper", "expersq", "black", "south"],
}
INSTRUMENTS = {"iv_card_justid": ["nearc4"], "iv_card_overid": ["nearc2", "nearc4"]}


@pytest.mark.parametrize("key", ["iid", "iid_small", "hc1", "hc1_small"])
@pytest.mark.parametrize("case", list(INSTRUMENTS))
def test_ivreg2(case: str, key: str) -> None:
    wanted, frame = iv_case(case, "card_data.csv")
    row = wanted["expected"][key]
    result = fit_key(frame, key, (), **MODEL, instruments=INSTRUMENTS[case])
    for term, (estimate, error) in row["coef"].items():
        agree(result.main.coefficient(term), estimate)
        agree(result.main.error(term), error)
    agree_with_ivreg2(result, row["diagnostics"], is_iid=key.startswith("iid"))
    agree_with_first_stage(result, row["firststage"])
    assert result.main.statistic_kind == ("t" if key.endswith("small") else "z")


def test_ivregress_and_ivreghdfe_without_effects_are_ivreg2() -> None:
    _, frame = iv_case("iv_card_overid", "card_data.csv")
    model = {**MODEL, "instruments": INSTRUMENTS["iv_card_overid"], "covariance": "hc1"}
    first = fit_iv(frame, convention="ivreg2", **model)
    for convention in ("ivregress", "ivreghdfe", "xtivreg2"):
        other = fit_iv(frame, convention=convention, **model)
        assert (other.main.std_error == first.main.std_error).all()
        assert other.main.convention == convention


def test_stock_yogo_values() -> None:
    wanted, _ = iv_case("iv_card_justid", "card_data.csv")
    for title, values in wanted["stock_yogo"].items():
        numbers = [int(c) for c in title if c.isdigit()]
        prefix = "bias " if "bias" in title else ""
        found = stock_yogo(numbers[0], numbers[1])
        for level, value in values.items():
            agree(found[f"{prefix}{level}"], value)


def test_liml_and_fuller() -> None:
    _, frame = iv_case("iv_card_overid", "card_data.csv")
    model = {**MODEL, "instruments": INSTRUMENTS["iv_card_overid"]}
    liml = fit_iv(frame, **model, method="liml")
    agree(liml.main.coefficient("educ"), 0.2482702406090916)
    agree(liml.main.error("educ"), 0.0423475910404868)
    agree(liml.main.error("_cons"), 0.7322527638882749)
    agree(liml.main.f, 74.34080745704115)
    agree(statistic(liml, "liml_eigenvalue"), 1.000605709462808)
    agree(statistic(liml, "sargan"), 1.82208183090969)
    robust = fit_iv(frame, **model, method="liml", covariance="hc1")
    agree(robust.main.error("educ"), 0.0430528805549854)
    agree(robust.main.error("south"), 0.0270483945713327)
    fuller = fit_iv(frame, **model, method="fuller", fuller=1.0, covariance="hc1")
    agree(fuller.main.coefficient("educ"), 0.2438039568760709)
    agree(fuller.main.error("educ"), 0.0414674755358928)
    agree(fuller.main.f, 79.42591498460213)
    agree(statistic(fuller, "hansen_j"), 1.831966607344715)
    agree(statistic(fuller, "k"), 1.000272709129807)
    small = fit_iv(frame, **model, method="fuller", small=True)
    agree(small.main.error("educ"), 0.0413630556306078)


def test_weights() -> None:
    """ivreg2 [aw=weight], robust."""
    _, frame = iv_case("iv_card_overid", "card_data.csv")
    result = fit_iv(frame, **MODEL, instruments=INSTRUMENTS["iv_card_overid"], covariance="hc1", weights="weight")
    agree(result.main.r2, -0.4987624670245479)
    agree(result.main.f, 50.88608886950639)
    for test, value in (
        ("hansen_j", 1.341567661241303),
        ("kleibergen_paap_rk_lm", 31.66187924061688),
        ("cragg_donald_f", 19.44475613604169),
        ("kleibergen_paap_rk_wald_f", 16.02626227390391),
        ("anderson_rubin", 25.68442029741636),
        ("anderson_rubin_chi2", 51.48858148200016),
    ):
        agree(statistic(result, test), value)
