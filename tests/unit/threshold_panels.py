"""Panels for the tests of the threshold model, and plain fits they are held to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis_py.estimators.twfe import fit_twfe


def draw_panel(
    seed: int,
    *,
    units: int = 30,
    times: int = 9,
    share: float = 1.0,
    step: float = 0.0,
    regime_terms: int = 1,
    ties: bool = True,
    threshold: float = 0.3,
) -> pd.DataFrame:
    """A panel with a jump of ``step`` in the slope of z0 above ``threshold`` in q.

    ``share`` of the rows are kept (below 1: unbalanced); with ``ties`` q is rounded so that many rows share a value.
    Errors are correlated within units and differ in spread.
    """
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    n = len(frame)
    unit = frame["unit"].to_numpy()
    q = rng.normal(size=n) + 0.8 * rng.normal(size=units)[unit]
    frame["q"] = np.round(q, 1) if ties else q
    for j in range(regime_terms):
        frame[f"z{j}"] = rng.normal(size=n) + rng.normal(size=units)[unit] + 2.0 * j
    for j in range(2):
        frame[f"x{j}"] = rng.normal(size=n) + 0.3 * frame["q"]
    error = rng.normal(size=n) * (0.7 + 0.6 * rng.random(units))[unit] + 0.4 * rng.normal(size=units)[unit]
    slope = 0.5 + step * (frame["q"] > threshold)
    frame["y"] = slope * frame["z0"] + 0.3 * frame["x0"] + 0.1 * frame["time"] + 5.0 + error
    frame["w"] = 0.5 + rng.random(units)[unit]
    if share < 1.0:
        frame = frame[rng.random(n) < share]
    return frame.reset_index(drop=True)


def plain_ssr(
    frame: pd.DataFrame,
    cuts: Sequence[float],
    *,
    terms: Sequence[str] = ("z0",),
    effects: Sequence[str] = ("unit", "time"),
    outcome: str = "y",
    weights: str | None = None,
) -> float:
    """SSR of one fixed-effects fit with the regressors split at ``cuts``."""
    table = frame.copy()
    regime = np.searchsorted(np.sort(np.asarray(cuts, dtype=float)), frame["q"].to_numpy(), side="left")
    names = []
    for term in terms:
        for code in range(len(cuts) + 1):
            table[f"{term}:{code}"] = np.where(regime == code, frame[term], 0.0)
            names.append(f"{term}:{code}")
    found = fit_twfe(
        table,
        outcome=outcome,
        regressors=[*names, "x0", "x1"],
        fixed_effects=list(effects),
        covariance="iid",
        convention="plain",
        unit="unit",
        time="time",
        weights=weights,
    )
    residuals = found.residuals
    scale = np.ones(len(frame)) if weights is None else frame[weights].to_numpy() / frame[weights].mean()
    return float(np.sum(scale[found.used_rows] * residuals**2))
