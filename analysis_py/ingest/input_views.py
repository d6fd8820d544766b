"""What ``carbonpanel inputs`` shows: tables with a title each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest import inputs, overlap


@dataclass(frozen=True)
class View:
    """One table; ``follows`` when another stands above it."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    follows: bool = False


def choose_views(
    data_dir: str | Path, wanted: Sequence[str], *, indicator: str | None = None, is_text: bool = True
) -> Iterator[View]:
    """The tables asked for by name (overlap, quarantine, corrections, answers); none = the datasets.

    As text the datasets are followed by what was decided about them; for machines a command gives one table, so that
    ``wanted`` then names at most one (``CP-OPTION``).
    """
    if indicator is not None and "overlap" not in wanted:
        raise CarbonpanelError(
            "CP-OPTION", f"'{indicator}' goes with --overlap", remedy=f"carbonpanel inputs --overlap {indicator}"
        )
    if len(wanted) > 1 and not is_text:
        raise CarbonpanelError("CP-OPTION", "one table at a time in this format", remedy="give one of the options")
    views = list(_views(data_dir, wanted, indicator, is_text))
    for position, view in enumerate(views):
        yield View(view.title, view.columns, view.rows, follows=position > 0)


def _views(data_dir: str | Path, wanted: Sequence[str], indicator: str | None, is_text: bool) -> Iterator[View]:
    if not wanted:
        columns, rows = inputs.describe_inputs(data_dir)
        yield View("", columns, rows)
        if is_text:
            for name in ("precedence", "corrections", "answers"):
                view = _view(data_dir, name)
                if view.rows:
                    yield view
        return
    for name in wanted:
        if name == "overlap":
            found = overlap.compare_datasets(data_dir, indicator)
            if not found.summary:
                of = f" of {indicator}" if indicator else ""
                yield View(f"no number{of} comes from two datasets", overlap.SUMMARY_COLUMNS, [])
                continue
            yield View("ratio of the first dataset to the second", overlap.SUMMARY_COLUMNS, found.summary)
            if is_text:
                title = (
                    "the cells furthest apart, ten per indicator and pair" if found.worst else "all of them are equal"
                )
                yield View(title, overlap.WORST_COLUMNS, found.worst)
        else:
            view = _view(data_dir, name)
            yield view if view.rows else View(f"{view.title}: none", view.columns, [])


def _view(data_dir: str | Path, name: str) -> View:
    if name == "quarantine":
        rows = inputs.describe_quarantine(data_dir)
        return View("cells that are not believed, or were decided by hand", inputs.QUARANTINE_COLUMNS, rows)
    if name == "corrections":
        rows = inputs.describe_corrections(data_dir)
        return View("corrections.yml", inputs.CORRECTION_COLUMNS, rows)
    if name == "precedence":
        return View("precedence.yml", inputs.PRECEDENCE_COLUMNS, inputs.describe_precedence(data_dir))
    rows = inputs.describe_answers(data_dir)
    return View("answers remembered (answers.yml; --forget ID)", inputs.ANSWER_COLUMNS, rows)
