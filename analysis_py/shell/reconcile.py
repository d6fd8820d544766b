"""The command ``reconcile``: which conventions come nearest to a printed column."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analysis_py.shell.common import Format, FormatOption, JsonOption, people_errors, print_rows, say, write_json


def reconcile(
    study: Annotated[str, typer.Argument(help="A study, study/table, or a study file.", show_default=False)],
    model: Annotated[str, typer.Argument(help="A model's id, e.g. T3c6.", show_default=False)],
    data: Annotated[Path | None, typer.Option("--data", help="A file to run on instead of the warehouse.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")] = None,
    sample: Annotated[
        list[str] | None, typer.Option("--sample", help="A further SQL condition to try (repeatable).")
    ] = None,
    estimate: Annotated[
        list[str] | None, typer.Option("--estimate", help="A printed coefficient, TERM=NUMBER, instead of a paper's.")
    ] = None,
    statistic: Annotated[list[str] | None, typer.Option("--statistic", help="Its t, TERM=NUMBER.")] = None,
    error: Annotated[list[str] | None, typer.Option("--error", help="Its standard error, TERM=NUMBER.")] = None,
    n: Annotated[int | None, typer.Option("--n", help="Printed observations.")] = None,
    r2: Annotated[str | None, typer.Option("--r2", help="Printed R2.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Combinations to show (0 = all).")] = 10,
    json_out: JsonOption = None,
    fmt: FormatOption = Format.table,
) -> None:
    """Search conventions (errors, df, singletons, logs, winsorising, sample) for those nearest to a printed column."""
    with people_errors():
        from analysis_py.errors import CarbonpanelError
        from analysis_py.estimate import find_studies
        from analysis_py.files import refuse_same_file
        from analysis_py.fits.printed_columns import read_given, read_published
        from analysis_py.fits.reconciliation import find_in_studies
        from analysis_py.fits.reconciliation import reconcile as search
        from analysis_py.panels.panel import FilePanel, WarehousePanel
        from analysis_py.progress import Progress
        from analysis_py.report.reconcile import columns, headline, rows, to_json
        from analysis_py.settings import paths, project_root

        refuse_same_file(json_out, [data])
        place = paths()
        studies = find_studies([study], place.studies)
        chosen, own = find_in_studies(studies, model)
        if estimate:
            printed = read_given(estimate, statistic or [], error or [], n, r2)
        elif statistic or error or n is not None or r2 is not None:
            raise CarbonpanelError(
                "CP-OPTION", "a printed column needs its coefficients", remedy="add --estimate TERM=NUMBER"
            )
        else:
            printed = read_published(project_root() / "seeds" / "published", own.study, own.analysis_id)
        source = FilePanel(data, sheet=sheet) if data is not None else WarehousePanel(place.database)
        with Progress("reconciling") as bar:
            found = search(chosen, model, source, printed, samples=sample or (), progress=bar)
        text = headline(found)
        if fmt is Format.table:
            print(text + "\n")
        else:
            say(text)
        print_rows(columns(found), rows(found, limit), fmt)
        for note in found.notes:
            say(f"note: {note}")
        write_json(json_out, to_json(found))


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(reconcile)
