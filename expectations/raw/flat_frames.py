"""Raw sources that are plain tables (robots and employment by industry, listed firms) as dataframes.

Two frames a source: ``schema`` (one row a file, each cell naming the type of a column) and ``rows`` with the columns of
the source, helper columns that say what a code or a place means, and ``where``, which tells a person which row is meant
(with ``origin``, the place in a user's file). Text is categorical: these tables are long and their codes few.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.flat_contract import FlatSource, flat_sources
from analysis_py.simulate import DRAWN_SOURCES
from expectations.parameters import Parameters, plain_name
from expectations.raw.frames import kind_of, read_csv, refuse_empty

#: Countries whose industries are looked at, as ingest writes them.
NATIONS = ("CHN", "USA")
#: Codes of firms: stock codes, and others of letters, digits, points and dashes with a digit among them.
_FIRM_CODE = re.compile(r"(?=.*[0-9])[0-9A-Za-z][0-9A-Za-z.\-]{0,15}\Z")
_KINDS = {"string": "text", "int32": "integer", "double": "number"}


@dataclass(frozen=True)
class FlatRaw:
    """One flat source as it will be loaded; ``rows`` is None where the schema does not allow reading it."""

    source: FlatSource
    kind: str
    table: str
    schema: pd.DataFrame
    required: Mapping[str, str]
    rows: pd.DataFrame | None


@dataclass(frozen=True)
class Industries:
    """Codes of the IFR's industries by their level, and the divisions of the Chinese classification.

    ``divisions`` are the parts of all manufacturing, ``aggregates`` the codes that only sum others.
    """

    codes: tuple[str, ...]
    divisions: tuple[str, ...]
    aggregates: tuple[str, ...]
    csrc: frozenset[str]


def read_industries(seeds_dir: Path) -> Industries:
    """Read ``seed_ifr_industry`` and ``seed_csrc_industry``.

    Raises
    ------
    CarbonpanelError ``CP-REFERENCE-MISSING`` naming the table that is absent.
    """
    folder = Path(seeds_dir) / "reference"
    rows = read_reference("seed_ifr_industry", folder)
    return Industries(
        codes=tuple(row["ifr_code"] for row in rows),
        divisions=tuple(row["ifr_code"] for row in rows if row["level"] == "division"),
        aggregates=(MANUFACTURING, *(row["ifr_code"] for row in rows if row["level"] in ("aggregate", "subdivision"))),
        csrc=frozenset(row["csrc_code"] for row in read_reference("seed_csrc_industry", folder)),
    )


#: The industry that is the sum of the divisions.
MANUFACTURING = "D"


def read_flat(
    name: str, kind: str, parameters: Parameters, *, seeds_dir: Path, user_raw_dir: Path, demo_dir: Path
) -> FlatRaw:
    """Read one flat source.

    Parameters
    ----------
    name : a flat source of the raw contract.
    kind : ``demo`` (``seeds_dir/raw/raw_<source>.csv``, or ``demo_dir/<source>.parquet``, which is drawn where it is
        absent, by the function the build uses) or ``user`` (``user_raw_dir/<source>/*.parquet``).

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING``, ``CP-FILE-UNREADABLE``, ``CP-FILE-EMPTY``.
    """
    source = flat_sources()[name]
    if kind == "user":
        table, schema, found, required = _read_user(source, Path(user_raw_dir) / name)
    elif name in DRAWN_SOURCES:
        table, schema, found, required = _read_drawn(source, Path(demo_dir))
    else:
        table, schema, found, required = _read_seed(source, Path(seeds_dir) / "raw")
    if found is None:
        return FlatRaw(source, kind, table, schema, required, None)
    refuse_empty(found, name, table)
    return FlatRaw(source, kind, table, schema, required, _describe(found, source, parameters, seeds_dir))


_Read = tuple[str, pd.DataFrame, pd.DataFrame | None, dict[str, str]]


def _read_seed(source: FlatSource, folder: Path) -> _Read:
    path = folder / f"raw_{source.name}.csv"
    printed = read_csv(path)
    required = dict.fromkeys(source.columns, "text")
    schema = pd.DataFrame([{"where": path.name, **dict.fromkeys(printed.columns, "text")}])
    table = f"raw_{source.name}"
    if any(column not in printed for column in required):
        return table, schema, None, required
    rows = pd.DataFrame({"dataset": _demo_set(len(printed))})
    for name, column in source.columns.items():
        cells = printed[name].where(printed[name] != "")
        numeric = column.type != pa.string()
        rows[name] = pd.to_numeric(cells, errors="coerce").astype(float) if numeric else cells.astype("category")
    rows["is_number"] = ~np.logical_or.reduce(
        [rows[n].isna() & (printed[n] != "") for n, c in source.columns.items() if c.type != pa.string()]
    )
    return table, schema, rows, required


def _demo_set(rows: int) -> pd.Categorical:
    return pd.Categorical.from_codes(np.zeros(rows, dtype=np.int64), pd.Index(["demo"], dtype="str"))


def _read_drawn(source: FlatSource, folder: Path) -> _Read:
    from analysis_py.simulate.drawn_files import ensure_drawn_files

    ensure_drawn_files(folder)
    required = {name: _KINDS[str(column.type)] for name, column in source.columns.items()}
    table, types = _read_parquet(folder / f"{source.name}.parquet", "delete it; the next refresh draws it again")
    schema = pd.DataFrame([types])
    if any(types.get(column) != kind for column, kind in required.items()):
        return source.name, schema, None, required
    rows = _to_frame(table.select(list(required)))
    rows["dataset"] = _demo_set(len(rows))
    return source.name, schema, rows, required


def _read_user(source: FlatSource, folder: Path) -> _Read:
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise CarbonpanelError(
            "CP-FILE-MISSING",
            f"there is no ingested file of source '{source.name}'",
            where=Place(folder),
            remedy=f"run 'carbonpanel ingest FILE --as {source.name}' first, or use the demo world for it",
        )
    remedy = f"ingest the original file again: carbonpanel ingest FILE --as {source.name}"
    read = [_read_parquet(file, remedy) for file in files]
    required = {field.name: _KINDS[str(field.type)] for field in source.schema}
    schema = pd.DataFrame([types for _, types in read])
    name = f"{source.name}/*.parquet"
    if any(column not in schema or not (schema[column] == kind).all() for column, kind in required.items()):
        return name, schema, None, required
    rows = _to_frame(pa.concat_tables([t.select(list(required)) for t, _ in read], promote_options="permissive"))
    file = rows["source_file"].astype("str").fillna("").map(lambda text: Path(text).name)
    row = rows["source_row"].map(lambda number: "" if pd.isna(number) else f" row {number:.0f}").astype("str")
    origin = (file + row).str.strip()
    rows["origin"] = origin.where(origin == "", " (" + origin + ")")
    return name, schema, rows, required


def _read_parquet(file: Path, remedy: str) -> tuple[pa.Table, dict[str, str]]:
    try:
        table = pq.read_table(file, partitioning=None)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OSError) as error:
        raise CarbonpanelError(
            "CP-FILE-UNREADABLE",
            f"{file.name} is not a whole Parquet file: {str(error).splitlines()[0]}",
            where=Place(file),
            remedy=remedy,
        ) from None
    return table, {"where": file.name, **{f.name: kind_of(f.type) for f in table.schema}}


def _to_frame(table: pa.Table) -> pd.DataFrame:
    """Text as categories, numbers and years as floats (NaN where empty)."""
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        is_text = kind_of(column.type) == "text"
        flat = column.combine_chunks()
        columns[name] = (
            flat.dictionary_encode().to_pandas() if is_text else flat.cast(pa.float64()).to_numpy(zero_copy_only=False)
        )
    return pd.DataFrame(columns)


# ---------------------------------------------------------------- what the rows mean


def _describe(rows: pd.DataFrame, source: FlatSource, parameters: Parameters, seeds_dir: Path) -> pd.DataFrame:
    """Add ``where``, ``series`` and the helper columns of the source."""
    subject = rows[source.key[0]]
    if source.name == "industry_employment":
        names = {**parameters.places["province"], "CHN": "CHN", "USA": "USA"}
        subject = _map(subject, lambda code: names.get(code, code))
    year = pa.array(rows["year"], from_pandas=True)
    parts = [_text(subject), pc.cast(pc.cast(year, pa.int64(), safe=False), pa.string())]
    further = [key for key in source.key[1:] if key != "year" and key != "asset_class"]
    parts += [_text(rows[key]) for key in further]
    known = [pc.fill_null(part, "?") for part in parts]
    rows["where"] = pd.Series(pc.binary_join_element_wise(*known, " ").to_numpy(zero_copy_only=False), dtype="str")
    is_one_set = rows["dataset"].nunique() < 2
    rows["series"] = subject if is_one_set else subject.astype("str") + "|" + rows["dataset"].astype("str")
    if source.name in ("industry_robots", "industry_employment"):
        rows["series"] = rows["series"].astype("str") + "|" + rows["ifr_code"].astype("str")
    if "firm_code" in rows:
        rows["is_code"] = _test(rows["firm_code"], lambda code: bool(_FIRM_CODE.match(code)))
    if "partner_code" in rows:
        rows["is_partner_code"] = _test(rows["partner_code"], lambda code: bool(_FIRM_CODE.match(code)))
        rows["is_other_firm"] = rows["firm_code"].astype("str") != rows["partner_code"].astype("str")
    if source.name == "listed_firms":
        _describe_firms(rows, parameters, read_industries(seeds_dir).csrc)
    if source.name == "industry_employment":
        rows["employment_share"] = _employment_share(rows, read_industries(seeds_dir).aggregates)
    return rows


def _describe_firms(rows: pd.DataFrame, parameters: Parameters, csrc: frozenset[str]) -> None:
    codes, names = parameters.place_of_code["city"], parameters.place_of_name["city"]
    provinces = _municipalities(parameters)
    by_code = _map(rows["city_code"], lambda code: codes.get(code) or provinces.get(code) or "").astype("str")
    by_name = _map(rows["city_name"], lambda name: names.get(plain_name(name), "")).astype("str")
    by_code, by_name = by_code.fillna(""), by_name.fillna("")
    given = rows["city_code"].notna() | rows["city_name"].notna()
    rows["is_placed"] = ~given | (by_code != "") | (by_name != "")
    rows["is_name_agreeing"] = (by_code == "") | (by_name == "") | (by_code == by_name)
    rows["is_industry_known"] = _test(rows["industry_code"], lambda code: code.strip()[:3].upper() in csrc)


def _municipalities(parameters: Parameters) -> dict[str, str]:
    """Codes of provinces that are one city, to the city."""
    cities, provinces = parameters.places["city"], parameters.places["province"]
    same = {plain_name(name): code for code, name in cities.items()}
    return {code: same[plain_name(name)] for code, name in provinces.items() if plain_name(name) in same}


def _employment_share(rows: pd.DataFrame, aggregates: tuple[str, ...]) -> pd.Series:
    """Share of an industry in the workers of its area and year; NaN for codes that only sum others."""
    single = ~rows["ifr_code"].isin(list(aggregates)) & rows["employees_persons"].notna()
    workers = rows["employees_persons"].where(single)
    keys = [rows[key] for key in ("dataset", "area_code", "year")]
    return workers / workers.groupby(keys, observed=True).transform("sum")


def _map(values: pd.Series, function: Callable[[str], str]) -> pd.Series:
    """``function`` of each text, called once for each distinct one; empty cells stay empty."""
    told = np.array([function(str(one)) for one in values.cat.categories] + [None], dtype=object)
    return pd.Series(told[values.cat.codes.to_numpy()], index=values.index).astype("category")


def _test(values: pd.Series, function: Callable[[str], bool]) -> np.ndarray:
    """Whether ``function`` says yes to each text; empty cells pass."""
    told = np.array([function(str(one)) for one in values.cat.categories] + [True], dtype=bool)
    passed: np.ndarray = told[values.cat.codes.to_numpy()]
    return passed


def _text(values: pd.Series) -> pa.Array:
    return pa.array(values, from_pandas=True).cast(pa.string())
