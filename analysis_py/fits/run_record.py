"""What a study's run holds: frozen records, one a row of the tables in schema ``results``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class CoefficientRow:
    """One coefficient. ``regime`` and ``group`` are None except where a model has regimes or groups."""

    term: str
    estimate: float
    std_error: float
    statistic: float
    statistic_kind: str
    p_value: float
    ci_low: float
    ci_high: float
    df: float | None
    regime: str | None = None
    group: str | None = None


@dataclass(frozen=True)
class DiagnosticRow:
    """One test or derived number; ``critical`` maps a level (or the name of a bound) to its value.

    ``term`` is the coefficient it is about, where it is about one.
    """

    test: str
    statistic: float | None
    df1: float | None = None
    df2: float | None = None
    p_value: float | None = None
    critical: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    term: str | None = None


@dataclass(frozen=True)
class ThresholdRow:
    """One estimated threshold with its interval, F test and bootstrap critical values."""

    order: int
    variable: str
    value: float
    ci_low: float | None
    ci_high: float | None
    f: float | None
    p_value: float | None
    critical: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class CurvePoint:
    """One point of a curve (threshold LR, margins, event study)."""

    curve: str
    x: float
    y: float
    y_low: float | None = None
    y_high: float | None = None
    label: str | None = None


@dataclass(frozen=True)
class VariableRow:
    """Descriptive statistics of one variable; percentiles by Stata's rule. ``extra`` holds further percentiles."""

    variable: str
    n: int
    mean: float | None
    sd: float | None
    min: float | None
    p25: float | None
    median: float | None
    p75: float | None
    max: float | None
    n_filled: int
    extra: Mapping[str, float | None] = field(default_factory=dict)


@dataclass(frozen=True)
class GroupFit:
    """Size and fit of one group of a heterogeneity model."""

    group: str
    n_obs: int
    n_units: int | None
    n_clusters: tuple[int, ...]
    n_singletons_dropped: int
    df_resid: float
    r2: float | None
    r2_within: float | None
    f: float | None
    small_sample: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelRun:
    """One row of ``results.model`` with all that hangs on it.

    ``message`` says why a model is warned, failed or not run; ``notes`` what a reader should know in any case.
    """

    id: str
    analysis_id: str
    variant: str
    variant_of: str | None
    estimator: str
    status: str
    message: str | None
    notes: tuple[str, ...]
    spec: Mapping[str, Any]
    spec_hash: str
    outcome: str | None
    treatment: tuple[str, ...]
    sample: str | None
    fill: str
    convention: str | None
    covariance: str | None
    fixed_effects: tuple[str, ...] = ()
    title: Mapping[str, str] | None = None
    small_sample: Mapping[str, Any] = field(default_factory=dict)
    n_obs: int | None = None
    n_units: int | None = None
    n_times: int | None = None
    n_clusters: tuple[int, ...] = ()
    n_singletons_dropped: int | None = None
    n_filled_cells: int | None = None
    df_resid: float | None = None
    df_model: float | None = None
    r2: float | None = None
    r2_within: float | None = None
    r2_between: float | None = None
    r2_overall: float | None = None
    r2_adjusted: float | None = None
    f: float | None = None
    f_p_value: float | None = None
    rmse: float | None = None
    dropped_terms: tuple[str, ...] = ()
    coefficients: tuple[CoefficientRow, ...] = ()
    diagnostics: tuple[DiagnosticRow, ...] = ()
    thresholds: tuple[ThresholdRow, ...] = ()
    curves: tuple[CurvePoint, ...] = ()
    descriptives: tuple[VariableRow, ...] = ()
    groups: tuple[GroupFit, ...] = ()
    dropped: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True)
class StudyRun:
    """One study file run once on one panel: everything the results tables and the JSON hold.

    ``models`` are in the order of the file, each followed by its variants. ``inputs`` is demo | user | mixed | file.
    """

    run_id: str
    study: str
    study_file: str
    table_no: str | None
    title: Mapping[str, str] | None
    note: Mapping[str, str] | None
    started_at: dt.datetime
    finished_at: dt.datetime
    status: str
    message: str | None
    inputs: str
    is_simulated: bool
    panel: str
    panel_hash: str
    data_file: str | None
    versions: Mapping[str, str]
    git_commit: str | None
    lock_hash: str | None
    seeds_hash: str | None
    study_hash: str
    seed: int
    models: tuple[ModelRun, ...]
