"""Raw sources in one form, whoever wrote them: the demo world's wide CSV seeds or a user's long Parquet files.

Three frames a source:

``schema``   one row per file, one column per column of the file, each cell naming its type;
``cells``    one row per non-empty cell, as printed, with what it means (place, indicator, unit, scope);
``values``   one row per record (place, year, scope, vintage), one column per indicator, in canonical units.

Every frame has a column ``where`` that tells a person which row is meant; of a cell it names the record, ``indicator``
and ``origin`` (file and row) say the rest (``checks.finding.name_rows``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.contract import AREA_SCOPES, PARQUET_COLUMNS, VINTAGES, Indicator
from expectations.parameters import Parameters, plain_name

#: Columns of a user's Parquet file and their kinds.
CONTRACT: dict[str, str] = {
    name: {"string": "text", "int32": "integer", "float64": "number"}[kind] for name, kind in PARQUET_COLUMNS
}
#: Record columns of a demo seed, by level; the city yearbook also states scope and vintage.
_DEMO_KEYS = {level: (f"{level}_code", f"{level}_name", "year") for level in ("city", "province", "national")}
_CELL_COLUMNS = (
    "where",
    "origin",
    "dataset",
    "place_code",
    "year",
    "indicator",
    "area_scope",
    "population_basis",
    "vintage",
    "unit",
    "value",
    "value_text",
    "canonical",
    "is_placed",
    "is_name_agreeing",
    "is_unit_fitting",
)
#: Text with few distinct values: categories are compared, filtered and hashed many times faster.
_CATEGORIES = ("dataset", "place_code", "indicator", "area_scope", "population_basis", "vintage", "unit")
_RECORD_KEY = ("dataset", "area_scope", "vintage", "place_code", "year")


@dataclass(frozen=True)
class RawSource:
    """One source as it will be loaded; ``cells`` and ``values`` are None where the schema does not allow reading it."""

    source: str
    kind: str
    table: str
    schema: pd.DataFrame
    required: Mapping[str, str]
    cells: pd.DataFrame | None
    values: pd.DataFrame | None


def read_source(source: str, kind: str, parameters: Parameters, *, seeds_dir: Path, user_raw_dir: Path) -> RawSource:
    """Read one source.

    Parameters
    ----------
    source : a source of the raw contract.
    kind : ``demo`` (``seeds_dir/raw/raw_<source>.csv``) or ``user`` (``user_raw_dir/<source>/*.parquet``).

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING``, ``CP-FILE-UNREADABLE``, ``CP-FILE-EMPTY``.
    """
    if kind == "demo":
        return _read_demo(source, parameters, Path(seeds_dir) / "raw")
    return _read_user(source, parameters, Path(user_raw_dir) / source)


# ---------------------------------------------------------------- demo seeds


def _read_demo(source: str, parameters: Parameters, folder: Path) -> RawSource:
    path = folder / f"raw_{source}.csv"
    frame = read_csv(path)
    level = parameters.contract.level(source)
    code, name, _ = _DEMO_KEYS[level]
    indicators = [i for i in parameters.of(source) if i.name in frame]
    layout = read_csv(folder / "raw_layout.csv")
    laid_out = set(layout.loc[layout["source"] == source, "indicator"])
    required = dict.fromkeys((*_DEMO_KEYS[level], *(i for i in _names(parameters, source) if i in laid_out)), "text")
    schema = pd.DataFrame([{"where": path.name, **dict.fromkeys(frame.columns, "text")}])
    table = f"raw_{source}"
    if any(column not in frame for column in required):
        return RawSource(source, "demo", table, schema, required, None, None)

    refuse_empty(frame, source, table)
    record = pd.DataFrame(
        {
            "dataset": "demo",
            "place_code_raw": frame[code],
            "place_name_raw": frame[name],
            "year": frame["year"],
            "area_scope": frame["area_scope"] if "area_scope" in frame else AREA_SCOPES[0],
            "vintage": frame["vintage"] if "vintage" in frame else VINTAGES[0],
            "row": np.arange(len(frame)) + 2,
        }
    )
    record = _describe_records(record, parameters, level, str(path.name))
    record = record.astype({c: "category" for c in _CATEGORIES if c in record})
    printed = frame[[i.name for i in indicators]].to_numpy(dtype=object).T
    of_indicator, of_record = np.nonzero(np.asarray(printed != ""))
    cells = record.take(of_record).reset_index(drop=True)
    refuse_empty(cells, source, table)
    cells["indicator"] = _categories(of_indicator, [i.name for i in indicators])
    cells["value_text"] = printed[of_indicator, of_record]
    cells["value"] = pd.to_numeric(cells["value_text"], errors="coerce").astype(float)
    lines = layout[layout["source"] == source]
    year = record["year"].to_numpy(dtype=float)
    for column in ("unit", "population_basis"):
        names, codes = _printed_by_layout(year, [i.name for i in indicators], lines, column)
        cells[column] = _categories(codes[of_indicator, of_record], names)
    return _finish(source, "demo", table, schema, required, cells, parameters)


def _categories(codes: np.ndarray, names: Sequence[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes.astype(np.int64), pd.Index(list(names), dtype="str"))


def _printed_by_layout(
    year: np.ndarray, indicators: Sequence[str], lines: pd.DataFrame, column: str
) -> tuple[list[str], np.ndarray]:
    """What ``column`` of the layout says of each indicator (rows) and record (columns), as codes of the names returned;
    the first name is empty: the layout is silent."""
    names = ["", *sorted({str(v) for v in lines[column]} - {""})]
    codes = np.zeros((len(indicators), len(year)), dtype=np.int16)
    for line in lines.to_dict("records"):
        if line["indicator"] in indicators:
            within = (year >= _bound(line["year_from"], -np.inf)) & (year <= _bound(line["year_to"], np.inf))
            codes[indicators.index(line["indicator"]), within] = names.index(str(line[column]))
    return names, codes


def _bound(text: str, otherwise: float) -> float:
    return float(text) if text else otherwise


def read_csv(path: Path) -> pd.DataFrame:
    """A seed of the demo world, all cells as text; raises ``CP-FILE-MISSING``, ``CP-FILE-UNREADABLE``."""
    if not path.exists():
        raise CarbonpanelError(
            "CP-FILE-MISSING",
            f"the demo world's file {path.name} is not there",
            where=Place(path),
            remedy="run 'make simulate' to draw it again, or restore it from the project",
        )
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise CarbonpanelError(
            "CP-FILE-UNREADABLE",
            f"{path.name} cannot be read as CSV: {str(error).splitlines()[0]}",
            where=Place(path),
            remedy="restore the file; it must be UTF-8 with one header line",
        ) from None


# ---------------------------------------------------------------- users' files


def _read_user(source: str, parameters: Parameters, folder: Path) -> RawSource:
    import pyarrow as pa
    import pyarrow.parquet as pq

    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise CarbonpanelError(
            "CP-FILE-MISSING",
            f"there is no ingested file of source '{source}'",
            where=Place(folder),
            remedy=f"run 'carbonpanel ingest FILE --as {source}' first, or use the demo world for it",
        )
    tables, types = [], []
    for file in files:
        try:
            table = pq.read_table(file, partitioning=None)
        except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
            raise CarbonpanelError(
                "CP-FILE-UNREADABLE",
                f"{file.name} is not a whole Parquet file: {str(error).splitlines()[0]}",
                where=Place(file),
                remedy=f"ingest the original file again: carbonpanel ingest FILE --as {source}",
            ) from None
        tables.append(table)
        types.append({"where": file.name, **{f.name: kind_of(f.type) for f in table.schema}})
    schema = pd.DataFrame(types)
    whole = f"{source}/*.parquet"
    if any(c not in schema or not (schema[c] == kind).all() for c, kind in CONTRACT.items()):
        return RawSource(source, "user", whole, schema, CONTRACT, None, None)

    raw = pa.concat_tables([t.select(list(CONTRACT)) for t in tables], promote_options="permissive").to_pandas()
    refuse_empty(raw, source, whole)
    for column in (c for c, kind in CONTRACT.items() if kind == "text"):
        raw[column] = raw[column].astype("str").fillna("")
    raw["row"] = raw["source_row"].astype("Int64")
    raw = _describe_records(raw, parameters, parameters.contract.level(source), "")
    return _finish(source, "user", whole, schema, CONTRACT, raw, parameters)


def kind_of(arrow_type: object) -> str:
    """``text``, ``integer`` or ``number``, else the type's own name."""
    import pyarrow.types as at

    if at.is_string(arrow_type) or at.is_large_string(arrow_type) or at.is_string_view(arrow_type):
        return "text"
    if at.is_integer(arrow_type):
        return "integer"
    if at.is_floating(arrow_type):
        return "number"
    return str(arrow_type)


# ---------------------------------------------------------------- both


def refuse_empty(frame: pd.DataFrame, source: str, table: str) -> None:
    """Raise ``CP-FILE-EMPTY`` where a source has no rows."""
    if frame.empty:
        raise CarbonpanelError(
            "CP-FILE-EMPTY",
            f"source '{source}' holds no number at all",
            where=table,
            remedy="bring a file with values, or leave the source out",
        )


def _describe_records(record: pd.DataFrame, parameters: Parameters, level: str, file: str) -> pd.DataFrame:
    """Add place, series and the words for a person; ``year`` becomes a number (NaN where it is none)."""
    codes, names = parameters.place_of_code[level], parameters.place_of_name[level]
    known = parameters.places[level]
    record["year"] = pd.to_numeric(record["year"], errors="coerce").astype(float)
    by_name = record["place_name_raw"].map({n: names.get(plain_name(n), "") for n in _unique(record["place_name_raw"])})
    if "city_code" in record:  # resolved by ingest already; must be canonical
        placed = record["city_code"]
        record["is_placed"] = placed.isin(list(known))
    else:
        by_code = record["place_code_raw"].map({c: codes.get(c, "") for c in _unique(record["place_code_raw"])})
        placed = by_code.where(by_code != "", by_name)
        record["is_placed"] = placed != ""
    record["place_code"] = placed.where(record["is_placed"], placed.where(placed != "", record["place_code_raw"]))
    record["is_name_agreeing"] = (by_name == "") | ~record["is_placed"] | (by_name == placed)
    label = record["place_code"].map({c: known.get(c, "") for c in _unique(record["place_code"])})
    label = label.where(label != "", record["place_name_raw"].where(record["place_name_raw"] != "", "?"))
    year = record["year"].map({y: f" {y:.0f}" for y in record["year"].dropna().unique()}).fillna(" (no year)")
    where = label.astype("str") + year
    other = (record["area_scope"] == AREA_SCOPES[1]).map({True: ", urban districts", False: ""})
    where += other + (record["vintage"] == VINTAGES[1]).map({True: ", revised", False: ""})
    in_file = record["source_file"].map(lambda f: Path(f).name if f else "") if "source_file" in record else file
    row = record["row"].map(lambda r: "" if pd.isna(r) else f" row {r:.0f}")
    record["where"] = where
    origin = (in_file + row).astype("str").str.strip()
    record["origin"] = origin.where(origin == "", " (" + origin + ")")
    record["series"] = (
        record["place_code"] + "|" + record["area_scope"] + "|" + record["vintage"] + "|" + record["dataset"]
    )
    return record


def _finish(
    source: str,
    kind: str,
    table: str,
    schema: pd.DataFrame,
    required: Mapping[str, str],
    cells: pd.DataFrame,
    parameters: Parameters,
) -> RawSource:
    cells = cells.astype({c: "category" for c in _CATEGORIES if not isinstance(cells[c].dtype, pd.CategoricalDtype)})
    known = {i.name: i for i in parameters.of(source)}
    canonical, fitting = _convert(cells, known, parameters)
    cells["is_unit_fitting"], cells["canonical"] = fitting, canonical
    return RawSource(source, kind, table, schema, required, cells[list(_CELL_COLUMNS)], _spread(cells, known))


def _convert(
    cells: pd.DataFrame, known: Mapping[str, Indicator], parameters: Parameters
) -> tuple[np.ndarray, np.ndarray]:
    """Values in canonical units (NaN where there is none), and whether the printed unit can be converted."""
    units = parameters.contract.units
    value = cells["value"].to_numpy(dtype=float)
    canonical, fitting = np.full(len(cells), np.nan), np.zeros(len(cells), dtype=bool)
    names, printed = cells["indicator"].cat, cells["unit"].cat
    pair = names.codes.to_numpy(dtype=np.int64) * len(printed.categories) + printed.codes.to_numpy(dtype=np.int64)
    order = np.argsort(pair, kind="stable")
    bounds = np.flatnonzero(np.diff(pair[order])) + 1
    for rows in np.split(order, bounds):
        name, unit = cells["indicator"].iloc[rows[0]], cells["unit"].iloc[rows[0]]
        indicator = known.get(name)
        if unit not in units or (indicator is not None and not parameters.contract.accepts(indicator, unit)):
            continue
        fitting[rows] = True
        if indicator is not None:
            canonical[rows] = parameters.contract.to_canonical(cast("float", value[rows]), unit, indicator)
    return canonical, fitting


def _spread(cells: pd.DataFrame, known: Mapping[str, Indicator]) -> pd.DataFrame:
    """One row a record, in the order of its key, one column an indicator; of double cells the first counts."""
    names = list(cells["indicator"].cat.categories)
    of_known = np.array([list(known).index(name) if name in known else -1 for name in names], dtype=np.int64)
    column = of_known[cells["indicator"].cat.codes.to_numpy()]
    usable = np.flatnonzero((column >= 0) & cells["year"].notna().to_numpy() & cells["is_placed"].to_numpy(dtype=bool))
    rows = cells.iloc[usable]
    record, first = _number_records(rows)
    wide = np.full((len(first), len(known)), np.nan)
    # of an index that comes twice the last value stays: backwards, the first
    wide[record[::-1], column[usable][::-1]] = rows["canonical"].to_numpy()[::-1]
    there = np.unique(column[usable])
    values = rows.iloc[first][list(_RECORD_KEY)].reset_index(drop=True)
    values = values.astype(dict.fromkeys(_RECORD_KEY[:-1], "str"))
    values[[name for k, name in enumerate(known) if k in there]] = wide[:, there]
    values["where"] = rows["where"].iloc[first].to_numpy()
    values["series"] = rows["series"].iloc[first].to_numpy()
    values["is_main"] = (values["area_scope"] == AREA_SCOPES[0]) & (values["vintage"] == VINTAGES[0])
    return values


def _number_records(rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The number of each row's record in the order of the key, and the first row of each record."""
    key = np.zeros(len(rows), dtype=np.int64)
    for name in _RECORD_KEY[:-1]:
        categories = rows[name].cat.categories
        rank = np.empty(len(categories), dtype=np.int64)
        rank[np.argsort(categories.to_numpy(dtype=object), kind="stable")] = np.arange(len(categories))
        key = key * (len(categories) + 1) + rank[rows[name].cat.codes.to_numpy()]
    years, year = np.unique(rows["year"].to_numpy(dtype=float), return_inverse=True)
    _, first, record = np.unique(key * max(len(years), 1) + year, return_index=True, return_inverse=True)
    return record, first


def sum_cities(sources: Mapping[str, RawSource], parameters: Parameters) -> pd.DataFrame | None:
    """Provinces' GDP beside the sum of their cities' GDP, one row per province and year; None where one is absent.

    Columns: ``where``, ``cities`` and ``province`` (10^8 yuan, current prices), ``cities_over_province`` (their ratio)
    and ``cities_over_province_complete`` (the same where the cities counted cover enough of the province's area, else
    NaN).
    """
    yearbook, book = sources.get("city_yearbook"), sources.get("province_yearbook")
    if yearbook is None or book is None or yearbook.values is None or book.values is None:
        return None
    if "gdp" not in yearbook.values or "gdp" not in book.values:
        return None
    city = yearbook.values[yearbook.values["is_main"] & yearbook.values["gdp"].notna()].copy()
    city = city.drop_duplicates(["place_code", "year"])
    city["province_code"] = city["place_code"].map(dict(parameters.province_of_city))
    area = (
        yearbook.values[yearbook.values["is_main"]].groupby("place_code")["land_area"].median()
        if ("land_area" in yearbook.values)
        else pd.Series(dtype=float)
    )
    city["area"] = city["place_code"].map(area)
    summed = city.groupby(["province_code", "year"], sort=True).agg(cities=("gdp", "sum"), area=("area", "sum"))
    province = book.values[book.values["gdp"] > 0].drop_duplicates(["place_code", "year"])
    province = province.set_index(["place_code", "year"])[["gdp", "where"]].rename_axis(["province_code", "year"])
    joined = summed.join(province, how="inner").rename(columns={"gdp": "province"}).reset_index()
    if joined.empty:
        return None
    joined["cities_over_province"] = joined["cities"] / joined["province"]
    whole = joined["area"] / joined["province_code"].map(dict(parameters.province_area_km2))
    complete = whole >= parameters.tolerances.area_covered
    joined["cities_over_province_complete"] = joined["cities_over_province"].where(complete)
    return joined[["where", "cities", "province", "cities_over_province", "cities_over_province_complete"]]


def _names(parameters: Parameters, source: str) -> list[str]:
    return [i.name for i in parameters.of(source)]


def _unique(series: pd.Series) -> list[str]:
    return list(series.drop_duplicates())


def check_inputs(inputs: Mapping[str, str], parameters: Parameters) -> None:
    """Refuse unknown sources and kinds by name."""
    for source, kind in inputs.items():
        parameters.contract.check_source(source)
        if kind not in ("demo", "user", "none"):
            raise CarbonpanelError(
                "CP-OPTION",
                f"source '{source}' cannot come from '{kind}'",
                remedy=did_you_mean(kind, ("demo", "user", "none")),
            )
