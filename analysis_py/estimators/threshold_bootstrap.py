"""Bootstrap of the threshold tests: new errors by unit under the null, and F found on each draw as on the data.

Each draw keeps the fit under the null (k - 1 thresholds) and takes new errors in blocks by unit: ``donors`` gives every
unit the whole residual vector of a unit drawn with replacement (Hansen 1999, section 5); ``multipliers`` gives it its
own residuals times +1 or -1 (the wild bootstrap by cluster), which needs no balance. On each draw thresholds are
searched one after the other as on the data, and F_k is compared. Draw b comes from the block b // 64 of a stream named
by (seed, k), so that the first 500 of 10,000 draws are the 500 draws.

In an unbalanced panel a donor must have at least as many rows; a stretch of consecutive ones is taken, its start drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.threshold_design import EXPLAINED, ThresholdDesign, quadratic
from analysis_py.estimators.threshold_grid import Grid
from analysis_py.estimators.threshold_search import Test, pseudo_inverse
from analysis_py.progress import report_step

#: Draws that come from one stream, and are worked on together.
BLOCK = 64
#: Cells of new errors that are worked on at once; more draws than fit are done in turns.
MAX_CELLS = 8_000_000
#: Share of the sum of squares below which what is left on a draw is rounding.
NOTHING = 1e-14
#: Levels of the critical values.
LEVELS = (0.10, 0.05, 0.01)


@dataclass(frozen=True)
class Blocks:
    """Rows of each unit. Rows are in the order of (place within the unit, unit).

    ``unit`` (n,) codes, ``place`` (n,) counted from 0, ``counts`` (units,) rows of each; ``drawn`` rows that carry a
    residual: all, or those kept by the convention.
    """

    unit: np.ndarray
    place: np.ndarray
    counts: np.ndarray
    is_balanced: bool

    @property
    def n_units(self) -> int:
        return len(self.counts)


@dataclass(frozen=True)
class BootstrapTest:
    """p-value (share of draws with a larger F), critical values by level, and the draws (B,) themselves."""

    p_value: float
    critical: dict[str, float]
    draws: np.ndarray
    resample: str


def make_blocks(unit: np.ndarray, place: np.ndarray, *, is_balanced: bool) -> Blocks:
    """Blocks of rows ordered by (place, unit); units are coded 0 .. n - 1."""
    return Blocks(unit, place, np.bincount(unit), is_balanced)


def draw_errors(
    residuals: np.ndarray, blocks: Blocks, resample: str, draws: int, seed: int, order: int
) -> Iterator[np.ndarray]:
    """Arrays (n, up to 64) of new errors made from the residuals (n,), block after block.

    ``donors`` needs, in an unbalanced panel, at least one unit as long as each: every unit is itself one.
    """
    longest = np.argsort(-blocks.counts, kind="stable")
    enough = np.searchsorted(-blocks.counts[longest], -blocks.counts, side="right")
    row_of = np.zeros((blocks.n_units, int(blocks.counts.max())), dtype=np.int64)
    row_of[blocks.unit, blocks.place] = np.arange(len(blocks.unit))
    for number, start in enumerate(range(0, draws, BLOCK)):
        width = min(BLOCK, draws - start)
        stream = np.random.default_rng([seed, order, number])
        if resample == "multipliers":
            signs = 2.0 * stream.integers(0, 2, size=(blocks.n_units, BLOCK)) - 1.0
            yield residuals[:, None] * signs[blocks.unit, :width]
            continue
        # one uniform number a unit and draw picks the donor, a second one where the stretch begins
        pick = stream.random((blocks.n_units, BLOCK))[:, :width]
        donor = longest[np.minimum((pick * enough[:, None]).astype(np.int64), enough[:, None] - 1)]
        if blocks.is_balanced:
            table = residuals.reshape(-1, blocks.n_units)
            yield np.take(table, donor, axis=1).reshape(len(residuals), width)
            continue
        slack = blocks.counts[donor] - blocks.counts[:, None]
        begin = (stream.random((blocks.n_units, BLOCK))[:, :width] * (slack + 1)).astype(np.int64)
        place = blocks.place[:, None] + np.minimum(begin, slack)[blocks.unit]
        yield residuals[row_of[donor[blocks.unit], place]]


def bootstrap_test(
    design: ThresholdDesign,
    grid: Grid,
    blocks: Blocks,
    test: Test,
    *,
    draws: int,
    seed: int,
    resample: str,
    scale: float,
) -> BootstrapTest:
    """Distribution of F_k under k - 1 thresholds.

    Parameters
    ----------
    test : the test on the data; ``test.under_null`` are the thresholds of the null.
    draws : replications, at least 1.
    scale : degrees of freedom of F.
    """
    null = fit_null(design, test)
    is_centred = _stays_centred(design, blocks, resample)
    parts: list[np.ndarray] = []
    done = 0
    for errors in _null_errors(design, null, blocks, test, resample, draws, seed):
        for part in _in_turns(errors):
            parts.append(_search_draws(design, grid, test.order, *_moments(design, null, part, is_centred), scale))
            done += part.shape[1]
            report_step(done, draws, f"draws of the test of {test.order} threshold(s)")
    found = np.concatenate(parts)
    ordered = np.sort(found)
    critical = {f"{100 * level:g}%": float(ordered[int(np.ceil((1.0 - level) * draws - 1e-9)) - 1]) for level in LEVELS}
    return BootstrapTest(float(np.mean(found > test.f)), critical, found, resample)


@dataclass(frozen=True)
class NullFit:
    """The fit under the null, in scaled units, and what it adds to every draw.

    ``residuals`` (n,); ``coefficients`` (s r,) of its thresholds at ``positions`` (s,); ``explained`` what they explain
    of y'My; ``slopes`` (G, r) what they add to g.
    """

    residuals: np.ndarray
    positions: np.ndarray
    coefficients: np.ndarray
    explained: float
    slopes: np.ndarray


def fit_null(design: ThresholdDesign, test: Test) -> NullFit:
    """Least squares at the thresholds of the null."""
    at = np.asarray(test.under_null, dtype=np.int64)
    if at.size == 0:
        return NullFit(design.y, at, np.empty(0), 0.0, np.zeros((design.n_bins, design.width)))
    held, slopes = design.among(test.under_null)
    own = np.einsum("grr->gr", design.squares)[at].ravel()
    coefficients = pseudo_inverse(held, own) @ slopes
    across = design.rows(at).reshape(len(coefficients), -1)
    return NullFit(
        residuals=design.y - design.split(test.under_null) @ coefficients,
        positions=at,
        coefficients=coefficients,
        explained=float(coefficients @ held @ coefficients),
        slopes=(coefficients @ across).reshape(design.n_bins, design.width),
    )


def _null_errors(
    design: ThresholdDesign, null: NullFit, blocks: Blocks, test: Test, resample: str, draws: int, seed: int
) -> Iterator[np.ndarray]:
    """New errors on all n rows; rows that a convention drops carry none."""
    residuals, kept = null.residuals, design.within.kept
    if kept is None:
        yield from draw_errors(residuals, blocks, resample, draws, seed, test.order)
        return
    rows = np.flatnonzero(kept)
    counts = np.bincount(blocks.unit[rows], minlength=blocks.n_units)
    inner = Blocks(blocks.unit[rows], blocks.place[rows], counts, blocks.is_balanced)
    for errors in draw_errors(residuals[rows], inner, resample, draws, seed, test.order):
        padded = np.zeros((len(residuals), errors.shape[1]))
        padded[rows] = errors
        yield padded


def _in_turns(errors: np.ndarray) -> list[np.ndarray]:
    """Columns of (n, B) in groups of at most :data:`MAX_CELLS` cells."""
    width = max(1, MAX_CELLS // len(errors))
    return [np.ascontiguousarray(errors[:, start : start + width]) for start in range(0, errors.shape[1], width)]


def _stays_centred(design: ThresholdDesign, blocks: Blocks, resample: str) -> bool:
    """Whether new errors sum to zero in every absorbed level as the residuals do."""
    within = design.within
    if within.kept is not None or within.codes is None or not np.array_equal(within.codes, blocks.unit):
        return False
    return resample == "multipliers" or (blocks.is_balanced and bool((within.roots == 1.0).all()))


def _moments(
    design: ThresholdDesign, null: NullFit, errors: np.ndarray, is_centred: bool
) -> tuple[np.ndarray, np.ndarray]:
    """g (G, r, B) and y'My (B,) of outcomes made of the fit under the null and each column of new errors (n, B)."""
    within, size = design.within, design.n_bins * design.width
    if within.kept is None:
        carried = errors = errors if is_centred else within.centre(errors)
    else:
        carried = within.carry(errors)
    on_basis = design.basis.T @ errors
    left = np.einsum("ij,ij->j", errors, errors) - np.einsum("ij,ij->j", on_basis, on_basis)
    slopes = design.accumulate(carried)
    slopes -= (design.basis_sums.reshape(size, -1) @ on_basis).reshape(slopes.shape)
    if null.positions.size:
        crossed = null.coefficients @ slopes[null.positions].reshape(len(null.coefficients), -1)
        left = left + 2.0 * crossed + null.explained
        slopes += null.slopes[:, :, None]
    return slopes, left


def _search_draws(
    design: ThresholdDesign, grid: Grid, count: int, slopes: np.ndarray, left: np.ndarray, scale: float
) -> np.ndarray:
    """F of the last of ``count`` thresholds searched one after the other, from g (G, r, B) and y'My (B,).

    The split regressors of a threshold that is found are eliminated one by one from what remains: with the pivot
    p = A(f, f) and k = A(f, .) / sqrt(p), D -> D - kk' and g -> g - k g_f / sqrt(p).
    """
    width, draws = design.width, np.arange(slopes.shape[2])
    own = np.einsum("grr->rg", design.squares)[:, :, None]
    parts = [[design.gram[:, i, j, None] for j in range(width)] for i in range(width)]
    values = [slopes[:, i] for i in range(width)]
    removed: list[list[np.ndarray]] = []
    chosen: list[np.ndarray] = []
    before = after = left
    for order in range(count):
        allowed = grid.allowed[order][:, None]
        for other in chosen:
            allowed = allowed & ~grid.too_near(order, other)
        reduced = np.where(allowed, quadratic(parts, values, own), -1.0)
        best = np.argmax(reduced, axis=0)
        before, after = after, after - np.maximum(reduced[best, draws], 0.0)
        if order + 1 == count:
            break
        chosen.append(best)
        places, inverse = np.unique(best, return_inverse=True)
        across = design.rows(places)
        for i in range(width):
            line = [np.take(np.ascontiguousarray(across[:, i, :, j].T), inverse, axis=1) for j in range(width)]
            for earlier in removed:
                at_best = earlier[i][best, draws]
                line = [column - at_best * earlier[j] for j, column in enumerate(line)]
            pivot = line[i][best, draws]
            root = np.sqrt(np.where(pivot > EXPLAINED * own[i, best, 0], pivot, np.inf))
            line = [column / root for column in line]
            weight = values[i][best, draws] / root
            values = [value - weight * line[j] for j, value in enumerate(values)]
            parts = [[parts[a][b] - line[a] * line[b] for b in range(width)] for a in range(width)]
            removed.append(line)
    # with very few units a draw may leave nothing but rounding: no gain counts as F = 0, an exact fit as a very large F
    nothing = NOTHING * design.ssr_null
    gained = before - after
    return np.where(gained > nothing, gained / (np.maximum(after, nothing) / scale), 0.0)
