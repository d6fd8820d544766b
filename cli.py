"""The command line: parses, calls, prints. No SQL, no numerics; heavy imports happen inside the commands."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from analysis_py import __version__
from analysis_py.errors import CarbonpanelError
from analysis_py.shell.common import (
    Format,
    FormatOption,
    JsonOption,
    TableFormat,
    notice,
    people_errors,
    print_rows,
    say,
    write_json,
)
from analysis_py.shell.efficiency import register as register_efficiency
from analysis_py.shell.export import register as register_export
from analysis_py.shell.reconcile import register as register_reconcile
from analysis_py.shell.records import register as register_records
from analysis_py.shell.users_files import register

app = typer.Typer(
    name="carbonpanel",
    help="Chinese city and province panels on artificial intelligence and low-carbon productivity: "
    "from raw files to a validated DuckDB warehouse to tables you can paste.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


class Inputs(StrEnum):
    auto = "auto"
    demo = "demo"
    user = "user"
    mixed = "mixed"


InputsOption = Annotated[
    Inputs,
    typer.Option(
        "--inputs",
        help="auto: your ingested files if any, else the demo world; mixed: the demo world for what they do not bring.",
    ),
]
Co2Option = Annotated[
    str | None,
    typer.Option("--co2-source", help="What CP divides by: ipcc2006, china_provincial_2011, ceads or edgar."),
]
ThreadsOption = Annotated[
    int, typer.Option("--threads", min=1, help="Threads of dbt and DuckDB; results do not change.")
]
ForceOption = Annotated[bool, typer.Option("--force", help="Build even when nothing has changed.")]


def _version(value: bool) -> None:
    if value:
        print(f"carbonpanel {__version__}")
        raise typer.Exit


@app.callback()
def root(
    database: Annotated[
        Path | None, typer.Option("--database", help="The DuckDB file (default warehouse/carbonpanel.duckdb).")
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data-dir", help="Folder of your ingested files (default data/).")
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if database is not None:
        os.environ["CARBONPANEL_DATABASE"] = str(database.expanduser().absolute())
    if data is not None:
        os.environ["CARBONPANEL_DATA"] = str(data.expanduser().absolute())


def _refresh(inputs: Inputs, co2_source: str | None, threads: int, force: bool, *, then_estimate: bool = False) -> None:
    from analysis_py.refresh import refresh as refresh_warehouse

    report = refresh_warehouse(inputs=inputs.value, co2_source=co2_source, threads=threads, force=force)
    for note in report.notes:
        print(f"note: {note}")
    if not report.changed:
        print("the warehouse is current: nothing has changed since it was built (--force builds it anyway)")
        notice("demo" in report.inputs.values(), Format.table)
        return
    warnings = sum(v.n_warn for v in report.validations)
    print(
        f"warehouse built and validated in {report.seconds:.0f} s: {report.nodes_built} dbt nodes, "
        f"{warnings} validation warnings (carbonpanel validate --last shows them)"
    )
    if report.stale_runs and not then_estimate:
        print(f"{report.stale_runs} earlier run(s) are stale now: run 'carbonpanel estimate'")
    notice("demo" in report.inputs.values(), Format.table)


@app.command()
def run(
    inputs: InputsOption = Inputs.auto,
    co2_source: Co2Option = None,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
) -> None:
    """Everything: refresh the warehouse, validate it, estimate every study."""
    with people_errors():
        _refresh(inputs, co2_source, threads, force, then_estimate=True)
        _estimate([], None, None, None, None, TableFormat.text, tables=False)


@app.command()
def refresh(
    inputs: InputsOption = Inputs.auto,
    co2_source: Co2Option = None,
    threads: ThreadsOption = 2,
    force: ForceOption = False,
) -> None:
    """Build and validate a new database and only then put it in the old one's place."""
    with people_errors():
        _refresh(inputs, co2_source, threads, force)


@app.command()
def validate(
    last: Annotated[bool, typer.Option("--last", help="Show the stored results instead of checking again.")] = False,
    every: Annotated[bool, typer.Option("--all", help="List the passed expectations too.")] = False,
    fmt: FormatOption = Format.table,
) -> None:
    """Check the raw inputs and the marts against the expectations, and show what failed."""
    with people_errors():
        from analysis_py.quality import check_now, last_results, summarise

        outcome = last_results() if last else check_now()
        if fmt is Format.table and not every:
            print(outcome.text())
        else:
            print_rows(*outcome.rows(failed_only=not every), fmt)
        say(summarise(outcome))
        notice(outcome.simulated, fmt)
        if not outcome.success:
            raise typer.Exit(1)


def _estimate(
    studies: list[str],
    data: Path | None,
    sheet: str | None,
    models: list[str] | None,
    json_out: Path | None,
    fmt: TableFormat,
    *,
    tables: bool = True,
    write: bool = True,
) -> None:
    from analysis_py.estimate import estimate_studies, summary_line
    from analysis_py.files import refuse_same_file

    refuse_same_file(json_out, [data, *(Path(name) for name in studies)])

    def show(run: Any) -> None:
        if tables:
            from analysis_py.report.tables import render

            print(render(run, format=fmt.value))
            print()
        else:
            print(summary_line(run))

    outcome = estimate_studies(studies, data=data, sheet=sheet, models=models or None, write=write, on_run=show)
    write_json(json_out, outcome.json())
    for message in outcome.messages:
        say(message)
    if outcome.all_failed:
        raise typer.Exit(1)


@app.command()
def estimate(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            help="Study ids (carbon_productivity), tables (carbon_productivity/3) or YAML files; none = all."
        ),
    ] = None,
    data: Annotated[Path | None, typer.Option("--data", help="Run on this CSV, Excel, Stata or Parquet file.")] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Sheet of the workbook given with --data.")] = None,
    model: Annotated[list[str] | None, typer.Option("--model", help="Only these model ids (repeatable).")] = None,
    json_out: JsonOption = None,
    fmt: Annotated[TableFormat, typer.Option("--format", "-f", help="Form of the printed tables.")] = TableFormat.text,
    no_write: Annotated[bool, typer.Option("--no-write", help="Print only; leave the results tables alone.")] = False,
) -> None:
    """Estimate studies on the warehouse, or one study on any file, and print tables to paste."""
    with people_errors():
        _estimate(studies or [], data, sheet, model, json_out, fmt, write=not no_write)


@app.command()
def compare(
    study: Annotated[str, typer.Argument(help="Study id, e.g. carbon_productivity.")],
    table: Annotated[str | None, typer.Option("--table", help="Only this published table, e.g. 3.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Every field; csv and json always have every field.")] = False,
    fmt: FormatOption = Format.table,
) -> None:
    """Set our columns beside the published ones: design only on the demo world, numbers on your own files."""
    with people_errors():
        from analysis_py.report.comparison import compare_published

        comparison = compare_published(study, table)
        shown = comparison if full or fmt in {Format.csv, Format.json} else comparison.brief()
        print_rows(shown.columns, shown.rows, fmt)
        notice(comparison.simulated, fmt)
        for note in comparison.notes:
            say(f"note: {note}")


@app.command()
def sql(
    query: Annotated[
        str | None, typer.Argument(help="SQL; schemas marts, results, reference ... need no prefix.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Read the SQL from this file ('-' = standard input).")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=0, help="Rows to show as a table (0 = all).")] = 200,
    fmt: FormatOption = Format.table,
) -> None:
    """Query the warehouse, read-only."""
    with people_errors():
        from analysis_py.files import read_text
        from analysis_py.query import run_query

        if (query is None) == (file is None):
            raise CarbonpanelError(
                "CP-OPTION", "give either a query or --file", remedy="carbonpanel sql 'show all tables'"
            )
        text = query if query is not None else read_text(file)
        result = run_query(text, limit=limit if fmt in {Format.table, Format.md} else 0)
        print_rows(result.columns, result.rows, fmt)
        if fmt is Format.table:
            types = ", ".join(f"{c} {t}" for c, t in zip(result.columns, result.types, strict=True))
            shown = (
                f"first {len(result.rows)} rows; --limit 0 shows all"
                if result.truncated
                else f"{len(result.rows)} row{'s' if len(result.rows) != 1 else ''}"
            )
            say(f"({shown}) {types}")
        notice(result.simulated, fmt)


@app.command()
def describe(
    name: Annotated[
        str | None, typer.Argument(help="A table, a column or TABLE.COLUMN; none lists the tables.")
    ] = None,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Share of units with a value, by year, instead of the meaning.")
    ] = False,
    fmt: FormatOption = Format.table,
) -> None:
    """The codebook: tables with row counts; a table's columns with type, unit, meaning, fill rule and share filled."""
    with people_errors():
        from analysis_py.lineage.codebook import describe_coverage
        from analysis_py.provenance import describe as describe_name
        from analysis_py.warehouse import open_read, simulated

        with open_read() as con:
            description = describe_coverage(con, name) if coverage else describe_name(con, name)
            is_simulated = simulated(con)
        if fmt is Format.table and description.title:
            print(description.title)
        print_rows(description.columns, description.rows, fmt)
        notice(is_simulated, fmt)


@app.command()
def trace(
    place: Annotated[str, typer.Argument(help="City or province, code or name: 440300, 深圳, Guangdong.")],
    year: Annotated[int, typer.Argument(help="Year, e.g. 2019.")],
    variable: Annotated[str, typer.Argument(help="A panel symbol (CP) or a column of a mart.")],
    panel: Annotated[str | None, typer.Option("--panel", help="The mart to start from.")] = None,
) -> None:
    """Follow one cell of a panel back to the raw cells it was made from."""
    with people_errors():
        from analysis_py.provenance import render_trace
        from analysis_py.provenance import trace as trace_cell
        from analysis_py.warehouse import open_read, simulated

        with open_read() as con:
            print(render_trace(trace_cell(con, place, year, variable, panel=panel)))
            notice(simulated(con), Format.table)


@app.command()
def recover(
    coverage: Annotated[
        bool, typer.Option("--coverage/--no-coverage", help="The Monte Carlo study of confidence intervals too.")
    ] = True,
    draws: Annotated[int, typer.Option("--draws", min=20, help="Draws of the coverage study.")] = 400,
    seed: Annotated[int | None, typer.Option("--seed", help="Seed of the coverage study.")] = None,
) -> None:
    """Score the estimators: the demo world's truths beside what the estimates found."""
    with people_errors():
        from analysis_py.progress import Progress
        from analysis_py.settings import DEFAULT_SEED
        from analysis_py.simulate.recover import recover as recover_truths
        from analysis_py.simulate.recover import render_recovery
        from analysis_py.warehouse import open_read

        with open_read() as con:
            print(render_recovery(recover_truths(con)))
        if coverage:
            from analysis_py.simulate.coverage import coverage as run_coverage
            from analysis_py.simulate.coverage import render_coverage

            with Progress("coverage study") as bar:
                report = run_coverage(draws=draws, seed=seed if seed is not None else DEFAULT_SEED, progress=bar)
            print(render_coverage(report))
            if not report.within_band:
                raise typer.Exit(1)


@app.command()
def doctor() -> None:
    """Name what is missing or out of order, and the remedy."""
    with people_errors():
        from analysis_py.doctor import FAIL, examine

        findings = examine()
        for finding in findings:
            print(f"{finding.status:<5} {finding.name}: {finding.seen}")
            if finding.remedy:
                print(f"      -> {finding.remedy}")
        if any(f.status == FAIL for f in findings):
            raise typer.Exit(1)


register(app)
register_records(app)
register_efficiency(app)
register_reconcile(app)
register_export(app)


def main(argv: list[str] | None = None) -> None:
    """Entry point of the ``carbonpanel`` command."""
    runner: Callable[..., Any] = app
    runner(args=argv, prog_name="carbonpanel")


if __name__ == "__main__":
    main()
