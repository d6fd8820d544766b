"""winsor2 and Stata's percentiles on wages of nlsw88 (sysuse nlsw88; see ``data/winsor_nlsw88/expected.json``)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis_py.estimators.descriptive import describe_columns, stata_percentile, winsorise
from tests.reference.fe_cases import DATA, agree, agree_as_printed, expected

WANTED = expected("winsor_nlsw88")
FRAME = pd.read_csv(DATA / "winsor_nlsw88" / "nlsw88_wage.csv")


def test_percentiles() -> None:
    wage = FRAME["wage"].to_numpy()
    agree(stata_percentile(wage, 1), WANTED["p1"])
    agree(stata_percentile(wage, 99), WANTED["p99"])
    agree_as_printed(stata_percentile(wage, 1), "1.930993")
    # numpy's interpolation gives another number: the rule matters
    assert abs(np.percentile(wage, 1) - stata_percentile(wage, 1)) > 1e-4


def test_describe() -> None:
    (raw,) = describe_columns(FRAME, ["wage"])
    assert raw.n == WANTED["n"]
    agree(raw.mean, WANTED["raw_mean"])
    agree(raw.sd, WANTED["raw_sd"])
    (cut,) = describe_columns(FRAME, ["wage"], winsor=(1, 99))
    agree(cut.mean, WANTED["mean"])
    agree(cut.sd, WANTED["sd"])
    agree(cut.min, WANTED["p1"])
    agree(cut.max, WANTED["p99"])


def test_winsorise_touches_the_tails_alone() -> None:
    wage = FRAME["wage"].to_numpy()
    cut = winsorise(wage, 1, 99)
    inside = (wage >= WANTED["p1"]) & (wage <= WANTED["p99"])
    np.testing.assert_array_equal(cut[inside], wage[inside])
    assert 0 < (~inside).sum() == (cut != wage).sum()
