"""Wild cluster bootstrap-t with the null imposed, fixed effects absorbed, one or several cluster variables.

For a coefficient b with influence h (b = h'y, data times sqrt(weight)) and the null b = r, the restricted residuals are
u = e + d z with e the full residuals, d = b - r, z = h / h'h. A draw gives each bootstrap cluster g a sign v_g (or one
of Webb's six values); the bootstrap sample is the restricted fit plus v_g u_g. Its coefficient differs from r by
sum_g v_g h_g'u_g and its clustered variance is a quadratic form in v, so with the projection P = BB' + UU' of
:mod:`analysis_py.estimators.projection` everything follows from sums of h e, h z, U e, U z within clusters: no draw
ever touches the rows. Both parts are polynomials in d, so five numbers a draw give the p-value of every null, and the
interval by inversion costs nothing more.

Sources: Cameron, Gelbach & Miller (2008, REStat 90:414-427); Roodman, MacKinnon, Nielsen & Webb (2019, Stata Journal
19:4-60); several cluster variables: MacKinnon, Nielsen & Webb (2021, JBES 39:505-519); six-point weights: Webb (2014).
The small-sample factor of the variance is common to sample and draws and cancels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from scipy import sparse

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.factors import Factor, intersect, is_nested
from analysis_py.estimators.projection import Projection
from analysis_py.inference.covariance import cluster_covariance, vanishing
from analysis_py.progress import report_step

DEFAULT_DRAWS = 9_999
#: Under this many bootstrap clusters the signs have too few combinations, and Webb's weights are the default.
WEBB_UNDER = 12
DISTRIBUTIONS = ("rademacher", "webb")

_WEBB = np.array([-np.sqrt(1.5), -1.0, -np.sqrt(0.5), np.sqrt(0.5), 1.0, np.sqrt(1.5)])
#: The eight signs that the bits of each byte stand for.
_SIGNS = 1.0 - 2.0 * np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
#: Weights drawn at a time, in cells: what stays in a processor's cache; but enough draws that each reading of the
#: clusters' sums serves many.
_BLOCK_CELLS = 250_000
_FEWEST_ROWS = 256
#: Bootstrap clusters above which no draw will ever give all of them one sign.
_MANY = 60
#: Cells of a score matrix above which several cluster variables are refused.
_MAX_CELLS = 60_000_000
#: Draws equal to the sample's statistic but for rounding count as reaching it.
_TIE = 1e-9


@dataclass(frozen=True)
class Draws:
    """How the weights are drawn. ``distribution`` None: Webb's under :data:`WEBB_UNDER` clusters, else signs."""

    count: int = DEFAULT_DRAWS
    seed: int = 0
    distribution: str | None = None


@dataclass(frozen=True)
class WildTest:
    """The bootstrap of one coefficient.

    Attributes
    ----------
    p_value : share of draws whose |t| reaches the sample's, under the null of zero; NaN without a variance.
    ci_low, ci_high : nulls that are not rejected at 5 percent; infinite where none is rejected on that side.
    valid_draws : draws with a positive variance (all of them with one cluster variable).
    """

    p_value: float
    ci_low: float
    ci_high: float
    valid_draws: int


@dataclass(frozen=True)
class WildResult:
    """Tests of all coefficients from the same draws; ``enumerated`` where every combination of signs was used."""

    tests: tuple[WildTest, ...]
    distribution: str
    draws: int
    enumerated: bool
    boot_clusters: int


@dataclass(frozen=True)
class _Polynomials:
    """Per draw: numerator n0 + d n1 and variance q0 + d q1 + d^2 q2; ``observed`` the sample's variance."""

    n0: np.ndarray
    n1: np.ndarray
    q0: np.ndarray
    q1: np.ndarray
    q2: np.ndarray
    observed: float

    def p_value(self, d: float) -> float:
        """Share of the valid draws whose squared t reaches that of the sample at distance d from the null."""
        reached, valid = self.count(d)
        return reached / valid if valid else float("nan")

    def count(self, d: float) -> tuple[int, int]:
        """Draws that reach the sample's squared t at distance d, and draws with a variance."""
        variance = self.q0 + d * (self.q1 + d * self.q2)
        valid = variance > 0
        reached = (self.n0 + d * self.n1) ** 2 * self.observed >= d**2 * variance * (1.0 - _TIE)
        return int(np.count_nonzero(reached & valid)), int(np.count_nonzero(valid))

    def undecided(self, low: float, high: float) -> np.ndarray:
        """Draws (B,) that may reach the sample's t at one distance from low to high and not at another.

        Both conditions of :meth:`count` are polynomials in d; on an interval they keep their sign where their Bernstein
        coefficients have one sign.
        """
        w = high - low
        n, m = self.n0 + low * self.n1, w * self.n1
        q = self.q0 + low * (self.q1 + low * self.q2)
        r, t = w * (self.q1 + 2.0 * low * self.q2), w * w * self.q2
        variance = (q, q + r / 2.0, q + r + t)
        # (n + m u)^2 observed - (low + w u)^2 (q + r u + t u^2), u from 0 to 1, by powers of u
        share = 1.0 - _TIE
        e0, e1, e2 = low * low * share, 2.0 * low * w * share, w * w * share
        powers = (
            n * n * self.observed - e0 * q,
            2.0 * n * m * self.observed - e0 * r - e1 * q,
            m * m * self.observed - e0 * t - e1 * r - e2 * q,
            -(e1 * t + e2 * r),
            -e2 * t,
        )
        rounding = 1e-12 * (n * n + m * m) * self.observed
        rounding += 1e-12 * (e0 + e1 + e2) * (np.abs(q) + np.abs(r) + np.abs(t))
        gap = tuple(_bernstein(powers, i) for i in range(5))
        open_ = np.zeros(len(q), dtype=bool)
        for values, slack in ((gap, rounding), (variance, 1e-12 * (np.abs(q) + np.abs(r) + np.abs(t)))):
            least, most = np.minimum.reduce(values), np.maximum.reduce(values)
            open_ |= ~((least > slack) | (most < -slack))
        return open_

    def take(self, draws: np.ndarray) -> _Polynomials:
        """Some of the draws."""
        return _Polynomials(
            self.n0[draws], self.n1[draws], self.q0[draws], self.q1[draws], self.q2[draws], self.observed
        )


def _bernstein(powers: Sequence[np.ndarray], at: int) -> np.ndarray:
    """Bernstein coefficient ``at`` on (0, 1) of the polynomial with coefficients ``powers``, constant first."""
    total = powers[0].copy()
    for j in range(1, at + 1):
        total += comb(at, j) / comb(len(powers) - 1, j) * powers[j]
    return total


def run_wild_bootstrap(
    projection: Projection,
    clusters: Sequence[Factor],
    *,
    boot: Factor,
    weights: np.ndarray,
    residuals: np.ndarray,
    influence: np.ndarray,
    estimate: np.ndarray,
    draws: Draws,
    level: float = 0.95,
) -> WildResult:
    """Bootstrap every coefficient.

    Parameters
    ----------
    projection : of the regression.
    clusters : factors of the clustered covariance.
    boot : the factor whose levels share one draw, usually one of ``clusters``.
    weights, residuals : (n,).
    influence : (n, p), estimate (p,) : any linear estimates, estimate = influence' W y.
    level : coverage of the intervals.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-COVARIANCE`` for an unknown distribution, where clustered errors are zero but for rounding, or where
        the score matrices would be too large.
    """
    distribution = draws.distribution or ("webb" if boot.levels < WEBB_UNDER else "rademacher")
    if distribution not in DISTRIBUTIONS:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"unknown distribution '{distribution}' of the wild bootstrap",
            remedy=did_you_mean(distribution, DISTRIBUTIONS),
        )
    enumerated = distribution == "rademacher" and boot.levels < 30 and 2**boot.levels <= draws.count
    count = 2**boot.levels if enumerated else draws.count
    root = np.sqrt(weights)
    e = root * residuals
    scores = influence * (root * e)[:, None]
    if vanishing(cluster_covariance(scores, clusters), scores).any():
        nothing = "the scores of every cluster add up to zero: there is no clustered t to draw"
        raise CarbonpanelError("CP-EST-COVARIANCE", nothing, remedy="cluster by another column, or widen the sample")
    is_simple = len(clusters) == 1 and clusters[0] is boot and is_nested(projection.absorbed, boot)
    makers = [
        (_simple if is_simple else _general)(projection, clusters, boot, e, root * h) for h in influence.T.astype(float)
    ]
    # the same for every coefficient: taken once a block
    common = projection.basis_sums(e, boot) if is_simple else np.empty((boot.levels, 0))
    found: list[list[tuple[np.ndarray, ...]]] = [[] for _ in makers]
    done = 0
    for block in _draw_weights(boot.levels, count, draws.seed, distribution, enumerated):
        same = np.empty(0, dtype=np.int64)
        if boot.levels <= _MANY:
            same = np.flatnonzero((block == block[:, :1]).all(axis=1) & (np.abs(block[:, 0]) == 1.0))
        drawn = block @ common
        done += len(block)
        report_step(done, count, "wild bootstrap draws")
        for maker, parts in zip(makers, found, strict=True):
            made = maker.evaluate(block, drawn, are_signs=distribution == "rademacher")
            parts.append(_repeat_sample(made, same, block[same, 0], maker.observed))
    tests = []
    for maker, parts, b in zip(makers, found, estimate, strict=True):
        n0, n1, q0, q1, q2 = (np.concatenate(pieces) for pieces in zip(*parts, strict=True))
        tests.append(_test(_Polynomials(n0, n1, q0, q1, q2, maker.observed), float(b), 1.0 - level))
    return WildResult(tuple(tests), distribution, count, enumerated, boot.levels)


def _repeat_sample(
    made: tuple[np.ndarray, ...], rows: np.ndarray, signs: np.ndarray, observed: float
) -> tuple[np.ndarray, ...]:
    """Draws of one common sign are the sample itself at every null: set so that no rounding can say otherwise."""
    for values, exact in zip(made, (0.0, signs, observed, 0.0, 0.0), strict=True):
        values[rows] = exact
    return made


def _draw_weights(clusters: int, count: int, seed: int, distribution: str, enumerated: bool) -> Iterator[np.ndarray]:
    """Blocks (draws, clusters) of weights, the same rows whatever the size of a block."""
    rng = np.random.default_rng(seed)
    step = max(_FEWEST_ROWS, _BLOCK_CELLS // clusters)
    for start in range(0, count, step):
        size = min(step, count - start)
        if enumerated:
            number = np.arange(start, start + size, dtype=np.int64)[:, None]
            yield 1.0 - 2.0 * ((number >> np.arange(clusters)) & 1)
        elif distribution == "webb":
            yield _WEBB[(6.0 * rng.random((size, clusters))).astype(np.int64)]
        else:
            # whole words a draw, so that the draws are the same however they are cut into blocks
            words = rng.integers(0, 2**64, (size, (clusters + 63) // 64), dtype=np.uint64)
            octets = words.astype("<u8", copy=False).view(np.uint8)[:, : (clusters + 7) // 8]
            yield _SIGNS[octets].reshape(size, -1)[:, :clusters]


@dataclass(frozen=True)
class _Simple:
    """One cluster variable that nests the absorbed effect and is drawn by: all from one product a block.

    With a = h e, c = h z summed within clusters and C, D the sums of U e, U z and H = (h'h) D those of U h: the score
    of cluster g in a draw is v_g (a + d c')_g - H_g . E, E = sum_g v_g (C + d D)_g, where c' lacks what the absorbed
    effect takes of z.
    """

    a: np.ndarray
    c: np.ndarray
    c_within: np.ndarray
    stacked: np.ndarray
    gram: np.ndarray
    observed: float

    def evaluate(self, v: np.ndarray, e0: np.ndarray, *, are_signs: bool) -> tuple[np.ndarray, ...]:
        """The polynomials of each row of v; ``e0`` is sum_g v_g C_g."""
        r = len(self.gram)
        product = v @ self.stacked
        n0, n1 = product[:, 0].copy(), product[:, 1].copy()
        e1, f0, f1 = (product[:, 2 + i * r : 2 + (i + 1) * r] for i in range(3))
        squared = np.column_stack([self.a**2, 2.0 * self.a * self.c_within, self.c_within**2])
        squares = squared.sum(axis=0)[None, :] if are_signs else v * v @ squared
        g0, g1 = e0 @ self.gram, e1 @ self.gram
        q0 = squares[:, 0] + _dots(e0, g0 - 2.0 * f0)
        q1 = squares[:, 1] + 2.0 * (_dots(e1, g0 - f0) - _dots(e0, f1))
        q2 = squares[:, 2] + _dots(e1, g1 - 2.0 * f1)
        return n0, n1, q0, q1, q2


def _dots(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("ij,ij->i", first, second))


def _simple(projection: Projection, clusters: Sequence[Factor], boot: Factor, e: np.ndarray, h: np.ndarray) -> _Simple:
    size = float(h @ h)
    z = h / size if size > 0 else h
    a = np.bincount(boot.codes, h * e, boot.levels)
    c = np.bincount(boot.codes, h * z, boot.levels)
    taken = np.bincount(projection.absorbed.codes, projection.shares * h, projection.absorbed.levels)
    home = np.zeros(projection.absorbed.levels, dtype=np.int64)
    home[projection.absorbed.codes] = boot.codes
    c_within = c - np.bincount(home, taken**2, boot.levels) / (size if size > 0 else 1.0)
    of_z = projection.basis_sums(z, boot)
    of_h = of_z * size
    stacked = np.column_stack([a, c, of_z, a[:, None] * of_h, c_within[:, None] * of_h])
    return _Simple(a, c, c_within, np.ascontiguousarray(stacked), of_h.T @ of_h, float(a @ a))


@dataclass(frozen=True)
class _General:
    """Any cluster variables: the variance of a draw is v'(Q0 + d Q1 + d^2 Q2)v."""

    a: np.ndarray
    c: np.ndarray
    q: tuple[np.ndarray, np.ndarray, np.ndarray]
    observed: float

    def evaluate(self, v: np.ndarray, e0: np.ndarray, *, are_signs: bool) -> tuple[np.ndarray, ...]:
        """The polynomials of each row of v; nothing else is needed."""
        return (v @ self.a, v @ self.c, *(_dots(v @ q, v) for q in self.q))


def _general(
    projection: Projection, clusters: Sequence[Factor], boot: Factor, e: np.ndarray, h: np.ndarray
) -> _General:
    size = float(h @ h)
    z = h / size if size > 0 else h
    groups = boot.levels
    q0, q1, q2 = (np.zeros((groups, groups)) for _ in range(3))
    observed = 0.0
    absorbed_e, absorbed_z = projection.absorbed_sums(e, boot), projection.absorbed_sums(z, boot)
    basis_e, basis_z = projection.basis_sums(e, boot), projection.basis_sums(z, boot)
    for number in range(1, len(clusters) + 1):
        for chosen in combinations(clusters, number):
            scores = intersect(chosen)
            if scores.levels * groups > _MAX_CELLS:
                raise CarbonpanelError(
                    "CP-EST-COVARIANCE",
                    f"the wild bootstrap by '{boot.name}' over {scores.levels} intersections of clusters is too large",
                    remedy="draw by the cluster variable with fewer levels (boot_by), or use one cluster variable",
                )
            of_h = projection.absorbed_sums(h, scores), projection.basis_sums(h, scores)
            m0 = _score_matrix(scores, boot, h * e, of_h, absorbed_e, basis_e)
            m1 = _score_matrix(scores, boot, h * z, of_h, absorbed_z, basis_z)
            sign = 1.0 if number % 2 else -1.0
            q0 += sign * (m0.T @ m0)
            cross = m0.T @ m1
            q1 += sign * (cross + cross.T)
            q2 += sign * (m1.T @ m1)
            observed += sign * float(np.sum(np.bincount(scores.codes, h * e, scores.levels) ** 2))
    a = np.bincount(boot.codes, h * e, groups)
    c = np.bincount(boot.codes, h * z, groups)
    return _General(a, c, (q0, q1, q2), observed)


def _score_matrix(
    scores: Factor,
    boot: Factor,
    products: np.ndarray,
    of_h: tuple[sparse.csr_matrix, np.ndarray],
    absorbed: sparse.csr_matrix,
    basis: np.ndarray,
) -> np.ndarray:
    """(score clusters, bootstrap clusters): scores of the residuals of a draw per unit of each cluster's weight."""
    own = sparse.coo_matrix((products, (scores.codes, boot.codes)), shape=(scores.levels, boot.levels)).tocsr()
    return np.asarray((own - of_h[0].T @ absorbed).todense()) - of_h[1] @ basis.T


def _test(polynomials: _Polynomials, b: float, alpha: float) -> WildTest:
    if not polynomials.observed > 0:
        return WildTest(float("nan"), float("nan"), float("nan"), 0)
    variance = polynomials.q0 + b * (polynomials.q1 + b * polynomials.q2)
    scale = float(np.sqrt(polynomials.observed))
    low = _limit(polynomials, scale, alpha, direction=1.0)
    high = _limit(polynomials, scale, alpha, direction=-1.0)
    return WildTest(polynomials.p_value(b), b - low, b + high, int(np.count_nonzero(variance > 0)))


def _limit(polynomials: _Polynomials, scale: float, alpha: float, direction: float) -> float:
    """Distance from the estimate at which nulls begin to be rejected on one side; infinite where they never are."""
    inside, outside = 0.0, None
    for step in [*np.arange(0.5, 10.01, 0.5), *10.0 * 2.0 ** np.arange(1, 21)]:
        distance = float(step) * scale
        if not polynomials.p_value(direction * distance) >= alpha:
            outside = distance
            break
        inside = distance
    if outside is None:
        return float("inf")
    # draws that cannot change their mind between the two distances are counted once
    low, high = sorted((direction * inside, direction * outside))
    is_open = polynomials.undecided(low, high)
    reached, valid = polynomials.take(np.flatnonzero(~is_open)).count(direction * outside)
    rest = polynomials.take(np.flatnonzero(is_open))
    for _ in range(60):
        middle = 0.5 * (inside + outside)
        more, others = rest.count(direction * middle)
        if valid + others and (reached + more) / (valid + others) >= alpha:
            inside = middle
        else:
            outside = middle
        if outside - inside <= 1e-10 * outside:
            break
    return 0.5 * (inside + outside)
