"""How weak instruments are, and errors that allow for it.

- Stock & Yogo (2005): critical values of the Cragg-Donald F for a bias of 5 to 30% of that of least squares, or a 5%
  test whose size is 10 to 25%. They hold for iid errors only, so they are given beside that statistic alone
- Montiel Olea & Pflueger (2013): the effective F and its critical values for a Nagar bias of at most tau of the worst
  case, under the model's covariance, one endogenous variable
- Lee, McCrary, Moreira & Porter (2022): the tF critical value of a 5% t test given the first-stage F, one endogenous
  variable and one instrument
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from scipy import stats

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.inference.moments import MomentCovariance

#: Source of the critical values in ``stock_yogo.csv``.
STOCK_YOGO_SOURCE = (
    "Stock & Yogo (2005), Testing for weak instruments in linear IV regression, in Andrews & Stock (eds), "
    "Identification and Inference for Econometric Models, ch. 5, tables 5.1, 5.2 and 5.4; iid errors only"
)

#: Nagar biases, as shares of the worst case, for which critical values of the effective F are given.
BIASES = (0.05, 0.10, 0.20, 0.30)


@lru_cache(maxsize=1)
def _stock_yogo() -> dict[tuple[str, int, int], dict[int, float]]:
    table: dict[tuple[str, int, int], dict[int, float]] = {}
    with (Path(__file__).parent / "stock_yogo.csv").open(encoding="utf-8", newline="") as handle:
        for row in csv.DictReader(handle):
            key = (row["criterion"], int(row["n_endogenous"]), int(row["n_instruments"]))
            table.setdefault(key, {})[int(row["level_percent"])] = float(row["value"])
    return table


def stock_yogo(n_endogenous: int, n_instruments: int, *, estimator: str = "2sls") -> Mapping[str, float]:
    """Critical values of the Cragg-Donald F, as published (up to three endogenous variables and 30 instruments).

    ``10%`` to ``25%`` are those for the size of a 5% Wald test, ``bias 5%`` to ``bias 30%`` those for the bias relative
    to least squares; ``estimator`` is ``2sls`` or ``liml`` (sizes only). Empty where nothing is published.
    """
    found: dict[str, float] = {}
    for criterion, prefix in (("size", ""), ("bias", "bias ")):
        row = _stock_yogo().get((f"{estimator}_{criterion}", n_endogenous, n_instruments), {})
        found |= {f"{prefix}{level}%": value for level, value in sorted(row.items())}
    return found


@dataclass(frozen=True)
class EffectiveF:
    """The effective F; ``critical`` maps a bias (``10%``) to the 5% critical value of the generalized test for 2SLS,
    ``simplified 10%`` to the conservative one that needs no bound; ``bias_bound`` is B of the paper."""

    statistic: float
    degrees: Mapping[str, float]
    critical: Mapping[str, float]
    bias_bound: float


def effective_f(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> EffectiveF | None:
    """Effective F of the first stage; None with several endogenous variables or a singular covariance.

    With W the covariance of [z'We1, z'We2], e1 and e2 the residuals of the reduced form and the first stage:
    F = q'q / tr(W2) as F, critical value the 95% point of chi2(K, K x)/K with x = B/tau and
    K = tr(W2)^2 (1 + 2x) / (tr(W2'W2) + 2 x tr(W2) max eig(W2)).
    """
    if counts.k1 != 1:
        return None
    w, z, q = design.weights, design.z, design.slopes[:, 0]
    errors = np.column_stack([design.y - z @ design.reduced, design.x[:, 0] - z @ q])
    l1 = counts.l1
    if moments.is_iid:
        whole = np.kron(errors.T @ (w[:, None] * errors) / counts.large_n, np.eye(l1))
    else:
        scores = np.column_stack([z * (w * errors[:, i])[:, None] for i in (0, 1)])
        whole = moments.meat(scores) / counts.robust_scale
    w1, w12, w2 = whole[:l1, :l1], whole[:l1, l1:], whole[l1:, l1:]
    trace = float(np.trace(w2))
    if not trace > 0:
        return None
    own = np.linalg.eigvalsh(w2).clip(min=0.0)
    bound = _bias_bound(w1, (w12 + w12.T) / 2.0, w2)
    critical: dict[str, float] = {}
    degrees: dict[str, float] = {}
    for tau in BIASES:
        for name, x in ((f"{tau:.0%}", bound / tau), (f"simplified {tau:.0%}", 1.0 / tau)):
            k = trace**2 * (1.0 + 2.0 * x) / (float(own @ own) + 2.0 * x * trace * float(own[-1]))
            degrees[name] = k
            critical[name] = float(stats.ncx2.ppf(0.95, k, k * x)) / k
    return EffectiveF(counts.to_f(float(q @ q) / trace, 1), degrees, dict(sorted(critical.items(), key=_order)), bound)


def _order(item: tuple[str, float]) -> tuple[bool, float]:
    name = item[0]
    return name.startswith("simplified"), float(name.removeprefix("simplified ").rstrip("%"))


def _bias_bound(w1: np.ndarray, w12: np.ndarray, w2: np.ndarray) -> float:
    """B: the largest Nagar bias of 2SLS over the benchmark, over all coefficients b and directions of the first stage.

    |tr S12 - 2 c'S12 c| / sqrt(tr W2 tr S1) with S12 = W12 - b W2, S1 = W1 - 2 b W12 + b^2 W2 and c of unit length,
    largest at the smallest or largest eigenvalue of S12; b = tan(angle) covers the line.
    """
    trace = float(np.trace(w2))
    if len(w2) == 1:
        return 1.0
    # comparable units, so that the angles are spread over the values of b that matter
    ratio = np.sqrt(max(float(np.trace(w1)), 1e-300) / trace)

    def bias(angles: np.ndarray) -> np.ndarray:
        cosine, sine = np.cos(angles), np.sin(angles) * ratio
        values = np.linalg.eigvalsh(cosine[:, None, None] * w12 - sine[:, None, None] * w2)
        s1 = cosine**2 * np.trace(w1) - 2.0 * cosine * sine * np.trace(w12) + sine**2 * trace
        total = values.sum(axis=1)
        size = np.maximum(np.abs(total - 2.0 * values[:, 0]), np.abs(total - 2.0 * values[:, -1]))
        return np.where(s1 > 0, size / np.sqrt(trace * np.where(s1 > 0, s1, 1.0)), 0.0)

    angles, step = np.linspace(-np.pi / 2.0, np.pi / 2.0, 721, retstep=True)
    best = 0.0
    for _ in range(7):
        found = bias(angles)
        top = int(found.argmax())
        best = max(best, float(found[top]))
        angles, step = np.linspace(angles[top] - step, angles[top] + step, 41, retstep=True)
    return min(best, 1.0)


#: tF critical values of Lee et al. (2022), table 3, at sqrt(F) = 2.0, 2.1, ..., 10.3.
_TF_FIRST, _TF_STEP = 2.0, 0.1
_TF = np.array(
    [
        *(18.66, 9.74, 7.37, 6.18, 5.43, 4.92, 4.54, 4.25, 4.01, 3.82, 3.65, 3.51, 3.39, 3.29, 3.19, 3.11, 3.03),
        *(2.97, 2.91, 2.85, 2.80, 2.75, 2.71, 2.67, 2.63, 2.60, 2.57, 2.54, 2.51, 2.48, 2.46, 2.43, 2.41, 2.39),
        *(2.37, 2.35, 2.33, 2.32, 2.30, 2.29, 2.27, 2.26, 2.24, 2.23, 2.22, 2.21, 2.20, 2.19, 2.17, 2.16, 2.16),
        *(2.15, 2.14, 2.13, 2.12, 2.11, 2.10, 2.10, 2.09, 2.08, 2.08, 2.07, 2.06, 2.06, 2.05, 2.04, 2.04, 2.03),
        *(2.03, 2.02, 2.02, 2.01, 2.01, 2.00, 2.00, 1.99, 1.99, 1.99, 1.98, 1.98, 1.97, 1.97, 1.97, 1.96),
    ]
)
#: F from which the usual 5% critical value is right, and below (or at) which no t interval is bounded.
TF_ENOUGH, TF_USELESS = 104.67, 3.84


def tf_critical_value(f: float) -> float:
    """Critical value of |t| for a 5% test given the first-stage F: linear between the published values of sqrt(F).

    Infinite for F up to 3.84 (1.96^2); from there to 4 the first published value; 1.96 from F = 104.67.
    """
    if not f > TF_USELESS:
        return float("inf")
    if f >= TF_ENOUGH:
        return 1.96
    grid = _TF_FIRST + _TF_STEP * np.arange(len(_TF))
    return float(np.interp(np.sqrt(f), grid, _TF))


@dataclass(frozen=True)
class TfInference:
    """tF inference at 5%: ``std_error`` is the usual one times critical value / 1.96; infinite for F <= 3.84."""

    critical_value: float
    std_error: float
    ci_low: float
    ci_high: float


def tf_inference(estimate: float, std_error: float, f: float) -> TfInference:
    """Adjusted error and 95% interval of a just-identified estimate, ``f`` the first-stage F of the same covariance."""
    critical = tf_critical_value(f)
    half = critical * std_error
    return TfInference(critical, std_error * critical / 1.96, estimate - half, estimate + half)
