"""One instrumental-variables model, fitted: from its study entry to the record of its run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.estimators.iv import IvResult, fit_iv
from analysis_py.estimators.iv_conventions import COUNTERPARTS, IV_CONVENTIONS
from analysis_py.estimators.shift_share import (
    Exposure,
    RotembergWeights,
    ShiftShareInference,
    rotemberg_weights,
    shift_share_inference,
)
from analysis_py.fits.iv_frame import IvFrame, build_iv_frame
from analysis_py.fits.iv_shift_share import ShiftShare, read_shift_share, total_columns
from analysis_py.fits.iv_warnings import instrument_messages
from analysis_py.fits.model_fits import coefficient_rows, dropped_labels
from analysis_py.fits.run_record import CoefficientRow, CurvePoint, DiagnosticRow, ModelRun
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import ModelColumns, Where
from analysis_py.panels.transforms import zeros_warning
from analysis_py.study import Model


def fit_iv_frame(model: Model, frame: IvFrame) -> IvResult:
    """The fit of a frame under the model's convention, covariance, weights and options of ``iv``."""
    options: Mapping[str, Any] = model.options.get("iv") or {}
    return fit_iv(
        frame.data.frame,
        outcome=frame.data.outcome,
        endogenous=frame.endogenous,
        instruments=frame.instruments,
        exogenous=frame.exogenous,
        silent=frame.silent,
        fixed_effects=model.fixed_effects,
        covariance=model.covariance,
        convention=model.convention,
        unit=model.unit,
        time=model.time,
        weights=model.weights,
        method=options.get("method", "2sls"),
        k=options.get("k"),
        fuller=float(options.get("fuller", 1.0)),
        small=options.get("small"),
        plausible=options.get("plausibly_exogenous"),
    )


def fit_instrumented(blank: ModelRun, model: Model, panel: CalendarPanel, where: Where) -> ModelRun:
    """Second stage, first stages (group ``first_stage:<endogenous>``), reduced form (``reduced_form``), intervals that
    allow for weak or nearly valid instruments (``anderson_rubin``, ``tf``, ``plausibly_exogenous``, ``akm``, ``akm0``)
    and every test of the contract."""
    options: Mapping[str, Any] = model.options.get("iv") or {}
    columns = ModelColumns(panel, model, where, observed=model.fill == "observed")
    frame = build_iv_frame(panel, model, where, observed=model.fill == "observed")
    data, table, silent = frame.data, frame.data.frame, list(frame.silent)
    shift = None
    if options.get("shift_share"):
        shift = read_shift_share(model, table, frame.instruments, where)
        if shift.control_totals:
            totals = total_columns(shift, table, model)
            table = pd.concat([table, pd.DataFrame(totals, index=table.index)], axis=1)
            silent += totals
    convention, notes = _convention(model)
    framed = replace(frame, data=replace(data, frame=table), silent=tuple(silent))
    result = fit_iv_frame(replace(model, convention=convention), framed)
    main = result.main
    messages = [*data.messages, *(m for m in main.messages if not _is_remark(m))]
    messages += instrument_messages(result, panel, data.rows, frame.terms, columns.names)
    coefficients = [*coefficient_rows(main), *_stage_rows(result), *_robust_rows(result)]
    diagnostics = [
        DiagnosticRow(d.test, float(d.statistic), d.df1, d.df2, d.p_value, dict(d.critical), d.note, d.term)
        for d in main.diagnostics
    ]
    curves: list[CurvePoint] = []
    if shift is not None:
        messages += shift.messages
        found = _shift_share(result, shift)
        coefficients += found[0]
        diagnostics += found[1]
        curves += found[2]
    return replace(
        blank,
        treatment=frame.endogenous,
        status="warned" if messages else "ok",
        message="; ".join(dict.fromkeys(messages)) or None,
        notes=(
            *blank.notes,
            *data.notes,
            *frame.notes,
            *notes,
            *(shift.notes if shift is not None else ()),
            *(m for m in main.messages if _is_remark(m)),
            *_log_notes(model, panel, frame, main.used_rows),
        ),
        convention=main.convention,
        covariance=main.covariance,
        small_sample=dict(main.small_sample),
        n_obs=main.n_obs,
        n_units=main.n_units,
        n_times=main.n_times,
        n_clusters=main.n_clusters,
        n_singletons_dropped=main.n_singletons_dropped,
        n_filled_cells=data.n_filled(main.used_rows),
        df_resid=main.df_resid,
        df_model=main.df_model,
        r2=main.r2,
        r2_within=main.r2_within,
        r2_adjusted=main.r2_adjusted,
        f=main.f,
        f_p_value=main.f_p_value,
        rmse=main.rmse,
        dropped_terms=main.dropped_terms,
        coefficients=tuple(coefficients),
        diagnostics=tuple(diagnostics),
        curves=tuple(curves),
        dropped=dropped_labels(panel, data.rows, main.dropped_rows),
    )


def _convention(model: Model) -> tuple[str, list[str]]:
    """The convention to use: one of least squares stands for its counterpart, and that is said."""
    if model.convention in IV_CONVENTIONS or model.convention not in COUNTERPARTS:
        return model.convention, []
    found = COUNTERPARTS[model.convention]
    if not model.fixed_effects:
        found = "ivreg2"
    return found, [f"'{model.convention}' belongs to least squares; instrumental variables follow '{found}'"]


def _is_remark(message: str) -> bool:
    return "singletons of the fixed effects" in message or message.startswith("without fixed effects ")


def _stage_rows(result: IvResult) -> list[CoefficientRow]:
    rows = []
    for name, stage in zip(result.design.endogenous.names, result.first_stages, strict=True):
        rows += [replace(row, group=f"first_stage:{name}") for row in coefficient_rows(stage)]
    return rows + [replace(row, group="reduced_form") for row in coefficient_rows(result.reduced_form)]


def _robust_rows(result: IvResult) -> list[CoefficientRow]:
    """Intervals of the endogenous coefficients that hold with weak, or nearly excluded, instruments."""
    rows = []
    first = coefficient_rows(result.main)[0]
    found = result.tests.anderson_rubin_set
    if found is not None:
        low, high = found.hull
        test = result.tests.anderson_rubin
        rows.append(
            replace(
                first,
                group="anderson_rubin",
                std_error=float("nan"),
                statistic=float("nan") if test.f is None else test.f,
                statistic_kind="f",
                p_value=float("nan") if test.p_value is None else test.p_value,
                ci_low=low,
                ci_high=high,
                df=float(test.df2),
            )
        )
    if result.tf is not None:
        statistic = first.estimate / result.tf.std_error if np.isfinite(result.tf.std_error) else 0.0
        rows.append(
            replace(
                first,
                group="tf",
                std_error=result.tf.std_error,
                statistic=statistic,
                p_value=float("nan"),
                ci_low=result.tf.ci_low,
                ci_high=result.tf.ci_high,
            )
        )
    if result.plausible is not None:
        for j, row in enumerate(coefficient_rows(result.main)[: result.counts.k1]):
            rows.append(
                replace(
                    row,
                    group="plausibly_exogenous",
                    std_error=float("nan"),
                    statistic=float("nan"),
                    p_value=float("nan"),
                    ci_low=float(result.plausible.low[j]),
                    ci_high=float(result.plausible.high[j]),
                )
            )
    return rows


def _shift_share(
    result: IvResult, shift: ShiftShare
) -> tuple[list[CoefficientRow], list[DiagnosticRow], list[CurvePoint]]:
    used = result.main.used_rows
    whole = shift.exposure
    keep = np.flatnonzero(np.abs(whole.shares[used]).max(axis=0) > 0)
    exposure = Exposure(
        whole.shares[np.ix_(used, keep)],
        tuple(whole.sectors[i] for i in keep),
        None if whole.shocks is None else whole.shocks[keep],
        None if whole.cluster is None else np.unique(whole.cluster[keep], return_inverse=True)[1],
    )
    inference = shift_share_inference(result.design, exposure)
    rows, tests = _akm_rows(coefficient_rows(result.main)[0], inference)
    curves: list[CurvePoint] = []
    if exposure.shocks is not None:
        found = rotemberg_weights(result.design, exposure)
        tests += _rotemberg_rows(found)
        curves = [
            CurvePoint("rotemberg", float(weight), float(estimate), label=sector)
            for sector, weight, estimate in zip(found.sectors, found.weights, found.estimates, strict=True)
            if np.isfinite(estimate)
        ]
    return rows, tests, curves


def _akm_rows(first: CoefficientRow, found: ShiftShareInference) -> tuple[list[CoefficientRow], list[DiagnosticRow]]:
    low, high = found.akm0.hull
    quantile = 1.959963984540054
    null_error = (high - low) / (2.0 * quantile) if found.akm0.kind == "bounded" else float("inf")
    nan = float("nan")
    akm = replace(
        first,
        group="akm",
        std_error=found.akm_error,
        statistic=found.estimate / found.akm_error if found.akm_error > 0 else nan,
        statistic_kind="z",
        p_value=found.akm_p_value,
        ci_low=found.akm_low,
        ci_high=found.akm_high,
        df=None,
    )
    akm0 = replace(akm, group="akm0", std_error=null_error, statistic=nan, p_value=nan, ci_low=low, ci_high=high)
    note = (
        f"{found.akm0.level:.0%} AKM0 set ({found.akm0.kind}): {found.akm0}; Adao, Kolesar & Morales (2019); "
        f"{found.n_shocks} independent shocks"
    )
    return [akm, akm0], [DiagnosticRow("akm", found.akm_error, critical={"ci_low": low, "ci_high": high}, note=note)]


def _rotemberg_rows(found: RotembergWeights) -> list[DiagnosticRow]:
    top = ", ".join(f"{s} {w:.3f}" for s, w in zip(found.sectors[:5], found.weights[:5].tolist(), strict=True))
    return [
        DiagnosticRow(
            "rotemberg_top_five",
            found.top_five,
            note=f"share of the five largest Rotemberg weights: {top} (Goldsmith-Pinkham, Sorkin & Swift 2020)",
        ),
        DiagnosticRow(
            "rotemberg_negative",
            found.negative_share,
            note="share of negative Rotemberg weights in all absolute weights",
        ),
    ]


def _log_notes(model: Model, panel: CalendarPanel, frame: IvFrame, used: np.ndarray) -> list[str]:
    """The warning on logs of zeros for columns that the panel itself made as ln(1 + count)."""
    notes = []
    named = [model.outcome, *frame.endogenous, *frame.instruments, *frame.exogenous]
    for name in dict.fromkeys(n for n in named if n):
        formula = panel.data.formulas.get(name, "")
        if "ln(1 +" not in formula.replace("ln(1+", "ln(1 +") or name not in frame.data.frame:
            continue
        if (frame.data.frame[name].to_numpy()[used] == 0).any():
            notes.append(zeros_warning(f"{name} = {formula}"))
    return notes
