"""A file into the raw contract as one source, as several, or as all that it holds.

A file that is brought as several sources is read and judged for each of them before a byte is written: one refusal
refuses it all. What has to be asked is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.answer_store import AnswerStore
from analysis_py.ingest.answers import Asker, Given, Question
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.files import find_file
from analysis_py.ingest.flat_contract import flat_sources
from analysis_py.ingest.flat_ingest import FlatReport, PreparedFlat, prepare_flat
from analysis_py.ingest.flat_report import render_flat
from analysis_py.ingest.ingest import Prepared, dataset_name, no_mapping, prepare_file
from analysis_py.ingest.report import IngestReport, render_report
from analysis_py.ingest.sheets import open_cells
from analysis_py.ingest.survey import Part, survey_file
from analysis_py.ingest.units import load_dictionary
from analysis_py.progress import ProgressCallback

#: Said instead of a source: whatever the file holds.
AUTO = "auto"
#: The account of a file of any source.
Report = IngestReport | FlatReport

#: Refusals that a wrong source may be the reason of.
_MAYBE_ANOTHER = frozenset(
    {
        *("CP-INDICATOR-NONE", "CP-PLACE-NONE", "CP-PLACE-MISSING", "CP-YEAR-MISSING"),
        *("CP-COLUMN-MISSING", "CP-KEY-DUPLICATED"),
    }
)


def read_sources(text: str) -> tuple[str, ...]:
    """The sources of ``--as``: one, several separated by commas, or ``(AUTO,)``.

    Raises ``CP-SOURCE-UNKNOWN``, or ``CP-OPTION`` where ``auto`` stands beside others or one stands twice.
    """
    contract = load_contract()
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if AUTO in names and len(names) > 1:
        raise CarbonpanelError("CP-OPTION", "'auto' stands for all sources", remedy="leave the others out")
    if len(set(names)) != len(names) or not names:
        raise CarbonpanelError("CP-OPTION", f"'{text}' names no source, or one twice", remedy="name each source once")
    for name in names:
        if name != AUTO:
            try:
                contract.check_source(name)
            except CarbonpanelError as error:
                remedy = did_you_mean(name, (*contract.all_sources, AUTO))
                raise CarbonpanelError(error.code, error.what, remedy=remedy) from None
    return names


def bring_file(
    path: str | Path,
    source: str,
    *,
    data_dir: str | Path,
    mapping: str | Path | None = None,
    dataset: str | None = None,
    sheet: str | None = None,
    check: bool = False,
    answers: Given | None = None,
    ask: Asker | None = None,
    store: AnswerStore | None = None,
    prefer: bool = False,
    progress: ProgressCallback | None = None,
) -> Report:
    """Take one file as one source; arguments as of :func:`analysis_py.ingest.ingest.ingest_file`.

    Raises ``CP-OPTION`` for a mapping or preference of a flat source, and what the two kinds of ingest raise; where the
    file looks like another source, the remedy says which and with which command.
    """
    path = Path(path).expanduser()
    store = store or AnswerStore(data_dir)
    load_contract().check_source(source)
    try:
        prepared = _prepare(
            path, Part(source, ()), dataset, data_dir=data_dir, mapping=mapping, sheet=sheet, answers=answers, ask=ask,
            store=store, prefer=prefer, progress=progress,
        )  # fmt: skip
    except CarbonpanelError as error:
        if error.code not in _MAYBE_ANOTHER or mapping is not None:
            raise
        raise _advise(error, path, source, sheet) from None
    return prepared.report if check else prepared.write()


def bring_parts(
    path: str | Path,
    sources: Sequence[str],
    *,
    data_dir: str | Path,
    dataset: str | None = None,
    sheet: str | None = None,
    check: bool = False,
    answers: Given | None = None,
    ask: Asker | None = None,
    store: AnswerStore | None = None,
    prefer: bool = False,
    progress: ProgressCallback | None = None,
) -> list[Report]:
    """Take one file as several sources (or ``(AUTO,)``, all it holds), all of them or none; an account for each.

    Every source keeps its dataset under the same name. Raises ``CP-INDICATOR-NONE`` where nothing is recognised,
    ``CP-ANSWER-UNUSED`` for a unit of no column that is taken, and what bringing each source alone raises.
    """
    path = Path(path).expanduser()
    store = store or AnswerStore(data_dir)
    given = answers or Given()
    wanted = () if tuple(sources) == (AUTO,) else tuple(sources)
    find_file(path)
    with open_cells(path) as book:
        parts = survey_file(book, sheet=sheet, wanted=wanted)
    found = {part.source for part in parts}
    parts += [Part(name, ()) for name in wanted if name not in found]
    if not parts:
        raise _nothing(path, sheet)
    units = _share_units(given, parts, path)
    asker = _ask_once(ask) if ask is not None else None
    taken: dict[str, int] = {}
    prepared: list[Prepared | PreparedFlat] = []
    for part in parts:
        taken[part.source] = taken.get(part.source, 0) + 1
        name = dataset_name(path, dataset)
        if taken[part.source] > 1:
            name = dataset_name(Path(f"{name}_{part.sheets[0]}"), None)
        own = replace(given, units=units[part.source])
        try:
            one = _prepare(
                path, part, name, data_dir=data_dir, sheet=sheet, answers=own, ask=asker, store=store,
                prefer=prefer and part.source not in load_contract().flat, progress=progress,
                brought=tuple(other.source for other in parts),
            )  # fmt: skip
        except CarbonpanelError as error:
            others = ",".join(dict.fromkeys(other.source for other in parts if other.source != part.source))
            without = f"; or bring it without {part.source}: --as {others}" if others else ""
            raise CarbonpanelError(
                error.code, f"{part.source}: {error.what}", where=error.where, remedy=f"{error.remedy}{without}"
            ) from None
        prepared.append(one)
    return [one.report if check else one.write() for one in prepared]


def _prepare(
    path: Path,
    part: Part,
    dataset: str | None,
    *,
    data_dir: str | Path,
    store: AnswerStore,
    mapping: str | Path | None = None,
    sheet: str | None = None,
    answers: Given | None = None,
    ask: Asker | None = None,
    prefer: bool = False,
    progress: ProgressCallback | None = None,
    brought: Sequence[str] = (),
) -> Prepared | PreparedFlat:
    source = part.source
    among = frozenset(part.sheets) or None
    if source not in load_contract().flat:
        return prepare_file(
            path, source, data_dir=data_dir, mapping=mapping, dataset=dataset, sheet=sheet, answers=answers, ask=ask,
            store=store, prefer=prefer, progress=progress, among=among, brought=brought,
        )  # fmt: skip
    if mapping is not None:
        raise no_mapping(source)
    if prefer:
        raise CarbonpanelError(
            "CP-OPTION",
            f"--prefer goes with sources of places and years, not with {source}",
            remedy="leave it out; bring one dataset of each table",
        )
    find_file(path)
    return prepare_flat(
        path, source, dataset_name(path, dataset), data_dir=Path(data_dir), sheet=sheet, answers=answers, ask=ask,
        store=store, progress=progress, among=among,
    )  # fmt: skip


def _share_units(given: Given, parts: Sequence[Part], path: Path) -> dict[str, dict[str, str]]:
    """Which ``--unit`` goes to which source: those that know the column by its name."""
    flat = flat_sources()
    shared: dict[str, dict[str, str]] = {part.source: {} for part in parts}
    for column, unit in given.units.items():
        owners = []
        for source in shared:
            dictionary = flat[source].dictionary if source in flat else load_dictionary()
            if dictionary.read_header(column, source) is not None:
                owners.append(source)
                shared[source][column] = unit
        if not owners:
            raise CarbonpanelError(
                "CP-ANSWER-UNUSED",
                f"--unit names '{column}', which is no column of {', '.join(shared)}",
                where=Place(file=path),
                remedy="leave it out, or write the name as the file has it",
            )
    return shared


def _ask_once(ask: Asker) -> Asker:
    """An asker that remembers: the same question for another source of the file is not put again."""
    known: dict[tuple[str, str], str | None] = {}

    def once(question: Question) -> str | None:
        key = (question.kind, question.subject)
        if key not in known:
            known[key] = ask(question)
        return known[key]

    return once


def _advise(error: CarbonpanelError, path: Path, source: str, sheet: str | None) -> CarbonpanelError:
    """The refusal with the command that would bring the file, where it looks like other sources."""
    with open_cells(path) as book:
        parts = survey_file(book, sheet=sheet)
    found = list(dict.fromkeys(part.source for part in parts))
    if not found or source in found:
        return error
    what = (
        f"it looks like {', '.join(found)}: carbonpanel ingest {path.name} --as {found[0] if len(found) == 1 else AUTO}"
    )
    return CarbonpanelError(error.code, error.what, where=error.where, remedy=what)


def _nothing(path: Path, sheet: str | None) -> CarbonpanelError:
    with open_cells(path) as book:
        one = book.sheet(sheet) if sheet is not None else book.visible()[0]
        names = [cell for _, cells in one.head(1) for cell in cells if cell.strip()]
        where = one.place()
    return CarbonpanelError(
        "CP-INDICATOR-NONE",
        f"nothing of any source is recognised (the first row holds: {', '.join(names[:8])})",
        where=where,
        remedy="'carbonpanel template SOURCE' writes the columns of a source; or say in a mapping what the columns are",
    )


def render(report: Report) -> str:
    """The account in plain text for a terminal."""
    return render_flat(report) if isinstance(report, FlatReport) else render_report(report)
