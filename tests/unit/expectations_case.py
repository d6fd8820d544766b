"""Small made-up raw sources and marts for the tests of the expectations. Simulated numbers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.ingest.contract import PARQUET_COLUMNS
from analysis_py.settings import project_root

YEARS = range(2003, 2013)
#: Whole provinces, so that cities' GDP sums to the province's: Shanghai and Chongqing, and two cities of Hebei.
CITIES = {"310100": ("上海市", 6.0), "500100": ("重庆市", 5.0), "130100": ("石家庄市", 3.0), "130200": ("唐山市", 4.0)}
PROVINCES = {"310000": ("上海市", ("310100",)), "500000": ("重庆市", ("500100",)), "130000": ("河北省", ())}

SOURCES = (
    "city_yearbook",
    "city_energy",
    "city_firms",
    "city_patents",
    "city_emissions",
    "province_yearbook",
)


class RawWorld:
    """A folder with reference seeds and small raw seeds that a test may spoil before it writes them.

    ``tables`` maps a source to its wide table as text-free numbers; ``write`` puts CSV files in ``seeds/raw``.
    """

    def __init__(self, folder: Path) -> None:
        self.seeds = folder / "seeds"
        self.user = folder / "data" / "raw"
        shutil.copytree(project_root() / "seeds" / "reference", self.seeds / "reference")
        (self.seeds / "raw").mkdir()
        self.tables = _clean_tables()
        self.layout = _layout(self.tables)

    def write(self) -> RawWorld:
        for source, table in self.tables.items():
            table.to_csv(self.seeds / "raw" / f"raw_{source}.csv", index=False)
        self.layout.to_csv(self.seeds / "raw" / "raw_layout.csv", index=False)
        return self

    def spoil(self, source: str, city: str, year: int, column: str, value: object) -> RawWorld:
        """Set one cell of the whole-city, first-published row."""
        table = self.tables[source]
        key = "province_code" if source == "province_yearbook" else "city_code"
        chosen = (table[key] == city) & (table["year"] == year)
        if "area_scope" in table:
            chosen &= (table["area_scope"] == "whole_city") & (table["vintage"] == "first")
        assert chosen.sum() == 1
        table[column] = table[column].astype(object)
        table.loc[chosen, column] = value
        return self

    def write_user(self, source: str, frame: pd.DataFrame | None = None, dataset: str = "mine") -> Path:
        """Write a source as the long Parquet that ingest leaves, from ``frame`` or from the clean wide table."""
        frame = self.long(source, dataset) if frame is None else frame
        folder = self.user / source
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{dataset}.parquet"
        kinds = {"string": pa.string(), "int32": pa.int32(), "float64": pa.float64()}
        fields = [(n, kinds[k]) for n, k in PARQUET_COLUMNS if n in frame]
        pq.write_table(pa.Table.from_pandas(frame, schema=pa.schema(fields), preserve_index=False), path)
        return path

    def long(self, source: str, dataset: str = "mine") -> pd.DataFrame:
        """The clean wide table of a city source as rows of the raw contract."""
        rows = []
        units = self.layout[self.layout["source"] == source].set_index("indicator")["unit"].to_dict()
        table = self.tables[source]
        if "vintage" in table:
            table = table[(table["vintage"] == "first") & (table["area_scope"] == "whole_city")]
        for number, record in enumerate(table.to_dict("records"), start=2):
            for indicator, unit in units.items():
                if pd.isna(record[indicator]):
                    continue
                rows.append(
                    {
                        "source": source,
                        "dataset": dataset,
                        "city_code": record["city_code"],
                        "place_code_raw": None,
                        "place_name_raw": record["city_name"],
                        "year": record["year"],
                        "indicator": indicator,
                        "value": float(record[indicator]),
                        "unit": unit,
                        "area_scope": "whole_city",
                        "population_basis": None,
                        "vintage": "first",
                        "value_text": str(record[indicator]),
                        "source_file": "book.xlsx",
                        "source_sheet": "Sheet1",
                        "source_row": number,
                        "source_column": indicator,
                    }
                )
        return pd.DataFrame(rows)


def _clean_tables() -> dict[str, pd.DataFrame]:
    books, energy, firms, patents, emissions = [], [], [], [], []
    for code, (name, size) in CITIES.items():
        for t, year in enumerate(YEARS):
            key = {"city_code": code, "city_name": name, "year": year}
            gdp = round(1000 * size * 1.11**t, 2)
            book = {
                "gdp": gdp,
                "gdp_index_prev100": 109.5,
                "gdp_tertiary": round(gdp * 0.45, 2),
                "gdp_tertiary_share": 45.0,
                "population_resident": round(300 * size * 1.012**t, 2),
                "population_registered": round(280 * size * 1.004**t, 2),
                "land_area": 12000 + 100 * size,
                "fiscal_expenditure": round(gdp * 0.141, 3),
                "science_expenditure": round(gdp * 0.0031, 4),
                "fixed_asset_investment": round(gdp * 0.52, 3),
                "deposits": round(gdp * 1.31, 3),
                "loans": round(gdp * 0.93, 3),
                "trade_total": round(90000 * size * 1.09**t),
                "students_higher_education": round(60000 * size * 1.03**t),
                "solid_waste_generated": round(800 * size * 1.02**t, 2),
                "solid_waste_utilised": round(600 * size * 1.03**t, 2),
                "internet_users": round(40 * size * 1.15**t, 2),
                "employees": round(9 * size * 1.02**t, 2),
            }
            books.append({**key, "area_scope": "whole_city", "vintage": "first", **book})
            if year % 3 == 0:
                part = {k: (v if k.endswith(("prev100", "share")) else round(v * 0.6, 4)) for k, v in book.items()}
                books.append({**key, "area_scope": "urban_districts", "vintage": "first", **part})
            fuels = ("raw_coal", "coke", "crude_oil", "gasoline", "kerosene", "diesel", "fuel_oil")
            burnt = {f"energy_{f}": round((50 + 7 * k) * size * 1.03**t, 2) for k, f in enumerate(fuels)}
            energy.append(
                {
                    **key,
                    **burnt,
                    "energy_natural_gas": round(3 * size * 1.06**t, 3),
                    "energy_electricity": round(80 * size * 1.05**t, 3),
                }
            )
            firms.append({**key, "ai_firms_registered": 20 + 9 * t, "ai_firms_deregistered": 2 * t})
            patents.append({**key, "green_patent_applications": 120 + 30 * t})
            emissions.append({**key, "co2_ceads": round(20 * size * 1.02**t, 4)})
    book_table = pd.DataFrame(books)
    whole = book_table[book_table["area_scope"] == "whole_city"].set_index(["city_code", "year"])["gdp"]
    provinces = []
    for code, (name, members) in PROVINCES.items():
        for year in YEARS:
            gdp = sum(whole[member, year] for member in members) * 1.01 if members else whole["130200", year] * 5
            provinces.append({"province_code": code, "province_name": name, "year": year, "gdp": round(gdp, 2)})
    province_table = pd.DataFrame(provinces).assign(gdp_index_prev100=109.5)
    return {
        "city_yearbook": book_table,
        "city_energy": pd.DataFrame(energy),
        "city_firms": pd.DataFrame(firms),
        "city_patents": pd.DataFrame(patents),
        "city_emissions": pd.DataFrame(emissions),
        "province_yearbook": province_table,
    }


def _layout(tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Canonical units of the columns of the small tables."""
    seed = pd.read_csv(project_root() / "seeds" / "reference" / "seed_indicator.csv", dtype=str)
    there = [s in tables and i in tables[s] for s, i in zip(seed["source"], seed["indicator"], strict=True)]
    seed = seed[there]
    return seed[["source", "indicator", "unit"]].assign(
        year_from=YEARS.start, year_to=YEARS.stop - 1, population_basis="", note=""
    )[["source", "indicator", "year_from", "year_to", "unit", "population_basis", "note"]]


def open_marts(changes: tuple[str, ...] = (), *, is_simulated: bool = True) -> duckdb.DuckDBPyConnection:
    """A small built warehouse in memory; ``changes`` are SQL statements run after it is filled."""
    from expectations.marts.panel_carbon_productivity import SYMBOLS, list_columns

    con = duckdb.connect(":memory:")
    for schema in ("marts", "meta", "intermediate", "quality", "reference"):
        con.execute(f"create schema {schema}")
    city = pd.DataFrame(
        {
            "city_code": list(CITIES),
            "city_name_zh": [name for name, _ in CITIES.values()],
            "city_name_en": ["Shanghai", "Chongqing", "Shijiazhuang", "Tangshan"],
            "province_code": [code[:2] + "0000" for code in CITIES],
            "admin_level": ["municipality", "municipality", "prefecture_level_city", "prefecture_level_city"],
            "longitude_deg": [121.5, 106.5, 114.5, 118.2],
            "latitude_deg": [31.2, 29.6, 38.0, 39.6],
            "is_municipality": [True, True, False, False],
            "is_resource_based": [False, False, False, True],
            "resource_type": ["none", "none", "none", "regenerating"],
            "size_class": ["mega", "mega", "big", "big"],
            "region4": ["east", "west", "east", "east"],
            "low_carbon_pilot_year": pd.array([2012, 2010, None, None], dtype="Int32"),
            "ai_pilot_year": pd.array([2019, None, None, None], dtype="Int32"),
        }
    )
    con.execute("create table marts.dim_city as select * from city")
    con.execute("create table marts.dim_province (province_code varchar primary key, province_name_zh varchar)")
    con.executemany("insert into marts.dim_province values (?, ?)", [(c, n) for c, (n, _) in PROVINCES.items()])
    fact = _fact_rows(is_simulated)
    con.execute("create table marts.fct_city_year as select * from fact")
    panel = _panel_rows(fact, city, is_simulated)
    assert list(panel.columns) == list(list_columns()), "the case's panel must have the agreed columns"
    con.execute("create table marts.panel_carbon_productivity as select * from panel")
    kinds = {"text": "varchar", "integer": "integer", "number": "double", "boolean": "boolean"}
    for name, kind in list_columns().items():
        con.execute(f'alter table marts.panel_carbon_productivity alter "{name}" type {kinds[kind]}')
    assert all(symbol in panel for symbol in SYMBOLS)
    con.execute("alter table marts.fct_city_year alter year type integer")
    con.execute(
        "create table intermediate.int_carbon_productivity_sample as "
        "select city_code, true as is_in_sample, 2003 as first_year, 2012 as last_year from marts.dim_city"
    )
    con.execute(
        "create table intermediate.int_province_year_pivot as select province_code, year, "
        "sum(gdp_yi_yuan) * 1.02 as gdp_yi_yuan from marts.fct_city_year group by all"
    )
    con.execute(
        "create table meta.build as select ? as inputs, ? as is_simulated, 'ipcc2006' as co2_source",
        [json.dumps(dict.fromkeys(SOURCES, "demo" if is_simulated else "user")), is_simulated],
    )
    con.execute(
        "create table meta.column_dictionary (schema_name text, model_name text, column_name text, source text)"
    )
    reference = project_root() / "seeds" / "reference"
    for seed in ("seed_indicator", "seed_unit"):
        con.execute(f"create table reference.{seed} as select * from read_csv('{reference / seed}.csv')")
    create_quality_tables(con)
    for statement in changes:
        con.execute(statement)
    return con


def create_quality_tables(con: duckdb.DuckDBPyConnection) -> None:
    """The tables dbt's on-run-start makes."""
    con.execute(
        "create table quality.validation_run (validation_id varchar, stage varchar, started_at timestamp, "
        "finished_at timestamp, inputs varchar, success boolean, n_stop integer, n_warn integer)"
    )
    con.execute(
        "create table quality.expectation_result (validation_id varchar, stage varchar, suite varchar, "
        "table_name varchar, position integer, expectation varchar, column_name varchar, severity varchar, "
        "success boolean, element_count bigint, unexpected_count bigint, observed varchar, expected varchar, "
        "message varchar)"
    )


def _fact_rows(is_simulated: bool) -> pd.DataFrame:
    rows = []
    for code, (_, size) in CITIES.items():
        for t, year in enumerate(YEARS):
            gdp = 1000 * size * 1.11**t
            rows.append({"city_code": code, "year": year, "gdp_yi_yuan": gdp, "co2_ipcc2006_mt": 20 * size * 1.02**t})
    fact = pd.DataFrame(rows)
    fact["gdp_2003_price_yi_yuan"] = fact["gdp_yi_yuan"] * 0.98
    fact["solid_waste_utilised_pct"] = 75.0
    for measure in ("gdp_yi_yuan", "co2_ipcc2006_mt", "gdp_2003_price_yi_yuan", "solid_waste_utilised_pct"):
        fact[f"{measure}_reported"] = fact[measure]
        fact[f"{measure}_fill"] = "observed"
    names = {code: name for code, (name, _) in CITIES.items()}
    return fact.assign(
        city_name_zh=fact["city_code"].map(names),
        province_code=fact["city_code"].str[:2] + "0000",
        is_simulated=is_simulated,
    )


def _panel_rows(fact: pd.DataFrame, city: pd.DataFrame, is_simulated: bool) -> pd.DataFrame:
    from expectations.marts.panel_carbon_productivity import SYMBOLS, list_columns

    panel = fact[["city_code", "year", "gdp_2003_price_yi_yuan"]].merge(city, on="city_code")
    panel["co2_mt"] = fact["co2_ipcc2006_mt"]
    for k, symbol in enumerate(SYMBOLS):
        panel[symbol] = 0.1 + 0.01 * k + 0.001 * (panel["year"] - YEARS.start)
    panel["CP"] = panel["gdp_2003_price_yi_yuan"] / (panel["co2_mt"] * 100)
    for symbol in SYMBOLS:
        panel[f"{symbol}_reported"] = panel[symbol]
        panel[f"{symbol}_fill"] = "observed"
    panel["AI_flow"], panel["AI_lag1"] = panel["AI"], panel["AI"]
    panel["province_name_en"] = "Province"
    panel["co2_source"] = "ipcc2006"
    panel["is_western"] = panel["region4"] == "west"
    for flag in ("coal_province", "bth", "yrd", "prd", "mid_yangtze", "chengdu_chongqing"):
        panel[f"is_{flag}"] = False
    for flag, year in (("is_low_carbon_pilot", "low_carbon_pilot_year"), ("is_ai_pilot_zone", "ai_pilot_year")):
        panel[flag] = np.asarray((panel["year"] >= panel[year]).fillna(False), dtype=bool)
    panel["is_simulated"] = is_simulated
    return panel[list(list_columns())]
