"""What a reader of the counts must know: how far names and scopes agree, what is missing, what may not be compared."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.records.firms import FirmCounter
from analysis_py.records.outcome import MISSING, CountRow, FileAccount
from analysis_py.records.patents import PatentCounter
from analysis_py.records.tally import ANY

#: From this share of finds among all rows, a file was probably selected by keyword before it came here.
_SELECTED_SHARE = 0.8
_ENOUGH_ROWS = 50
#: Days from the end of the last year within which it counts as whole.
_WHOLE_YEAR = 7


def firm_notes(
    counter: FirmCounter, accounts: Sequence[FileAccount], counts: Sequence[CountRow]
) -> tuple[list[str], list[str]]:
    """Remarks and warnings on registry counts."""
    roles = {role for account in accounts for role in account.columns}
    finds = counter.finds
    warnings = _shared_warnings(counter, counts, finds.any_hit)
    cohorts = counter.cohorts()
    total, scope_only = sum(c.finds for c in cohorts), sum(c.scope_only for c in cohorts)
    if "scope" in roles and total:
        ends = (cohorts[0], cohorts[-1]) if len(cohorts) > 1 else cohorts
        by_year = ", ".join(f"{c.year}: {c.scope_only_share:.0%}" for c in ends)
        warnings.insert(
            0,
            "the business scope is that of the download, not of the founding year: firms rewrite it later, so that "
            f"older cohorts are counted by words they may not have used then. {scope_only:,} of {total:,} finds "
            f"({scope_only / total:.0%}) rest on the scope alone ({by_year}); the table of cohorts has every "
            "year",
        )
    for role, what in (("name", "names"), ("scope", "business scopes")):
        if role not in roles:
            warnings.append(f"no column of {what}: only the other text is searched")
    if not {"cancelled", "revoked"} & roles:
        warnings.append(
            "no column of cancellation dates: deregistrations are not counted; the stock here never falls, and the "
            "warehouse, which needs both, has none"
        )
    if finds.gone_without_date:
        warnings.append(
            f"{finds.gone_without_date:,} finds are cancelled or revoked by their status but have no date for it: they "
            "stay in the stock"
        )
    if finds.gone_before_registered:
        warnings.append(f"{finds.gone_before_registered:,} finds were cancelled before the year they were founded")
    remarks = _shared_remarks(counter, "id" in roles, "credit code, else name, date and place")
    if finds.without_place_or_year:
        remarks.append(f"{finds.without_place_or_year:,} finds are in no count: their city or year is unknown")
    return remarks, warnings


def patent_notes(
    counter: PatentCounter, accounts: Sequence[FileAccount], counts: Sequence[CountRow]
) -> tuple[list[str], list[str]]:
    """Remarks and warnings on patent counts."""
    roles = {role for account in accounts for role in account.columns}
    finds = counter.finds
    warnings = _shared_warnings(counter, counts, finds.ai)
    if not {"title", "abstract"} & roles:
        warnings.append("no column of titles or abstracts: AI patents are not counted")
    if not {"ipc", "main_ipc"} & roles:
        warnings.append("no column of IPC symbols: green patents are not counted")
    if absent := counter.kinds_absent():
        kinds = ", ".join(kind.replace("_", " ") for kind in absent)
        warnings.append(f"the files hold no patent of these kinds: {kinds}; their counts are missing, not zero")
    if finds.ai_unknown_kind:
        warnings.append(f"{finds.ai_unknown_kind:,} AI patents are of unknown kind: they are in no kind's count")
    if finds.foreign_office:
        warnings.append(
            f"{finds.foreign_office:,} AI patents have numbers of other offices than China's; they are counted"
        )
    if finds.green_contested:
        first = counter.options.flow_priority.replace("_", "-")
        warnings.append(
            f"{finds.green_contested:,} of {finds.green:,} green patents have symbols of both flows; {first} goes first"
        )
    if finds.green_broad_only:
        warnings.append(
            f"{finds.green_broad_only:,} of {finds.green:,} green patents are green by very broad symbols alone (G06Q, "
            "H02J, ...); --without-broad leaves these symbols out"
        )
    remarks = _shared_remarks(counter, "id" in roles, "application number, else title, year and address")
    if finds.without_place_or_year:
        remarks.append(f"{finds.without_place_or_year:,} finds are in no count: their city or year is unknown")
    return remarks, warnings


def _shared_remarks(counter: FirmCounter | PatentCounter, has_id: bool, rule: str) -> list[str]:
    remarks = []
    if counter.tally.repeated:
        remarks.append(f"{counter.tally.repeated:,} repeated finds count once (by {rule})")
    elif not has_id:
        remarks.append(f"no column of numbers; a record that is there twice would be told by {rule.split('else ')[1]}")
    if counter.ledger.rows_outside_years:
        first, last = counter.options.years
        remarks.append(f"{counter.ledger.rows_outside_years:,} rows are of years outside {first}-{last} (--years)")
    return remarks


def _shared_warnings(counter: FirmCounter | PatentCounter, counts: Sequence[CountRow], finds: int) -> list[str]:
    warnings = []
    rows = counter.ledger.rows_read
    if rows >= _ENOUGH_ROWS and finds >= _SELECTED_SHARE * rows:
        warnings.append(
            f"{finds / rows:.0%} of all rows are finds: the files seem to have been selected by keyword, and a city "
            "and year without a record is missing, not zero"
        )
    last = counter.dates.last_day
    if last is not None and (last.month, last.day) < (12, 31 - _WHOLE_YEAR):
        warnings.append(
            f"the last record is of {last.isoformat()}: the counts of {last.year} are of a part of the year"
        )
    first = counter.dates.first_day
    if first is not None and (first.month, first.day) > (1, 1 + _WHOLE_YEAR) and first.year >= counter.options.years[0]:
        warnings.append(
            f"the first record is of {first.isoformat()}: the counts of {first.year} may be of a part of it"
        )
    gaps: dict[str, int] = {}
    for row in counts:
        if row.keyword_id == ANY and row.coverage == MISSING:
            gaps[row.indicator] = gaps.get(row.indicator, 0) + 1
    for indicator, number in gaps.items():
        warnings.append(f"{indicator}: {number:,} cities and years without any record are missing, not zero")
    if gaps:
        warnings.append(
            "if the files hold every record of some years, say so with --complete YEAR-YEAR: zero, not missing"
        )
    return warnings
