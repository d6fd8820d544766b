"""The notation of `inputs`: what each item means, and that a mistake in it is named."""

from __future__ import annotations

import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.lineage.input_notation import InputItem, named_columns, parse_inputs

ROW: dict[str, object] = {"co2_source": "ceads", "base_year": 2003, "grid_region": None}


def parsed(text: str, year: int = 2006) -> list[tuple[InputItem, ...]]:
    return parse_inputs(text, row=ROW, year=year, first_year=2000)


def test_plain_columns_and_other_tables() -> None:
    assert parsed("gdp_yi_yuan, int_city_real_gdp.chain_index") == [
        (InputItem("gdp_yi_yuan"),),
        (InputItem("chain_index", "int_city_real_gdp"),),
    ]


def test_filters_keep_their_commas_out_of_the_list() -> None:
    ((item,),) = parsed("seed_x.factor[fuel=raw_coal;factor_set=ipcc2006]")
    assert item == InputItem("factor", "seed_x", (("fuel", "raw_coal"), ("factor_set", "ipcc2006")))


def test_braces_take_the_values_of_the_row_and_drop_what_is_null() -> None:
    assert parsed("co2_{co2_source}_mt") == [(InputItem("co2_ceads_mt"),)]
    assert parsed("grid.factor[region={grid_region}]") == []


@pytest.mark.parametrize(
    ("text", "year", "years", "is_series"),
    [
        ("x@-1", 2006, (2005,), False),
        ("x@2003", 2006, (2003,), False),
        ("x@{base_year}..", 2006, (2004, 2005, 2006), True),
        ("x@{base_year}..", 2001, (2002, 2003), True),
        ("x@{base_year}..", 2003, (), True),
        ("x@..", 2002, (2000, 2001, 2002), True),
    ],
)
def test_years(text: str, year: int, years: tuple[int, ...], is_series: bool) -> None:
    ((item,),) = parsed(text, year)
    assert (item.years, item.is_series) == (years, is_series)


def test_a_brace_may_name_several_columns() -> None:
    row = {"inputs": "labour+capital", "study": "x"}
    found = parse_inputs("t.{inputs}[study={study}]", row=row, year=2006, first_year=2000)
    assert found == [
        (InputItem("labour", "t", (("study", "x"),)),),
        (InputItem("capital", "t", (("study", "x"),)),),
    ]


def test_names_are_read_without_a_row() -> None:
    text = "gdp, t.x[a={b}], co2_{source}_mt, a.i | b.i, x@-1, t.{names}[s={s}]"
    assert named_columns(text) == [
        ("", "gdp"), ("t", "x"), ("", "co2_*_mt"), ("a", "i"), ("b", "i"), ("", "x"), ("t", "*")
    ]  # fmt: skip


def test_alternatives_stay_together() -> None:
    assert parsed("city.index | province.index") == [(InputItem("index", "city"), InputItem("index", "province"))]


@pytest.mark.parametrize("text", ["a b", "x@soon", "1x", "x[fuel"])
def test_mistakes_are_named(text: str) -> None:
    with pytest.raises(CarbonpanelError) as caught:
        parsed(text)
    assert caught.value.code == "CP-TRACE-NOTATION"
