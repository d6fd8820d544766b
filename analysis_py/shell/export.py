"""The command ``export``: a model's script and data for Stata or R."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from analysis_py.shell.common import Format, notice, people_errors, say


class Program(StrEnum):
    do = "do"
    R = "R"


def export(
    study: Annotated[
        str,
        typer.Argument(
            help="A study, study/table or study file; or alone a model's id, or study:model.", show_default=False
        ),
    ],
    model: Annotated[
        str | None, typer.Argument(help="A model's id, e.g. T3c6 or T3c6:clustered.", show_default=False)
    ] = None,
    to: Annotated[
        Program, typer.Option("--to", case_sensitive=False, help="do: a Stata do-file; R: an R script.")
    ] = Program.do,
    data: Annotated[Path | None, typer.Option("--data", help="A file to run on instead of the warehouse.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder to write (default export/<study>_<model>).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace files of the same name.")] = False,
) -> None:
    """Write a script and the data that redo a model's numbers in Stata or R, and assert that they agree."""
    with people_errors():
        from analysis_py.errors import CarbonpanelError
        from analysis_py.export.lookup import find_row
        from analysis_py.export.writing import export_model
        from analysis_py.panels.panel import FilePanel, WarehousePanel
        from analysis_py.settings import paths

        place = paths()
        if sheet is not None and data is None:
            raise CarbonpanelError("CP-OPTION", "--sheet goes with --data", remedy="--data FILE.xlsx --sheet NAME")
        owner, row = find_row(study, model, place.studies)
        source = FilePanel(data, sheet=sheet) if data is not None else WarehousePanel(place.database)
        made, written = export_model(owner, row, source, to.value, out, force=force)
        for path in written:
            print(path)
        how = (
            f"Rscript {written[-1]}"
            if to is Program.R
            else f"in Stata: cd to {written[-1].parent}, do {written[-1].name}"
        )
        say(f"{made.run.id}: {len(made.table)} rows, {made.table.shape[1]} columns; to redo it, {how}")
        notice(made.study.is_simulated, Format.table)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(export)
