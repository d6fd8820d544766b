"""Bad designs of instrumental variables: each is a named error or a warned result, never a traceback."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.iv import IvResult, fit_iv
from analysis_py.estimators.twfe import fit_twfe


def panel() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    unit, time = np.repeat(np.arange(12), 8), np.tile(np.arange(8) + 2001, 12)
    n = len(unit)
    z, c, v = rng.normal(size=n), rng.normal(size=n), rng.normal(size=n)
    x = 0.8 * z + 0.3 * c + v
    y = 0.5 * x - 0.2 * c + 0.6 * v + rng.normal(size=n) + 0.1 * unit
    frame = pd.DataFrame({"unit": unit, "time": time, "y": y, "x": x, "z": z, "c": c})
    return frame.assign(
        twice=2.0 * frame["z"],
        sum=frame["z"] + frame["c"],
        constant=1.0,
        of_unit=frame["unit"] ** 2.0,
        of_time=np.sqrt(frame["time"]),
        one="same",
        pair=frame["unit"] % 2,
        text="abc",
        date=pd.Timestamp("2001-01-01"),
        empty=np.nan,
        other=rng.normal(size=n),
    )


def fit(**more: Any) -> IvResult:
    model: dict[str, Any] = {
        "outcome": "y",
        "endogenous": ["x"],
        "instruments": ["z"],
        "exogenous": ["c"],
        "fixed_effects": ["unit", "time"],
        "unit": "unit",
        "time": "time",
    }
    frame = more.pop("frame", None)
    return fit_iv(panel() if frame is None else frame, **{**model, **more})


ERRORS = [
    ("instrument is a control", {"instruments": ["c"]}, "CP-EST-UNDERIDENTIFIED", "also a control"),
    ("instrument is the endogenous", {"instruments": ["x"]}, "CP-EST-SPEC", "its own instrument"),
    ("endogenous is a control", {"exogenous": ["c", "x"]}, "CP-EST-SPEC", "both endogenous and a control"),
    ("outcome is an instrument", {"instruments": ["y"]}, "CP-EST-SPEC", "both outcome and regressor"),
    (
        "instrument combines controls",
        {"instruments": ["twice"], "exogenous": ["c", "z"]},
        "UNDERIDENTIFIED",
        "collinear",
    ),
    ("two endogenous, one instrument", {"endogenous": ["x", "other"]}, "CP-EST-UNDERIDENTIFIED", "1 usable"),
    (
        "two endogenous, collinear instruments",
        {"endogenous": ["x", "other"], "instruments": ["z", "twice"]},
        "CP-EST-UNDERIDENTIFIED",
        "'twice' is collinear",
    ),
    ("instrument constant", {"instruments": ["constant"]}, "CP-EST-UNDERIDENTIFIED", "constant in the sample"),
    ("instrument of the unit", {"instruments": ["of_unit"]}, "CP-EST-UNDERIDENTIFIED", "absorbed by the fixed effects"),
    ("instrument of the time", {"instruments": ["of_time"]}, "CP-EST-UNDERIDENTIFIED", "absorbed by the fixed effects"),
    ("endogenous absorbed", {"endogenous": ["of_unit"]}, "CP-EST-ENDOGENOUS", "absorbed by the fixed effects"),
    ("endogenous constant", {"endogenous": ["constant"]}, "CP-EST-ENDOGENOUS", "constant in the sample"),
    ("instruments explain it fully", {"endogenous": ["sum"]}, "CP-EST-ENDOGENOUS", "collinear"),
    ("outcome constant", {"outcome": "constant"}, "CP-EST-CONSTANT", "does not vary in the sample"),
    ("outcome absorbed", {"outcome": "of_unit"}, "CP-EST-CONSTANT", "within the fixed effects"),
    ("instrument is text", {"instruments": ["text"]}, "CP-EST-NOT-NUMERIC", "'text' is not numeric"),
    ("instrument is a date", {"instruments": ["date"]}, "CP-EST-NOT-NUMERIC", "is a date"),
    ("instrument is empty", {"instruments": ["empty"]}, "CP-EST-EMPTY", "missing empty"),
    ("no such instrument", {"instruments": ["zz"]}, "CP-EST-COLUMN", "'zz'"),
    ("no instrument", {"instruments": []}, "CP-EST-SPEC", "no instrument is named"),
    ("no endogenous", {"endogenous": []}, "CP-EST-SPEC", "no endogenous variable is named"),
    ("one cluster", {"covariance": {"type": "cluster", "by": ["one"]}}, "CP-EST-CLUSTERS", "single cluster"),
    ("convention of least squares", {"convention": "xtreg"}, "CP-EST-CONVENTION", "'xtivreg2'"),
    ("convention misspelt", {"convention": "ivregg2"}, "CP-EST-CONVENTION", "did you mean 'ivreg2'"),
    ("covariance hc3", {"covariance": "hc3"}, "CP-EST-COVARIANCE", "not defined for instrumental variables"),
    (
        "kernel misspelt",
        {"covariance": {"type": "conley", "lon": "c", "lat": "z", "cutoff_km": 9, "kernel": "q"}},
        "CP-EST-COVARIANCE",
        "unknown kernel",
    ),
    ("negative weights", {"weights": "other"}, "CP-EST-WEIGHTS", "weight 'other'"),
]


@pytest.mark.parametrize(("changes", "code", "text"), [e[1:] for e in ERRORS], ids=[e[0] for e in ERRORS])
def test_a_bad_design_is_a_named_error(changes: dict[str, Any], code: str, text: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        fit(**changes)
    assert code in caught.value.code
    assert text in caught.value.what + caught.value.remedy


def test_too_few_rows() -> None:
    for rows in (3, 4):
        with pytest.raises(CarbonpanelError, match="cannot identify"):
            fit(frame=panel().iloc[:rows], fixed_effects=[], instruments=["z", "other"])
    found = fit(frame=panel().iloc[:5], fixed_effects=[], instruments=["z", "other"])
    assert found.counts.df_first == 1


def test_no_rows() -> None:
    with pytest.raises(CarbonpanelError, match="no rows"):
        fit(frame=panel().iloc[:0])


def test_all_singletons() -> None:
    frame = panel().assign(row=np.arange(96))
    with pytest.raises(CarbonpanelError, match="singleton"):
        fit(frame=frame, fixed_effects=["row"], convention="ivreghdfe")
    with pytest.raises(CarbonpanelError, match="alone in its 'row'"):
        fit(frame=frame, fixed_effects=["row"], unit="row", convention="xtivreg2")


def test_an_endogenous_variable_no_instrument_moves() -> None:
    """Two endogenous variables that move together: the rank of the first stage is one."""
    rng = np.random.default_rng(1)
    z = rng.normal(size=(200, 2))
    z, _ = np.linalg.qr(z - z.mean(axis=0))
    noise = rng.normal(size=(200, 2))
    noise -= z @ (z.T @ noise)
    noise -= noise.mean(axis=0)
    frame = pd.DataFrame({"z1": z[:, 0], "z2": z[:, 1], "a": z[:, 0] + noise[:, 0], "b": 2 * z[:, 0] + noise[:, 1]})
    frame["y"] = frame["a"] + rng.normal(size=200)
    with pytest.raises(CarbonpanelError, match="rank 1 of 2"):
        fit_iv(frame, outcome="y", endogenous=["a", "b"], instruments=["z1", "z2"])


WARNINGS = [
    ("one of two is a control", {"instruments": ["z", "c"]}, "instrument 'c' dropped: also a control"),
    ("one of two is collinear", {"instruments": ["z", "twice"]}, "instrument 'twice' dropped: collinear"),
    ("one of two is absorbed", {"instruments": ["z", "of_unit"]}, "instrument 'of_unit' dropped: absorbed"),
    ("one of two is constant", {"instruments": ["z", "constant"]}, "instrument 'constant' dropped: constant"),
    ("a control is absorbed", {"exogenous": ["c", "of_time"]}, "'of_time' dropped: absorbed"),
    ("few clusters", {"covariance": {"type": "cluster", "by": ["unit"]}}, "only 12 clusters"),
    ("weak", {"instruments": ["other"]}, "weak instruments"),
    (
        "fewer clusters than instruments",
        {"instruments": ["z", "other"], "covariance": {"type": "cluster", "by": ["pair"]}},
        "only 2 clusters",
    ),
    (
        "clusters that cut units",
        {"convention": "xtivreg2", "covariance": {"type": "cluster", "by": ["time"]}},
        "nested",
    ),
    ("no effects to absorb", {"convention": "ivreghdfe", "fixed_effects": []}, "ivreghdfe is ivreg2"),
]


@pytest.mark.parametrize(("changes", "text"), [w[1:] for w in WARNINGS], ids=[w[0] for w in WARNINGS])
def test_a_doubtful_design_is_warned_of(changes: dict[str, Any], text: str) -> None:
    result = fit(**changes)
    assert any(text in m for m in result.main.messages), result.main.messages
    assert np.isfinite(result.main.coefficient("x"))


def test_dropped_instruments_change_nothing() -> None:
    base = fit(covariance="hc1")
    result = fit(covariance="hc1", instruments=["z", "twice", "of_unit", "c"])
    assert result.main.coefficient("x") == pytest.approx(base.main.coefficient("x"), rel=1e-12)
    assert result.main.dropped_terms == ("c", "twice", "of_unit")
    assert result.counts.l1 == 1


def test_a_singular_covariance_of_moments_is_said() -> None:
    result = fit(
        instruments=["z", "other"],
        endogenous=["x"],
        exogenous=[],
        fixed_effects=[],
        covariance={"type": "cluster", "by": ["pair"]},
    )
    j = result.main.diagnostic("hansen_j")
    ar = result.main.diagnostic("anderson_rubin_set")
    assert j is not None and ar is not None
    assert np.isfinite(result.main.error("x"))


def test_missing_and_infinite_cells_are_dropped_with_their_reason() -> None:
    frame = panel()
    frame.loc[3, "z"] = np.nan
    frame.loc[5, "x"] = np.inf
    result = fit(frame=frame)
    assert result.main.dropped_rows == ((3, "missing z"), (5, "infinite x"))
    assert result.main.n_obs == 94


@pytest.mark.parametrize("instrumented", [True, False])
def test_a_cutoff_that_joins_all_places_is_refused(instrumented: bool) -> None:
    frame = panel().assign(lon=lambda d: 100.0 + d["unit"], lat=30.0)
    covariance = {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 30_000}

    def estimate(**options: object) -> float:
        chosen = covariance | options
        if instrumented:
            return float(fit(frame=frame, covariance=chosen).main.error("x"))
        named: dict[str, Any] = {
            "outcome": "y",
            "regressors": ["x"],
            "unit": "unit",
            "time": "time",
            "convention": "reghdfe",
        }
        return float(fit_twfe(frame, **named, fixed_effects=["unit", "time"], covariance=chosen).std_error[0])

    with pytest.raises(CarbonpanelError, match="joins every row with every other") as caught:
        estimate()
    assert caught.value.code == "CP-EST-COVARIANCE"
    assert estimate(kernel="bartlett") > 0


def test_two_units_beside_both_effects_have_no_clustered_errors() -> None:
    """Demeaned, the second unit mirrors the first: each cluster's scores add up to zero."""
    frame = panel()[lambda d: d["unit"] < 2]
    with pytest.raises(CarbonpanelError, match="scores of every cluster add up to zero") as caught:
        fit(frame=frame, covariance={"type": "cluster", "by": ["unit"]})
    assert caught.value.code == "CP-EST-COVARIANCE"


def test_driscoll_kraay_and_conley() -> None:
    frame = panel().assign(lon=lambda d: 100.0 + d["unit"], lat=30.0)
    for covariance in (
        {"type": "driscoll_kraay", "lag": 2},
        {"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 250},
    ):
        result = fit(frame=frame, covariance=covariance)
        found = result.main.diagnostic("kleibergen_paap_rk_wald_f")
        assert result.main.error("x") > 0 and found is not None and found.statistic > 0
    each = fit(frame=frame, covariance={"type": "conley", "lon": "lon", "lat": "lat", "cutoff_km": 1})
    units = fit(frame=frame, covariance={"type": "cluster", "by": ["unit"]})
    # places further apart than the cutoff: clusters by place, times N/(N-d) = 1
    assert each.main.error("x") == pytest.approx(units.main.error("x"), rel=1e-10)
