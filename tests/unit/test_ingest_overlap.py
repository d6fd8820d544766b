"""The same numbers from several files: who goes first, and how far they agree."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.decisions import settle_decisions
from analysis_py.ingest.ingest import ingest_file
from analysis_py.ingest.input_views import choose_views
from analysis_py.ingest.inputs import datasets
from analysis_py.ingest.overlap import SUMMARY_COLUMNS, WORST_COLUMNS, compare_datasets
from analysis_py.ingest.precedence import load_precedence, order_datasets, prefer_dataset, settle_precedence
from tests.unit.ingest_files import PLAIN, write_text

OTHER = "city,year,GDP(万元),loans (亿元)\n合肥,2019,94094000,5\n合肥,2020,110502700,6\n上海,2019,381560000,0\n"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two datasets of the yearbook: `a` in 亿元, `b` in 万元 with one GDP a tenth higher."""
    for name, text in (("a", PLAIN), ("b", OTHER)):
        ingest_file(write_text(tmp_path / f"{name}.csv", text), "city_yearbook", data_dir=tmp_path / "data")
    return tmp_path / "data"


def order(data: Path) -> list[tuple[str, int, str]]:
    """(indicator, year, dataset) of the file the warehouse reads, those that go first."""
    table = pq.read_table(data / "raw" / "precedence.parquet").to_pylist()
    return [(row["indicator"], row["year"], row["dataset"]) for row in table if row["position"] == 1]


# ---------------------------------------------------------------- comparison


def test_ratios_are_of_values_in_one_unit(data: Path) -> None:
    found = compare_datasets(data)
    ((*_, first, second, both, equal, near, p05, p25, median, p75, p95, least, largest),) = found.summary
    assert (first, second, both, equal, near) == ("a", "b", 3, 2, 2)
    assert (largest, median) == (1.0, 1.0) and least == pytest.approx(10045.7 / 11050.27)
    assert least <= p05 <= p25 <= median <= p75 <= p95 <= largest
    worst = dict(zip(WORST_COLUMNS, found.worst[0], strict=True))
    assert len(found.worst) == 1
    assert (worst["place"], worst["year"], worst["unit"]) == ("合肥市 (340100)", 2020, "yi_yuan")
    assert (worst["value_first"], worst["value_second"]) == (10045.7, pytest.approx(11050.27))
    assert (worst["row_first"], worst["row_second"]) == (3, 3)


def test_one_indicator_or_none(data: Path) -> None:
    assert len(compare_datasets(data, "gdp").summary) == 1
    assert compare_datasets(data, "loans").summary == []
    with pytest.raises(CarbonpanelError, match=r"(?s)CP-INDICATOR-UNKNOWN.*did you mean 'loans'"):
        compare_datasets(data, "loanss")


def test_zeros_and_signs(tmp_path: Path) -> None:
    texts = {
        "a": "city,year,gdp_growth_pct,science_expenditure\n合肥,2019,1,0\n芜湖,2019,2,0\n蚌埠,2019,3,4\n",
        "b": "city,year,gdp_growth_pct,science_expenditure\n合肥,2019,1,0\n芜湖,2019,2,7\n蚌埠,2019,3,0\n",
    }
    for name, text in texts.items():
        ingest_file(write_text(tmp_path / f"{name}.csv", text), "city_yearbook", data_dir=tmp_path / "data")
    found = compare_datasets(tmp_path / "data", "science_expenditure")
    summary = dict(zip(SUMMARY_COLUMNS, found.summary[0], strict=True))
    assert (summary["both"], summary["equal"], summary["median"], summary["largest"]) == (3, 1, 1.0, 1.0)
    assert [row[1] for row in found.worst] == ["芜湖市 (340200)", "蚌埠市 (340300)"]


def test_the_ten_worst(tmp_path: Path) -> None:
    years = range(2000, 2020)
    for name in ("a", "b"):
        text = "city,year,gdp\n" + "".join(f"合肥,{year},{100 + (year - 2000) * (name == 'b')}\n" for year in years)
        ingest_file(write_text(tmp_path / f"{name}.csv", text), "city_yearbook", data_dir=tmp_path / "data")
    worst = compare_datasets(tmp_path / "data").worst
    assert [row[2] for row in worst] == list(range(2019, 2009, -1))


def test_scopes_and_vintages_are_compared_with_their_own_kind(tmp_path: Path) -> None:
    texts = {
        "a": "city,year,area_scope,gdp\n合肥,2019,全市,9409\n",
        "b": "city,year,area_scope,gdp\n合肥,2019,市辖区,6000\n",
    }
    for name, text in texts.items():
        ingest_file(write_text(tmp_path / f"{name}.csv", text), "city_yearbook", data_dir=tmp_path / "data")
    assert compare_datasets(tmp_path / "data").summary == []


def test_views(data: Path) -> None:
    titles = [view.title for view in choose_views(data, ["overlap"], indicator="gdp")]
    assert titles == [
        "ratio of the first dataset to the second",
        "the cells furthest apart, ten per indicator and pair",
    ]
    (one,) = choose_views(data, ["overlap"], is_text=False)
    assert one.columns == SUMMARY_COLUMNS
    (none,) = choose_views(data, ["overlap"], indicator="loans")
    assert none.title == "no number of loans comes from two datasets" and not none.rows
    for wanted, options in ((["answers"], {"indicator": "gdp"}), (["answers", "overlap"], {"is_text": False})):
        with pytest.raises(CarbonpanelError, match="CP-OPTION"):
            list(choose_views(data, wanted, **options))


# ---------------------------------------------------------------- precedence


def test_without_a_file_names_decide_and_it_is_said(data: Path, tmp_path: Path) -> None:
    told = settle_decisions(data)
    assert told == [
        "city_yearbook: 1 indicator(s) come from several of a, b; 'a' goes first (by name); "
        "'carbonpanel inputs --overlap' compares them"
    ]
    assert not (data / "raw" / "precedence.parquet").exists()
    report = ingest_file(tmp_path / "b.csv", "city_yearbook", data_dir=data, check=True)
    assert "gdp also comes from dataset 'a'; both are kept, 'a' goes first" in report.warnings


def test_entries_are_read_from_the_top(data: Path) -> None:
    write_text(
        data / "precedence.yml",
        "- {source: city_yearbook, indicator: gdp, years: 2020, prefer: b}\n"
        "- {source: city_yearbook, years: 2019-2020, prefer: [a, b]}\n",
    )
    settle_decisions(data)
    found = order(data)
    assert ("gdp", 2020, "b") in found and ("gdp", 2019, "a") in found and ("loans", 2020, "a") in found
    assert {year for _, year, _ in found} == {2019, 2020}
    entries = load_precedence(data)
    assert order_datasets(entries, ["a", "b", "c"], "city_yearbook", "gdp", 2020) == ("b", "a", "c")
    assert order_datasets(entries, ["b", "a"], "city_yearbook", "gdp", 2001) == ("a", "b")
    assert order_datasets(entries, ["b", "a"], "city_energy", "energy_coke", 2020) == ("a", "b")
    (data / "precedence.yml").unlink()
    settle_decisions(data)
    assert not (data / "raw" / "precedence.parquet").exists()


def test_the_same_file_is_written_once(data: Path) -> None:
    prefer_dataset(data, "city_yearbook", "b")
    settle_precedence(data, datasets(data))
    path = data / "raw" / "precedence.parquet"
    stamp, content = path.stat().st_mtime_ns, path.read_bytes()
    settle_precedence(data, datasets(data))
    assert path.stat().st_mtime_ns == stamp
    path.write_bytes(b"damaged")
    settle_precedence(data, datasets(data))
    assert path.read_bytes() == content


def test_preferring_with_the_command_puts_the_dataset_first_and_keeps_what_stands_there(
    data: Path, tmp_path: Path
) -> None:
    write_text(data / "precedence.yml", "# mine\n- {source: city_yearbook, indicator: gdp, prefer: [a]}\n")
    report = ingest_file(tmp_path / "b.csv", "city_yearbook", data_dir=data, prefer=True)
    assert "gdp also comes from dataset 'a'; both are kept, 'b' goes first" in report.warnings
    text = (data / "precedence.yml").read_text(encoding="utf-8")
    assert text == (
        "# mine\n- {source: city_yearbook, prefer: [b]}\n- {source: city_yearbook, indicator: gdp, prefer: [a]}\n"
    )
    ingest_file(tmp_path / "b.csv", "city_yearbook", data_dir=data, prefer=True)
    assert (data / "precedence.yml").read_text(encoding="utf-8") == text
    settle_decisions(data)
    assert {dataset for _, _, dataset in order(data)} == {"b"}


def test_a_check_prefers_nothing(data: Path, tmp_path: Path) -> None:
    ingest_file(tmp_path / "b.csv", "city_yearbook", data_dir=data, prefer=True, check=True)
    assert not (data / "precedence.yml").exists()


BAD = [
    ("- {source: city_yearbok, prefer: a}", "did you mean 'city_yearbook'"),
    ("- {source: city_yearbook, prefer: c}", "has no dataset 'c'"),
    ("- {source: city_energy, prefer: a}", "has no dataset 'a'"),
    ("- {source: city_yearbook, indicator: gdpp, prefer: a}", "did you mean 'gdp'"),
    ("- {source: city_yearbook, years: 2019-2017, prefer: a}", "span of years"),
    ("- {source: city_yearbook, years: lately, prefer: a}", "span of years"),
    ("- {source: city_yearbook, prefers: a}", "did you mean 'prefer'"),
    ("- {source: city_yearbook}", "needs 'prefer'"),
    ("- {prefer: a}", "needs 'source'"),
    ("- {source: city_yearbook, prefer: {a: b}}", "a name or a list of names"),
    ("- {source: city_yearbook, prefer: []}", "a name or a list of names"),
    ("- city_yearbook", "'key: value' lines"),
    ("source: city_yearbook", "must be a list"),
    ("- {", "not valid YAML"),
]


@pytest.mark.parametrize(("text", "said"), BAD)
def test_wrong_preferences_are_named_with_their_line(data: Path, text: str, said: str) -> None:
    write_text(data / "precedence.yml", f"# a remark\n{text}\n")
    with pytest.raises(CarbonpanelError) as caught:
        settle_decisions(data)
    assert caught.value.code == "CP-PRECEDENCE" and said in str(caught.value), str(caught.value)
    assert "precedence.yml, row " in str(caught.value)
    assert not (data / "raw" / "precedence.parquet").exists()
