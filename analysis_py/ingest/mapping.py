"""A mapping: what the columns of a file are. Shipped with the project, written by a user, or proposed from the headers.

A mapping file is YAML; ``docs/how-to/bring-your-files.md`` explains every key. Mistakes in it are told with their line.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.cells import parse_year
from analysis_py.ingest.contract import AREA_SCOPES, POPULATION_BASES, VINTAGES, Contract, load_contract
from analysis_py.ingest.place_words import NATION_NAME
from analysis_py.ingest.units import Dictionary, load_dictionary
from analysis_py.ingest.yaml_lines import Node, load_yaml

LAYOUTS = ("columns", "years_across", "places_across", "long")
#: What the names of sheets may say where each sheet is of one year, place or indicator.
SHEET_SAYS = ("year", "place", "province", "indicator")
_SHIPPED = Path(__file__).with_name("mappings")
_KEYS = [
    *("mapping", "title", "note", "source", "sheet", "layout", "header_row", "header_rows", "recognise", "missing"),
    *("sheet_says", "rows"),
    *("place", "year", "indicator", "value", "unit", "area_scope", "population_basis", "vintage"),
    *("columns", "labels", "table"),
]
_RULE_KEYS = [
    *("indicator", "unit", "unit_column", "year", "area_scope", "population_basis", "vintage", "observed_where"),
]


@dataclass(frozen=True)
class Setting:
    """A property of all cells: one ``value``, or read from ``column`` row by row.

    ``is_said`` tells whether a mapping or a column of the file states it, or it is only assumed.
    """

    value: str | None = None
    column: str | None = None
    is_said: bool = False


@dataclass(frozen=True)
class Rule:
    """What the cells of one column (or under one label) are.

    The unit is ``unit``, or what ``unit_column`` or the mapping's own unit column says in each row.
    ``observed_where`` lists (column, texts): a cell counts as observed only where that column holds one of the texts.
    ``year`` is the year of the whole column, where no other column says it.
    """

    indicator: str
    unit: str | None = None
    unit_column: str | None = None
    area_scope: str | None = None
    population_basis: str | None = None
    vintage: str | None = None
    observed_where: tuple[tuple[str, tuple[str, ...]], ...] = ()
    year: str | None = None


@dataclass(frozen=True)
class Mapping:
    """How a file of one layout is read.

    ``layout``: ``columns`` (a row a place and year, an indicator a column), ``years_across`` (a row a place, or a
    place and indicator, a year a column), ``places_across`` (a row a year, a place a column), ``long`` (a row a
    number). ``columns`` holds rules by header, ``labels`` by the text of the indicator column, ``table`` the one rule
    of a whole table. ``header_rows`` is how many rows hold the names; ``sheet_says`` what each sheet's name tells, of
    all sheets whose name tells it (labels are then names of sheets, where it is the indicator); ``only_rows`` lists
    (column, texts): rows that hold none of the texts there are left alone. ``fixed_place`` and ``fixed_year`` are those
    of a whole file that is of one. A column may be called by its letter, ``@C``.
    """

    name: str
    source: str
    origin: str
    layout: str = "columns"
    title: str = ""
    sheets: tuple[str, ...] = ()
    header_row: int | None = None
    header_rows: int = 1
    sheet_says: tuple[str, ...] = ()
    only_rows: tuple[tuple[str, tuple[str, ...]], ...] = ()
    code: str | None = None
    place: str | None = None
    province: str | None = None
    fixed_place: str | None = None
    year: str | None = None
    fixed_year: str | None = None
    indicator: str | None = None
    value: str | None = None
    unit: str | None = None
    area_scope: Setting = Setting("whole_city")
    population_basis: Setting = Setting()
    vintage: Setting = Setting("first")
    missing: frozenset[str] = frozenset()
    recognise: tuple[str, ...] = ()
    columns: tuple[tuple[str, Rule], ...] = ()
    labels: tuple[tuple[str, Rule], ...] = ()
    table: Rule | None = None
    path: Path | None = None
    lines: tuple[tuple[str, int], ...] = ()

    def line_of(self, column: str) -> int | None:
        """Line of the mapping file on which a column of the data is named."""
        return dict(self.lines).get(column)

    def structural_columns(self) -> list[str]:
        """Headers of the columns that say place, year, indicator, unit, scope: everything but the numbers."""
        named = [self.code, self.place, self.province, self.year, self.indicator, self.value, self.unit]
        named += [self.area_scope.column, self.population_basis.column, self.vintage.column]
        named += [column for column, _ in self.only_rows]
        return [name for name in named if name is not None]


class _Reader:
    """Turns the nodes of one mapping file into a :class:`Mapping`, or says which line is wrong."""

    def __init__(self, path: Path, origin: str, contract: Contract, dictionary: Dictionary) -> None:
        self.path = path
        self.origin = origin
        self.contract = contract
        self.dictionary = dictionary
        self.lines: dict[str, int] = {}

    def fail(self, code: str, what: str, node: Node, remedy: str = "") -> CarbonpanelError:
        return CarbonpanelError(code, what, where=Place(file=self.path, row=node.line), remedy=remedy)

    def check_keys(self, node: Node, known: list[str]) -> dict[str, Node]:
        if not isinstance(node.value, dict):
            raise self.fail("CP-MAPPING-VALUE", f"'{node.name}' must be a list of 'key: value' lines", node)
        for key, child in node.value.items():
            if key not in known:
                raise self.fail("CP-MAPPING-KEY", f"'{key}' is not a key of a mapping", child, did_you_mean(key, known))
        return node.value

    def text(self, node: Node | None) -> str | None:
        if node is None or node.value is None:
            return None
        if isinstance(node.value, dict | list):
            raise self.fail("CP-MAPPING-VALUE", f"'{node.name}' must be a single value", node)
        return str(node.value)

    def texts(self, node: Node | None) -> tuple[str, ...]:
        if node is None or node.value is None:
            return ()
        if isinstance(node.value, list):
            return tuple(self.text(child) or "" for child in node.value)
        return (self.text(node) or "",)

    def column(self, node: Node | None) -> str | None:
        name = self.text(node)
        if name is not None and node is not None:
            self.lines.setdefault(name, node.line)
        return name

    def choice(self, node: Node | None, known: tuple[str, ...]) -> str | None:
        value = self.text(node)
        if value is None or node is None or value in known:
            return value
        for kind in ("area_scope", "population_basis", "vintage"):
            spelled = self.dictionary.scope(value, kind)
            if spelled in known:
                return spelled
        raise self.fail(
            "CP-MAPPING-VALUE", f"'{value}' is not a value of '{node.name}'", node, did_you_mean(value, known)
        )

    def setting(self, node: Node | None, known: tuple[str, ...], default: str | None) -> Setting:
        if node is None:
            return Setting(default)
        if isinstance(node.value, dict):
            inside = self.check_keys(node, ["column"])
            return Setting(default, self.column(inside.get("column")), is_said=True)
        return Setting(self.choice(node, known), is_said=True)

    def rule(self, node: Node, source: str, has_row_unit: bool) -> Rule:
        keys = self.check_keys(node, _RULE_KEYS)
        indicators = self.contract.of_source(source)
        name = self.text(keys.get("indicator"))
        if name is None:
            raise self.fail("CP-MAPPING-MISSING", f"'{node.name}' names no indicator", node, "add 'indicator: ...'")
        if name not in indicators:
            raise self.fail(
                "CP-MAPPING-VALUE",
                f"'{name}' is not an indicator of {source}",
                keys["indicator"],
                did_you_mean(name, indicators),
            )
        unit = self.text(keys.get("unit"))
        unit_column = self.column(keys.get("unit_column"))
        if unit is not None:
            unit = self.unit(unit, keys["unit"], name, source)
        elif unit_column is None and not has_row_unit:
            raise self.fail(
                "CP-MAPPING-MISSING",
                f"'{node.name}' has no unit",
                node,
                f"add 'unit: {indicators[name].unit}' or the unit it is printed in",
            )
        return Rule(
            indicator=name,
            unit=unit,
            unit_column=unit_column,
            area_scope=self.choice(keys.get("area_scope"), AREA_SCOPES),
            population_basis=self.choice(keys.get("population_basis"), POPULATION_BASES),
            vintage=self.choice(keys.get("vintage"), VINTAGES),
            observed_where=self.conditions(keys.get("observed_where")),
            year=self.year(keys.get("year")),
        )

    def year(self, node: Node | None) -> str | None:
        text = self.text(node)
        if text is not None and node is not None and parse_year(text) is None:
            raise self.fail("CP-MAPPING-VALUE", f"'{text}' is not a year", node, "write four digits, such as 2019")
        return text

    def nation(self, source: str, place: dict[str, Node]) -> str | None:
        """The place of a source of the nation that says none; it needs none."""
        return NATION_NAME if self.contract.level(source) == "national" and not place else None

    def year_of_table(self, node: Node | None) -> tuple[str | None, str | None]:
        """The column of years, or the one year of the whole table (``year: {is: 2019}``)."""
        if node is not None and isinstance(node.value, dict):
            return None, self.year(self.check_keys(node, ["is"]).get("is"))
        return self.column(node), None

    def unit(self, text: str, node: Node, name: str, source: str) -> str:
        indicator = self.contract.indicators[(source, name)]
        if text in self.contract.units and self.contract.accepts(indicator, text):
            return text
        unit = self.dictionary.unit(text, indicator)
        if unit is None:
            raise self.fail(
                "CP-MAPPING-VALUE",
                f"'{text}' is not a unit of {name}",
                node,
                self.dictionary.unit_remedy(text, indicator),
            )
        return unit

    def rules(self, node: Node | None, source: str, has_row_unit: bool) -> tuple[tuple[str, Rule], ...]:
        if node is None or node.value is None:
            return ()
        if not isinstance(node.value, dict):
            raise self.fail("CP-MAPPING-VALUE", f"'{node.name}' must be a list of 'name: {{...}}' lines", node)
        found = []
        for name, child in node.value.items():
            self.lines.setdefault(name, child.line)
            found.append((name, self.rule(child, source, has_row_unit)))
        return tuple(found)

    def number(self, node: Node | None) -> int | None:
        text = self.text(node)
        if text is None or node is None:
            return None
        if not (text.isascii() and text.isdigit()) or not 1 <= int(text[:9]) < 1_000_000:
            raise self.fail("CP-MAPPING-VALUE", f"'{node.name}' must be a number from 1, not '{text}'", node)
        return int(text)

    def conditions(self, node: Node | None) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """(column, texts) pairs of a ``{column: text or texts}``."""
        if node is None:
            return ()
        if not isinstance(node.value, dict):
            raise self.fail("CP-MAPPING-VALUE", f"'{node.name}' must be like {{column: value}}", node)
        for column, child in node.value.items():
            self.lines.setdefault(column, child.line)
        return tuple((column, self.texts(child)) for column, child in node.value.items())

    def read(self, root: Node) -> Mapping:
        keys = self.check_keys(root, _KEYS)
        if "source" not in keys:
            raise self.fail("CP-MAPPING-MISSING", "the mapping does not say its source", root, "add 'source: ...'")
        source = self.text(keys["source"]) or ""
        if source not in self.contract.sources:
            raise self.fail(
                "CP-MAPPING-VALUE",
                f"'{source}' is not a source",
                keys["source"],
                did_you_mean(source, self.contract.sources),
            )
        layout = self.choice(keys.get("layout"), LAYOUTS) or "columns"
        place = self.check_keys(keys["place"], ["code", "name", "province", "is"]) if "place" in keys else {}
        year_column, fixed_year = self.year_of_table(keys.get("year"))
        has_row_unit = "unit" in keys
        mapping = Mapping(
            name=self.text(keys.get("mapping")) or self.path.stem,
            source=source,
            origin=self.origin,
            layout=layout,
            title=self.title(keys.get("title")),
            sheets=self.texts(keys.get("sheet")),
            header_row=self.number(keys.get("header_row")),
            header_rows=self.number(keys.get("header_rows")) or 1,
            sheet_says=self.sheet_says(keys.get("sheet_says")),
            only_rows=self.conditions(keys.get("rows")),
            code=self.column(place.get("code")),
            place=self.column(place.get("name")),
            province=self.column(place.get("province")),
            fixed_place=self.text(place.get("is")) or self.nation(source, place),
            year=year_column,
            fixed_year=fixed_year,
            indicator=self.column(keys.get("indicator")),
            value=self.column(keys.get("value")),
            unit=self.column(keys.get("unit")),
            area_scope=self.setting(keys.get("area_scope"), AREA_SCOPES, "whole_city"),
            population_basis=self.setting(keys.get("population_basis"), POPULATION_BASES, None),
            vintage=self.setting(keys.get("vintage"), VINTAGES, "first"),
            missing=frozenset(self.texts(keys.get("missing"))),
            recognise=self.texts(keys.get("recognise")),
            columns=self.rules(keys.get("columns"), source, has_row_unit),
            labels=self.rules(keys.get("labels"), source, has_row_unit),
            table=self.rule(keys["table"], source, has_row_unit) if "table" in keys else None,
            path=self.path,
            lines=tuple(self.lines.items()),
        )
        self.check_whole(mapping, root)
        return mapping

    def sheet_says(self, node: Node | None) -> tuple[str, ...]:
        said = self.texts(node)
        for word in said:
            if node is not None and word not in SHEET_SAYS:
                raise self.fail(
                    "CP-MAPPING-VALUE", f"a sheet's name cannot say '{word}'", node, did_you_mean(word, SHEET_SAYS)
                )
        return said

    def title(self, node: Node | None) -> str:
        if node is not None and isinstance(node.value, dict):
            return self.text(self.check_keys(node, ["en", "zh"]).get("en")) or ""
        return self.text(node) or ""

    def check_whole(self, mapping: Mapping, root: Node) -> None:
        """What a layout cannot do without."""
        says = mapping.sheet_says
        wanted: list[tuple[Any, str]] = []
        if mapping.layout != "places_across":
            place = mapping.code or mapping.place or mapping.fixed_place or "place" in says
            wanted.append((place, "place (with code or name)"))
        if mapping.layout != "years_across":
            dated = bool(mapping.columns) and all(rule.year is not None for _, rule in mapping.columns)
            wanted.append((mapping.year or mapping.fixed_year or "year" in says or dated, "year"))
        if mapping.layout == "columns":
            wanted.append((mapping.columns, "columns"))
        elif mapping.layout == "long":
            wanted += [(mapping.indicator, "indicator"), (mapping.value, "value"), (mapping.labels, "labels")]
        else:
            labelled = (mapping.indicator or "indicator" in says) and mapping.labels
            wanted.append((labelled or mapping.table, "table, or indicator and labels"))
        for given, name in wanted:
            if not given:
                raise self.fail(
                    "CP-MAPPING-MISSING",
                    f"a mapping of layout '{mapping.layout}' needs '{name}'",
                    root,
                    "see docs/how-to/bring-your-files.md for an example",
                )


def load_mapping(path: Path, *, origin: str = "file") -> Mapping:
    """Read a mapping file.

    Raises, each with its line, ``CP-MAPPING-YAML`` (not YAML), ``CP-MAPPING-KEY`` (unknown key, nearest named),
    ``CP-MAPPING-VALUE`` (unknown source, indicator, unit, layout ...), ``CP-MAPPING-MISSING`` (a layout needs more).
    """
    return _Reader(path, origin, load_contract(), load_dictionary()).read(load_yaml(path))


@lru_cache(maxsize=1)
def shipped_mappings() -> tuple[Mapping, ...]:
    """Mappings of well-known files that come with the project, by name."""
    return tuple(load_mapping(path, origin="shipped") for path in sorted(_SHIPPED.glob("*.yml")))


def find_mapping(wanted: str | Path) -> Mapping:
    """A mapping by path, or a shipped one by name."""
    by_name = {mapping.name: mapping for mapping in shipped_mappings()}
    path = Path(wanted).expanduser()
    if not path.exists() and str(wanted) in by_name:
        return by_name[str(wanted)]
    if not path.is_file():
        what = "this is a folder, not a mapping file" if path.is_dir() else "there is no such mapping file"
        raise CarbonpanelError(
            "CP-MAPPING-FILE",
            what,
            where=Place(file=path),
            remedy=f"give the path of a YAML file, or the name of a shipped mapping: {', '.join(by_name)}",
        )
    return load_mapping(path)
