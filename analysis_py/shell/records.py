"""``carbonpanel records``: registry and patent text as counts by city, year and keyword."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analysis_py.shell.common import JsonOption, people_errors, say, write_json

if TYPE_CHECKING:
    from analysis_py.records.outcome import RecordsOutcome

app = typer.Typer(
    help="Turn registry and patent records into counts by city, year and keyword.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

FilesArgument = Annotated[
    list[Path], typer.Argument(help="Records: CSV (also .gz, GBK), Parquet, Excel.", metavar="FILE...")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write the counts here: .csv, .parquet or .xlsx (all tables).")
]
KeywordsOption = Annotated[
    Path | None, typer.Option("--keywords", help="Your keywords: a word a line, or a table with a column 'keyword'.")
]
MatchOption = Annotated[
    str, typer.Option("--match", help="The measure: exact, or tolerant (one character in between). Both are told.")
]
ColumnsOption = Annotated[
    str | None,
    typer.Option("--columns", help="Columns the names do not tell, e.g. name=企业名,scope=范围,region=地址,date=日期."),
]
ReviewOption = Annotated[
    int, typer.Option("--review", help="Sample this many finds a keyword for checking by hand.", show_default=False)
]
ReviewOutOption = Annotated[
    Path | None, typer.Option("--review-out", help="Where the sample goes (default: beside --out, as _review).")
]
AsInputOption = Annotated[
    bool, typer.Option("--as-input", help="Also take the counts into the raw contract, for the next refresh.")
]
DatasetOption = Annotated[
    str | None, typer.Option("--dataset", help="Name to keep them under with --as-input (default: the file's name).")
]
YearsOption = Annotated[
    str | None, typer.Option("--years", help="Years to count (default 2000-2023).", show_default=False)
]
CompleteOption = Annotated[
    str | None,
    typer.Option("--complete", help="Years for which you vouch that no record means none: zero, not missing."),
]
SnapshotOption = Annotated[
    str | None, typer.Option("--snapshot", help="Day on which the records were downloaded, e.g. 2024-06-30.")
]
SheetOption = Annotated[str | None, typer.Option("--sheet", help="Sheet of a workbook.")]
EncodingOption = Annotated[
    str | None, typer.Option("--encoding", help="Encoding of a text file where it is not found: utf-8, gb18030 ...")
]


@app.command()
def firms(
    files: FilesArgument,
    out: OutOption = None,
    keywords: KeywordsOption = None,
    match: MatchOption = "exact",
    columns: ColumnsOption = None,
    review: ReviewOption = 0,
    review_out: ReviewOutOption = None,
    as_input: AsInputOption = False,
    dataset: DatasetOption = None,
    years: YearsOption = None,
    complete: CompleteOption = None,
    snapshot: SnapshotOption = None,
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    json_out: JsonOption = None,
) -> None:
    """AI firms registered and deregistered: the 40 keywords in name and business scope."""
    with people_errors():
        from analysis_py.records.keywords import firm_keywords, read_keywords

        chosen = read_keywords(keywords) if keywords is not None else firm_keywords()
        given = {"keywords": chosen, "match": match, "review": review, "sheet": sheet, "encoding": encoding}
        texts = {"columns": columns, "years": years, "complete": complete, "snapshot": snapshot}
        _run("firms", files, given, texts, out, review_out, dataset, json_out, keywords, as_input=as_input)


@app.command()
def patents(
    files: FilesArgument,
    out: OutOption = None,
    keywords: KeywordsOption = None,
    match: MatchOption = "exact",
    columns: ColumnsOption = None,
    review: ReviewOption = 0,
    review_out: ReviewOutOption = None,
    as_input: AsInputOption = False,
    dataset: DatasetOption = None,
    years: YearsOption = None,
    complete: CompleteOption = None,
    snapshot: SnapshotOption = None,
    sheet: SheetOption = None,
    encoding: EncodingOption = None,
    single_keyword: Annotated[
        str, typer.Option("--single-keyword", help="The one keyword of the _single indicators.")
    ] = "人工智能",
    flow_priority: Annotated[
        str, typer.Option("--flow-priority", help="Flow of a green patent that is in both: end_of_pipe or upstream.")
    ] = "end_of_pipe",
    without_broad: Annotated[
        bool, typer.Option("--without-broad", help="Leave very broad green symbols (G06Q, H02J ...) out.")
    ] = False,
    json_out: JsonOption = None,
) -> None:
    """AI patents by kind (14 keywords, and one) and green patents by IPC symbol and flow."""
    with people_errors():
        from analysis_py.records.keywords import patent_keywords, read_keywords

        chosen = read_keywords(keywords) if keywords is not None else patent_keywords()
        given = {"keywords": chosen, "match": match, "review": review, "sheet": sheet, "encoding": encoding}
        given |= {"single_keyword": single_keyword, "flow_priority": flow_priority, "without_broad": without_broad}
        texts = {"columns": columns, "years": years, "complete": complete, "snapshot": snapshot}
        _run("patents", files, given, texts, out, review_out, dataset, json_out, keywords, as_input=as_input)


def _run(
    kind: str,
    files: list[Path],
    given: dict[str, Any],
    texts: dict[str, str | None],
    out: Path | None,
    review_out: Path | None,
    dataset: str | None,
    json_out: Path | None,
    keywords: Path | None,
    *,
    as_input: bool,
) -> None:
    from analysis_py.files import refuse_same_file
    from analysis_py.ingest.contract import PANEL_FIRST_YEAR, PANEL_LAST_YEAR
    from analysis_py.ingest.ingest import dataset_name
    from analysis_py.progress import Progress
    from analysis_py.records.account import render_outcome
    from analysis_py.records.columns import parse_columns
    from analysis_py.records.counting import count_records
    from analysis_py.records.options import RecordOptions, parse_day, parse_years
    from analysis_py.records.tables import check_target

    options = RecordOptions(
        **given,
        columns=parse_columns(texts["columns"], kind),
        complete=parse_years(texts["complete"], "--complete"),
        snapshot=parse_day(texts["snapshot"], "--snapshot"),
        years=parse_years(texts["years"], "--years") or (PANEL_FIRST_YEAR, PANEL_LAST_YEAR),
    )
    name = dataset_name(files[0], dataset)
    sample = review_out or (_beside(out, files[0]) if options.review else None)
    for target in (out, sample):
        if target is not None:
            check_target(target, [*files, keywords])
    refuse_same_file(json_out, [*files, keywords])
    with Progress(f"counting {kind} of {files[0].name}" + (f" and {len(files) - 1} more" if files[1:] else "")) as bar:
        outcome = count_records(kind, files, options, progress=bar)
    print(render_outcome(outcome))
    _write(outcome, out, sample, name if as_input else None, json_out)


def _write(
    outcome: RecordsOutcome, out: Path | None, sample: Path | None, dataset: str | None, json_out: Path | None
) -> None:
    from analysis_py.records.account import outcome_json
    from analysis_py.records.dataset import left_out, write_as_input
    from analysis_py.records.tables import write_counts, write_review
    from analysis_py.settings import paths

    if out is not None:
        write_counts(out, outcome)
        say(f"written: {out}")
    if sample is not None and outcome.options.review:
        write_review(sample, outcome)
        say(f"written: {sample}")
    if json_out is not None:
        write_json(json_out, outcome_json(outcome))
    if dataset is not None:
        say(f"written: {write_as_input(outcome, paths().data, dataset)}")
        if unknown := left_out(outcome):
            say(f"note: not taken, because the raw contract has no such indicator: {', '.join(unknown)}")


def _beside(out: Path | None, file: Path) -> Path:
    """``counts.xlsx`` -> ``counts_review.xlsx``; without ``--out`` in the current folder, by the file's name."""
    if out is not None:
        return out.with_name(f"{out.stem}_review{'.xlsx' if out.suffix.lower() == '.xlsx' else '.csv'}")
    return Path(f"{file.name.split('.')[0]}_review.csv")


def register(parent: typer.Typer) -> None:
    """Add the commands to ``parent`` as ``records firms`` and ``records patents``."""
    parent.add_typer(app, name="records")
