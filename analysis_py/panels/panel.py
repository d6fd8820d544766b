"""Where a study's panel comes from: a mart of the warehouse, or any file."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.fingerprint import hash_bytes, hash_file, seeds_hash
from analysis_py.panels.empty_columns import explain_empty
from analysis_py.settings import project_root
from analysis_py.warehouse import open_read

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class PanelData:
    """A panel as read, in the order of the source.

    ``inputs`` is demo | user | mixed | file; ``file_row`` is the number of a row in its file (header = 1), or None;
    ``formulas`` are those of the column dictionary; ``why_empty`` says of columns without a value what would bring one;
    ``odd_cells`` says, for a column of a file that is text because of a few cells, which the first of them is.
    """

    name: str
    frame: pd.DataFrame
    hash: str
    inputs: str
    is_simulated: bool
    data_file: str | None = None
    file_row: np.ndarray | None = None
    formulas: Mapping[str, str] = field(default_factory=dict)
    why_empty: Mapping[str, str] = field(default_factory=dict)
    seeds_hash: str | None = None
    odd_cells: Mapping[str, str] = field(default_factory=dict)


class PanelSource(Protocol):
    """Anything a study can run on."""

    def read(self, panel: str | None, keys: Mapping[str, str], where: str) -> PanelData:
        """The panel named by the study.

        ``keys`` are its unit and time columns with the places in the study that name them, ``where`` the place that
        names the panel; both for messages.
        """


class WarehousePanel:
    """A mart of the warehouse, given as an open connection or as the path of the database.

    A path is opened read-only for the time of reading alone, so that a long estimation keeps nobody from writing.
    """

    def __init__(self, con_or_path: duckdb.DuckDBPyConnection | Path | str, *, schema: str = "marts") -> None:
        self._place = con_or_path
        self._schema = schema

    def read(self, panel: str | None, keys: Mapping[str, str], where: str) -> PanelData:
        """Read one mart ordered by ``keys``.

        Raises ``CP-STUDY-PANEL`` (none named), ``CP-PANEL-MISSING`` (no such mart, with the nearest),
        ``CP-STUDY-COLUMN`` (a key is not a column), and the errors of :func:`analysis_py.warehouse.open_read`.
        """
        if panel is None:
            raise CarbonpanelError(
                "CP-STUDY-PANEL",
                "the study names no panel",
                where=where,
                remedy="add panel: panel_carbon_productivity, or run it on a file with --data FILE",
            )
        with self._open() as con:
            schema, _, table = panel.rpartition(".")
            schema = schema or self._schema
            known = con.execute(
                "select table_name from information_schema.tables where table_schema = ? order by table_name", [schema]
            ).fetchall()
            if (table,) not in known:
                raise CarbonpanelError(
                    "CP-PANEL-MISSING",
                    f"the warehouse has no panel '{panel}'",
                    where=where,
                    remedy=did_you_mean(table, (k[0] for k in known)) or "run 'carbonpanel refresh' first",
                )
            relation = f"{_quote(schema)}.{_quote(table)}"
            columns = [d[0] for d in con.execute(f"select * from {relation} limit 0").description]
            _require_columns(keys, columns, panel)
            order = [*keys, *(c for c in columns if c not in keys)]
            listed = ", ".join(f"{_quote(c)} nulls last" for c in order)
            frame = con.execute(f"select * from {relation} order by {listed}").df()
            inputs, simulated = _build_facts(con)
            return PanelData(
                name=table,
                frame=frame,
                hash=_mart_hash(con, schema, table) or hash_frame(frame),
                inputs=inputs,
                is_simulated=simulated,
                formulas=_formulas(con, schema, table),
                why_empty=_why_empty(con, table, [str(c) for c in frame.columns if frame[c].isna().all()]),
                seeds_hash=seeds_hash(project_root()),
            )

    def _open(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        if isinstance(self._place, str | Path):
            return open_read(Path(self._place))
        return nullcontext(self._place)


class FilePanel:
    """Any CSV, Parquet, Excel or Stata file. Its rows are numbered as a spreadsheet shows them (header = 1)."""

    def __init__(self, path: Path | str, *, sheet: str | None = None) -> None:
        self.path = Path(path)
        self.sheet = sheet

    def read(self, panel: str | None, keys: Mapping[str, str], where: str) -> PanelData:
        """Read the file; the study's ``panel`` is not used. A column ``is_simulated`` that holds true marks it so."""
        from analysis_py.ingest.readers import explain_text, read_table, row_numbers

        read = read_table(self.path, sheet=self.sheet)
        frame = read.reset_index(drop=True)
        _require_columns(keys, [str(c) for c in frame.columns], str(self.path))
        return PanelData(
            name=self.path.name,
            frame=frame,
            hash=hash_file(self.path),
            inputs="file",
            is_simulated=is_marked_simulated(frame),
            data_file=str(self.path),
            file_row=row_numbers(read),
            odd_cells={str(c): why for c in frame.columns if (why := explain_text(read, str(c)))},
        )


class FramePanel:
    """A data frame in memory, for tests and Monte Carlo trials."""

    def __init__(self, frame: pd.DataFrame, *, name: str = "frame", is_simulated: bool = False) -> None:
        self._frame = frame
        self._name = name
        self._simulated = is_simulated

    def read(self, panel: str | None, keys: Mapping[str, str], where: str) -> PanelData:
        """The frame as given; ``panel`` is not used."""
        _require_columns(keys, [str(c) for c in self._frame.columns], self._name)
        frame = self._frame.reset_index(drop=True)
        return PanelData(self._name, frame, hash_frame(frame), "file", self._simulated or is_marked_simulated(frame))


def _require_columns(keys: Mapping[str, str], columns: Sequence[str], panel: str) -> None:
    for key, place in keys.items():
        if key not in columns:
            raise CarbonpanelError(
                "CP-STUDY-COLUMN", f"{panel} has no column '{key}'", where=place, remedy=did_you_mean(key, columns)
            )


def hash_frame(frame: pd.DataFrame) -> str:
    """SHA-256 of a frame's column names and contents in their order."""
    names = "\n".join(str(c) for c in frame.columns).encode()
    return hash_bytes(names, frame.to_csv(index=False, lineterminator="\n").encode())


def is_marked_simulated(frame: pd.DataFrame) -> bool:
    """Whether a column ``is_simulated`` holds true anywhere."""
    if "is_simulated" not in frame.columns:
        return False
    marks = frame["is_simulated"].dropna().astype(str).str.lower()
    return bool(marks.isin(["true", "1", "1.0"]).any())


def _quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _has_table(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> bool:
    found = con.execute(
        "select 1 from information_schema.tables where table_schema = ? and table_name = ?", [schema, table]
    ).fetchone()
    return found is not None


def _build_facts(con: duckdb.DuckDBPyConnection) -> tuple[str, bool]:
    """(demo | user | mixed, simulated); a warehouse that does not say is taken as simulated."""
    if not _has_table(con, "meta", "build"):
        return "demo", True
    row = con.execute("select inputs, is_simulated from meta.build").fetchone()
    if row is None:
        return "demo", True
    kinds = {str(v) for v in json.loads(row[0] or "{}").values()} - {"none"}
    inputs = "mixed" if len(kinds) > 1 else (kinds.pop() if kinds else "demo")
    return inputs, row[1] is not False


def _mart_hash(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> str | None:
    if not _has_table(con, "meta", "mart_hash"):
        return None
    row = con.execute(
        "select hash from meta.mart_hash where schema_name = ? and table_name = ?", [schema, table]
    ).fetchone()
    return None if row is None else str(row[0])


def _formulas(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> dict[str, str]:
    if not _has_table(con, "meta", "column_dictionary"):
        return {}
    rows = con.execute(
        "select column_name, formula from meta.column_dictionary where schema_name = ? and model_name = ?"
        " and formula is not null order by column_name",
        [schema, table],
    ).fetchall()
    return {str(name): str(formula) for name, formula in rows}


def _why_empty(con: duckdb.DuckDBPyConnection, table: str, columns: Sequence[str]) -> dict[str, str]:
    if not columns or not _has_table(con, "meta", "column_dictionary"):
        return {}
    return explain_empty(con, table, columns)
