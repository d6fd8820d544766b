"""Indirect effects through mediators, with cluster bootstrap intervals.

The indirect effect of treatment j through mediator k is a_jk b_k: a from the regression of the mediator on treatments
and controls, b from that of the outcome on treatments, mediators and controls, on the same rows and with the same fixed
effects. Its distribution is skewed, so the interval comes from whole clusters drawn with replacement (percentiles; a
cluster drawn twice keeps fixed effects inside it for each copy). Each draw is a weighted sum of the clusters' small
cross-product matrices, exact, not an approximation.

Causal only if treatment and mediator are both as good as random given controls and effects; the product says nothing of
that. Sources: MacKinnon, Lockwood & Williams (2004), Multivariate Behavioral Research 39:99-128; Imai, Keele & Yamamoto
(2010), Statistical Science 25:51-71; Cameron & Miller (2015), J. Human Resources 50:317-372 for clusters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.factors import Factor
from analysis_py.inference.entity_grams import Columns, EntityGrams, gram_by_entity, plain_slopes
from analysis_py.progress import report_step

#: Draws that must be usable for an interval.
FEWEST_DRAWS = 50
#: Clusters drawn at a time, in cells.
_DRAWN_CELLS = 4_000_000


@dataclass(frozen=True)
class IndirectEffects:
    """Bootstrap of the indirect effects of t treatments through m mediators.

    Attributes
    ----------
    estimate : (t, m) on all rows; ``total`` (t,) their sum over the mediators.
    draws : (draws, t, m), NaN where a draw does not identify it; ``total_draws`` (draws, t).
    std_error, low, high, p_value : (t, m + 1), the sum over the mediators last. Percentile limits; the p-value is twice
        the smaller share of draws beyond zero, (1 + count) / (1 + draws).
    n_clusters, n_used, n_plain : clusters, draws used, draws that needed plain fits.
    """

    estimate: np.ndarray
    total: np.ndarray
    draws: np.ndarray
    total_draws: np.ndarray
    std_error: np.ndarray
    low: np.ndarray
    high: np.ndarray
    p_value: np.ndarray
    n_clusters: int
    n_used: int
    n_plain: int


def bootstrap_indirect(
    columns: Columns,
    clusters: Factor,
    *,
    controls: int,
    treatments: int,
    draws: int,
    seed: int,
    level: float = 0.95,
) -> IndirectEffects:
    """Estimate and bootstrap the indirect effects.

    Parameters
    ----------
    columns : controls, treatments, mediators, then the outcome.
    clusters : what is drawn with replacement.
    controls, treatments : how many columns of each.
    draws, seed : bootstrap draws and the seed of numpy's default generator.

    Raises ``CP-EST-CLUSTERS`` with a single cluster and ``CP-EST-MECHANISM`` where hardly any draw can be fitted.
    """
    if clusters.levels < 2:
        raise CarbonpanelError("CP-EST-CLUSTERS", f"'{clusters.name}' has a single cluster to draw from")
    groups = clusters.levels
    with single_threaded_blas():
        effects, n_plain = _effects(columns, clusters, _count(groups, draws, seed), draws + 1, controls, treatments)
    estimate, replicated = effects[0], effects[1:]
    usable = np.isfinite(replicated).all(axis=(1, 2))
    n_used = int(usable.sum())
    if n_used < min(FEWEST_DRAWS, draws) or not np.isfinite(estimate).all():
        raise CarbonpanelError(
            "CP-EST-MECHANISM",
            f"only {n_used} of {draws} bootstrap draws identify every path",
            remedy="use fewer mediators or controls, or larger clusters",
        )
    whole = np.concatenate([replicated, replicated.sum(axis=2, keepdims=True)], axis=2)[usable]
    tail = (1.0 - level) / 2.0
    beyond = np.minimum((whole <= 0).sum(axis=0), (whole >= 0).sum(axis=0))
    return IndirectEffects(
        estimate=estimate,
        total=estimate.sum(axis=1),
        draws=replicated,
        total_draws=replicated.sum(axis=2),
        std_error=whole.std(axis=0, ddof=1),
        low=np.quantile(whole, tail, axis=0),
        high=np.quantile(whole, 1.0 - tail, axis=0),
        p_value=np.minimum(2.0 * (1 + beyond) / (1 + n_used), 1.0),
        n_clusters=groups,
        n_used=n_used,
        n_plain=n_plain,
    )


def _count(groups: int, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks (rows, groups) of how often each cluster counts: once each, then drawn with replacement."""
    yield np.ones((1, groups))
    rng = np.random.default_rng(seed)
    step = max(1, _DRAWN_CELLS // groups)
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        at = rng.integers(0, groups, size=(rows, groups)) + groups * np.arange(rows)[:, None]
        yield np.bincount(at.ravel(), minlength=rows * groups).reshape(rows, groups).astype(float)


def _effects(
    columns: Columns, clusters: Factor, blocks: Iterable[np.ndarray], total: int, controls: int, treatments: int
) -> tuple[np.ndarray, int]:
    """a_jk b_k of each draw, (total, t, m), and how many draws were fitted plainly."""
    p = columns.values.shape[1]
    before = controls + treatments
    mediators = p - 1 - before
    effects = np.full((total, treatments, mediators), np.nan)
    grams = gram_by_entity(columns, clusters)
    start = n_plain = 0
    for counts in blocks:
        found = effects[start : start + len(counts)]
        good = np.zeros(len(counts), dtype=bool)
        if grams is not None:
            fast, good = _fast_effects(grams, counts, controls, before)
            found[good] = fast[good]
        for draw in np.flatnonzero(~good):
            rows = counts[draw][clusters.codes]
            effect = plain_slopes(columns, rows, p - 1, range(p - 1))[before:]
            for k in range(mediators):
                path = plain_slopes(columns, rows, before + k, range(before))[controls:]
                found[draw, :, k] = path * effect[k]
            report_step(start + int(draw) + 1, total, "draws fitted one by one")
        n_plain += int((~good).sum())
        start += len(counts)
        report_step(start, total, "draws of the indirect effect")
    return effects, n_plain


def _fast_effects(grams: EntityGrams, counts: np.ndarray, controls: int, before: int) -> tuple[np.ndarray, np.ndarray]:
    p = len(grams.scales)
    factor, good = grams.factor(counts)
    found = np.full((len(counts), before - controls, p - 1 - before), np.nan)
    if good.any():
        effect = grams.slopes(factor[good], p - 1, range(p - 1))[:, before:]
        for k in range(p - 1 - before):
            path = grams.slopes(factor[good], before + k, range(before))[:, controls:]
            found[good, :, k] = path * effect[:, [k]]
    return found, good
