"""The equation of an instrumental-variables model."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.export.equation import CONSTANT, Equation, Export
from analysis_py.export.preparation import (
    Setting,
    complete_rows,
    expected_rows,
    export_of,
    ordered_effects,
    rows_of_group,
)
from analysis_py.fits.iv_frame import build_iv_frame
from analysis_py.fits.iv_shift_share import read_shift_share, total_columns


def instrumented(setting: Setting) -> Export:
    """The second stage; its tests go along for the programs that store them."""
    model, run = setting.model, setting.run
    options: Mapping[str, Any] = model.options.get("iv") or {}
    frame = build_iv_frame(setting.panel, model, setting.where, observed=setting.observed)
    data, table, silent = frame.data, frame.data.frame, list(frame.silent)
    if options.get("shift_share"):
        shift = read_shift_share(model, table, frame.instruments, setting.where)
        if shift.control_totals:
            totals = total_columns(shift, table, model)
            table = pd.concat([table, pd.DataFrame(totals, index=table.index)], axis=1)
            silent += totals
    columns = tuple(dict.fromkeys([*frame.exogenous, *silent, *frame.instruments, *frame.endogenous]))
    kept = complete_rows(setting, data, table, columns)
    rows = rows_of_group(run, None)
    excluded = {row.term for row in rows_of_group(run, "reduced_form")}
    convention = str(run.convention)
    used = np.flatnonzero(kept.used)
    expected = expected_rows(rows, lambda row: row.term)
    equation = Equation(
        title="",
        estimator="iv",
        outcome=data.outcome,
        regressors=tuple(e.term for e in expected if e.term not in (CONSTANT, *frame.endogenous)),
        endogenous=tuple(e.term for e in expected if e.term in frame.endogenous),
        instruments=tuple(z for z in dict.fromkeys(frame.instruments) if z in excluded and z not in frame.exogenous),
        silent=_varying(kept.frame.iloc[used], silent),
        effects=ordered_effects(model, convention),
        covariance=model.covariance,
        convention=convention,
        small=run.small_sample,
        n_obs=int(run.n_obs or 0),
        used=used,
        expected=expected,
        method=str(options.get("method", "2sls")),
        k=options.get("k"),
        fuller=float(options.get("fuller", 1.0)),
        is_t=all(row.statistic_kind == "t" for row in rows),
        diagnostics=run.diagnostics,
    )
    shown = [c for c in kept.frame.columns if c in {*columns, data.outcome} or c in data.frame.columns]
    notes = ("errors that allow for shift-shares (AKM) are not redone here",) if options.get("shift_share") else ()
    return export_of(setting, kept.frame[shown], (), [equation], notes=notes)


def _varying(frame: pd.DataFrame, columns: list[str]) -> tuple[str, ...]:
    """Controls that are not constant in the sample."""
    return tuple(c for c in columns if float(np.ptp(frame[c].to_numpy(dtype=float))) > 0)
