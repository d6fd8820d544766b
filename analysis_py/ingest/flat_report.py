"""The account of a file of a flat source, in plain text for a terminal."""

from __future__ import annotations

from analysis_py.ingest.cells import shown
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.ingest.flat_ingest import FlatReport
from analysis_py.ingest.report import (
    SHOWN,
    SHOWN_UNPLACED,
    count_things,
    ignored_lines,
    limit_lines,
    unplaced_lines,
    year_spans,
)


def render_flat(report: FlatReport) -> str:
    """The account as lines."""
    source = flat_sources()[report.source]
    sheet = f", sheet '{report.sheet}'" if report.sheet else ""
    first = source.columns[source.key[0]]
    lines = [
        f"{report.file}{sheet} -> {report.source}/{report.dataset}",
        f"  read as      {report.form}; column names in row {report.header_row}; a row is {source.row}",
        f"  rows         {report.rows_placed:,} taken of {report.rows_read:,} read;"
        f" {report.places_placed:,} different of '{first.label_en}'",
        f"  years        {year_spans(report.years)}",
        f"  numbers      {report.cells_written:,} taken of {report.cells_read:,} read"
        f" ({count_things(report.cells_missing, 'empty cell')} besides)",
    ]
    lines += [f"  left out     {count_things(count, 'row')} {why}" for why, count in report.passed.items()]
    if report.quarantined:
        lines.append(f"  left out     {count_things(len(report.quarantined), 'number')} quarantined")
    lines.append("  columns taken")
    for used in report.columns_used:
        told = f" [{used.unit}]: {used.cells:,}" if used.unit else ""
        lines.append(f"    {shown(used.column)} -> {used.indicator}{told}")
    lines += ignored_lines(report.columns_ignored)
    lines += unplaced_lines(report.unplaced, report.unplaced_unlisted, SHOWN_UNPLACED)
    if report.quarantined:
        lines.append(f"  quarantined ({len(report.quarantined):,}): empty in the data, nothing is changed in your file")
        told_cells = [
            f"    row {cell.row}, column '{shown(cell.column)}': {shown(cell.value_text)} for {cell.key} {cell.year}"
            f" - {cell.reason}"
            for cell in report.quarantined
        ]
        lines += limit_lines(told_cells, SHOWN)
    lines += [f"  note: {remark}" for remark in report.remarks]
    lines += [f"  warning: {warning}" for warning in report.warnings]
    lines.append("  nothing written (check only)" if report.output is None else f"  written to   {report.output}")
    return "\n".join(lines)
