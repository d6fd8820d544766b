"""Commands on users' files: ingest, inputs, template, describe-data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analysis_py.shell.common import (
    Format,
    FormatOption,
    JsonOption,
    notice,
    people_errors,
    print_rows,
    say,
    write_json,
)


def ingest(
    files: Annotated[list[Path], typer.Argument(help="Your files: CSV, Excel, Stata or Parquet.", metavar="FILE...")],
    source: Annotated[
        str, typer.Option("--as", help="What they are: city_yearbook ...; several with commas; auto = all they hold.")
    ],
    mapping: Annotated[
        Path | None, typer.Option("--mapping", help="A YAML that says what the columns are, or a shipped one's name.")
    ] = None,
    draft: Annotated[
        Path | None, typer.Option("--draft", help="Only write the mapping that would be used to this file.")
    ] = None,
    dataset: Annotated[
        str | None, typer.Option("--dataset", help="Name to keep it under (default: the file's name).")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")] = None,
    area_scope: Annotated[
        str | None, typer.Option("--area-scope", help="whole_city (全市) or urban_districts (市辖区).")
    ] = None,
    population_basis: Annotated[
        str | None, typer.Option("--population-basis", help="registered (户籍), resident (常住) or leave (not taken).")
    ] = None,
    vintage: Annotated[
        str | None, typer.Option("--vintage", help="GDP as first published or as revised: first or revised.")
    ] = None,
    unit: Annotated[
        list[str] | None, typer.Option("--unit", help="COLUMN=UNIT of a column that does not say it (repeatable).")
    ] = None,
    inventory: Annotated[
        str | None, typer.Option("--inventory", help="Whose CO2 it is, where the file does not say: ceads or edgar.")
    ] = None,
    prefer: Annotated[
        bool, typer.Option("--prefer", help="This dataset goes first where others bring the same numbers.")
    ] = False,
    check: Annotated[bool, typer.Option("--check", help="Report only; write nothing.")] = False,
    json_out: JsonOption = None,
) -> None:
    """Take files of yours into the raw contract; nothing is repaired silently."""
    with people_errors():
        from analysis_py.ingest.answers import Given, read_unit_flags
        from analysis_py.ingest.asking import terminal_asker
        from analysis_py.ingest.bringing import render
        from analysis_py.ingest.ingest import draft_mapping
        from analysis_py.ingest.ingest_session import SUMMARY_COLUMNS, bring_files, only_file, summarise
        from analysis_py.settings import paths

        given = Given(area_scope, population_basis, vintage, inventory, read_unit_flags(unit or []))
        place = paths().data
        if draft is not None:
            one = only_file(files, "--draft")
            print(
                draft_mapping(one, source, draft, data_dir=place, mapping=mapping, sheet=sheet, answers=given), end=""
            )
            say(f"written: {draft}")
            return
        outcomes = []
        for outcome in bring_files(
            files,
            source,
            data_dir=place,
            given=given,
            ask=terminal_asker(),
            mapping=mapping,
            dataset=dataset,
            sheet=sheet,
            check=check,
            prefer=prefer,
        ):
            outcomes.append(outcome)
            if outcome.report is not None:
                print(render(outcome.report))
            else:
                say(str(outcome.error))
        if len(outcomes) > 1:
            print_rows(SUMMARY_COLUMNS, summarise(outcomes), Format.table)
        told = [outcome.to_json() for outcome in outcomes]
        if len(outcomes) > 1 or outcomes[0].report is not None:
            write_json(json_out, told if len(outcomes) > 1 else told[0])
        if any(outcome.error is not None for outcome in outcomes):
            raise typer.Exit(1)


def inputs(
    indicator: Annotated[
        str | None, typer.Argument(help="With --overlap: only this indicator, e.g. gdp.", show_default=False)
    ] = None,
    overlap: Annotated[
        bool, typer.Option("--overlap", help="Compare the numbers that several datasets bring.")
    ] = False,
    quarantine: Annotated[
        bool, typer.Option("--quarantine", help="List the cells that are not believed, and what was decided.")
    ] = False,
    corrections: Annotated[bool, typer.Option("--corrections", help="List corrections.yml.")] = False,
    answers: Annotated[bool, typer.Option("--answers", help="List the answers that are remembered.")] = False,
    remove: Annotated[
        str | None,
        typer.Option("--remove", help="Forget a dataset of yours, as SOURCE/DATASET; the file itself stays."),
    ] = None,
    forget: Annotated[
        str | None, typer.Option("--forget", help="Forget remembered answers: their id, or 'all'.")
    ] = None,
    fmt: FormatOption = Format.table,
) -> None:
    """What the next refresh will read: the demo world or your files, and what was decided about them."""
    with people_errors():
        from analysis_py.ingest.input_views import choose_views
        from analysis_py.ingest.inputs import forget_answers, remove_dataset
        from analysis_py.settings import paths

        place = paths().data
        if remove is not None:
            say(f"removed: {remove_dataset(place, remove)}")
        if forget is not None:
            for gone in forget_answers(place, forget):
                say(f"forgotten: {gone}")
        chosen = {"overlap": overlap, "quarantine": quarantine, "corrections": corrections, "answers": answers}
        wanted = [name for name, is_wanted in chosen.items() if is_wanted]
        for view in choose_views(place, wanted, indicator=indicator, is_text=fmt is Format.table):
            if view.title and fmt is Format.table:
                print(f"\n{view.title}" if view.follows else view.title)
            if view.rows or fmt is not Format.table:
                print_rows(view.columns, view.rows, fmt)


def template(
    source: Annotated[
        str, typer.Argument(help="city_yearbook, listed_firms ...; city or province: all their sources.")
    ],
    language: Annotated[str, typer.Option("--language", help="Of headers and notes: zh or en.")] = "en",
    out: Annotated[
        Path | None, typer.Option("--out", help="The workbook to write (default: SOURCE_LANGUAGE.xlsx here).")
    ] = None,
) -> None:
    """Write an empty workbook with the headers, units and notes of a source; filled in, it ingests as it is."""
    with people_errors():
        from analysis_py.ingest.template import write_template

        print(f"written: {write_template(source, language, out)}")


def describe_data(
    file: Annotated[Path, typer.Argument(help="CSV, Excel, Stata or Parquet.")],
    columns: Annotated[
        str | None, typer.Option("--columns", help="Names separated by commas; none = all numeric.")
    ] = None,
    winsor: Annotated[
        str | None, typer.Option("--winsor", help="Limits in percent, e.g. 1,99 (Stata's winsor2 rule).")
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")] = None,
    json_out: JsonOption = None,
    fmt: FormatOption = Format.table,
) -> None:
    """n, mean, sd, min, percentiles by Stata's rule and max of a file's columns."""
    with people_errors():
        from analysis_py.description import describe_file
        from analysis_py.files import refuse_same_file

        refuse_same_file(json_out, [file])
        description = describe_file(file, columns=columns, winsor=winsor, sheet=sheet)
        notice(description.is_simulated, fmt)
        print_rows(description.columns, description.rows, fmt)
        for note in description.left_out:
            say(f"left out: {note}")
        write_json(json_out, description.json())


def register(app: typer.Typer) -> None:
    """Add these commands to ``app``, in the order of the help."""
    app.command()(ingest)
    app.command()(inputs)
    app.command()(template)
    app.command("describe-data")(describe_data)
