"""A run as a workbook laid out the way users of MaxDEA know it.

Sheets: Run (every choice), Score, Slacks (proportionate movement, slack movement, projection of each variable; the
projection is the datum plus both movements), Peers, Multipliers, and with an index Malmquist and Cumulative, with a
bootstrap its own. Texts of the data stay texts even where a spreadsheet would take them for formulas.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from analysis_py import __version__
from analysis_py.efficiency.frames import EfficiencyRun
from analysis_py.efficiency.report import (
    cumulative_table,
    index_table,
    inference_notes,
    inference_tables,
    score_columns,
    settings,
)
from analysis_py.errors import CarbonpanelError, Place
from analysis_py.settings import SIMULATED_NOTICE
from analysis_py.specification.terms import level_label

#: A fixed time on every part, so that the same run is the same file.
_EPOCH = dt.datetime(2000, 1, 1)
#: Rows of one sheet of Excel, and the number of letters of a cell.
_MOST_ROWS, _MOST_LETTERS = 1_048_576, 32_767
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TITLES = {
    "gml": ("GML", "EC", "BPC"),
    "ml": ("ML", "EC", "TC"),
    "malmquist": ("MI", "EC", "TC"),
    "luenberger": ("LPI", "EC", "TC"),
}


def write_workbook(run: EfficiencyRun, path: Path) -> None:
    """Write the run to ``path`` whole or not at all.

    Raises ``CP-FILE-UNKNOWN-KIND`` for a name that is not a workbook's, ``CP-FILE-UNWRITABLE``.
    """
    check_name(path)
    content = _package(run)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE",
            f"cannot be written: {error.strerror}",
            where=Place(file=path),
            remedy="choose another place with --xlsx",
        ) from None


def check_name(path: Path) -> None:
    """Refuse a name that does not end in .xlsx, before anything is computed."""
    if path.suffix.lower() != ".xlsx":
        raise CarbonpanelError(
            "CP-FILE-UNKNOWN-KIND",
            "the workbook is an .xlsx file",
            where=Place(file=path),
            remedy=f"call it {path.stem or 'efficiency'}.xlsx",
        )


def sheets(run: EfficiencyRun) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[object]]]]:
    """(title, column names, rows) of every sheet, in their order."""
    yield "Run", ("Setting", "Value"), _run_rows(run)
    yield "Score", *_score_sheet(run)
    yield "Slacks", *_movement_sheet(run)
    yield "Peers", ("NO.", *_key_names(run, "DMU"), *_key_names(run, "Benchmark"), "Lambda"), _peer_rows(run)
    names = run.columns.quantities
    rows = ((i + 1, *_key(run, i), *values) for i, values in enumerate(run.scores.multipliers.tolist()))
    yield "Multipliers", ("NO.", *_key_names(run, "DMU"), *(f"Weight ({n})" for n in names)), rows
    changes, cumulative = index_table(run), cumulative_table(run)
    if run.productivity is not None and changes is not None and cumulative is not None:
        titles = list(_TITLES[run.productivity.index])
        titles += ["PEC", "SEC"] if "pure_efficiency_change" in changes.columns else []
        steps = ((i + 1, r[0], f"{level_label(r[1])}~{level_label(r[2])}", *r[3:]) for i, r in enumerate(changes.rows))
        yield "Malmquist", ("NO.", "DMU", "Period", *titles, "Status", "Reason"), steps
        yield "Cumulative", ("DMU", "Period", f"Cumulative {titles[0]}"), cumulative.rows
    for title, table in zip(_inference_titles(run), inference_tables(run), strict=True):
        yield title, table.columns, table.rows


def _inference_titles(run: EfficiencyRun) -> list[str]:
    both = (("Bootstrap", run.unit_bootstrap), ("Second stage", run.second_stage))
    return [title for title, inference in both if inference is not None]


def _run_rows(run: EfficiencyRun) -> list[tuple[object, object]]:
    rows: list[tuple[object, object]] = [("carbonpanel", __version__), ("data", run.data.name)]
    rows += [("data SHA-256", run.data.hash)]
    if run.data.is_simulated:
        rows.append(("data are", SIMULATED_NOTICE))
    rows += settings(run)
    rows.append(("projection", "datum + proportionate movement + slack movement"))
    return rows + [("note", note) for note in (*run.notes, *inference_notes(run))]


def _key_names(run: EfficiencyRun, first: str) -> tuple[str, ...]:
    return (first, "Period" if first == "DMU" else f"{first} period") if run.columns.period else (first,)


def _key(run: EfficiencyRun, row: int) -> tuple[object, ...]:
    unit = run.panel.units[row]
    return (unit, run.panel.periods[row]) if run.columns.period else (unit,)


def _score_sheet(run: EfficiencyRun) -> tuple[Sequence[str], list[Sequence[object]]]:
    """Score, rank within the period, benchmarks with their lambdas, and how often a unit is another's benchmark."""
    scores, panel = run.scores, run.panel
    times = np.zeros(len(panel), dtype=int)
    for row, peers in enumerate(scores.peers):
        for peer, _ in peers:
            times[peer] += peer != row
    columns = score_columns(run)
    extra = [name for name in columns if name not in ("score", "status", "residual")]
    names = ("NO.", *_key_names(run, "DMU"), "Score", "Rank", "Benchmark(Lambda)", "Times as a benchmark")
    ranks = _ranks(run)
    rows: list[Sequence[object]] = []
    for i in range(len(panel)):
        benchmark = "; ".join(f"{panel.label(p)}({w:.6f})" for p, w in scores.peers[i])
        rows.append(
            (
                *(i + 1, *_key(run, i), scores.score[i], ranks[i], benchmark, int(times[i])),
                *(scores.status[i], scores.residual[i], *(columns[e][i] for e in extra), scores.reason[i]),
            )
        )
    return (*names, "Status", "Residual", *extra, "Reason"), rows


def _ranks(run: EfficiencyRun) -> list[int | None]:
    """Place within the period, ties sharing the better place; 1 is the most efficient."""
    score = run.scores.score
    is_small_good = run.spec.is_inefficiency or (run.spec.model in ("ccr", "bcc") and run.spec.orientation == "output")
    goodness = -score if is_small_good else score
    ranks: list[int | None] = [None] * len(score)
    for period in range(run.panel.n_periods):
        rows = np.flatnonzero((run.panel.period_codes == period) & np.isfinite(score))
        ordered = np.sort(goodness[rows])
        better = len(rows) - np.searchsorted(ordered, goodness[rows], side="right")
        for row, place in zip(rows.tolist(), better.tolist(), strict=True):
            ranks[row] = place + 1
    return ranks


def _movement_sheet(run: EfficiencyRun) -> tuple[Sequence[str], Iterator[Sequence[object]]]:
    """Datum, proportionate movement, slack movement and projection of every variable."""
    panel, scores = run.panel, run.scores
    data = np.hstack([panel.inputs, panel.goods, panel.bads])
    sign = np.where([name in run.columns.goods for name in run.columns.quantities], 1.0, -1.0)
    slack = sign * scores.slacks + 0.0
    proportionate = scores.targets - data - slack
    # what is left of subtracting nearly equal numbers is no movement
    proportionate[np.abs(proportionate) <= 1e-12 * np.abs(data)] = 0.0
    blocks = (data, proportionate, slack, scores.targets)
    titles = ("Data ({})", "Proportionate Movement ({})", "Slack Movement ({})", "Projection ({})")
    names = [title.format(name) for name in run.columns.quantities for title in titles]

    def rows() -> Iterator[Sequence[object]]:
        for i in range(len(panel)):
            numbers = np.column_stack([block[i] for block in blocks]).ravel().tolist()
            yield (i + 1, *_key(run, i), scores.score[i], *numbers)

    return ("NO.", *_key_names(run, "DMU"), "Score", *names), rows()


def _peer_rows(run: EfficiencyRun) -> Iterator[Sequence[object]]:
    for i, peers in enumerate(run.scores.peers):
        for peer, weight in peers:
            yield (i + 1, *_key(run, i), *_key(run, peer), weight)


def _package(run: EfficiencyRun) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    for title, names, rows in sheets(run):
        _fill(book, title, names, rows)
    book.properties.created = book.properties.modified = _EPOCH
    book.properties.creator = "carbonpanel"
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_time(buffer.getvalue())


def _fill(book: Any, title: str, names: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """One sheet, or several (``Peers 2``) where a table is longer than a sheet can be."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    bold = Font(bold=True)

    def start(number: int) -> Any:
        sheet = book.create_sheet(title if number == 1 else f"{title} {number}")
        sheet.freeze_panes = "A2"
        header = []
        for name in names:
            cell = _text_cell(sheet, name, WriteOnlyCell)
            cell.font = bold
            header.append(cell)
        sheet.append(header)
        return sheet

    sheet, number, filled = start(1), 1, 1
    for row in rows:
        if filled == _MOST_ROWS:
            number += 1
            sheet, filled = start(number), 1
        sheet.append([_value(sheet, v, WriteOnlyCell) for v in row])
        filled += 1


def _value(sheet: Any, value: object, make: Any) -> object:
    if isinstance(value, str):
        return _text_cell(sheet, value, make)
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, float | np.floating):
        return float(value) if np.isfinite(value) else None
    return int(value) if isinstance(value, np.integer) else value


def _text_cell(sheet: Any, text: str, make: Any) -> Any:
    """A cell of type text, whatever it begins with; control characters no workbook can hold become spaces."""
    cell = make(sheet, value=_CONTROL.sub(" ", text)[:_MOST_LETTERS])
    cell.data_type = "s"
    if text.startswith(("=", "+", "-", "@", "\t", "\r")):
        cell.quotePrefix = True
    return cell


def _without_time(content: bytes) -> bytes:
    """The same package with one fixed time on every part and in its properties."""
    stamp = f"{_EPOCH:%Y-%m-%dT%H:%M:%SZ}".encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in package.infolist():
            info = zipfile.ZipInfo(entry.filename, date_time=(2000, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            part = package.read(entry)
            if entry.filename == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
            out.writestr(info, part)
    return buffer.getvalue()
