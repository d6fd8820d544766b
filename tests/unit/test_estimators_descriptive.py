"""Stata's percentiles, winsorising and descriptive rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.descriptive import describe_columns, stata_percentile, winsorise


@pytest.mark.parametrize(
    ("values", "p", "wanted"),
    [
        ([1, 2, 3, 4], 50, 2.5),  # n p / 100 = 2: mean of the second and third
        ([1, 2, 3, 4], 25, 1.5),
        ([1, 2, 3, 4], 30, 2),  # 1.2: the second
        ([1, 2, 3, 4, 5], 50, 3),
        ([5, 1, 4, 2, 3], 0, 1),
        ([1, 2, 3, 4, 5], 100, 5),
        ([7], 1, 7),
        (list(range(1, 1001)), 29, 290.5),  # 1000 * 29 / 100 is 290 but for rounding
        (list(range(1, 201)), 2.5, 5.5),
        ([1, np.nan, 3, np.inf], 50, 2),
    ],
)
def test_percentile(values: list[float], p: float, wanted: float) -> None:
    assert stata_percentile(values, p) == wanted


def test_percentile_of_nothing_and_outside() -> None:
    assert np.isnan(stata_percentile([np.nan], 50))
    with pytest.raises(CarbonpanelError, match="CP-EST-PERCENTILE"):
        stata_percentile([1.0], 101)


def test_winsorise() -> None:
    values = np.array([np.nan, -100.0, *range(1, 99), 500.0, np.inf])
    cut = winsorise(values, 1, 99)
    assert np.isnan(cut[[0, -1]]).all()
    # 100 values: the percentiles are the means of the first two and of the last two
    assert cut[1] == (-100 + 1) / 2
    assert cut[-2] == (98 + 500) / 2
    np.testing.assert_array_equal(cut[2:-2], values[2:-2])
    np.testing.assert_array_equal(winsorise(np.array([3.0, 1.0, 2.0]), 0, 100), [3, 1, 2])
    assert np.isnan(winsorise(np.array([np.nan]), 1, 99)).all()
    for limits in ((99, 1), (-1, 99), (5, 5)):
        with pytest.raises(CarbonpanelError, match="CP-EST-WINSOR"):
            winsorise(values, *limits)


def test_rows() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.0, np.nan, 4.0], "empty": [None] * 4, "one": [np.nan, 5, np.nan, np.nan]})
    a, empty, one = describe_columns(frame, ["a", "empty", "one"])
    assert (a.n, a.n_missing, a.mean, a.min, a.p50, a.max) == (3, 1, pytest.approx(7 / 3), 1, 2, 4)
    assert a.sd == pytest.approx(np.std([1, 2, 4], ddof=1))
    assert (empty.n, empty.mean, empty.sd, empty.p50) == (0, None, None, None)
    assert (one.n, one.mean, one.sd) == (1, 5, None)
    assert list(a.as_dict())[:4] == ["variable", "n", "n_missing", "mean"]


def test_columns_that_are_not_numbers_are_refused() -> None:
    frame = pd.DataFrame({"name": ["x", "y"], "value": ["1.5", "2"]})
    assert describe_columns(frame, ["value"])[0].mean == 1.75
    with pytest.raises(CarbonpanelError, match="CP-EST-NOT-NUMERIC"):
        describe_columns(frame, ["name"])
    with pytest.raises(CarbonpanelError, match="did you mean 'value'"):
        describe_columns(frame, ["valu"])
