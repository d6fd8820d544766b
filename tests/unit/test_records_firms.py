"""Firms: what is counted where and when, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.records.account import outcome_json, render_outcome
from analysis_py.records.counting import count_records
from analysis_py.records.keywords import firm_keywords
from analysis_py.records.options import RecordOptions, parse_day, parse_years
from tests.unit.records_case import FIRMS, HEADER, firms, naive_exact, naive_tolerant, render, values, write

REGISTERED, DEREGISTERED, STOCK = "ai_firms_registered", "ai_firms_deregistered", "ai_firms_stock"
HEFEI, WUHU, SHENZHEN = "340100", "340200", "440300"


def test_counts_zeros_and_missing(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv")
    registered = values(outcome, REGISTERED)
    assert registered[(HEFEI, 2018)] == 2
    assert registered[(HEFEI, 2019)] == 0  # a record without a find
    assert registered[(HEFEI, 2020)] is None  # no record at all
    assert registered[(WUHU, 2018)] == 0 and registered[(WUHU, 2020)] == 0 and registered[(WUHU, 2019)] is None
    assert registered[(SHENZHEN, 2020)] == 1
    assert {city for city, _ in registered} == {HEFEI, WUHU, SHENZHEN} and outcome.span == (2018, 2020)
    assert values(outcome, DEREGISTERED)[(HEFEI, 2020)] == 1
    assert values(outcome, DEREGISTERED)[(HEFEI, 2018)] == 0  # its registrations are there, cancellations would be
    assert values(outcome, DEREGISTERED)[(WUHU, 2019)] is None


def test_a_record_counts_once_and_under_every_keyword(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv")
    assert values(outcome, REGISTERED, "1") == {(HEFEI, 2018): 1, (SHENZHEN, 2020): 1}
    assert values(outcome, REGISTERED, "3") == {(HEFEI, 2018): 1}
    assert values(outcome, REGISTERED, "2") == {(HEFEI, 2018): 1}


def test_both_matches_are_told_and_one_is_the_measure(tmp_path: Path) -> None:
    exact, tolerant = firms(tmp_path / "a.csv"), firms(tmp_path / "a.csv", match="tolerant")
    at = [(row.exact, row.tolerant) for row in exact.counts if (row.indicator, row.city_code) == (REGISTERED, WUHU)]
    assert at[0] == (0, 1)
    assert [(row.exact, row.tolerant) for row in tolerant.counts] == [(row.exact, row.tolerant) for row in exact.counts]
    assert values(exact, REGISTERED)[(WUHU, 2018)] == 0 and values(tolerant, REGISTERED)[(WUHU, 2018)] == 1


def test_every_row_is_accounted_for(tmp_path: Path) -> None:
    rows = firms(
        tmp_path / "a.csv", [*FIRMS, *[("x", "y", "", "", "", "安徽", "合肥", "1")], ("z", "", "1985", *FIRMS[0][3:])]
    ).rows
    assert (
        rows["read"]
        == 10
        == sum(rows[name] for name in ("placed", "unplaced", "outside_years", "without_date", "odd_date"))
    )
    assert {name: rows[name] for name in ("unplaced", "outside_years", "without_date", "odd_date")} == {
        "unplaced": 1,
        "outside_years": 1,
        "without_date": 1,
        "odd_date": 1,
    }


def test_the_account_names_what_is_left_out(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv")
    said = render_outcome(outcome)
    assert "大理白族自治州 is an autonomous prefecture" in said
    assert "a.csv, row 9, column '成立日期': not a date" in said
    assert "cancelled or revoked by their status but have no date" in said
    assert outcome.finds["without_place_or_year"] == 2 and outcome.finds["gone_without_date"] == 1
    assert outcome_json(outcome)["odd_dates"][0]["row"] == 9


def test_retroactive_scopes_are_warned_of_by_cohort(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv")
    assert "not of the founding year" in outcome.warnings[0]
    assert [(c.year, c.finds, c.by_name, c.scope_only) for c in outcome.cohorts] == [
        (2018, 2, 1, 1),
        (2020, 2, 0, 2),
    ]
    assert [c.scope_only_share for c in outcome.cohorts] == [0.5, 1.0]
    assert "(2018: 50%, 2020: 100%)" in outcome.warnings[0]


def test_one_cohort_is_named_once(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv", FIRMS[:3])
    assert "on the scope alone (2018: 50%);" in outcome.warnings[0]


def test_the_stock_falls_with_deregistrations_and_says_where_it_is_incomplete(tmp_path: Path) -> None:
    rows = [row for row in firms(tmp_path / "a.csv").counts if row.indicator == STOCK]
    assert [(row.year, row.value, row.coverage) for row in rows if row.city_code == HEFEI] == [
        (2018, 2, "counted"),
        (2019, 2, "counted"),
        (2020, 1, "incomplete"),
    ]
    assert [(row.year, row.value) for row in rows if row.city_code == SHENZHEN] == [
        (2018, None),
        (2019, None),
        (2020, 1),
    ]


def test_a_firm_that_is_there_twice_counts_once(tmp_path: Path) -> None:
    again = [*FIRMS, (FIRMS[0][0] + "（旧名）", *FIRMS[0][1:]), FIRMS[1]]
    outcome = firms(tmp_path / "a.csv", again)
    assert outcome.counts[0].value == values(firms(tmp_path / "b.csv"), REGISTERED)[(HEFEI, 2018)]
    assert outcome.finds["repeated"] == 3  # two registrations and a deregistration
    without = [(*row[:7], "") for row in again]
    assert values(firms(tmp_path / "a.csv", without), REGISTERED)[(HEFEI, 2018)] == 3
    files = [write(tmp_path / f"{name}.csv", render(FIRMS)) for name in "cd"]
    both = count_records("firms", files, RecordOptions(firm_keywords()))
    assert values(both, REGISTERED) == values(outcome, REGISTERED)


def test_years_for_which_the_user_vouches(tmp_path: Path) -> None:
    outcome = firms(tmp_path / "a.csv", complete=(2019, 2020))
    registered = values(outcome, REGISTERED)
    assert registered[(WUHU, 2019)] == 0 and registered[("110100", 2020)] == 0 and registered[("110100", 2018)] is None
    stated = {row.coverage for row in outcome.counts if row.city_code == "110100" and row.indicator == REGISTERED}
    assert stated == {"zero_as_stated", "missing"}
    assert registered[("371200", 2019)] is None  # abolished in that year


def test_a_file_selected_by_keyword_is_noticed(tmp_path: Path) -> None:
    rows = [("甲", "人工智能", "2018-01-01", "", "", "安徽", "合肥", f"Z{number:04d}") for number in range(60)]
    assert any("selected by keyword" in warning for warning in firms(tmp_path / "a.csv", rows).warnings)
    assert not any("selected by keyword" in warning for warning in firms(tmp_path / "a.csv").warnings)


def test_against_a_naive_count(tmp_path: Path) -> None:
    texts = ["人 工智能", "人工的智能", "物联网", "餐饮", "智慧医疗；神经网络", "智能、计算", "", "人、工、智、能"]
    cities = [("安徽", "合肥", HEFEI), ("安徽", "芜湖", WUHU)]
    rows, naive = [], {}
    for number in range(400):
        name, scope, (province, city, code) = texts[number % 8], texts[number // 8 % 8], cities[number % 2]
        year = 2010 + number % 7
        rows.append((name, scope, f"{year}-06-01", "", "", province, city, f"N{number:04d}"))
        for keyword in firm_keywords():
            for which, finds in (("exact", naive_exact), ("tolerant", naive_tolerant)):
                if any(finds(text, form) for text in (name, scope) for form in keyword.forms):
                    naive.setdefault((code, year, keyword.keyword_id, which), set()).add(number)
                    naive.setdefault((code, year, "", which), set()).add(number)
    outcome = firms(tmp_path / "a.csv", rows)
    counted = {
        (row.city_code, row.year, row.keyword_id, which): number
        for row in outcome.counts
        if row.indicator == REGISTERED
        for which, number in (("exact", row.exact), ("tolerant", row.tolerant))
        if number
    }
    assert counted == {at: len(found) for at, found in naive.items()}


def test_a_review_sample_is_the_same_whatever_the_order(tmp_path: Path) -> None:
    rows = [
        (f"公司{number}", "从事人工智能化、人工的智能", "2018-01-01", "", "", "安徽", "合肥", f"R{number}")
        for number in range(50)
    ]
    one = firms(tmp_path / "a.csv", rows, review=5).review
    two = firms(tmp_path / "a.csv", rows[::-1], review=5).review
    assert len(one) == 5 and {row.name for row in one} == {row.name for row in two}
    assert one[0].context == "从事【人工智能】化、人工的智能"
    other = firms(tmp_path / "a.csv", rows, review=5, seed=1).review
    assert {row.name for row in other} != {row.name for row in one}
    assert all(HEADER[0] and row.file == "a.csv" and rows[row.row - 2][0] == row.name for row in one)


@pytest.mark.parametrize(
    ("options", "what"),
    [
        ({"match": "fuzzy"}, "neither exact nor tolerant"),
        ({"review": -1}, "--review"),
        ({"complete": (1999, 2020)}, "--complete"),
    ],
)
def test_options_that_are_none(options: dict[str, object], what: str) -> None:
    with pytest.raises(CarbonpanelError, match=what) as caught:
        RecordOptions(firm_keywords(), **options)
    assert caught.value.code == "CP-RECORDS-OPTION"


def test_years_and_days_as_text() -> None:
    assert parse_years("2003-2021", "--years") == (2003, 2021) and parse_years(None, "--years") is None
    assert str(parse_day("2024-06-30", "--snapshot")) == "2024-06-30"
    for text in ("2021-2003", "03-21", "x"):
        with pytest.raises(CarbonpanelError, match="--years"):
            parse_years(text, "--years")
    with pytest.raises(CarbonpanelError, match="--snapshot"):
        parse_day("30.6.2024", "--snapshot")
