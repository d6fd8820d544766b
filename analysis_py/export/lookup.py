"""Which model is meant: by study and id, by a study and id in one, or by an id that only one study has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimate import find_studies
from analysis_py.study import Model, Study, expand_conventions, load_studies


def rows_of(model: Model) -> tuple[Model, ...]:
    """Every row a model gives: itself, its other conventions, its twin on observed (or filled) cells."""
    rows = expand_conventions(model)
    other = "observed" if model.fill == "filled" else "filled"
    twin = replace(rows[0], id=f"{model.id}:{other}", fill=other, variant=other, variant_of=model.id)
    return tuple(replace(row, conventions=()) for row in (*rows, twin))


def find_row(first: str, second: str | None, folder: Path) -> tuple[Study, Model]:
    """The study and the row of a model.

    Parameters
    ----------
    first : a study (with ``second``), or alone a model's id, or ``study:model``.
    second : a model's id, with its variant where wanted (``T3c6:clustered``).
    folder : the shipped studies.

    Raises
    ------
    CarbonpanelError
        ``CP-STUDY-UNKNOWN``, ``CP-MODEL-UNKNOWN`` with the nearest name, ``CP-MODEL-AMBIGUOUS`` where several studies
        have a model of that id.
    """
    if second is not None:
        return _in_studies(find_studies([first], folder), second, f"study '{first}'")
    if Path(first).suffix in {".yml", ".yaml"}:
        raise CarbonpanelError(
            "CP-MODEL-UNKNOWN", f"no model of {first} is named", remedy=f"carbonpanel export {first} MODEL --to do"
        )
    studies = load_studies(folder)
    owners = [(study, row) for study, row in _rows(studies) if row.id == first]
    names = sorted({study.study for study, _ in owners})
    if len(names) > 1:
        raise CarbonpanelError(
            "CP-MODEL-AMBIGUOUS",
            f"the studies {', '.join(names)} each have a model '{first}'",
            remedy=f"name the study: carbonpanel export {names[0]} {first}",
        )
    if owners:
        return owners[0]
    study, _, model = first.partition(":")
    known = {s.study for s in studies} | {s.name for s in studies} | {f"{s.study}/{s.table}" for s in studies}
    if study in known and model:
        return _in_studies(find_studies([study], folder), model, f"study '{study}'")
    if study in known:
        raise CarbonpanelError(
            "CP-MODEL-UNKNOWN", f"'{first}' is a study: no model is named", remedy=f"carbonpanel export {first} MODEL"
        )
    return _in_studies(studies, first, "the shipped studies")


def _rows(studies: Sequence[Study]) -> list[tuple[Study, Model]]:
    return [(study, row) for study in studies for model in study.models for row in rows_of(model)]


def _in_studies(studies: Sequence[Study], wanted: str, where: str) -> tuple[Study, Model]:
    rows = _rows(studies)
    for study, row in rows:
        if row.id == wanted:
            return study, row
    raise CarbonpanelError(
        "CP-MODEL-UNKNOWN",
        f"{where} has no model '{wanted}'"
        if where.startswith("study")
        else f"no model of {where} is called '{wanted}'",
        remedy=did_you_mean(wanted, (row.id for _, row in rows)),
    )
