"""Two-way fixed effects: our fit with its covariance beside pyfixest's feols, linearmodels and explicit dummies."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from analysis_py.estimators.twfe import fit_twfe
from benchmarks.measurement import Comparison, time_together

SLOPES = [f"x{i}" for i in range(1, 7)]
#: Dense dummies are only tried up to this many cells.
MAX_DENSE_CELLS = 5_000_000


def draw_panel(units: int, times: int, seed: int = 20251122) -> pd.DataFrame:
    """An unbalanced panel (a tenth of the rows missing) with six regressors and both effects."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(units), times), "time": np.tile(np.arange(times), units)})
    for name in SLOPES:
        frame[name] = rng.normal(size=len(frame)) + rng.normal(size=units)[frame["unit"]]
    frame["y"] = frame[SLOPES].sum(axis=1) * 0.1 + rng.normal(size=units)[frame["unit"]] + frame["time"] * 0.05
    frame["y"] += rng.normal(size=len(frame))
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True)


def measure() -> list[Comparison]:
    """The panel of the city studies and a large one; iid errors, and clustered by unit."""
    found = []
    for units, times in ((286, 20), (2_860, 20), (28_600, 20)):
        frame = draw_panel(units, times)
        found.append(_compare(frame, f"two-way fit, {units} units x {times}, iid errors", is_clustered=False))
        found.append(_compare(frame, f"two-way fit, {units} units x {times}, clustered by unit", is_clustered=True))
    return found


def _compare(frame: pd.DataFrame, task: str, *, is_clustered: bool) -> Comparison:
    covariance = {"type": "cluster", "by": ["unit"]} if is_clustered else {"type": "iid"}
    estimates: dict[str, np.ndarray] = {}

    def ours(convention: str) -> Callable[[], None]:
        def run() -> None:
            result = fit_twfe(
                frame,
                outcome="y",
                regressors=SLOPES,
                fixed_effects=["unit", "time"],
                covariance=covariance,
                convention=convention,
                unit="unit",
                time="time",
            )
            estimates[convention] = result.estimate[: len(SLOPES)]

        return run

    tasks: dict[str, Callable[[], None]] = {"ours (fixest)": ours("fixest"), "ours (xtreg)": ours("xtreg")}
    tasks["pyfixest feols"] = _feols(frame, estimates, is_clustered)
    if importlib.util.find_spec("linearmodels") is not None:
        tasks["linearmodels PanelOLS"] = _panel_ols(frame, estimates, is_clustered)
    if len(frame) * (frame["unit"].nunique() + frame["time"].nunique()) <= MAX_DENSE_CELLS and not is_clustered:
        tasks["explicit dummies (numpy)"] = _dense(frame, estimates)
    seconds = time_together(tasks, 7 if len(frame) < 100_000 else 2)
    apart = max(float(np.abs(b - estimates["fixest"]).max()) for b in estimates.values())
    return Comparison(task, seconds, f"{len(frame)} rows; slopes agree to {apart:.0e}")


def _feols(frame: pd.DataFrame, estimates: dict[str, np.ndarray], is_clustered: bool) -> Callable[[], None]:
    import pyfixest

    vcov: object = {"CRV1": "unit"} if is_clustered else "iid"
    formula = f"y ~ {' + '.join(SLOPES)} | unit + time"

    def run() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = pyfixest.feols(formula, frame, vcov=vcov)
        estimates["feols"] = model.coef()[SLOPES].to_numpy()

    return run


def _panel_ols(frame: pd.DataFrame, estimates: dict[str, np.ndarray], is_clustered: bool) -> Callable[[], None]:
    from linearmodels.panel import PanelOLS

    indexed = frame.set_index(["unit", "time"])
    options: dict[str, Any] = {"cov_type": "clustered", "cluster_entity": True} if is_clustered else {}

    def run() -> None:
        model = PanelOLS(indexed["y"], indexed[SLOPES], entity_effects=True, time_effects=True)
        estimates["PanelOLS"] = model.fit(**options).params.to_numpy()

    return run


def _dense(frame: pd.DataFrame, estimates: dict[str, np.ndarray]) -> Callable[[], None]:
    def run() -> None:
        blocks = [frame[SLOPES].to_numpy()]
        blocks.append(np.eye(frame["unit"].max() + 1)[frame["unit"]])
        blocks.append(np.eye(frame["time"].max() + 1)[frame["time"]][:, 1:])
        z = np.column_stack(blocks)
        gram = z.T @ z
        beta = np.linalg.solve(gram, z.T @ frame["y"].to_numpy())
        residuals = frame["y"].to_numpy() - z @ beta
        sigma2 = residuals @ residuals / (len(frame) - z.shape[1])
        np.sqrt(sigma2 * np.diag(np.linalg.inv(gram)))
        estimates["dense"] = beta[: len(SLOPES)]

    return run
