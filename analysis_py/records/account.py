"""The account of a run of ``records``, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from analysis_py.ingest.cells import shown
from analysis_py.records.options import EXACT
from analysis_py.records.outcome import COUNTED, MISSING, RecordsOutcome
from analysis_py.records.tally import ANY

_SHOWN = 12
_WIDEST_NAME = 34


def outcome_json(outcome: RecordsOutcome) -> dict[str, Any]:
    """Everything as plain data; the same for the same files and options wherever they lie."""
    options = outcome.options
    first, last = options.years
    return {
        "kind": outcome.kind,
        "match": options.match,
        "years": [first, last],
        "complete": list(options.complete) if options.complete else None,
        "seed": options.seed,
        "snapshot": outcome.snapshot,
        "is_snapshot_given": outcome.is_snapshot_given,
        "span": list(outcome.span) if outcome.span else None,
        "keywords": [asdict(keyword) for keyword in options.keywords],
        "files": [asdict(account) for account in outcome.files],
        "rows": dict(outcome.rows),
        "finds": dict(outcome.finds),
        "totals": [asdict(total) for total in outcome.totals],
        "cohorts": [asdict(cohort) for cohort in outcome.cohorts],
        "unplaced": [asdict(item) for item in outcome.unplaced],
        "odd_dates": [asdict(item) for item in outcome.odd_dates],
        "remarks": list(outcome.remarks),
        "warnings": list(outcome.warnings),
        "counts": [asdict(row) for row in outcome.counts],
        "review": [asdict(row) for row in outcome.review],
    }


def render_outcome(outcome: RecordsOutcome) -> str:
    """The account in plain text for a terminal."""
    lines = []
    for account in outcome.files:
        columns = ", ".join(f"{role} = {shown(name)}" for role, name in account.columns.items())
        lines.append(
            f"{account.file}: {account.rows:,} rows ({account.form}; column names in row {account.header_row})"
        )
        lines.append(f"  columns      {columns}")
        lines += [f"  left alone   {shown(name)}" for name in account.passed_over]
        if account.ragged:
            rows = ", ".join(f"{row:,}" for row in account.ragged_rows[:_SHOWN])
            more = ", ..." if account.ragged > _SHOWN else ""
            lines.append(
                f"  not read     {account.ragged:,} rows with more or fewer cells than the header: {rows}{more}"
            )
    lines += _row_lines(outcome)
    lines += _total_lines(outcome)
    lines += _cohort_lines(outcome)
    if outcome.unplaced:
        lines.append(f"places that are no city of the panel, or cannot be told ({len(outcome.unplaced):,})")
        told = [f"  {shown(item.place)}: {item.reason} ({_rows(item.rows)})" for item in outcome.unplaced]
        lines += _cut(told)
    if outcome.odd_dates:
        lines.append(f"dates that cannot be read ({_rows(sum(item.rows for item in outcome.odd_dates))})")
        lines += _cut(
            [f"  {item.file}, row {item.row}, column '{item.column}': {shown(item.text)}" for item in outcome.odd_dates]
        )
    lines += [f"note: {remark}" for remark in outcome.remarks]
    lines += [f"warning: {warning}" for warning in outcome.warnings]
    return "\n".join(lines)


def _row_lines(outcome: RecordsOutcome) -> list[str]:
    rows = outcome.rows
    left = [
        (rows["unplaced"], "of no city of the panel"),
        (rows["outside_years"], "of other years"),
        (rows["without_date"], "without a date"),
        (rows["odd_date"], "with a date that cannot be read"),
    ]
    first = f"{rows['read']:,} records read, {rows['placed']:,} of a known city and year"
    lines = [first + "".join(f"; {number:,} {why}" for number, why in left if number)]
    if outcome.span:
        marked = [row for row in outcome.counts if row.keyword_id == ANY]
        cities = len({row.city_code for row in marked if row.coverage != MISSING})
        snapshot = (
            f"records as of {outcome.snapshot}" if outcome.is_snapshot_given else f"latest date {outcome.snapshot}"
        )
        lines.append(f"{cities} cities, {outcome.span[0]}-{outcome.span[1]}; {snapshot}")
    return lines


def _total_lines(outcome: RecordsOutcome) -> list[str]:
    chosen = "exact" if outcome.options.match == EXACT else "tolerant"
    lines = [f"{'':<{_WIDEST_NAME}} {'exact':>10} {'tolerant':>10}   the {chosen} match is the measure"]
    for total in outcome.totals:
        if total.keyword_id == ANY:
            covered = [row for row in outcome.counts if row.indicator == total.indicator and row.keyword_id == ANY]
            counted = sum(row.coverage == COUNTED for row in covered)
            missing = sum(row.coverage == MISSING for row in covered)
            cells = f"city-years: {counted:,} counted, {len(covered) - counted - missing:,} zero, {missing:,} missing"
            lines.append(f"{total.indicator:<{_WIDEST_NAME}} {total.exact:>10,} {total.tolerant:>10,}   {cells}")
        elif total.tolerant:
            lines.append(f"  {_pad(f'{total.keyword_id} {total.keyword}')} {total.exact:>10,} {total.tolerant:>10,}")
    return lines


def _cohort_lines(outcome: RecordsOutcome) -> list[str]:
    if not outcome.cohorts or not any("scope" in account.columns for account in outcome.files):
        return []
    lines = ["finds by founding year: by name, by scope alone"]
    return lines + _cut(
        [
            f"  {cohort.year}  {cohort.finds:>8,}  {cohort.by_name:>8,}  {cohort.scope_only:>8,} "
            f"({cohort.scope_only_share:.0%})"
            for cohort in outcome.cohorts
        ],
        limit=30,
    )


def _pad(text: str) -> str:
    """``text`` filled up to the width of the first column; Chinese characters are two wide."""
    from wcwidth import wcswidth

    return text + " " * max(0, _WIDEST_NAME - 2 - max(0, wcswidth(text)))


def _rows(number: int) -> str:
    return f"{number:,} row{'' if number == 1 else 's'}"


def _cut(lines: list[str], limit: int = _SHOWN) -> list[str]:
    rest = len(lines) - limit
    return lines if rest <= 1 else [*lines[:limit], f"  ... and {rest:,} more (all with --json FILE)"]
