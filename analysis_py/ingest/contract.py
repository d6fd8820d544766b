"""The raw contract a user's file is brought into: sources, indicators, units, the columns of the Parquet.

Everything here is read from the project's own seeds (``seeds/reference/seed_indicator.csv`` and
``seed_unit.csv``), so that a new indicator or unit is a row of a table and no code.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.settings import paths

#: Years the panel covers; rows outside are read, counted and left out.
PANEL_FIRST_YEAR = 2000
PANEL_LAST_YEAR = 2023

#: Columns of ``<data>/raw/<source>/<dataset>.parquet``, in this order: one row per cell that holds a value.
PARQUET_COLUMNS: tuple[tuple[str, str], ...] = (
    ("source", "string"),
    ("dataset", "string"),
    ("city_code", "string"),
    ("place_code_raw", "string"),
    ("place_name_raw", "string"),
    ("year", "int32"),
    ("indicator", "string"),
    ("value", "float64"),
    ("unit", "string"),
    ("area_scope", "string"),
    ("population_basis", "string"),
    ("vintage", "string"),
    ("value_text", "string"),
    ("source_file", "string"),
    ("source_sheet", "string"),
    ("source_row", "int32"),
    ("source_column", "string"),
)

AREA_SCOPES = ("whole_city", "urban_districts")
VINTAGES = ("first", "revised")
POPULATION_BASES = ("registered", "resident")

#: CO2 inventories a file of source ``city_emissions`` may bring: name -> indicator.
INVENTORIES = {"ceads": "co2_ceads", "edgar": "co2_edgar"}

#: Indicators whose own definition says which population they count.
_OWN_BASIS = {"population_registered": "registered", "population_resident": "resident", "population_urban": "resident"}

#: Dimensions that may stand for one another in a file; SQL converts (index = 100 + growth in percent).
_COMPATIBLE = {"index": ("index", "growth")}


@dataclass(frozen=True)
class Unit:
    """One row of seed_unit: ``value_in_base = value * factor`` within its dimension."""

    name: str
    dimension: str
    factor: float
    label_en: str
    label_zh: str
    column_suffix: str


@dataclass(frozen=True)
class Indicator:
    """One row of seed_indicator: what the raw contract knows of a number, and the range in which it is plausible.

    ``min_value`` and ``max_value`` are in ``unit``, the canonical unit. ``kind`` is flow, stock, share, rate or index;
    indicators of one ``vintage_group`` are revised together. One with a ``base_year`` is of that year alone.
    """

    name: str
    source: str
    level: str
    unit: str
    min_value: float | None
    max_value: float | None
    label_en: str
    label_zh: str
    kind: str = "flow"
    vintage_group: str = ""
    base_year: int | None = None

    def covers(self, year: int) -> bool:
        """Whether a number of ``year`` is wanted: a year of the panel, or the one base year."""
        return year == self.base_year if self.base_year else PANEL_FIRST_YEAR <= year <= PANEL_LAST_YEAR

    @property
    def is_relative(self) -> bool:
        """Whether it compares two years (an index, a growth rate): its size says nothing of a unit."""
        return self.kind in ("index", "rate")

    @property
    def population_basis(self) -> str | None:
        return _OWN_BASIS.get(self.name)


@dataclass(frozen=True)
class Contract:
    """All sources, indicators and units of the raw contract."""

    units: dict[str, Unit]
    indicators: dict[tuple[str, str], Indicator]
    #: Sources whose rows are no number of a place and a year (:mod:`analysis_py.ingest.flat_contract`).
    flat: tuple[str, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Sources of places and years, in seed order."""
        return tuple(dict.fromkeys(source for source, _ in self.indicators))

    @property
    def all_sources(self) -> tuple[str, ...]:
        """Those of places and years, then the flat ones."""
        return (*self.sources, *self.flat)

    def check_source(self, source: str) -> None:
        """Raise ``CP-SOURCE-UNKNOWN`` naming the nearest source unless ``source`` is one, of whichever form."""
        if source not in self.all_sources:
            raise CarbonpanelError(
                "CP-SOURCE-UNKNOWN",
                f"'{source}' is not a source of the raw contract (known: {', '.join(self.all_sources)})",
                remedy=did_you_mean(source, self.all_sources),
            )

    def level(self, source: str) -> str:
        """``city``, ``province`` or ``national``: what the places of a source are."""
        return next(i.level for i in self.indicators.values() if i.source == source)

    def of_source(self, source: str) -> dict[str, Indicator]:
        """Indicators of one source by name, in seed order."""
        return {name: item for (owner, name), item in self.indicators.items() if owner == source}

    def sources_of(self, level: str) -> tuple[str, ...]:
        """Sources whose places are of a level, in seed order."""
        return tuple(source for source in self.sources if self.level(source) == level)

    def years(self, source: str) -> tuple[int, ...]:
        """All years a source has, in order: those of the panel and base years."""
        own = {item.base_year for item in self.of_source(source).values()}
        panel = range(PANEL_FIRST_YEAR, PANEL_LAST_YEAR + 1) if None in own else ()
        return tuple(sorted({*panel, *(year for year in own if year is not None)}))

    def accepts(self, indicator: Indicator, unit: str) -> bool:
        """Whether SQL can convert ``unit`` to the indicator's canonical unit."""
        wanted = self.units[indicator.unit].dimension
        return self.units[unit].dimension in _COMPATIBLE.get(wanted, (wanted,))

    def units_for(self, indicator: Indicator) -> list[str]:
        """Unit names an indicator may be printed in, in seed order."""
        return [name for name in self.units if self.accepts(indicator, name)]

    def to_canonical(self, value: float, unit: str, indicator: Indicator) -> float:
        """``value`` in the indicator's canonical unit; used to judge plausibility only, never stored."""
        if unit == indicator.unit:
            return value
        given, wanted = self.units[unit], self.units[indicator.unit]
        if given.dimension == "growth" and wanted.dimension == "index":
            return 100.0 + value
        return value * given.factor / wanted.factor


def reference_folder() -> Path:
    """Where the described reference tables of the project are."""
    return paths().seeds / "reference"


def read_reference(name: str, folder: Path | None = None, *, required: bool = True) -> list[dict[str, str]]:
    """Rows of ``<folder>/<name>.csv`` as text; an absent optional table gives no rows.

    Raises ``CP-REFERENCE-MISSING`` when a required table is not there.
    """
    path = (folder or reference_folder()) / f"{name}.csv"
    if not path.is_file():
        if not required:
            return []
        raise CarbonpanelError(
            "CP-REFERENCE-MISSING",
            f"the project's own table {name}.csv is not there",
            where=Place(file=path),
            remedy="restore it from version control; ingest needs it to know places, units and indicators",
        )
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


def _number(text: str | None) -> float | None:
    return float(text) if text else None


@lru_cache(maxsize=8)
def load_contract(folder: Path | None = None) -> Contract:
    """Read the contract from the reference seeds (``folder`` defaults to the project's own)."""
    units = {
        row["unit"]: Unit(
            name=row["unit"],
            dimension=row["dimension"],
            factor=float(row["factor_to_base"]),
            label_en=row["label_en"],
            label_zh=row["label_zh"],
            column_suffix=row["column_suffix"],
        )
        for row in read_reference("seed_unit", folder)
    }
    indicators = {
        (row["source"], row["indicator"]): Indicator(
            name=row["indicator"],
            source=row["source"],
            level=row["level"],
            unit=row["unit"],
            min_value=_number(row["min_value"]),
            max_value=_number(row["max_value"]),
            label_en=row["label_en"],
            label_zh=row["label_zh"],
            kind=row.get("kind") or "flow",
            vintage_group=row.get("vintage_group") or "",
            base_year=int(row["base_year"]) if row.get("base_year") else None,
        )
        for row in read_reference("seed_indicator", folder)
    }
    flat = yaml.safe_load(Path(__file__).with_name("flat_sources.yml").read_text(encoding="utf-8"))
    return Contract(units=units, indicators=indicators, flat=tuple(flat))
