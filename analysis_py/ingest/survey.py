"""What a file holds: sheet by sheet the level of its places, and the sources whose numbers are in it.

So one workbook with everything can be split into the sources it holds, and a file that was brought as the wrong source
can be told its right one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import Answers, Given
from analysis_py.ingest.draft import Plan, plan_reading
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.ingest.flat_table import plan_tables
from analysis_py.ingest.headings import HEADER_DEPTH
from analysis_py.ingest.levels import sheet_levels
from analysis_py.ingest.sheets import CellFile
from analysis_py.ingest.units import load_dictionary

#: Refusals that only say that a file is not of the source it was tried as.
_NOT_THIS = frozenset(
    {"CP-INDICATOR-NONE", "CP-YEAR-MISSING", "CP-PLACE-MISSING", "CP-FILE-EMPTY", "CP-COLUMN-MISSING"}
)


@dataclass(frozen=True)
class Part:
    """One source in a file, and the sheets it stands in (None = the file has no sheets)."""

    source: str
    sheets: tuple[str | None, ...]


def survey_file(book: CellFile, *, sheet: str | None = None, wanted: Collection[str] = ()) -> list[Part]:
    """The parts of a file in the order of the contract; of the sources ``wanted`` only, where they are given.

    A source whose columns stand in several sheets that are no group gives several parts.
    """
    contract = load_dictionary().contract
    sheets = [book.sheet(sheet)] if sheet is not None else book.visible()
    heads = {one.name: (one, one.head(HEADER_DEPTH)) for one in sheets}
    levels = {name: sheet_levels(one, rows) for name, (one, rows) in heads.items() if rows}
    parts: list[Part] = []
    for source in contract.sources:
        if wanted and source not in wanted:
            continue
        left = [name for name, found in levels.items() if contract.level(source) in found]
        while left:
            used = _sheets_of(book, source, left)
            if not used:
                break
            parts.append(Part(source, used))
            left = [name for name in left if name not in used]
    for source in contract.flat:
        if not wanted or source in wanted:
            taken = {name for part in parts if part.source in contract.sources for name in part.sheets}
            others = [name for name in levels if name not in taken]
            used = _sheets_of_flat(book, source, others) if others else ()
            if used:
                parts.append(Part(source, used))
    return parts


def _sheets_of(book: CellFile, source: str, among: Sequence[str | None]) -> tuple[str | None, ...]:
    """Sheets a source would be read from; none where nothing of it is in them."""
    answers = Answers(source, load_dictionary(), Given(), is_drafting=True)
    try:
        plan: Plan = plan_reading(book, source, answers=answers, among=frozenset(among))
    except CarbonpanelError as error:
        if error.code in _NOT_THIS:
            return ()
        return tuple(among)
    return tuple(binding.sheet.name for binding in plan.bindings)


def _sheets_of_flat(book: CellFile, source: str, among: Sequence[str | None]) -> tuple[str | None, ...]:
    kind = flat_sources()[source]
    found = []
    for name in among:
        try:
            answers = Answers(source, kind.dictionary, Given(), is_drafting=True)
            plan_tables(book, kind, name, answers)
        except CarbonpanelError as error:
            if error.code in _NOT_THIS:
                continue
        found.append(name)
    return tuple(found)
