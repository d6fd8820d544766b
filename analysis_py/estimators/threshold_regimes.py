"""The regimes that thresholds cut: their names, their sizes by time, and what a reader should know about a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from analysis_py.estimators.factors import Factor
from analysis_py.estimators.threshold_conventions import ThresholdConvention
from analysis_py.estimators.threshold_grid import Grid, ThresholdSpec
from analysis_py.estimators.threshold_result import RegimeShares, ThresholdEstimate, ThresholdTest

#: Fewer distinct values of the threshold variable than this are said to be few.
FEW_VALUES = 20
#: A regime with fewer units, or a smaller share of the observations, is said to be thin.
FEW_UNITS = 10
SMALL_SHARE = 0.05


@dataclass(frozen=True)
class Told:
    """``messages`` are warnings, ``notes`` are worth knowing in any case."""

    messages: tuple[str, ...]
    notes: tuple[str, ...]


def label_regimes(thresholds: Sequence[ThresholdEstimate]) -> tuple[str, ...]:
    """``<= a``, ``(a, b]``, ``> b`` in rising order; where the rule is strict, a is the largest value below."""
    ordered = sorted(thresholds, key=lambda t: t.cut)
    values = [t.value if t.cut == t.value or _is_between(t) else t.cut for t in ordered]
    for digits in range(6, 18):
        shown = [f"{v:.{digits}g}" for v in values]
        if len(set(shown)) == len(shown):
            break
    return (f"<= {shown[0]}", *(f"({a}, {b}]" for a, b in pairwise(shown)), f"> {shown[-1]}")


def _is_between(threshold: ThresholdEstimate) -> bool:
    """Whether a threshold that was given lies between observed values, so that it cuts as it says."""
    return threshold.ci_low is None


def count_regimes(
    regime: np.ndarray, n_regimes: int, unit: Factor | None, time: Factor | None, times: np.ndarray | None
) -> RegimeShares:
    """Sizes of the regimes.

    Parameters
    ----------
    regime : (n,) codes 0 .. n_regimes - 1.
    unit, time : factors of the rows; ``times`` (n,) their times as they stand in the data.
    """
    n_obs = np.bincount(regime, minlength=n_regimes)
    codes = np.arange(len(regime)) if unit is None else unit.codes
    n_units = int(codes.max()) + 1
    seen = np.bincount(codes * n_regimes + regime, minlength=n_units * n_regimes).reshape(n_units, n_regimes) > 0
    share, shown = np.empty((0, n_regimes)), np.empty(0)
    if time is not None and times is not None:
        counted = np.bincount(time.codes * n_regimes + regime, minlength=time.levels * n_regimes)
        table = counted.reshape(time.levels, n_regimes)
        share = table / table.sum(axis=1, keepdims=True)
        first = np.unique(time.codes, return_index=True)[1]
        shown = times[first]
    return RegimeShares(
        times=shown,
        share=share,
        n_obs=n_obs,
        n_units=seen.sum(axis=0),
        n_all_units=n_units,
        n_switching=int((seen.sum(axis=1) > 1).sum()),
    )


def describe_search(
    grid: Grid,
    thresholds: Sequence[ThresholdEstimate],
    tests: Sequence[ThresholdTest],
    wanted: ThresholdSpec,
    rules: ThresholdConvention,
    n_units: int,
) -> Told:
    """What to know about a search: few values, intervals at the edge, tests without evidence, how errors were drawn."""
    messages: list[str] = []
    if grid.distinct < FEW_VALUES:
        messages.append(
            f"the threshold variable '{wanted.variable}' has only {grid.distinct} distinct values: "
            f"{len(grid.values)} candidate(s), and an interval among them says little"
        )
    for t in thresholds:
        if t.reaches_edge:
            messages.append(
                f"the interval of threshold {t.order} ({t.ci_low:.6g} to {t.ci_high:.6g}) reaches the edge of the "
                "grid: trimming bounds it, not the data"
            )
    notes = [f"{len(grid.values)} candidate values of {grid.distinct} distinct ones; {rules.description}"]
    for t in thresholds:
        if not t.is_connected:
            notes.append(
                f"the likelihood ratio rejects values inside the interval of threshold {t.order}: its ends are given"
            )
    drawn = next((t for t in tests if t.draws), None)
    if drawn is None:
        notes.append("no test: the study asks for no bootstrap draws")
        return Told(tuple(messages), tuple(notes))
    way = (
        "each unit given the residuals of a unit drawn with replacement"
        if drawn.resample == "donors"
        else "the residuals of each unit times +1 or -1"
    )
    counts = ", ".join(str(t.draws) for t in tests)
    notes.append(f"bootstrap under the null ({counts} draws, seed {wanted.seed}): {way}")
    if drawn.resample == "multipliers" and n_units <= 60 and 2 ** (n_units - 1) < max(t.draws for t in tests):
        messages.append(f"{n_units} units allow only {2 ** (n_units - 1)} draws of signs: p-values are coarse")
    for test in tests:
        if test.p_value is not None and test.p_value > 0.10:
            notes.append(
                f"{test.order} threshold(s) against {test.order - 1}: F {test.f:.4g}, p {test.p_value:.3g}; the data "
                "do not ask for it, and its value and interval mean little"
            )
    return Told(tuple(messages), tuple(notes))


def regime_messages(labels: Sequence[str], shares: RegimeShares, n: int) -> list[str]:
    """Warnings about regimes with few units or observations."""
    found = []
    for label, n_obs, n_units in zip(labels, shares.n_obs, shares.n_units, strict=True):
        if n_units < FEW_UNITS:
            found.append(f"regime {label} holds only {n_units} unit(s), {n_obs} observation(s)")
        elif n_obs < SMALL_SHARE * n:
            found.append(f"regime {label} holds only {100 * n_obs / n:.2g}% of the observations ({n_units} units)")
    return found


def warn_of_own_threshold(variable: str) -> str:
    """The warning on a threshold variable that is itself the regressor under study."""
    return (
        f"'{variable}' is its own threshold variable, so the regimes are endogenous: Hansen's method takes the "
        f"threshold variable as exogenous, and what moves the outcome together with '{variable}' moves the regimes too "
        "(compare its lag; Seo & Shin 2016, Journal of Econometrics 195:169-186)"
    )
