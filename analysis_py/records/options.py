"""What a run of ``records`` is asked for, checked once."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.cells import EARLIEST_YEAR, LATEST_YEAR
from analysis_py.ingest.contract import PANEL_FIRST_YEAR, PANEL_LAST_YEAR
from analysis_py.records.keywords import Keyword
from analysis_py.settings import DEFAULT_SEED

EXACT, TOLERANT = "exact", "tolerant"
_SPAN = re.compile(r"([0-9]{4})\s*[-:–]\s*([0-9]{4})\Z")
_MOST_REVIEWED = 10_000


@dataclass(frozen=True)
class RecordOptions:
    """How records are read and counted.

    ``match`` chooses the measure, both are always counted; ``columns`` maps roles to columns; ``years`` are counted;
    in ``complete`` the user vouches that no record means none; ``review`` finds a keyword are sampled; ``snapshot`` is
    the day on which the records were downloaded; ``threads`` scan (results do not change).
    """

    keywords: tuple[Keyword, ...]
    match: str = EXACT
    columns: Mapping[str, str] = field(default_factory=dict)
    years: tuple[int, int] = (PANEL_FIRST_YEAR, PANEL_LAST_YEAR)
    complete: tuple[int, int] | None = None
    review: int = 0
    seed: int = DEFAULT_SEED
    snapshot: datetime.date | None = None
    sheet: str | None = None
    encoding: str | None = None
    threads: int | None = None
    single_keyword: str = "人工智能"
    flow_priority: str = "end_of_pipe"
    without_broad: bool = False

    def __post_init__(self) -> None:
        if self.match not in (EXACT, TOLERANT):
            raise _refuse("--match", f"'{self.match}' is neither exact nor tolerant", "use exact or tolerant")
        if not 0 <= self.review <= _MOST_REVIEWED:
            raise _refuse("--review", f"{self.review} records a keyword", f"give 1 to {_MOST_REVIEWED:,}")
        if self.complete and not self.years[0] <= self.complete[0] <= self.complete[1] <= self.years[1]:
            raise _refuse("--complete", "the years are not among those counted", "widen --years, or narrow --complete")


def parse_years(text: str | None, option: str) -> tuple[int, int] | None:
    """``2003-2021`` as (2003, 2021), ``None`` as it is; raises ``CP-RECORDS-OPTION`` naming ``option``."""
    if text is None:
        return None
    match = _SPAN.match(text.strip())
    if match is None or not EARLIEST_YEAR <= int(match[1]) <= int(match[2]) <= LATEST_YEAR:
        raise _refuse(option, f"'{text}' is no span of years", "write it as 2003-2021")
    return int(match[1]), int(match[2])


def parse_day(text: str | None, option: str) -> datetime.date | None:
    """``2024-06-30`` as a date; raises ``CP-RECORDS-OPTION`` naming ``option``."""
    if text is None:
        return None
    try:
        return datetime.date.fromisoformat(text.strip())
    except ValueError:
        raise _refuse(option, f"'{text}' is no day", "write it as 2024-06-30") from None


def _refuse(option: str, what: str, remedy: str) -> CarbonpanelError:
    return CarbonpanelError("CP-RECORDS-OPTION", f"{option}: {what}", remedy=remedy)
