"""Counting files of records from end to end: every file read once, every row accounted for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.files import file_hash
from analysis_py.progress import ProgressCallback
from analysis_py.records.cautions import firm_notes, patent_notes
from analysis_py.records.counts import add_totals, build_counts
from analysis_py.records.firms import TEXT_ROLES as FIRM_TEXTS
from analysis_py.records.firms import FirmCounter
from analysis_py.records.ledger import DateReader
from analysis_py.records.options import RecordOptions
from analysis_py.records.outcome import FileAccount, OddDate, RecordsOutcome
from analysis_py.records.patents import SYMBOL_ROLES, PatentCounter
from analysis_py.records.patents import TEXT_ROLES as PATENT_TEXTS
from analysis_py.records.pipeline import scan_file
from analysis_py.records.stock import add_stock
from analysis_py.records.streams import RecordFile, open_records

FIRMS, PATENTS = "firms", "patents"
_RAGGED_SHOWN = 100


def count_records(
    kind: str, files: Sequence[Path], options: RecordOptions, *, progress: ProgressCallback | None = None
) -> RecordsOutcome:
    """Count the records of ``files`` (``firms`` or ``patents``), in their order.

    Memory does not grow with the number of rows, only with that of finds (some ten bytes each) and of city-years. The
    outcome is the same for the same files and options, whatever the threads.

    Raises
    ------
    CarbonpanelError : a file that cannot be read or trusted as a whole; nothing is counted then.
    """
    _refuse_twice(files)
    counter = FirmCounter(options) if kind == FIRMS else PatentCounter(options)
    accounts = []
    opened: list[RecordFile] = []
    for path in files:
        file = open_records(path, kind, options.columns, sheet=options.sheet, encoding=options.encoding)
        before = counter.ledger.rows_read
        for batch, found in scan_file(file, counter.scan, progress=progress, threads=options.threads):
            counter.count(batch, found, path.name)  # type: ignore[arg-type]  # each counter's own scan
        file.found.check_unchanged()
        accounts.append(_account(file, counter.ledger.rows_read - before))
        opened.append(file)
    counter.ledger.settle()
    if not counter.ledger.rows_read:
        raise CarbonpanelError(
            "CP-RECORDS-NO-ROWS",
            "there is no row of a record below the column names",
            where=Place(file=files[0]),
            remedy="check what was exported",
        )
    return _conclude(kind, counter, options, accounts)


def _conclude(
    kind: str, counter: FirmCounter | PatentCounter, options: RecordOptions, accounts: list[FileAccount]
) -> RecordsOutcome:
    ledger, measures = counter.ledger, counter.measures()
    counts, span = build_counts(counter.tally, ledger, measures, options)
    roles = FIRM_TEXTS if kind == FIRMS else (*PATENT_TEXTS, *SYMBOL_ROLES)
    readers = {"date": counter.dates}
    if isinstance(counter, FirmCounter):
        readers |= {"cancelled": counter.cancelled_dates, "revoked": counter.revoked_dates}
        remarks, warnings = firm_notes(counter, accounts, counts)
        counts += add_stock(counts)
    else:
        remarks, warnings = patent_notes(counter, accounts, counts)
    last = max((reader.last_day for reader in readers.values() if reader.last_day is not None), default=None)
    snapshot = options.snapshot or last
    return RecordsOutcome(
        kind=kind,
        options=options,
        files=tuple(accounts),
        counts=tuple(counts),
        totals=tuple(add_totals(counter.tally, measures)),
        cohorts=counter.cohorts() if isinstance(counter, FirmCounter) else (),
        review=tuple(counter.review.rows()),
        rows={
            "read": ledger.rows_read,
            "placed": ledger.rows_placed,
            "unplaced": ledger.rows_unplaced,
            "outside_years": ledger.rows_outside_years,
            "without_date": ledger.rows_undated,
            "odd_date": ledger.rows_odd_date,
            "blank": ledger.rows_blank,
            "ragged": sum(account.ragged for account in accounts),
        },
        finds={**asdict(counter.finds), "repeated": counter.tally.repeated},
        unplaced=ledger.unplaced,
        odd_dates=tuple(_odd_dates(readers, accounts)),
        span=span,
        snapshot=snapshot.isoformat() if snapshot is not None else "",
        is_snapshot_given=options.snapshot is not None,
        source_column="+".join(
            dict.fromkeys(account.columns[role] for account in accounts for role in roles if role in account.columns)
        ),
        remarks=tuple(remarks),
        warnings=tuple(warnings),
    )


def _odd_dates(readers: dict[str, DateReader], accounts: list[FileAccount]) -> list[OddDate]:
    columns = {account.file: account.columns for account in accounts}
    return [
        OddDate(text, columns[cell.file].get(role, role), cell.file, cell.row, rows)
        for role, reader in readers.items()
        for text, (rows, cell) in reader.odd.items()
    ]


def _account(file: RecordFile, rows: int) -> FileAccount:
    # A ragged row may be an empty line of one cell's width; those are told with the others.
    return FileAccount(
        file=file.path.name,
        sha256=file_hash(file.path),
        form=file.form,
        header_row=file.header_row,
        columns=dict(file.columns.names),
        passed_over=file.columns.passed_over,
        rows=rows,
        ragged=len(file.ragged.numbers),
        ragged_rows=tuple(file.ragged.numbers[:_RAGGED_SHOWN]),
    )


def _refuse_twice(files: Sequence[Path]) -> None:
    seen: set[Path] = set()
    for file in files:
        real = file.expanduser().resolve()
        if real in seen:
            raise CarbonpanelError("CP-OPTION", f"'{file}' is given twice", remedy="give each file once")
        seen.add(real)
