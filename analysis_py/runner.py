"""Runs a study on a panel: each model and its variants, one after the other, into one frozen record.

A model that cannot be estimated is a record with its reason, never a missing one: ``failed`` where estimation was
tried, ``not_run`` where the data or the estimator is not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.fingerprint import lock_hash
from analysis_py.fits.heterogeneity import NUMERICAL
from analysis_py.fits.heterogeneity_fits import fit_heterogeneity
from analysis_py.fits.iv_fits import fit_instrumented
from analysis_py.fits.mechanism_fits import fit_mechanism
from analysis_py.fits.model_checks import absent_columns, check_study
from analysis_py.fits.model_fits import OUTSIDE_SAMPLE, describe_model, fit_counts, fit_regression
from analysis_py.fits.moderation_fits import fit_moderation
from analysis_py.fits.run_record import ModelRun, StudyRun
from analysis_py.fits.run_stamp import git_commit, new_run_id, utc_now, versions
from analysis_py.fits.split_family import correct_splits
from analysis_py.fits.threshold_fits import fit_thresholds
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.panel import FilePanel, FramePanel, PanelSource, WarehousePanel
from analysis_py.progress import watch_steps
from analysis_py.settings import DEFAULT_SEED, project_root
from analysis_py.study import Model, Study, expand_conventions

__all__ = ["FilePanel", "FramePanel", "PanelSource", "StudyRun", "WarehousePanel", "run_study"]

#: Estimators a study may name that this version does not have.
UNAVAILABLE = ("spatial", "did")

#: Share of a sample's rows above which rows lost to missing values are told, and how many reasons.
_MANY_LOST, _REASONS_SHOWN = 0.1, 3

Progress = Callable[[int, int, str], None]


def run_study(study: Study, source: PanelSource, *, progress: Progress | None = None) -> StudyRun:
    """Estimate every model of a study.

    Parameters
    ----------
    study : as loaded.
    source : where its panel comes from; read once.
    progress : called as (done, total, model id) before each model and once at the end.

    Returns
    -------
    The run; models in the order of the file, each followed by its variants (other conventions, then the twin with
    observed or filled cells where any cell was filled).

    Raises
    ------
    CarbonpanelError
        Before anything is estimated: an unreadable panel, repeated unit-times (``CP-PANEL-DUPLICATE``), a name that is
        no column (``CP-STUDY-COLUMN``, with line and nearest), text where numbers are needed (``CP-STUDY-TEXT``), lags
        without a countable time (``CP-PANEL-TIME``), a bad SQL condition (``CP-STUDY-SQL``).
    """
    started = utc_now()
    keys = {
        column: study.document.where((key,))
        for key, column in (("unit", study.unit), ("time", study.time))
        if column is not None
    }
    data = source.read(study.panel, keys, study.document.where(("panel",)))
    panel = CalendarPanel(data, study.unit, study.time)
    check_study(study, panel)
    runs: list[ModelRun] = []
    for done, model in enumerate(study.models):
        if progress is not None:
            progress(done, len(study.models), model.id)
        with watch_steps(_inside(progress, done, len(study.models), model.id)):
            runs += _run_with_variants(study, model, panel)
    if progress is not None:
        progress(len(study.models), len(study.models), "")
    runs = correct_splits(study, runs, panel)
    status, message = _summarise(runs)
    return StudyRun(
        run_id=new_run_id(started),
        study=study.study,
        study_file=study.path.name,
        table_no=study.table,
        title=study.title,
        note=study.note,
        started_at=started,
        finished_at=utc_now(),
        status=status,
        message=message,
        inputs=data.inputs,
        is_simulated=data.is_simulated,
        panel=data.name,
        panel_hash=data.hash,
        data_file=data.data_file,
        versions=versions(),
        git_commit=git_commit(project_root()),
        lock_hash=lock_hash(project_root()),
        seeds_hash=data.seeds_hash,
        study_hash=study.file_hash,
        seed=DEFAULT_SEED,
        models=tuple(runs),
    )


def _inside(progress: Progress | None, done: int, total: int, name: str) -> Progress:
    """Steps of one model, told behind its name."""

    def tell(step: int, steps: int, what: str) -> None:
        if progress is not None:
            progress(done, total, f"{name}: {step:,} of {steps:,} {what}")

    return tell


def _run_with_variants(study: Study, model: Model, panel: CalendarPanel) -> list[ModelRun]:
    rows = [_run_model(study, row, panel) for row in expand_conventions(model)]
    if rows[0].n_filled_cells or (model.fill == "observed" and _could_be_filled(rows[0], model, panel)):
        other = "observed" if model.fill == "filled" else "filled"
        first = expand_conventions(model)[0]
        twin = replace(first, id=f"{model.id}:{other}", fill=other, variant=other, variant_of=model.id)
        rows.append(_run_model(study, twin, panel))
    return rows


def _could_be_filled(run: ModelRun, model: Model, panel: CalendarPanel) -> bool:
    """Whether a model on observed cells lost any that the filled panel has."""
    if run.status == "not_run":
        return False
    mediators = (model.options.get("mechanism") or {}).get("mediators", ())
    used = {model.outcome, *model.treatment, *mediators, *model.controls, *model.moderator, *model.columns}
    used |= {*model.options.get("endogenous", ()), *model.options.get("instruments", ())}
    threshold = model.options.get("threshold") or {}
    used |= {threshold.get("variable"), *threshold.get("regime_terms", ())}
    for name in sorted(panel.filled_columns):
        if any(text and name in text for text in used):
            codes = panel.frame[f"{name}_fill"]
            if (codes.notna() & ~codes.isin(["observed", "missing"])).any():
                return True
    return False


def _run_model(study: Study, model: Model, panel: CalendarPanel) -> ModelRun:
    blank = ModelRun(
        id=model.id,
        analysis_id=model.analysis_id,
        variant=model.variant,
        variant_of=model.variant_of,
        estimator=model.estimator,
        status="not_run",
        message=None,
        notes=_standing_notes(model),
        spec=model.spec(),
        spec_hash=model.spec_hash(),
        outcome=model.outcome,
        treatment=model.treatment,
        sample=model.sample,
        fill=model.fill,
        convention=model.convention if model.is_regression else None,
        covariance=model.covariance.label if model.is_regression else None,
        fixed_effects=model.fixed_effects if model.is_regression else (),
        title=model.title,
    )
    if model.estimator in UNAVAILABLE:
        return replace(blank, message=f"the estimator '{model.estimator}' is not available in this version")
    missing = absent_columns(model, panel)
    if missing:
        return replace(blank, message=missing)
    fits = {
        "descriptive": describe_model,
        "poisson": fit_counts,
        "heterogeneity": fit_heterogeneity,
        "iv": fit_instrumented,
        "threshold": fit_thresholds,
        "mechanism": fit_mechanism,
        "moderation": fit_moderation,
    }
    fit = fits.get(model.estimator, fit_regression)

    def where(key: str, item: int | None) -> str:
        return study.where(model, key, item)

    try:
        # a warning of numpy about a bad operation is a reason, not noise on the screen
        with np.errstate(all="ignore"):
            return _tell_lost_rows(fit(blank, model, panel, where), len(panel))
    except CarbonpanelError as error:
        return replace(blank, status="failed", message=_one_line(error))
    except NUMERICAL as error:
        return replace(blank, status="failed", message=f"numerical trouble: {error}")


def _tell_lost_rows(run: ModelRun, panel_rows: int) -> ModelRun:
    """The run with a note where missing values cost more than a tenth of the sample's rows: which, and how many."""
    lost = Counter(reason for _, _, reason in run.dropped if reason.startswith("missing"))
    sample = panel_rows - sum(reason == OUTSIDE_SAMPLE for _, _, reason in run.dropped)
    if sum(lost.values()) <= _MANY_LOST * sample:
        return run
    order = sorted(lost.items(), key=lambda item: (-item[1], item[0]))
    named = [f"{reason} ({count})" for reason, count in order[:_REASONS_SHOWN]]
    rest = ["..."] if len(order) > _REASONS_SHOWN else []
    note = f"{sum(lost.values())} of the sample's {sample} rows lack a value: {', '.join([*named, *rest])}"
    return replace(run, notes=(*run.notes, note))


def _standing_notes(model: Model) -> tuple[str, ...]:
    notes = []
    if model.defaults_chosen:
        chosen = "; ".join(f"{key.replace('_', ' ')}: {value}" for key, value in model.defaults_chosen)
        notes.append(f"chosen because the study does not say: {chosen}")
    if model.note:
        notes.append(model.note.get("en") or next(iter(model.note.values())))
    return tuple(notes)


def _one_line(error: CarbonpanelError) -> str:
    # which file is known to the error alone, the model to the row it stands in
    file = f": {error.where}" if error.where and error.code.startswith("CP-FILE") else ""
    parts = [f"{error.code}: {error.what}{file}"]
    if error.remedy:
        parts.append(error.remedy)
    return "; ".join(parts)


def _summarise(runs: list[ModelRun]) -> tuple[str, str | None]:
    """The status of a run and its counts in words.

    Failed if a model failed under its own id; warned if one was warned or not run, or a variant failed; else ok.
    """
    counts = {s: sum(r.status == s for r in runs) for s in ("ok", "warned", "failed", "not_run")}
    if counts["ok"] == len(runs):
        return "ok", None
    status = "failed" if any(r.status == "failed" and r.variant_of is None for r in runs) else "warned"
    return status, ", ".join(f"{n} {s.replace('_', ' ')}" for s, n in counts.items() if n)
