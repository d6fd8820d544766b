"""SQL conditions and derived columns: what is let through, what is refused, what missing values do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.specification.expressions import evaluate_condition, evaluate_expression, parse_expression

FRAME = pd.DataFrame(
    {
        "CP": [1.0, 2.0, np.nan, 4.0],
        "city_code": ["110000", "120000", None, "140000"],
        "is_m": np.array([True, False, None, True], dtype=object),
        "L.AI": [1, 2, 3, 4],
        "年": [2001, 2002, 2003, 2004],
        "union": [1, 0, 1, 0],
        "case": [1, 0, 1, 0],
        "Price": [1, 2, 3, 4],
        "price": [9, 8, 7, 6],
    }
)


def condition(text: str) -> list[bool]:
    return list(evaluate_condition(parse_expression(text, list(FRAME)), FRAME))


def expression(text: str) -> list[object]:
    return list(evaluate_expression(parse_expression(text, list(FRAME)), FRAME))


def test_missing_is_not_true() -> None:
    assert condition("CP > 1") == [False, True, False, True]
    assert condition("not is_m") == [False, True, False, False]
    assert condition("city_code is null") == [False, False, True, False]


def test_names_in_any_case_quotes_and_scripts() -> None:
    assert condition("cp > 1 and 年 >= 2003") == [False, False, False, True]
    assert condition('"L.AI" >= 3') == [False, False, True, True]
    assert condition('"union" = 1') == [True, False, True, False]
    assert condition("city_code in ('110000', '14;0000')") == [True, False, False, False]
    assert condition("Price > 1") == [False, True, True, True]
    assert condition("price > 8") == [True, False, False, False]


def test_numbers_booleans_and_windows() -> None:
    np.testing.assert_array_equal(expression("CP * 2"), [2, 4, np.nan, 8])
    np.testing.assert_array_equal(expression("is_m"), [1, 0, np.nan, 1])
    np.testing.assert_array_equal(expression("cast(CP as decimal(9, 2))"), [1, 2, np.nan, 4])
    np.testing.assert_array_equal(expression("avg(CP) over ()"), [7 / 3] * 4)
    np.testing.assert_array_equal(expression("null"), [np.nan] * 4)
    assert expression("city_code")[2] is None
    np.testing.assert_array_equal(expression("CP -- a remark"), [1, 2, np.nan, 4])


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("CQ > 1", "CP-STUDY-COLUMN", "'CP'"),
        ("L.AI > 1", "CP-STUDY-SQL", 'double quotes: "L.AI"'),
        ("L.CP > 1", "CP-STUDY-SQL", "lags are terms"),
        ("CP >", "CP-STUDY-SQL", "syntax"),
        ("CP; drop table panel", "CP-STUDY-SQL", "syntax"),
        ("1) as a, (2", "CP-STUDY-SQL", "more than one"),
        ("CP > 1) from panel --", "CP-STUDY-SQL", ""),
        ("(select 1)", "CP-STUDY-SQL", "subquery"),
        ("CP in (select 1)", "CP-STUDY-SQL", "subquery"),
        ("random() > 0.5", "CP-STUDY-SQL", "changes from call to call"),
        ("now() > '2020-01-01'", "CP-STUDY-SQL", "changes from call to call"),
        ("log(CP) > 0", "CP-STUDY-SQL", "base 10"),
        ("city_code", "CP-STUDY-SQL", ""),
        ("avg(CP) > 1", "CP-STUDY-SQL", "write avg(CP) over ()"),
        ("count(*) > 1", "CP-STUDY-SQL", "write count(*) over ()"),
        ("lag(CP) over (order by Price) > 1", "CP-STUDY-SQL", "L.x"),
        ("lead(CP, 2) over (partition by city_code order by Price) > 1", "CP-STUDY-SQL", "F.x"),
        ("union = 1", "CP-STUDY-SQL", 'in double quotes: "union"'),
        ("CP > 1 and Case = 1", "CP-STUDY-SQL", 'in double quotes: "case"'),
        ("CP > 1 and 'union' = ", "CP-STUDY-SQL", "write one expression"),
        ("Price > 1 and price > 1", "CP-STUDY-SQL", "upper and lower case"),
        ("nosuch(CP)", "CP-STUDY-SQL", "nosuch"),
    ],
)
def test_what_is_no_expression_over_the_columns_is_refused(text: str, code: str, words: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        condition(text)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_an_expression_must_give_one_value_a_row() -> None:
    with pytest.raises(CarbonpanelError, match="8 values for 4 rows"):
        expression("unnest([CP, CP])")


def test_files_cannot_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n", "utf-8")
    for text in (f"(select a from read_csv('{secret}')) > 0", f"read_csv('{secret}')", f"(from '{secret}')"):
        with pytest.raises(CarbonpanelError, match="CP-STUDY-SQL"):
            expression(text)
    with pytest.raises(CarbonpanelError, match="CP-STUDY-SQL"):
        expression(f"read_text('{secret}')")
