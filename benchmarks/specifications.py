"""A loop over specifications: every subset of eight controls, and several errors of one model, beside a feols loop."""

from __future__ import annotations

import time
import warnings
from itertools import combinations
from typing import Any

import numpy as np

from analysis_py.estimators.twfe import fit_twfe
from benchmarks.measurement import Comparison, time_together
from benchmarks.permutation import draw_panel

CONTROLS = ["x2", "x3", "x4", "x5", "x6", "c1", "c2", "c3"]
CLUSTERED: dict[str, Any] = {"type": "cluster", "by": ["unit"]}
ERRORS: list[str | dict[str, Any]] = ["iid", "hc1", CLUSTERED, {"type": "cluster", "by": ["unit", "time"]}]
#: Specifications of the peer that are fitted; the rest is scaled.
SAMPLED = 16


def measure() -> list[Comparison]:
    """256 specifications of the 5,149-row panel, each a whole fit with clustered errors; four errors of one of them."""
    import pyfixest

    frame = draw_panel(271, 20, 5_149)
    rng = np.random.default_rng(1)
    for name in CONTROLS[5:]:
        frame[name] = rng.normal(size=len(frame))
    chosen = [list(names) for size in range(len(CONTROLS) + 1) for names in combinations(CONTROLS, size)]
    kept: dict[int, float] = {}

    def fit(controls: list[str], covariance: str | dict[str, Any]) -> Any:
        return fit_twfe(
            frame, outcome="y", regressors=["x1", *controls], fixed_effects=["unit", "time"], covariance=covariance,
            convention="fixest", unit="unit", time="time",
        )  # fmt: skip

    def ours() -> None:
        for number, controls in enumerate(chosen):
            kept[number] = float(fit(controls, CLUSTERED).estimate[0])

    def several() -> None:
        for covariance in ERRORS:
            fit(CONTROLS, covariance)

    def peer_fit(controls: list[str], vcov: Any) -> float:
        formula = f"y ~ {' + '.join(['x1', *controls])} | unit + time"
        return float(pyfixest.feols(formula, frame, vcov=vcov).coef()["x1"])

    seconds = time_together({f"ours, {len(chosen)} specifications": ours}, 3)
    sampled = np.linspace(0, len(chosen) - 1, SAMPLED).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        peer_fit([], {"CRV1": "unit"})
        start = time.perf_counter()
        found = [peer_fit(chosen[i], {"CRV1": "unit"}) for i in sampled]
        seconds["pyfixest feols loop (scaled)"] = (time.perf_counter() - start) / SAMPLED * len(chosen)
        apart = max(abs(b - kept[int(i)]) for b, i in zip(found, sampled, strict=True))
        errors = time_together(
            {
                "ours": several,
                "pyfixest feols": lambda: [
                    peer_fit(CONTROLS, v) for v in ("iid", "HC1", {"CRV1": "unit"}, {"CRV1": "unit + time"})
                ],
            }
        )
    note = f"{len(frame):,} rows; the loop: {SAMPLED} timed, scaled; slopes agree to {apart:.0e}"
    return [
        Comparison("every subset of eight controls, errors clustered by unit", seconds, note),
        Comparison("one model under iid, HC1, one-way and two-way clusters", errors, f"{len(frame):,} rows"),
    ]
