"""The grammar of terms, and their values on a panel with gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_py.errors import CarbonpanelError
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.panel import FramePanel
from analysis_py.specification.terms import (
    Call,
    Column,
    Dummies,
    Product,
    Shift,
    Term,
    evaluate,
    leaves,
    level_label,
    parse_term,
    uses_time,
)

COLUMNS = ["AI", "ER", "region", "GDP (亿元)", "a*b", "L.CP", "year"]


class PanelValues:
    """A panel's columns as terms see them."""

    def __init__(self, panel: CalendarPanel, rows: np.ndarray | None = None) -> None:
        self.panel = panel
        self.rows = np.ones(len(panel), dtype=bool) if rows is None else rows

    def numbers(self, column: str) -> np.ndarray:
        return self.panel.frame[column].to_numpy(dtype=float)

    def shifted(self, values: np.ndarray, periods: int) -> np.ndarray:
        return self.panel.shifted(values, periods)

    def levels(self, column: Column) -> np.ndarray:
        series = self.panel.frame[column.name]
        return np.array([None if m else v for v, m in zip(series, series.isna(), strict=True)], dtype=object)

    def level_rows(self) -> np.ndarray:
        return self.rows


def panel_of(frame: pd.DataFrame, time: str | None = "year") -> CalendarPanel:
    return CalendarPanel(FramePanel(frame).read(None, {}, ""), "city", time)


def values_of(text: str, frame: pd.DataFrame) -> list[tuple[str, np.ndarray]]:
    panel = panel_of(frame)
    return evaluate(parse_term(text, panel.columns), text, PanelValues(panel))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("AI", Column("AI")),
        (" AI ", Column("AI")),
        ("L.AI", Shift(Column("AI"), 1)),
        ("L2.AI", Shift(Column("AI"), 2)),
        ("F.AI", Shift(Column("AI"), -1)),
        ("F3.AI", Shift(Column("AI"), -3)),
        ("i.region", Dummies(Column("region"), "i.region")),
        ("AI*ER", Product((Column("AI"), Column("ER")), ("AI", "ER"))),
        ("ln(AI)", Call("ln", Column("AI"))),
        ("L.log1p(AI)", Shift(Call("log1p", Column("AI")), 1)),
        ("asinh(L2.AI)", Call("asinh", Shift(Column("AI"), 2))),
        ("ln(AI*ER)", Call("ln", Product((Column("AI"), Column("ER")), ("AI", "ER")))),
        # a column of the panel wins over the grammar
        ("L.CP", Column("L.CP")),
        ("a*b", Column("a*b")),
        ("GDP (亿元)", Column("GDP (亿元)")),
        ("ln(GDP (亿元))", Call("ln", Column("GDP (亿元)"))),
        ("`a*b`*AI", Product((Column("a*b"), Column("AI")), ("`a*b`", "AI"))),
        ("`L.CP`", Column("L.CP")),
    ],
)
def test_terms_are_read(text: str, term: Term) -> None:
    assert parse_term(text, COLUMNS) == term


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("AJ", "CP-STUDY-COLUMN", "'AI'"),
        ("L.AJ", "CP-STUDY-COLUMN", "'AI'"),
        ("AI*", "CP-STUDY-TERM", "factor"),
        ("D.AI", "CP-STUDY-COLUMN", "enter AI and L.AI as two terms"),
        ("ln(d.AI)", "CP-STUDY-COLUMN", "there are no differences"),
        ("l.AI", "CP-STUDY-COLUMN", "write L.AI"),
        ("f2.AI", "CP-STUDY-COLUMN", "write F2.AI"),
        ("L(0/2).AI", "CP-STUDY-COLUMN", "AI, L1.AI, L2.AI"),
        ("c.AI#c.ER", "CP-STUDY-COLUMN", "write AI*ER"),
        ("i.region#c.AI", "CP-STUDY-COLUMN", "write i.region*AI"),
        ("AI##ER", "CP-STUDY-COLUMN", "AI, ER, AI*ER"),
        ("L.AI#c.ER", "CP-STUDY-COLUMN", "write L.AI*ER"),
        ("c.AI", "CP-STUDY-COLUMN", "write AI,"),
        ("ib2.AI", "CP-STUDY-COLUMN", "write i.AI"),
        ("lg(AI)", "CP-STUDY-TERM", "log"),
        ("i.L.AI", "CP-STUDY-TERM", "dummies"),
        ("`AJ`", "CP-STUDY-COLUMN", "'AI'"),
        ("", "CP-STUDY-COLUMN", "column"),
    ],
)
def test_bad_terms_are_refused(text: str, code: str, words: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        parse_term(text, COLUMNS, "study.yml, line 9")
    assert caught.value.code == code
    assert caught.value.where == "study.yml, line 9"
    assert words in str(caught.value)


def test_leaves_add_up_lags() -> None:
    assert list(leaves(parse_term("L.log1p(L2.AI)*ER", COLUMNS))) == [("AI", 3), ("ER", 0)]
    assert uses_time(parse_term("F.AI", COLUMNS))
    assert not uses_time(parse_term("ln(AI)*ER", COLUMNS))


def gapped() -> pd.DataFrame:
    """City a misses 2003; rows out of order on purpose."""
    return pd.DataFrame(
        {
            "city": ["b", "a", "a", "b", "a"],
            "year": [2002, 2004, 2001, 2001, 2002],
            "x": [20.0, 4.0, 1.0, 10.0, 2.0],
        }
    )


def test_lags_follow_the_calendar_not_the_rows() -> None:
    ordered = panel_of(gapped()).frame
    assert list(zip(ordered["city"], ordered["year"], strict=True)) == [
        ("a", 2001),
        ("a", 2002),
        ("a", 2004),
        ("b", 2001),
        ("b", 2002),
    ]
    np.testing.assert_array_equal(values_of("L.x", gapped())[0][1], [np.nan, 1, np.nan, np.nan, 10])
    np.testing.assert_array_equal(values_of("L2.x", gapped())[0][1], [np.nan, np.nan, 2, np.nan, np.nan])
    np.testing.assert_array_equal(values_of("F.x", gapped())[0][1], [2, np.nan, np.nan, 20, np.nan])
    np.testing.assert_array_equal(values_of("L0.x", gapped())[0][1], [1, 2, 4, 10, 20])
    np.testing.assert_array_equal(values_of("L9.x", gapped())[0][1], [np.nan] * 5)


def test_lags_do_not_depend_on_the_order_of_the_file() -> None:
    shuffled = gapped().sample(frac=1, random_state=3)
    np.testing.assert_array_equal(values_of("L.x", gapped())[0][1], values_of("L.x", shuffled)[0][1])


@settings(max_examples=60, deadline=None)
@given(
    rows=st.sets(st.tuples(st.integers(0, 4), st.integers(1990, 2003)), min_size=1, max_size=40),
    periods=st.integers(-5, 5),
)
def test_a_lag_is_what_a_look_up_by_unit_and_time_finds(rows: set[tuple[int, int]], periods: int) -> None:
    frame = pd.DataFrame(sorted(rows, key=lambda r: (r[1] * 7) % 11), columns=["city", "year"])
    frame["x"] = np.arange(len(frame), dtype=float)
    known = {(c, y): x for c, y, x in zip(frame["city"], frame["year"], frame["x"], strict=True)}
    panel = panel_of(frame)
    expected = [
        known.get((c, y - periods), np.nan) for c, y in zip(panel.frame["city"], panel.frame["year"], strict=True)
    ]
    np.testing.assert_array_equal(panel.shifted(panel.frame["x"].to_numpy(), periods), expected)


@pytest.mark.parametrize("time", [["2001", "2002", "2004", "2001", "2002"], [2001.0, 2002.0, 2004.0, 2001.0, 2002.0]])
def test_whole_numbers_in_other_types_are_times(time: list[object]) -> None:
    frame = pd.DataFrame({"city": list("aaabb"), "year": time, "x": [1.0, 2.0, 4.0, 10.0, 20.0]})
    np.testing.assert_array_equal(values_of("L.x", frame)[0][1], [np.nan, 1, np.nan, np.nan, 10])


@pytest.mark.parametrize("time", [["2001Q1", "2001Q2"], [2001.5, 2002.5], pd.to_datetime(["2001-01-01", "2002-01-01"])])
def test_a_time_that_cannot_be_counted_is_refused(time: object) -> None:
    frame = pd.DataFrame({"city": ["a", "a"], "year": time, "x": [1.0, 2.0]})
    with pytest.raises(CarbonpanelError, match="CP-PANEL-TIME"):
        values_of("L.x", frame)


def test_lags_without_a_time_are_refused() -> None:
    panel = panel_of(pd.DataFrame({"city": ["a"], "x": [1.0]}), time=None)
    with pytest.raises(CarbonpanelError, match="CP-PANEL-TIME"):
        panel.shifted(np.ones(1), 1)


def test_rows_without_a_time_have_no_lag() -> None:
    frame = pd.DataFrame({"city": ["a", "a", "a"], "year": [2001, 2002, np.nan], "x": [1.0, 2.0, 3.0]})
    panel = panel_of(frame)
    lagged = evaluate(parse_term("L.x", panel.columns), "L.x", PanelValues(panel))[0][1]
    known = panel.frame["year"].notna().to_numpy()
    np.testing.assert_array_equal(lagged[known], [np.nan, 1.0])
    assert np.isnan(lagged[~known]).all()


def test_repeated_unit_times_are_named() -> None:
    frame = pd.DataFrame({"city": ["a", "b", "a"], "year": [1, 1, 1]})
    with pytest.raises(CarbonpanelError) as caught:
        panel_of(frame)
    assert caught.value.code == "CP-PANEL-DUPLICATE"
    assert "a, 1 (2 times)" in caught.value.what


def test_functions_and_products() -> None:
    frame = pd.DataFrame({"city": list("ab"), "year": [1, 1], "x": [0.0, 3.0], "z": [-1.0, 2.0]})
    np.testing.assert_array_equal(values_of("ln(x)", frame)[0][1], [np.nan, np.log(3.0)])
    np.testing.assert_array_equal(values_of("log1p(z)", frame)[0][1], [np.nan, np.log1p(2.0)])
    np.testing.assert_array_equal(values_of("asinh(z)", frame)[0][1], np.arcsinh([-1.0, 2.0]))
    np.testing.assert_array_equal(values_of("x*z*z", frame)[0][1], [0.0, 12.0])
    assert values_of("x*z", frame)[0][0] == "x*z"


def test_dummies_leave_the_lowest_level_out() -> None:
    frame = pd.DataFrame({"city": list("abc"), "year": [1, 1, 1], "r": [2.0, 1.0, 3.0], "x": [5.0, 6.0, 7.0]})
    found = values_of("i.r", frame)
    assert [label for label, _ in found] == ["i.r=2", "i.r=3"]
    np.testing.assert_array_equal(found[0][1], [1, 0, 0])
    products = values_of("i.r*x", frame)
    assert [label for label, _ in products] == ["i.r=2*x", "i.r=3*x"]
    np.testing.assert_array_equal(products[1][1], [0, 0, 7])


def test_dummies_know_only_the_levels_of_the_sample() -> None:
    panel = panel_of(pd.DataFrame({"city": list("abcd"), "year": [1] * 4, "r": ["e", "w", "n", None]}))
    rows = np.array([True, True, False, True])
    found = evaluate(parse_term("i.r", panel.columns), "i.r", PanelValues(panel, rows))
    assert [label for label, _ in found] == ["i.r=w"]
    np.testing.assert_array_equal(found[0][1], [0, 1, 0, np.nan])
    with pytest.raises(CarbonpanelError, match="1 level"):
        evaluate(parse_term("i.r", panel.columns), "i.r", PanelValues(panel, np.array([True, False, False, False])))


def test_dummies_of_too_many_levels_are_sent_to_fixed_effects() -> None:
    frame = pd.DataFrame({"city": [f"c{i}" for i in range(300)], "year": 1})
    with pytest.raises(CarbonpanelError, match="fixed_effects"):
        values_of("i.city", frame)


def test_lagged_dummies_are_refused() -> None:
    with pytest.raises(CarbonpanelError, match="CP-STUDY-TERM"):
        values_of("L.i.x", gapped())


@pytest.mark.parametrize(
    ("level", "text"), [(2.0, "2"), (2.5, "2.5"), (True, "true"), (np.bool_(False), "false"), ("x", "x")]
)
def test_levels_are_written_as_people_do(level: object, text: str) -> None:
    assert level_label(level) == text
