"""What became of a user's file: every row and cell accounted for, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from analysis_py.ingest.cells import shown
from analysis_py.ingest.contract import load_contract

#: How many entries of a list the text report prints; the JSON holds them all.
SHOWN = 12
SHOWN_UNPLACED = 40
#: How the reason begins why a column is left to another source that the same command brings.
GOES_TO = "brought as "
#: Cells of one year with the same guess from which one line stands for all.
_ALIKE = 5


@dataclass(frozen=True)
class UsedColumn:
    """A column (or label) that was taken: as what, in which unit, how many cells of it were written."""

    column: str
    indicator: str
    unit: str
    area_scope: str
    population_basis: str | None
    vintage: str
    cells: int


@dataclass(frozen=True)
class UnplacedPlace:
    """A place that could not be told: as the file names it, why, what is near, and its rows (first one and count)."""

    place: str
    reason: str
    candidates: tuple[str, ...]
    rows: int
    first_row: int


@dataclass(frozen=True)
class QuarantinedCell:
    """A number that is not believed; ``value`` in ``unit`` as the file has it.

    ``span`` is cell, year or column: how much of the file has the same fault. ``decision`` is quarantined (left out of
    the panel), or what the user decided: accepted or corrected.
    """

    row: int
    column: str
    place: str
    city_code: str
    year: int
    indicator: str
    value: float
    unit: str
    value_text: str
    reason: str
    guess: str = ""
    span: str = "cell"
    decision: str = "quarantined"


@dataclass(frozen=True)
class IngestReport:
    """The account of one ingested file.

    Cells: ``cells_read`` = written + outside years + unplaced + of others + not observed + quarantined;
    ``cells_of_others`` stand in rows of the nation in a table of places, or of other places in one taken for the
    nation. ``cells_missing`` are those of used columns that hold no value. ``decided`` are cells that entries of
    ``corrections.yml`` accepted or corrected, ``corrections`` these entries. ``output`` is ``None`` when only checked.
    """

    file: str
    file_sha256: str
    form: str
    sheet: str | None
    header_row: int
    source: str
    dataset: str
    mapping: str
    mapping_origin: str
    layout: str
    rows_read: int
    rows_placed: int
    rows_without_numbers: int
    rows_outside_years: int
    rows_after_abolition: int
    cells_read: int
    cells_missing: int
    cells_written: int
    cells_outside_years: int
    cells_unplaced: int
    cells_not_observed: int
    places_read: int
    places_placed: int
    unplaced: tuple[UnplacedPlace, ...]
    unplaced_unlisted: int
    quarantined: tuple[QuarantinedCell, ...]
    decided: tuple[QuarantinedCell, ...]
    columns_used: tuple[UsedColumn, ...]
    columns_ignored: dict[str, str]
    years: tuple[int, ...]
    years_outside: tuple[int, ...]
    remarks: tuple[str, ...]
    warnings: tuple[str, ...]
    corrections: tuple[dict[str, Any], ...] = ()
    cells_of_others: int = 0
    parquet_sha256: str | None = None
    output: Path | None = field(default=None, compare=False)

    @property
    def indicators(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(column.indicator for column in self.columns_used if column.cells))

    def to_json(self) -> dict[str, Any]:
        """The report as plain data: everything but the place of the output, which depends on the machine."""
        data = asdict(self)
        data.pop("output")
        data["indicators"] = list(self.indicators)
        return data


def count_things(number: int, one: str, many: str | None = None) -> str:
    """``1 row``, ``2,000 rows``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def year_spans(years: tuple[int, ...]) -> str:
    """``1995, 1997-1999``."""
    spans: list[list[int]] = []
    for year in years:
        if spans and year == spans[-1][1] + 1:
            spans[-1][1] = year
        else:
            spans.append([year, year])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans)


def _cell_line(cell: QuarantinedCell) -> str:
    return f"    row {cell.row}, column '{shown(cell.column)}': {shown(cell.value_text)} for {cell.place} {cell.year}"


def _quarantine_lines(cells: tuple[QuarantinedCell, ...]) -> list[str]:
    """A line a cell; one line for a year or a column that is wrong as a whole, and for a year's cells of one guess."""
    wide: dict[tuple[str, str, str], int] = {}
    alike: dict[tuple[str, int, str], list[QuarantinedCell]] = {}
    for cell in cells:
        if cell.span == "cell":
            alike.setdefault((cell.indicator, cell.year, cell.guess), []).append(cell)
        else:
            key = (cell.indicator, cell.reason, cell.guess)
            wide[key] = wide.get(key, 0) + 1
    lines = [
        f"    {count_things(number, 'cell')} of {name}: {why}; {guess}" for (name, why, guess), number in wide.items()
    ]
    single = []
    for (name, year, guess), group in alike.items():
        if guess and len(group) >= _ALIKE:
            places = ", ".join(cell.place.split(" ")[0] for cell in group[:3])
            lines.append(f"    {len(group)} cells of {name} in {year} ({places}, ...): {guess}")
        else:
            single += group
    for cell in sorted(single, key=lambda cell: cell.row):
        guess = f"; {cell.guess}" if cell.guess else ""
        lines.append(f"{_cell_line(cell)} - {cell.reason}{guess}")
    return lines


def limit_lines(lines: list[str], limit: int) -> list[str]:
    """The first lines, and how many more there are."""
    rest = len(lines) - limit
    return lines if rest <= 1 else [*lines[:limit], f"    ... and {rest:,} more (all are in the report file)"]


def ignored_lines(ignored: dict[str, str]) -> list[str]:
    """The columns that were left alone: those nobody knows in one line, the others with the reason."""
    if not ignored:
        return []
    lines = [f"  columns left alone ({len(ignored)})"]
    plain_names = [name for name, why in ignored.items() if why in ("not in the mapping", "name not recognised")]
    if plain_names:
        lines.append(f"    {', '.join(shown(name) for name in plain_names)}")
    elsewhere = {name: why.removeprefix(GOES_TO) for name, why in ignored.items() if why.startswith(GOES_TO)}
    if elsewhere:
        lines.append(f"    {len(elsewhere)} {GOES_TO}{', '.join(dict.fromkeys(elsewhere.values()))}")
    special = [
        f"    {shown(name)}: {why}"
        for name, why in ignored.items()
        if name not in plain_names and name not in elsewhere
    ]
    return lines + limit_lines(special, SHOWN)


def unplaced_lines(unplaced: tuple[UnplacedPlace, ...], unlisted: int, limit: int) -> list[str]:
    """The places that could not be told, with the reason and what is near."""
    if not unplaced:
        return []
    told = []
    for item in unplaced:
        near = f"; near: {', '.join(item.candidates)}" if item.candidates else ""
        rows = f"row {item.first_row}" if item.rows == 1 else f"{item.rows:,} rows from row {item.first_row}"
        told.append(f"    {shown(item.place)}: {item.reason} ({rows}){near}")
    return [f"  not placed ({len(unplaced) + unlisted:,})", *limit_lines(told, limit)]


def render_report(report: IngestReport) -> str:
    """The account in plain text for a terminal."""
    contract = load_contract()
    level = contract.level(report.source)
    wanted = contract.years(report.source)
    outside = "outside the panel" if len(wanted) > 1 else f"other than {wanted[0]}"
    known = level.removesuffix("al")
    cities = {"city": "cities", "province": "provinces"}.get(level, "")
    sheet = f", sheet '{report.sheet}'" if report.sheet else ""
    origin = {"shipped": "shipped mapping", "file": "your mapping", "proposed": "proposed from the column names"}
    lines = [
        f"{report.file}{sheet} -> {report.source}/{report.dataset}",
        f"  read as      {report.form}; {origin[report.mapping_origin]}"
        + ("" if report.mapping_origin == "proposed" else f" '{report.mapping}'")
        + f"; column names in row {report.header_row}",
        f"  rows         {report.rows_read:,} read, {report.rows_placed:,} of a known {known} and year",
        f"  places       {report.places_placed:,} of {report.places_read:,} {cities} placed"
        if cities
        else "  places       the nation",
        f"  years        {year_spans(report.years)}",
        f"  numbers      {report.cells_written:,} taken of {report.cells_read:,} read"
        f" ({count_things(report.cells_missing, 'empty cell')} besides)",
    ]
    left = [
        (report.cells_outside_years, f"of years {outside} ({year_spans(report.years_outside)})"),
        (report.cells_unplaced, "of places that could not be placed"),
        (report.cells_of_others, "of the whole nation" if cities else "of other places"),
        (report.cells_not_observed, "marked in the file as estimated, not observed"),
        (len(report.quarantined), "quarantined"),
    ]
    lines += [f"  left out     {number:,} {why}" for number, why in left if number]
    if report.rows_without_numbers:
        rows = count_things(report.rows_without_numbers, "row")
        lines.append(f"  passed over  {rows} without a wanted number (notes, other indicators)")
    lines.append("  columns taken")
    for used in report.columns_used:
        basis = f", {used.population_basis}" if used.population_basis else ""
        scope = "" if used.area_scope == "whole_city" else f", {used.area_scope}"
        vintage = "" if used.vintage == "first" else f", {used.vintage}"
        told = f"{used.unit}{scope}{basis}{vintage}"
        lines.append(f"    {used.column} -> {used.indicator} [{told}]: {used.cells:,}")
    lines += ignored_lines(report.columns_ignored)
    lines += unplaced_lines(report.unplaced, report.unplaced_unlisted, SHOWN_UNPLACED)
    if report.quarantined:
        lines.append(
            f"  quarantined ({len(report.quarantined):,}): missing in the panel, nothing is changed in your file"
        )
        lines += limit_lines(_quarantine_lines(report.quarantined), SHOWN)
    if report.decided:
        lines.append(f"  decided by corrections.yml ({len(report.decided):,})")
        lines += limit_lines([f"{_cell_line(cell)} - {cell.decision}" for cell in report.decided], SHOWN)
    lines += [f"  note: {remark}" for remark in report.remarks]
    lines += [f"  warning: {warning}" for warning in limit_lines(list(report.warnings), SHOWN)]
    if report.output is None:
        lines.append("  nothing written (check only)")
    else:
        lines.append(f"  written to   {report.output}")
    return "\n".join(lines)
