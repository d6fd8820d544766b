"""What counting records gives: a long table of counts, totals, cohorts, samples, and the account of every row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis_py.ingest.report import UnplacedPlace
from analysis_py.records.options import RecordOptions
from analysis_py.records.review import ReviewRow

#: Why a count is there, or is not.
COUNTED, ZERO, STATED_ZERO, MISSING = "counted", "zero", "zero_as_stated", "missing"


@dataclass(frozen=True)
class CountRow:
    """One number of the long table.

    ``keyword_id`` is '' for records with any of the keywords (a record counts once there, however many it has).
    ``value`` is the chosen one of ``exact`` and ``tolerant``; ``None`` where the files have no record of that city and
    year. ``records`` are all records of the files there. Keyword rows exist only where they are not zero.
    """

    city_code: str
    city_name_zh: str
    year: int
    indicator: str
    keyword_id: str
    keyword: str
    value: int | None
    exact: int | None
    tolerant: int | None
    records: int
    coverage: str
    first_file: str = ""
    first_row: int | None = None


@dataclass(frozen=True)
class KeywordTotal:
    """All counts of a keyword in a measure, over cities and years."""

    indicator: str
    keyword_id: str
    keyword: str
    exact: int
    tolerant: int


@dataclass(frozen=True)
class Cohort:
    """Finds of one founding year: how many by the name, how many by the scope alone (share 0-1)."""

    year: int
    finds: int
    by_name: int
    scope_only: int
    scope_only_share: float


@dataclass(frozen=True)
class FileAccount:
    """One file: how it was read, its columns by role, and what was left out of it."""

    file: str
    sha256: str
    form: str
    header_row: int
    columns: Mapping[str, str]
    passed_over: tuple[str, ...]
    rows: int
    ragged: int
    ragged_rows: tuple[int, ...]


@dataclass(frozen=True)
class OddDate:
    """A text in a column of dates that is none: the file and row where it first is, and how often."""

    text: str
    column: str
    file: str
    row: int
    rows: int


@dataclass(frozen=True)
class RecordsOutcome:
    """Everything of one run; ``counts`` are ordered by indicator, keyword, city and year."""

    kind: str
    options: RecordOptions
    files: tuple[FileAccount, ...]
    counts: tuple[CountRow, ...]
    totals: tuple[KeywordTotal, ...]
    cohorts: tuple[Cohort, ...]
    review: tuple[ReviewRow, ...]
    rows: Mapping[str, int]
    finds: Mapping[str, int]
    unplaced: tuple[UnplacedPlace, ...]
    odd_dates: tuple[OddDate, ...]
    span: tuple[int, int] | None
    snapshot: str
    is_snapshot_given: bool
    source_column: str
    remarks: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
