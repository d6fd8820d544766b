"""Counts as a dataset of the raw contract: what ``refresh`` builds the warehouse from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.files import write_json
from analysis_py.ingest.batches import SCHEMA
from analysis_py.ingest.contract import PANEL_FIRST_YEAR, PANEL_LAST_YEAR, load_contract
from analysis_py.ingest.datasets import Judged, split, write_dataset
from analysis_py.records.account import outcome_json
from analysis_py.records.outcome import CountRow, RecordsOutcome
from analysis_py.records.tally import ANY

#: Source of the contract that each kind of records fills.
SOURCES = {"firms": "city_firms", "patents": "city_patents"}


def dataset_rows(outcome: RecordsOutcome) -> list[CountRow]:
    """The counts that the contract has an indicator for, of the panel's years, missing ones left out."""
    known = load_contract().of_source(SOURCES[outcome.kind])
    return [
        row
        for row in outcome.counts
        if row.keyword_id == ANY
        and row.value is not None
        and row.indicator in known
        and PANEL_FIRST_YEAR <= row.year <= PANEL_LAST_YEAR
    ]


def left_out(outcome: RecordsOutcome) -> list[str]:
    """Indicators that were counted but are not in the contract."""
    known = load_contract().of_source(SOURCES[outcome.kind])
    return list(dict.fromkeys(row.indicator for row in outcome.counts if row.indicator not in known))


def write_as_input(outcome: RecordsOutcome, data_dir: Path, name: str) -> Path:
    """Write the counts as ``<data>/raw/<source>/<name>.parquet`` with their account, whole or not at all; its path.

    Every number keeps the file and row of the first record it counts; where it is zero, of the first record of that
    city and year, and where the user vouches for it, of the column names. Raises ``CP-RECORDS-NOTHING`` where there is
    no number to write.
    """
    rows = dataset_rows(outcome)
    source = SOURCES[outcome.kind]
    if not rows:
        raise CarbonpanelError(
            "CP-RECORDS-NOTHING",
            f"there is no count of a city and year of the panel ({PANEL_FIRST_YEAR}-{PANEL_LAST_YEAR}) to write",
            where=Place(file=outcome.files[0].file),
            remedy="see which rows were left out, and why, in the account above",
        )
    kept, left = split(Judged(_table(rows, outcome, source, name), {}), {})
    path, digest = write_dataset(data_dir, source, name, kept, left)
    write_json(path.with_name(f"{name}.report.json"), _report(outcome, rows, source, name, digest))
    return path


def _table(rows: list[CountRow], outcome: RecordsOutcome, source: str, name: str) -> pa.Table:
    first = outcome.files[0]
    units = {indicator: item.unit for indicator, item in load_contract().of_source(source).items()}
    cells = [
        (
            *(source, name, row.city_code, "", row.city_name_zh, row.year, row.indicator, float(row.value or 0)),
            *(units[row.indicator], "whole_city", None, "first", str(row.value)),
            *(row.first_file or first.file, None, row.first_row or first.header_row, _source(row, outcome)),
        )
        for row in rows
    ]
    columns = list(zip(*cells, strict=True))
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)], schema=SCHEMA
    )


def _source(row: CountRow, outcome: RecordsOutcome) -> str:
    """What the number was counted in, told apart from the other numbers whose first record is the same row."""
    return f"{row.indicator} of {row.city_code} in {row.year}, counted in {outcome.source_column}"


def _report(outcome: RecordsOutcome, rows: list[CountRow], source: str, name: str, digest: str) -> dict[str, Any]:
    cities = {row.city_code for row in rows}
    # The sample and the long table are files of their own; what inputs are is told as ingest tells it.
    told = outcome_json(replace(outcome, counts=(), review=()))
    return {
        "file": ", ".join(account.file for account in outcome.files),
        "source": source,
        "dataset": name,
        "form": f"counted by 'records {outcome.kind}', {outcome.options.match} match",
        "rows_read": outcome.rows["read"],
        "rows_placed": outcome.rows["placed"],
        "cells_written": len(rows),
        "places_placed": len(cities),
        "places_read": len(cities) + len(outcome.unplaced),
        "years": sorted({row.year for row in rows}),
        "indicators": list(dict.fromkeys(row.indicator for row in rows)),
        "unplaced": told.pop("unplaced"),
        "unplaced_unlisted": 0,
        "quarantined": [],
        "records": told,
        "parquet_sha256": digest,
    }
