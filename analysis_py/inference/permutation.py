"""Fisher's permutation test that a coefficient is the same in groups, as bdiff does it, by whole units or by rows.

Group labels are dealt afresh among the units (or rows), group sizes kept, and the regression is fitted in each group
again: the share of draws whose difference exceeds the observed one is the p-value. bdiff prints the smaller tail,
min(freq, draws - freq) / draws, which is one-sided: a two-sided test at 5 % rejects below 0.025. The two-sided share
here is (1 + #{|d*| >= |d|}) / (1 + draws), which is a valid p-value at any number of draws.

Rows as units ignore that a city's years hang together; their p-values are too small in a panel. Sources: Lian & Liao
(2017), J. Zhengzhou Univ. Aeronautics 35:97-109; Efron & Tibshirani (1993), ch. 15.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.factors import Factor
from analysis_py.inference.entity_grams import Columns, EntityGrams, gram_by_entity, plain_slopes
from analysis_py.progress import report_step

#: Draws that must be usable for a p-value.
FEWEST_DRAWS = 10
#: Labels dealt at a time.
_DEALT_CELLS = 4_000_000


@dataclass(frozen=True)
class PermutationTest:
    """Differences between groups and how often chance exceeds them.

    Attributes
    ----------
    pairs : (a, b) positions of the groups whose coefficients are subtracted, a - b.
    observed : (pairs, k) differences; the last of k is the constant where there is one.
    draws : (draws, pairs, k) differences under permutation, NaN where a draw identifies none.
    freq : (pairs, k) draws with a difference greater than the observed one.
    n_used : (pairs, k) draws that identify the difference.
    p_one_sided, p_two_sided : (pairs, k).
    n_entities : units (or rows) that were permuted.
    n_plain : draws that needed a plain fit.
    """

    pairs: tuple[tuple[int, int], ...]
    observed: np.ndarray
    draws: np.ndarray
    freq: np.ndarray
    n_used: np.ndarray
    p_one_sided: np.ndarray
    p_two_sided: np.ndarray
    n_entities: int
    n_plain: int


def permute_groups(
    columns: Columns, groups: np.ndarray, entities: Factor, *, draws: int, seed: int, constant: bool = False
) -> PermutationTest:
    """Test that the slopes of the last column on the others are equal in all groups.

    Parameters
    ----------
    columns : regressors, then the outcome, of the rows of all groups.
    groups : (n,) group of each row, 0 .. G - 1.
    entities : what is permuted; every row of an entity must be in one group.
    draws, seed : number of permutations and the seed of numpy's default generator.
    constant : also compare the constants (without fixed effects).

    Raises
    ------
    CarbonpanelError
        ``CP-EST-PERMUTE`` where an entity is in two groups, there is one group, or no draw can be fitted.
    """
    labels = _entity_labels(groups, entities)
    count = int(groups.max()) + 1 if len(groups) else 0
    if count < 2:
        raise CarbonpanelError("CP-EST-PERMUTE", "one group alone has nothing to be compared with")
    pairs = tuple(combinations(range(count), 2))
    with single_threaded_blas():
        slopes, n_plain = _group_slopes(columns, _deal(labels, draws, seed), draws + 1, count, entities, constant)
    differences = np.stack([slopes[:, a] - slopes[:, b] for a, b in pairs], axis=1)
    observed, drawn = differences[0], differences[1:]
    used = np.isfinite(drawn)
    if not used.any():
        raise CarbonpanelError("CP-EST-PERMUTE", "no permutation leaves groups that can be fitted")
    # a permutation that gives back the same groups is a tie, not an excess by rounding
    slack = 1e-9 * np.maximum(np.abs(observed), 1e-300)
    freq = (used & (drawn > observed + slack)).sum(axis=0)
    beyond = (used & (np.abs(drawn) >= np.abs(observed) - slack)).sum(axis=0)
    n_used = used.sum(axis=0)
    enough = (n_used >= min(FEWEST_DRAWS, draws)) & np.isfinite(observed)
    one = np.where(enough, np.minimum(freq, n_used - freq) / np.maximum(n_used, 1), np.nan)
    two = np.where(enough, (1 + beyond) / (1 + n_used), np.nan)
    return PermutationTest(pairs, observed, drawn, freq, n_used, one, two, entities.levels, n_plain)


def _entity_labels(groups: np.ndarray, entities: Factor) -> np.ndarray:
    labels = np.zeros(entities.levels, dtype=np.int64)
    labels[entities.codes] = groups
    torn = np.unique(entities.codes[labels[entities.codes] != groups])
    if len(torn):
        raise CarbonpanelError(
            "CP-EST-PERMUTE",
            f"whole units of '{entities.name}' cannot be permuted: {len(torn)} of {entities.levels} are in more than"
            " one group",
            remedy="permute: rows, or a split that does not change within units (at: median_base_year)",
        )
    return labels


def _deal(labels: np.ndarray, draws: int, seed: int) -> Iterator[np.ndarray]:
    """Blocks (rows, entities) of labels: first as they are, so that observed and permuted differences are made in one
    way, then dealt afresh ``draws`` times; the same however they are cut into blocks.
    """
    yield labels[None, :]
    rng = np.random.default_rng(seed)
    step = max(1, _DEALT_CELLS // len(labels))
    for start in range(0, draws, step):
        yield rng.permuted(np.tile(labels, (min(step, draws - start), 1)), axis=1)


def _group_slopes(
    columns: Columns, blocks: Iterable[np.ndarray], total: int, count: int, entities: Factor, constant: bool
) -> tuple[np.ndarray, int]:
    """Slopes (total, groups, k) under each row of labels (rows, entities), and how many were fitted plainly."""
    p = columns.values.shape[1]
    grams = gram_by_entity(columns, entities, constant=constant)
    if constant and grams is None:
        raise CarbonpanelError("CP-EST-PERMUTE", "too many rows for the constants to be permuted")
    slopes = np.full((total, count, p if constant else p - 1), np.nan)
    n_plain = start = 0
    for labels in blocks:
        found = slopes[start : start + len(labels)]
        for group in range(count):
            members = labels == group
            good = np.zeros(len(labels), dtype=bool)
            if grams is not None:
                found[:, group], good = _fast_slopes(grams, members.astype(float), constant)
            for draw in np.flatnonzero(~good):
                rows = members[draw][entities.codes].astype(float)
                plain = plain_slopes(columns, rows, p - 1, range(p - 1))
                found[draw, group, : p - 1] = plain
                if constant:
                    found[draw, group, p - 1] = _constant_of(columns, rows, plain)
                n_plain += 1
                report_step(start + int(draw) + 1, total, "permutations fitted one by one")
        start += len(labels)
        report_step(start, total, "permutations")
    return slopes, n_plain


def _fast_slopes(grams: EntityGrams, counts: np.ndarray, constant: bool) -> tuple[np.ndarray, np.ndarray]:
    factor, good = grams.factor(counts)
    outcome = len(grams.scales) - 1
    found = np.full((len(counts), outcome), np.nan)
    if good.any():
        found[good] = grams.slopes(factor[good], outcome, range(outcome))
    if constant:
        # columns were centred on their means over all rows: the constant is taken back to the origin
        level = grams.means[outcome] + found[:, 0] - found[:, 1:] @ grams.means[1:outcome]
        found = np.column_stack([found[:, 1:], level])
    return found, good


def _constant_of(columns: Columns, rows: np.ndarray, slopes: np.ndarray) -> float:
    weights = columns.weights * rows
    if not weights.sum() > 0:
        return float("nan")
    means = np.average(columns.values, axis=0, weights=weights)
    return float(means[-1] - np.nansum(means[:-1] * slopes))
