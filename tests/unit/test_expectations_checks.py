"""Our own checks, as functions on small frames: what is found, what is not, and what is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from expectations.checks import Finding
from expectations.checks.relations import (
    find_equal_pairs,
    find_fill_mismatches,
    find_group_gaps,
    find_ratio_outliers,
    find_scope_copies,
    find_scope_excess,
    find_sum_gaps,
)
from expectations.checks.rows import (
    find_double_keys,
    find_empty_cells,
    find_excesses,
    find_fractions,
    find_out_of_range,
    find_repeated_rows,
    find_unknown_values,
)
from expectations.checks.series import (
    find_far_values,
    find_growth_mismatches,
    find_jumps,
    find_repeats,
    find_shares,
    find_spikes,
    find_stock_deficits,
    find_stock_misfits,
)
from expectations.checks.tables import (
    find_conflicting_duplicates,
    find_empty_columns,
    find_grid_gaps,
    find_text_cells,
    find_unbalanced_years,
    find_wrong_kinds,
)
from expectations.wording import count_noun, list_values, show_number


def series_frame(values: list[float], years: list[int] | None = None, series: str = "A") -> pd.DataFrame:
    years = years or list(range(2010, 2010 + len(values)))
    return pd.DataFrame({"series": series, "year": years, "x": values, "where": [f"{series} {y}" for y in years]})


def jumps(frame: pd.DataFrame, *, factor: float = 5.0, floor: float = 0.0, has_unit: bool = True) -> Finding:
    return find_jumps(
        frame,
        columns=["x"],
        series="series",
        time="year",
        factor=factor,
        floor=floor,
        has_unit=has_unit,
        noun="city-years",
    )


def test_steady_series_has_no_jump() -> None:
    found = jumps(series_frame([100, 120, 500, 110]))
    assert found.success
    assert found.element_count == 3


def test_one_cell_in_another_unit_is_one_jump_with_its_power_of_ten() -> None:
    found = jumps(series_frame([480, 491, 4_910_000, 500, 510]))
    assert found.rows == ("A 2012, x",)
    assert found.problem == (
        "x: 1 city-year more than 5 times the year before (e.g. A 2012: 4,910,000 against 491); "
        "probably a unit mix-up (a factor of about 10,000)"
    )


def test_a_lasting_change_of_level_is_one_jump() -> None:
    assert jumps(series_frame([5, 5.2, 52_000, 53_000])).rows == ("A 2012, x",)


def test_a_jump_is_measured_over_a_gap_and_says_so() -> None:
    found = jumps(series_frame([10, np.nan, 100], years=[2010, 2011, 2012]))
    assert "(e.g. A 2012: 100 against 10 in 2010)" in found.problem
    assert jumps(series_frame([10, 100], years=[2005, 2012])).success, "seven years apart is no jump"


def test_jumps_do_not_cross_series() -> None:
    both = pd.concat([series_frame([1, 1.1]), series_frame([900, 910], series="B")])
    assert jumps(both).success


def test_a_value_that_vanishes_and_comes_back_is_found() -> None:
    assert jumps(series_frame([100, 0, 120])).rows == ("A 2011, x",)
    assert jumps(series_frame([0, 0, 120])).success, "growth from nothing is no jump"


def test_small_counts_do_not_jump_and_counts_have_no_unit() -> None:
    counts = series_frame([2, 30, 3, 400, 390])
    found = jumps(counts, floor=100, has_unit=False)
    assert found.rows == ("A 2013, x",)
    assert "unit mix-up" not in found.problem


def test_worst_jump_is_told_first() -> None:
    frame = pd.concat([series_frame([1, 6, 7]), series_frame([1, 1e5, 1e5], series="B")], ignore_index=True)
    assert "(e.g. B 2011: " in jumps(frame).problem


def spikes(values: list[float]) -> Finding:
    return find_spikes(
        series_frame(values), columns=["x"], series="series", time="year", factor=1.6, jump=5.0, noun="city-years"
    )


def test_a_dip_between_agreeing_neighbours_is_a_spike() -> None:
    assert spikes([1676, 957, 1800]).rows == ("A 2011, x",)
    assert spikes([100, 160, 250]).success, "steady growth"
    assert spikes([100, 60, 61]).success, "a lasting fall"
    assert spikes([100, 900, 100]).success, "beyond the jump factor it is a jump, told there"


def test_long_numbers_repeated_are_found_short_ones_are_not() -> None:
    def repeats(values: list[float]) -> Finding:
        return find_repeats(series_frame(values), columns=["x"], series="series", time="year", noun="city-years")

    assert repeats([520.37, 520.37, 523.1]).rows == ("A 2011, x",)
    assert repeats([45150, 45150]).rows == ("A 2011, x",)
    assert repeats([0.5, 0.5, 120.0, 120.0]).success


def test_growth_against_the_index() -> None:
    frame = series_frame([100, 115, 250]).assign(index_=[110.0, 110.0, 110.0])
    found = find_growth_mismatches(
        frame, level="x", index="index_", series="series", time="year", low=0.75, high=1.35, noun="city-years"
    )
    assert found.rows == ("A 2012",)
    assert found.examples == ("A 2012: 1.97628",)


def test_more_removed_than_added() -> None:
    frame = series_frame([3, 0, 9]).assign(gone=[1, 4, 0])
    found = find_stock_deficits(frame, added="x", removed="gone", series="series", time="year", noun="city-years")
    assert found.rows == ("A 2011",)
    assert found.observed == "least stock -2"


def test_unbalanced_years_count_absent_years() -> None:
    frame = pd.DataFrame({"year": [2010] * 10 + [2011] * 10 + [2013] * 10 + [2014] * 6})
    found = find_unbalanced_years(frame, time="year", tolerance=0.1, only=None, rows="cities")
    assert found.examples == ("2012: 0", "2014: 6")
    assert found.problem == "2 years with cities more than 10% off the median year's 10"


def test_text_cells_by_share_of_their_indicator() -> None:
    frame = pd.DataFrame(
        {
            "indicator": ["gdp"] * 10 + ["loans"] * 10,
            "value": [1.0] * 19 + [np.nan],
            "value_text": ["1"] * 19 + ["—"],
            "where": [f"r{k}" for k in range(20)],
        }
    )
    found = find_text_cells(frame, share=0.0)
    assert not found.success
    assert found.examples == ("r19: '—'",)
    assert find_text_cells(frame, share=0.2).success
    assert "more than 5% of loans" in find_text_cells(frame, share=0.05).problem


def test_two_data_sets_that_disagree() -> None:
    key = {"place_code": "1", "year": 2010, "indicator": "gdp", "area_scope": "whole_city", "vintage": "first"}
    rows = [{**key, "dataset": d, "canonical": v, "where": f"A 2010 {d}"} for d, v in (("a", 100.0), ("b", 130.0))]
    assert find_conflicting_duplicates(pd.DataFrame(rows), tolerance=0.02).unexpected_count == 1
    rows[1]["canonical"] = 101.0
    assert find_conflicting_duplicates(pd.DataFrame(rows), tolerance=0.02).success
    assert find_conflicting_duplicates(pd.DataFrame(rows[:1]), tolerance=0.02).observed == "one data set"


def test_ratio_outliers_skip_empty_and_zero_parts() -> None:
    frame = pd.DataFrame({"a": [1.0, 9.0, np.nan, 4.0], "b": [1.0, 1.0, 1.0, 0.0], "where": list("pqrs")})
    found = find_ratio_outliers(frame, numerator="a", denominators=["b"], low=0.5, high=2.0, scale=1.0, noun="rows")
    assert found.rows == ("q",)
    assert found.element_count == 2


def test_parts_that_do_not_add_up() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, 2.0, np.nan, 1.0], "b": [2.0, 2.0, 1.0, 1.0], "all": [3.0, 5.0, 9.0, 0.0], "where": list("pqrs")}
    )
    found = find_sum_gaps(frame, parts=["a", "b"], whole="all", tolerance=0.02, noun="rows")
    assert found.rows == ("q, all",)
    assert found.element_count == 2


@pytest.mark.parametrize(
    ("secondary", "column", "slip"),
    [
        (418.04, "b", "two digits exchanged"),
        (1_480_400.0, "b", "too large by a factor of 10,000"),
        (0.01, "all", None),
        (0.0148, "b", "too small by a factor of 10,000"),
        (200.0, "all", None),
    ],
)
def test_the_part_that_one_slip_would_make_add_up_is_named(secondary: float, column: str, slip: str | None) -> None:
    frame = pd.DataFrame({"a": [100.0], "b": [secondary], "all": [248.05], "where": ["p"]})
    found = find_sum_gaps(frame, parts=["a", "b"], whole="all", tolerance=0.02, noun="rows")
    assert found.rows == (f"p, {column}",)
    assert found.examples[0].endswith(f": {slip})" if slip else found.examples[0].split(": ")[1])


def shares(values: list[float], years: list[int] | None = None) -> tuple[str, ...]:
    frame = series_frame(values, years)
    return find_shares(frame, columns=["x"], series="series", time="year", factor=1.6, noun="rows").rows


def test_a_percent_a_hundredth_of_its_neighbours_is_a_share() -> None:
    assert shares([38.1, 0.39, 40.2]) == ("A 2011, x",)
    assert shares([38.1, 39.0, 0.4]) == ("A 2012, x",), "the last year, by the two before"
    assert shares([0.38, 39.0, 40.2]) == ("A 2010, x",), "the first year, by the two after"
    assert shares([1.2, 0.01, 1.3]) == ("A 2011, x",)
    assert shares([38.1, 5.0, 40.2]) == (), "a fall, not a hundredth"
    assert shares([90.0, 0.4, 20.0]) == (), "neighbours that do not agree tell nothing"
    assert shares([38.1, 0.39, 0.4]) == (), "a series that goes on as shares has another unit"
    assert shares([38.1, 0.39, 40.2], [2001, 2006, 2011]) == (), "too far apart"
    assert shares([38.1, 0.0, 40.2]) == ()


def test_values_far_from_the_median_of_their_series() -> None:
    frame = series_frame([5e9, 6e9, 4e5, 7e9, -1.0])
    found = find_far_values(frame, columns=["x"], series="series", factor=1000.0, noun="rows")
    assert found.rows == ("A 2012, x",)
    assert "(e.g. A 2012: 400,000 against 5,500,000,000)" in found.problem


def test_a_stock_is_what_was_added_in_its_life() -> None:
    frame = series_frame([10.0, 20.0, 30.0, 40.0]).assign(stock=[10.0, 30.0, 60.0, 95.0])
    settings = {"stock": "stock", "added": "x", "life": 3, "series": "series", "time": "year", "noun": "rows"}
    found = find_stock_misfits(frame, tolerance=0.02, least=50.0, **settings)
    assert found.rows == ("A 2013",)
    assert found.examples == ("A 2013: 95 against 90",)
    assert found.element_count == 2
    assert find_stock_misfits(frame, tolerance=0.02, least=100.0, **settings).success, "a few robots are no matter"
    assert find_stock_misfits(frame.drop(1), tolerance=0.02, least=50.0, **settings).success, "a year is missing"


@pytest.mark.parametrize("as_category", [False, True])
def test_keys_codes_and_empty_cells(as_category: bool) -> None:
    frame = pd.DataFrame({"a": ["x", "x", "y", None, None], "b": [1, 1, 1, 2, 2], "where": list("pqrst")})
    frame["a"] = frame["a"].astype("category" if as_category else object)
    assert find_double_keys(frame, columns=["a", "b"], noun="rows").rows == ("p", "q", "s", "t")
    assert find_empty_cells(frame, columns=["a", "b"], noun="rows").rows == ("s, a", "t, a")
    found = find_unknown_values(frame, column="a", allowed=["x"], phrase="of another kind", noun="rows")
    assert (found.rows, found.problem, found.examples) == (("r",), "1 row of another kind", ("r: y",))


def test_rows_that_repeat_a_key_with_the_same_or_with_other_numbers() -> None:
    frame = pd.DataFrame({"key": list("aabbcd"), "x": [1.0, 1.0, 2.0, 2.2, 5.0, np.nan], "where": list("pqrstu")})

    def repeated(contradicting: bool, tolerance: float = 0.0) -> tuple[str, ...]:
        return find_repeated_rows(
            frame, keys=["key"], columns=["x"], noun="rows", contradicting=contradicting, tolerance=tolerance
        ).rows

    assert repeated(contradicting=False) == ("p",)
    assert repeated(contradicting=True) == ("r",)
    assert repeated(contradicting=True, tolerance=0.1) == ()


def test_ranges_fractions_and_parts_name_their_columns() -> None:
    frame = pd.DataFrame({"a": [1.0, 2.5, np.nan], "b": [2.0, 2.0, -1.0], "where": list("pqr")})
    ranges, spans = {"a": [0.0, 2.0], "b": [0.0, None]}, {"a": "0 to 2", "b": "at least 0"}
    found = find_out_of_range(frame, ranges=ranges, spans=spans, noun="rows")
    assert found.rows == ("q, a", "r, b")
    assert found.problem == "a: 1 row outside 0 to 2 (e.g. q: 2.5) | b: 1 row outside at least 0 (e.g. r: -1)"
    assert (found.element_count, found.unexpected_count) == (5, 2)
    assert find_fractions(frame, columns=["a", "b"], noun="rows").rows == ("q, a",)
    assert find_excesses(frame, pairs=[["a", "b"], ["b", "a"]], noun="rows").rows == ("q, a", "p, b")


def test_groups_that_do_not_add_up() -> None:
    frame = pd.DataFrame(
        {
            "code": ["D", "1", "2", "D", "1", "2", "D", "1"],
            "year": [1, 1, 1, 2, 2, 2, 3, 3],
            "n": [10.0, 4.0, 6.0, 10.0, 4.0, 5.0, 10.0, 4.0],
            "where": list("pqrstuvw"),
        }
    )
    settings = {"column": "n", "member": "code", "whole": "D", "parts": ["1", "2"], "keys": ["year"], "noun": "rows"}
    found = find_group_gaps(frame, tolerance=0.02, **settings)
    assert found.rows == ("s",), "where a part has no row, less than the whole is no gap"
    assert found.examples == ("s: 9 against 10",)


def test_same_number_in_two_columns() -> None:
    frame = pd.DataFrame({"a": [304.99, 0.0, 5.0], "b": [304.99, 0.0, 6.0], "where": list("pqr")})
    assert find_equal_pairs(frame, column="a", other="b", noun="rows").rows == ("p",)


def scopes(whole: dict[str, float], part: dict[str, float]) -> pd.DataFrame:
    key = {"place": "1", "year": 2010}
    return pd.DataFrame(
        [
            {**key, "area_scope": "whole_city", "where": "A 2010", **whole},
            {**key, "area_scope": "urban_districts", "where": "A 2010, urban districts", **part},
        ]
    )


def test_urban_districts_printed_for_the_whole_city() -> None:
    arguments = {"scope": "area_scope", "part": "urban_districts", "whole": "whole_city", "keys": ["place", "year"]}
    mixed = scopes({"gdp": 10.0, "loans": 4.0, "land": 9.0}, {"gdp": 6.0, "loans": 4.0, "land": 3.0})
    assert find_scope_copies(mixed, columns=["gdp", "loans", "land"], **arguments).rows == ("A 2010, loans",)
    same = scopes({"gdp": 10.0, "loans": 4.0, "land": 9.0}, {"gdp": 10.0, "loans": 4.0, "land": 9.0})
    assert find_scope_copies(same, columns=["gdp", "loans", "land"], **arguments).success, "a city without counties"


def test_part_larger_than_whole() -> None:
    arguments = {"scope": "area_scope", "part": "urban_districts", "whole": "whole_city", "keys": ["place", "year"]}
    found = find_scope_excess(scopes({"gdp": 10.0}, {"gdp": 12.0}), column="gdp", **arguments)
    assert found.examples == ("A 2010, urban districts: 12 against 10",)
    assert find_scope_excess(scopes({"gdp": 10.0}, {"gdp": 8.0}), column="gdp", **arguments).success


@pytest.mark.parametrize(
    ("value", "reported", "fill", "holds"),
    [
        (1.0, 1.0, "observed", True),
        (1.0, np.nan, "linear", True),
        (np.nan, np.nan, "missing", True),
        (1.0, np.nan, "observed", False),
        (1.0, 1.0, "linear", False),
        (1.0, 2.0, "observed", False),
        (np.nan, np.nan, "linear", False),
        (1.0, np.nan, "missing", False),
        (1.0, np.nan, "guessed", False),
        (1.0, np.nan, None, False),
    ],
)
def test_value_reported_and_fill(value: float, reported: float, fill: str | None, holds: bool) -> None:
    frame = pd.DataFrame({"x": [value], "x_reported": [reported], "x_fill": [fill], "where": ["A 2010"]})
    codes = ["observed", "linear", "carried", "ratio", "missing"]
    found = find_fill_mismatches(frame, columns=["x"], codes=codes, missing="missing", observed="observed")
    assert found.success is holds


def test_grid_gaps_and_empty_columns() -> None:
    frame = pd.DataFrame({"unit": ["a", "a", "b"], "year": [1, 2, 1], "x": [np.nan] * 3, "y": [1.0, np.nan, np.nan]})
    assert find_grid_gaps(frame, unit="unit", time="year").examples == ("b: 1 years",)
    found = find_empty_columns(frame, columns=["x", "y"])
    assert found.problem == "1 column wholly empty: x"


def test_wrong_kinds_name_file_and_column() -> None:
    frame = pd.DataFrame([{"where": "a.parquet", "year": "integer"}, {"where": "b.parquet", "year": "text"}])
    found = find_wrong_kinds(frame, kinds={"year": "integer", "value": "number"})
    assert found.examples == ("b.parquet: year is text, not integer",)


def test_wording() -> None:
    assert show_number(4910000.0) == "4,910,000"
    assert show_number(-0.02) == "-0.02"
    assert show_number(0.1 + 0.2) == "0.3"
    assert count_noun(1, "cities") == "1 city"
    assert count_noun(1278, "city-years") == "1,278 city-years"
    assert list_values(list("abcdefghij")) == "a, b, c, d, e, f, g, h, and 2 more"
