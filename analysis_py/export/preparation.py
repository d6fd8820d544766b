"""From a model of a study to what its scripts redo: the model is run, and its frame and numbers are taken apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import rank
from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.factors import encode
from analysis_py.estimators.sample import draw_sample, read_numbers
from analysis_py.export.equation import CONSTANT, Equation, Expected, Export
from analysis_py.export.names import Names
from analysis_py.fits.run_record import CoefficientRow, ModelRun, StudyRun
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import EstimationFrame, ModelColumns, Where, fixed_effect_columns
from analysis_py.panels.panel import PanelData, PanelSource
from analysis_py.runner import run_study
from analysis_py.specification.terms import evaluate, parse_term
from analysis_py.study import Model, Study

#: Column of a heterogeneity model's table that holds the code of the group; no user's column is called so.
GROUP = "(group)"
#: Column that says which rows entered; only where a script cannot find them itself.
ENTERED = "(entered)"


@dataclass(frozen=True)
class Setting:
    """A model that was run: its panel, its record, and where its keys stand in the study file."""

    model: Model
    panel: CalendarPanel
    run: ModelRun
    study: StudyRun
    where: Where

    @property
    def observed(self) -> bool:
        return self.model.fill == "observed"


class _Held:
    """A panel that was read already."""

    def __init__(self, data: PanelData) -> None:
        self._data = data

    def read(self, panel: str | None, keys: Mapping[str, str], where: str) -> PanelData:
        return self._data


def run_model(study: Study, row: Model, source: PanelSource) -> Setting:
    """Run one row of a study on its panel.

    Raises ``CP-EXPORT-STATUS`` with the reason where it failed or was not run, and the errors of
    :func:`analysis_py.runner.run_study`.
    """
    keys = {c: study.document.where((k,)) for k, c in (("unit", study.unit), ("time", study.time)) if c is not None}
    data = source.read(study.panel, keys, study.document.where(("panel",)))
    found = run_study(replace(study, models=(row,)), _Held(data))
    run = found.models[0]
    if run.status in ("failed", "not_run"):
        how = "failed" if run.status == "failed" else "was not run"
        raise CarbonpanelError(
            "CP-EXPORT-STATUS",
            f"the model '{run.id}' {how} and has no number to redo: {run.message}",
            where=study.where(row, "id"),
            remedy="export another model, or mend this one first",
        )

    def where(key: str, item: int | None) -> str:
        return study.where(row, key, item)

    return Setting(row, CalendarPanel(data, study.unit, study.time), run, found, where)


@dataclass(frozen=True)
class Table:
    """The exported rows. ``frame`` has the complete rows renumbered from 0, ``used`` says which enter the estimate."""

    frame: pd.DataFrame
    used: np.ndarray


def complete_rows(setting: Setting, data: EstimationFrame, frame: pd.DataFrame, regressors: Sequence[str]) -> Table:
    """The rows of the sample that are complete in every variable, before singletons go."""
    model = setting.model
    sample = draw_sample(
        frame,
        outcome=data.outcome,
        regressors=regressors,
        fixed_effects=list(model.fixed_effects),
        spec=model.covariance,
        convention=CONVENTIONS["plain"],
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    rows = sample.used_rows
    kept = frame.iloc[rows].reset_index(drop=True)
    for name in (data.outcome, *regressors):
        kept[name] = read_numbers(kept, name)
    return Table(kept, entered(setting, data.rows[rows]))


def entered(setting: Setting, rows: np.ndarray) -> np.ndarray:
    """Which of some rows of the panel entered the estimate, shape (n,)."""
    gone = {(unit, time) for unit, time, _ in setting.run.dropped}
    return np.array([setting.panel.labels(int(row)) not in gone for row in rows], dtype=bool)


def term_labels(setting: Setting, texts: Sequence[str]) -> dict[str, list[str]]:
    """The columns that each term of a study became."""
    columns = ModelColumns(setting.panel, setting.model, setting.where, observed=setting.observed)
    found = {}
    for text in texts:
        term = parse_term(text, columns.names, setting.where("id", None))
        found[text] = [label for label, _ in evaluate(term, text, columns, setting.where("id", None))]
    return found


def expected_rows(rows: Sequence[CoefficientRow], label: Callable[[CoefficientRow], str]) -> tuple[Expected, ...]:
    """Coefficients as they are checked."""
    return tuple(Expected(label(r), r.estimate, r.std_error) for r in rows)


def rows_of_group(run: ModelRun, group: str | None) -> list[CoefficientRow]:
    """The coefficients of one group (or equation) in order."""
    return [row for row in run.coefficients if row.group == group]


def ordered_effects(model: Model, convention: str) -> tuple[str, ...]:
    """The fixed effects, the unit first where the convention absorbs one of them alone."""
    effects = list(dict.fromkeys(model.fixed_effects))
    if convention in ("xtreg", "areg", "xthreg", "xtivreg2") and model.unit in effects:
        effects = [str(model.unit), *(e for e in effects if e != model.unit)]
    return tuple(effects)


def constant_is_common(frame: pd.DataFrame, effects: Sequence[str]) -> bool:
    """Whether no dummy is redundant beyond one an effect, so that every program has the same constant."""
    factors = [encode(frame, effect) for effect in effects]
    if not factors:
        return True
    return rank(factors)[0] == sum(f.levels for f in factors) - len(factors) + 1


def least_squares(
    setting: Setting,
    table: Table,
    rows: Sequence[CoefficientRow],
    *,
    outcome: str,
    small: Mapping[str, object],
    n_obs: int,
    title: str = "",
    label: Callable[[CoefficientRow], str] = lambda row: row.term,
    group: int | None = None,
    estimator: str = "ols",
    convention: str | None = None,
) -> Equation:
    """An equation of least squares or Poisson from its coefficients, as the run recorded them."""
    used = table.used if group is None else table.used & (table.frame[GROUP] == group).to_numpy()
    named = convention or str(setting.run.convention)
    effects = ordered_effects(setting.model, named)
    expected = expected_rows(rows, label)
    inside = table.frame[used]
    said = str(setting.run.message)
    return Equation(
        title=title,
        estimator=estimator,
        outcome=outcome,
        regressors=tuple(e.term for e in expected if e.term != CONSTANT),
        effects=effects,
        covariance=setting.model.covariance,
        convention=named,
        small=small,
        n_obs=n_obs,
        used=np.flatnonzero(used),
        expected=expected,
        group=group,
        is_t=all(row.statistic_kind == "t" for row in rows),
        constant_holds=constant_is_common(inside, effects) and "too many for a constant" not in said,
    )


def export_of(
    setting: Setting, frame: pd.DataFrame, identifiers: Sequence[str], equations: Sequence[Equation], **parts: object
) -> Export:
    """The record both scripts are written from; columns that are identifiers come first."""
    model = setting.model
    keys = [k for k in (model.unit, model.time) if k]
    effects = fixed_effect_columns(model.fixed_effects, list(frame.columns))
    clusters = fixed_effect_columns(model.covariance.by, list(frame.columns))
    codes = [c for c in dict.fromkeys([*keys, *effects, *clusters, *identifiers]) if c in frame.columns]
    measures = [c for c in frame.columns if c not in codes]
    # an effect may be a regressor as well (a linear trend): then it is a number
    numbers = {e.outcome for e in equations} | {t for e in equations for t in (*e.slopes, *e.instruments, *e.silent)}
    return Export(
        model=model,
        run=setting.run,
        study=setting.study,
        table=frame[[*codes, *measures]],
        names=Names([*codes, *measures]),
        identifiers=tuple(c for c in codes if c not in numbers),
        equations=tuple(equations),
        **parts,  # type: ignore[arg-type]
    )
