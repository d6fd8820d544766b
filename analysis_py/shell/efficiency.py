"""The command ``efficiency``: scores, productivity indices and their bootstraps of any table."""

from __future__ import annotations

from enum import StrEnum
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


class OnOff(StrEnum):
    on = "on"
    off = "off"


class Shown(StrEnum):
    scores = "scores"
    indices = "indices"
    cumulative = "cumulative"


def _flag(choice: OnOff | None) -> bool | None:
    return None if choice is None else choice is OnOff.on


def efficiency(
    file: Annotated[Path | None, typer.Argument(help="CSV, Excel, Stata or Parquet.", show_default=False)] = None,
    panel: Annotated[str | None, typer.Option("--panel", help="Instead of a file: a mart, e.g. fct_city_year.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")] = None,
    sample: Annotated[str | None, typer.Option("--sample", help="Only rows on which this SQL condition holds.")] = None,
    unit: Annotated[str | None, typer.Option("--unit", help="Column of the units (default: a row is a unit).")] = None,
    period: Annotated[str | None, typer.Option("--period", help="Column of the periods (default: one period).")] = None,
    inputs: Annotated[list[str] | None, typer.Option("--inputs", help="Columns, separated by commas.")] = None,
    good: Annotated[list[str] | None, typer.Option("--good", help="Good outputs, separated by commas.")] = None,
    bad: Annotated[list[str] | None, typer.Option("--bad", help="Bad outputs, separated by commas.")] = None,
    model: Annotated[
        str, typer.Option("--model", help="sbm, super-sbm, ccr, bcc, additive, ddf, nddf or sbm-ddf.")
    ] = "sbm",
    returns: Annotated[
        str | None, typer.Option("--returns", help="crs (default; bcc: vrs), vrs, nirs or ndrs.")
    ] = None,
    orientation: Annotated[
        str | None, typer.Option("--orientation", help="input (ccr, bcc), output, bad or none (sbm).")
    ] = None,
    disposability: Annotated[
        str | None, typer.Option("--disposability", help="Of bads: weak (radial, ddf, nddf) or strong (sbm family).")
    ] = None,
    abatement: Annotated[
        str | None, typer.Option("--abatement", help="Weak disposability under vrs: equality, common or unit.")
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option("--reference", help="contemporaneous (default), global (gml), sequential, biennial or window:K."),
    ] = None,
    index: Annotated[str | None, typer.Option("--index", help="gml, ml, malmquist or luenberger.")] = None,
    fallback: Annotated[
        str | None,
        typer.Option("--fallback", help="For lost transitions: sequential or gml (default: the series ends)."),
    ] = None,
    scale_split: Annotated[
        bool, typer.Option("--scale-split", help="Split efficiency change into pure and scale change.")
    ] = False,
    weights: Annotated[
        str | None, typer.Option("--weights", help="halves, thirds, a name the model has, or numbers W,..")
    ] = None,
    direction: Annotated[
        str | None, typer.Option("--direction", help="own, mean, ones or a file of magnitudes.")
    ] = None,
    direction_inputs: Annotated[
        OnOff | None, typer.Option("--direction-inputs", help="Do inputs move? (ddf: off)")
    ] = None,
    direction_good: Annotated[OnOff | None, typer.Option("--direction-good", help="Do good outputs move?")] = None,
    direction_bad: Annotated[OnOff | None, typer.Option("--direction-bad", help="Do bad outputs move?")] = None,
    zero: Annotated[
        str | None, typer.Option("--zero", help="A good output of zero: refuse (default) or drop_term.")
    ] = None,
    bootstrap: Annotated[
        int | None,
        typer.Option("--bootstrap", min=20, help="Draws: of radial scores, or with an index of whole units."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the draws; it is recorded.")] = None,
    second_stage: Annotated[
        list[str] | None, typer.Option("--second-stage", help="Columns that explain radial scores (Simar-Wilson).")
    ] = None,
    algorithm: Annotated[int, typer.Option("--algorithm", min=1, max=2, help="Of the second stage: 1 or 2.")] = 1,
    smoothing: Annotated[
        str, typer.Option("--smoothing", help="Of the bootstrap of scores: mirrored, or 1998 as first printed.")
    ] = "mirrored",
    json_out: JsonOption = None,
    xlsx: Annotated[Path | None, typer.Option("--xlsx", help="Also write a workbook in the layout of MaxDEA.")] = None,
    show: Annotated[
        Shown | None, typer.Option("--show", help="Print only this table (csv and json print one: scores).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows of a table to show (0 = all).")] = 40,
    fmt: FormatOption = Format.table,
) -> None:
    """Efficiency (DEA with bad outputs) and productivity of the units of any table or mart."""
    with people_errors():
        from analysis_py.efficiency.maxdea_workbook import check_name, write_workbook
        from analysis_py.efficiency.report import (
            cumulative_table,
            headline,
            index_table,
            inference_notes,
            inference_tables,
            score_table,
            to_json,
        )
        from analysis_py.efficiency.requests import Request, check_choices, fulfil
        from analysis_py.errors import CarbonpanelError
        from analysis_py.files import refuse_same_file
        from analysis_py.progress import Progress

        if xlsx is not None:
            check_name(xlsx)
        for target in (json_out, xlsx):
            refuse_same_file(target, [file, Path(direction) if direction else None])
        if show in {Shown.indices, Shown.cumulative} and index is None:
            raise CarbonpanelError(
                "CP-OPTION", f"--show {show.value} needs an index", where="--show", remedy="add --index gml"
            )
        request = Request(
            file=file,
            panel=panel,
            sheet=sheet,
            sample=sample,
            unit=unit,
            period=period,
            inputs=tuple(inputs or ()),
            goods=tuple(good or ()),
            bads=tuple(bad or ()),
            model=model,
            returns=returns,
            orientation=orientation,
            disposability=disposability,
            abatement=abatement,
            weights=weights,
            direction=direction,
            direction_inputs=_flag(direction_inputs),
            direction_goods=_flag(direction_good),
            direction_bads=_flag(direction_bad),
            zero=zero,
            reference=reference,
            index=index,
            fallback=fallback,
            scale_split=scale_split,
            bootstrap=bootstrap,
            seed=seed,
            explanatory=tuple(second_stage or ()),
            algorithm=algorithm,
            smoothing=smoothing,
        )
        check_choices(request)
        with Progress("efficiency") as bar:
            run = fulfil(request, progress=bar)
        tables = {
            Shown.scores: score_table(run),
            Shown.indices: index_table(run),
            Shown.cumulative: cumulative_table(run),
        }
        is_text = fmt in {Format.table, Format.md}
        chosen = list(Shown) if show is None and is_text else [show or Shown.scores]
        wanted = [table for name in chosen if (table := tables[name]) is not None]
        if is_text:
            print(headline(run) if fmt is Format.table else f"```\n{headline(run)}\n```")
            wanted += inference_tables(run) if show is None else []
        for table in wanted:
            rows = table.rows[:limit] if limit and is_text else table.rows
            if is_text:
                print(f"\n{table.title}" if fmt is Format.table else f"\n**{table.title}**\n")
            print_rows(table.columns, rows, fmt)
            if len(rows) < len(table.rows):
                say(f"(first {len(rows)} of {len(table.rows)} rows; --limit 0 shows all)")
        for note in (*run.notes, *inference_notes(run)):
            say(f"note: {note}")
        write_json(json_out, to_json(run))
        if xlsx is not None:
            write_workbook(run, xlsx)
            say(f"written: {xlsx}")
        notice(run.data.is_simulated, fmt)


def register(app: typer.Typer) -> None:
    """Add the command to ``app``."""
    app.command()(efficiency)
