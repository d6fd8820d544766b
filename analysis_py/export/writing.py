"""Export of one model: its script and its data, as bytes and as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from analysis_py.export.data_files import csv_bytes, dta_bytes
from analysis_py.export.equation import Export
from analysis_py.export.equations import prepare
from analysis_py.export.folder import write_folder
from analysis_py.export.preparation import run_model
from analysis_py.export.r_script import write_r
from analysis_py.export.stata_script import write_do
from analysis_py.panels.panel import PanelSource
from analysis_py.study import Model, Study

#: What an export may be made for.
PROGRAMS = ("do", "R")


def prepare_export(study: Study, row: Model, source: PanelSource) -> Export:
    """Run a model and take it apart; errors as :func:`analysis_py.export.preparation.run_model`."""
    return prepare(run_model(study, row, source))


def export_files(export: Export, program: str) -> Mapping[str, bytes]:
    """Name and bytes of the data and the script: ``.dta`` and ``.do``, or ``.csv`` and ``.R``."""
    stem = export.file_stem
    if program == "do":
        data = dta_bytes(export)
        return {f"{stem}.dta": data, f"{stem}.do": write_do(export, f"{stem}.dta").encode()}
    return {f"{stem}.csv": csv_bytes(export), f"{stem}.R": write_r(export, f"{stem}.csv").encode()}


def export_model(
    study: Study, row: Model, source: PanelSource, program: str, folder: Path | None = None, *, force: bool = False
) -> tuple[Export, tuple[Path, ...]]:
    """Write a model's script and data into ``folder`` (default ``export/<study>_<model>``); the paths written.

    Raises the errors of :func:`analysis_py.export.folder.write_folder` and of :func:`prepare_export`.
    """
    export = prepare_export(study, row, source)
    place = folder if folder is not None else Path("export") / f"{_plain(row.study)}_{export.file_stem}"
    return export, write_folder(place, export_files(export, program), force=force)


def _plain(text: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else "_" for c in text)
