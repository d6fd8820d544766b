"""Covariance multipliers of other programs: what a script's command has to be multiplied by to give our number."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.factors import encode
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.export.equation import Equation
from analysis_py.inference.small_sample import SmallSample, small_sample

#: Two multipliers nearer than this are the same.
SAME = 1e-12


def scale_under(
    convention: str, frame: pd.DataFrame, effects: Sequence[str], spec: CovarianceSpec, slopes: int, period: str | None
) -> float | None:
    """1/(N-K) under iid errors, else the sandwich factor, as a convention of least squares has it; None where it
    has none."""
    small = _small(convention, frame, effects, spec, slopes, period)
    if small is None:
        return None
    return 1.0 / small.df_resid if spec.type == "iid" else small.factor


def fixest_choice(frame: pd.DataFrame, equation: Equation) -> tuple[str, float] | None:
    """fixest's ``K.fixef`` and the ratio of our multiplier to fixest's under it: the one that needs no ratio, if any.

    None for covariances that fixest has no counterpart of.
    """
    spec = equation.covariance
    if spec.type == "wild":
        spec = CovarianceSpec("cluster", spec.by)
    if spec.type not in ("iid", "hc1", "cluster"):
        return None
    rows = frame.iloc[equation.used]
    slopes = len(equation.slopes) + len(equation.silent)
    small = _small("fixest", rows, equation.effects, spec, slopes, None)
    if small is None:
        return None
    n = len(rows)
    levels = sum(encode(rows, e).levels for e in equation.effects) - max(len(equation.effects) - 1, 0)
    every = slopes + (levels if equation.effects else 1)
    if spec.type == "cluster":
        groups = min(encode(rows, c).levels for c in spec.by)
        full = groups / (groups - 1) * (n - 1) / (n - every)
        choices = {"nonnested": small.factor, "full": full}
    elif equation.estimator == "poisson" and spec.type == "iid":
        choices = {"nonnested": (n - 1) / (n - every)}
    else:
        choices = {"nonnested": 1.0 / (n - every) if spec.type == "iid" else n / (n - every)}
    for name, value in choices.items():
        if abs(equation.scale / value - 1.0) < SAME:
            return name, 1.0
    return "nonnested", equation.scale / choices["nonnested"]


def _small(
    convention: str, frame: pd.DataFrame, effects: Sequence[str], spec: CovarianceSpec, slopes: int, period: str | None
) -> SmallSample | None:
    clusters = (
        [encode(frame, period)] if spec.type == "driscoll_kraay" and period else [encode(frame, c) for c in spec.by]
    )
    try:
        return small_sample(
            CONVENTIONS[convention],
            spec,
            n_obs=len(frame),
            slopes=slopes,
            fixed_effects=[encode(frame, e) for e in effects],
            clusters=clusters,
        )
    except CarbonpanelError:
        # the other program would find too few observations: it is then not asked for its errors
        return None
