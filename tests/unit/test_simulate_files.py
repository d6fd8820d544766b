"""Files of the demo world: same bytes always, and the agreed tables."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE, paths
from analysis_py.simulate.layout import HISTORY_YEAR, LAYOUT, UNIT_FACTOR, indicators
from analysis_py.simulate.raw_tables import REVISED

SEEDS = paths().seeds
CITY_TABLES = (
    "energy", "firms", "patents", "emissions", "construction", "digital", "green_finance", "reports", "history",
)  # fmt: skip
KEYS = {
    "raw_city_yearbook": ["city_code", "year", "area_scope", "vintage"],
    **{f"raw_city_{name}": ["city_code", "year"] for name in CITY_TABLES},
    "raw_province_yearbook": ["province_code", "year"],
    "raw_layout": ["source", "indicator", "year_from"],
}
TRUTH_KEYS = {
    "truth_parameter": ["study", "analysis_id", "term", "parameter"],
    "truth_city_year": ["city_code", "year"],
    "truth_defect": ["defect_id"],
    "truth_exposure_share": ["city_code", "field"],
    "truth_national_shock": ["field", "year"],
}


def simulate(out: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "analysis_py.simulate", "--out", str(out), *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        cwd=paths().root,
        check=False,
    )


def files_of(folder: Path, below: str = "*") -> dict[str, bytes]:
    return {f"{f.parent.name}/{f.name}": f.read_bytes() for f in sorted(folder.glob(f"{below}/*.csv"))}


def committed() -> dict[str, bytes]:
    return {name: content for folder in ("raw", "truth") for name, content in files_of(SEEDS, folder).items()}


@pytest.mark.parametrize(
    "environment",
    [
        {"PYTHONHASHSEED": "1", "OPENBLAS_NUM_THREADS": "1"},
        {
            "PYTHONHASHSEED": "977",
            "OPENBLAS_NUM_THREADS": "2",
            "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
        },
    ],
    ids=["hash seed 1, one thread", "hash seed 977, two threads, no wide vectors"],
)
def test_committed_bytes_come_back(tmp_path: Path, environment: dict[str, str]) -> None:
    result = simulate(tmp_path, **environment)
    assert result.returncode == 0, result.stderr
    assert SIMULATED_NOTICE in result.stdout
    made, kept = files_of(tmp_path), committed()
    assert sorted(made) == sorted(kept)
    assert [name for name in made if made[name] != kept[name]] == []


def test_another_seed_is_another_world(tmp_path: Path) -> None:
    assert simulate(tmp_path, "--seed", str(DEFAULT_SEED + 1)).returncode == 0
    made, kept = files_of(tmp_path), committed()
    same = {name for name in made if made[name] == kept[name]}
    assert same == {"raw/raw_layout.csv"}
    assert sorted(made) == sorted(kept)


def test_missing_reference_is_said(tmp_path: Path) -> None:
    result = simulate(tmp_path, "--reference", str(tmp_path / "nowhere"))
    assert result.returncode == 1
    assert "CP-FILE-MISSING" in result.stderr and "seed_city.csv" in result.stderr
    assert "Traceback" not in result.stderr
    assert files_of(tmp_path) == {}


@pytest.mark.parametrize("name", sorted(KEYS | TRUTH_KEYS))
def test_file_form(name: str) -> None:
    keys = (KEYS | TRUTH_KEYS)[name]
    content = (SEEDS / ("raw" if name in KEYS else "truth") / f"{name}.csv").read_bytes()
    assert len(content) < 3_000_000
    assert not content.startswith(b"\xef\xbb\xbf")
    assert b"\r" not in content and content.endswith(b"\n")
    rows = list(csv.DictReader(content.decode("utf-8").splitlines()))
    key = [tuple(int(r[k]) if k.startswith("year") else r[k] for k in keys) for r in rows]
    assert len(set(key)) == len(key)
    if name != "truth_parameter":
        assert key == sorted(key)
    assert not any(cell.strip().lower() in {"nan", "none", "null", "na"} for r in rows for cell in r.values())


def read(name: str) -> pd.DataFrame:
    return pd.read_csv(SEEDS / "raw" / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("city_yearbook", ["city_code", "city_name", "year", "area_scope", "vintage"]),
        ("city_energy", ["city_code", "city_name", "year"]),
        ("city_firms", ["city_code", "city_name", "year"]),
        ("city_patents", ["city_code", "city_name", "year"]),
        ("city_emissions", ["city_code", "city_name", "year"]),
        *((f"city_{name}", ["city_code", "city_name", "year"]) for name in CITY_TABLES[4:]),
    ],
)
def test_columns_follow_the_contract(name: str, first: list[str]) -> None:
    frame = read(f"raw_{name}")
    assert list(frame.columns) == [*first, *indicators(name)]
    known = pd.read_csv(SEEDS / "reference" / "seed_indicator.csv")
    assert set(indicators(name)) <= set(known.loc[known["source"] == name, "indicator"])
    years = frame["year"].astype(int)
    spans = [s for s in LAYOUT if s.source == name]
    first, last = min(s.year_from for s in spans), max(s.year_to for s in spans)
    assert (years.min(), years.max()) == (first, 2019 if name == "city_emissions" else last)
    numbers = frame[indicators(name)].replace("", "0").astype(float)
    assert numbers.notna().all().all()
    units = known[known["source"] == name].set_index("indicator")["unit"]
    counts = [c for c in numbers if units[c] == "count"]
    assert (numbers[counts] % 1 == 0).all().all()


def test_vintages_and_scopes() -> None:
    frame = read("raw_city_yearbook")
    assert set(frame["area_scope"]) == {"whole_city", "urban_districts"}
    assert set(frame["vintage"]) == {"first", "revised"}
    revised = frame[frame["vintage"] == "revised"]
    assert (revised["area_scope"] == "whole_city").all()
    others = [c for c in indicators("city_yearbook") if c not in REVISED]
    assert (revised[others] == "").all().all() and (revised["gdp"] != "").all()
    assert set(revised["year"].astype(int)) <= set(range(2000, 2019))
    urban = (frame["area_scope"] == "urban_districts").sum()
    first = ((frame["area_scope"] == "whole_city") & (frame["vintage"] == "first")).sum()
    assert 0.1 < urban / first < 0.4


def test_layout_covers_every_cell_in_known_units() -> None:
    layout = read("raw_layout")
    assert list(layout.columns) == ["source", "indicator", "year_from", "year_to", "unit", "population_basis", "note"]
    units = pd.read_csv(SEEDS / "reference" / "seed_unit.csv").set_index("unit")["factor_to_base"].to_dict()
    assert {name: units[name] for name in UNIT_FACTOR} == pytest.approx(UNIT_FACTOR)
    canonical = pd.read_csv(SEEDS / "reference" / "seed_indicator.csv").set_index(["source", "indicator"])["unit"]
    assert all(canonical[s.source, s.indicator] == s.canonical for s in LAYOUT)
    city = layout[layout["source"].str.startswith("city_")]
    changed = city.groupby(["source", "indicator"])["unit"].nunique()
    assert (changed == 2).sum() >= 20
    late = {"base_stations": 2006, "data_centre_racks": 2010, "computing_power": 2010, "digital_finance_index": 2011}
    begins = {"city_green_finance": 2004, "city_reports": 2003}
    for (source, indicator), spans in city.groupby(["source", "indicator"]):
        pairs = zip(spans["year_from"], spans["year_to"], strict=True)
        years = sorted(y for a, b in pairs for y in range(int(a), int(b) + 1))
        first = late.get(str(indicator), begins.get(str(source), 2000))
        expected = range(first, 2018 if indicator == "fixed_asset_investment" else 2024)
        if indicator == "fixed_asset_investment_growth":
            expected = range(2018, 2024)
        if source == "city_history":
            expected = range(HISTORY_YEAR, HISTORY_YEAR + 1)
        assert years == list(expected), (source, indicator)
    basis = city.set_index("indicator")["population_basis"]
    assert basis["population_resident"] == "resident" and basis["population_registered"] == "registered"


def test_places_carry_the_code_and_name_of_their_time() -> None:
    frame = read("raw_city_firms").astype({"year": int})
    rows = {(r.city_code, r.year): r.city_name for r in frame.itertuples()}
    assert rows["522400", 2010] == "毕节地区" and rows["520500", 2011] == "毕节市"
    assert rows["532700", 2002] == "思茅地区" and rows["530800", 2006] == "思茅市" and rows["530800", 2007] == "普洱市"
    assert rows["420600", 2009] == "襄樊市" and rows["420600", 2011] == "襄阳市"
    assert ("341400", 2010) in rows and ("341400", 2011) not in rows
    assert ("460300", 2011) not in rows and ("460300", 2012) in rows
    assert ("110000", 2000) in rows and ("110100", 2023) in rows and ("110100", 2000) not in rows
    per_year = frame.groupby("year").size()
    assert per_year.loc[2003:].between(296, 298).all()


def test_simulation_never_looks_at_the_papers() -> None:
    sources = sorted((paths().root / "analysis_py" / "simulate").glob("*.py"))
    assert len(sources) > 10
    hits = [
        f.name for f in sources if re.search(r"seed_published|[\"'/]published[\"'/_]", f.read_text(encoding="utf-8"))
    ]
    assert hits == []


def test_a_world_without_defects_is_the_same_world(tmp_path: Path) -> None:
    assert simulate(tmp_path, "--without-defects").returncode == 0
    made, kept = files_of(tmp_path), committed()
    assert sorted(made) == sorted(kept)
    assert made["truth/truth_city_year.csv"] == kept["truth/truth_city_year.csv"]
    listed = pd.read_csv(tmp_path / "truth" / "truth_defect.csv", dtype=str, keep_default_na=False)
    assert not listed["source"].str.startswith(("city_", "province_")).any()
    for name in ("city_yearbook", "city_construction"):
        clean = pd.read_csv(tmp_path / "raw" / f"raw_{name}.csv", dtype=str, keep_default_na=False)
        spoilt = read(f"raw_{name}")
        assert list(clean.columns) == list(spoilt.columns) and len(clean) == len(spoilt)
        lost = (spoilt == "").to_numpy() & (clean != "").to_numpy()
        assert lost.sum() > 500
        assert not ((clean == "").to_numpy() & (spoilt != "").to_numpy()).any()
