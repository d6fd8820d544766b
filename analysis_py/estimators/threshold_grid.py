"""Where a threshold may lie: the options of a search, and the grid of candidate values with its trimming."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.threshold_conventions import POINTS, ThresholdConvention
from analysis_py.settings import DEFAULT_SEED

#: Most thresholds a model may have.
MOST_THRESHOLDS = 3
#: Grids above this are searched for a single threshold only.
MOST_JOINT_VALUES = 20_000
#: Share of the values left free between two thresholds where nothing else is said.
DEFAULT_GAP = 0.05
#: How the bootstrap makes new errors.
RESAMPLES = ("donors", "multipliers")


@dataclass(frozen=True)
class ThresholdSpec:
    """What is searched for. Lists hold one value a threshold; a list of one holds for all.

    Attributes
    ----------
    variable : the threshold variable q.
    count : how many thresholds, 1 to 3.
    grid : number of grid points, or ``"all"`` for every distinct value.
    trim : share of the values left out at each end.
    gap : share of the values left free on both sides of the other thresholds; where not given it is ``trim`` if that
        has one value a threshold (as xthreg and Hansen's program read it), else 0.05.
    bootstrap : replications of each test; 0 for none.
    seed : of the bootstrap.
    points : ``unique`` or ``observations``, what a grid of a given size is laid over; None: the convention's.
    resample : ``donors`` (each unit is given the residuals of a unit drawn with replacement) or ``multipliers``
        (the residuals of each unit times +1 or -1); None: donors where the panel is balanced, else multipliers.
    given : thresholds taken as known: nothing is searched or tested.
    """

    variable: str
    count: int = 1
    grid: tuple[int | str, ...] = (400,)
    trim: tuple[float, ...] = (0.01,)
    gap: tuple[float, ...] | None = None
    bootstrap: tuple[int, ...] = (500,)
    seed: int = DEFAULT_SEED
    points: str | None = None
    resample: str | None = None
    given: tuple[float, ...] = ()

    @classmethod
    def parse(cls, options: Mapping[str, object]) -> ThresholdSpec:
        """From a study's ``threshold`` entry (``regime_terms`` is read elsewhere); ``CP-EST-THRESHOLD`` for nonsense.

        Single values stand for lists of one.
        """
        given = {k: v for k, v in options.items() if k != "regime_terms" and v is not None}
        for name in ("grid", "trim", "gap", "bootstrap", "given"):
            if name in given and not isinstance(given[name], list | tuple):
                given[name] = (given[name],)
            elif name in given:
                given[name] = tuple(given[name])  # type: ignore[arg-type]
        if "given" in given and "count" not in given:
            given["count"] = len(given["given"])  # type: ignore[arg-type]
        for name in given:
            if name not in cls.__dataclass_fields__:
                raise _refuse(f"a threshold has no option '{name}'", did_you_mean(name, cls.__dataclass_fields__))
        return cls(**given)._checked()  # type: ignore[arg-type]

    def _checked(self) -> ThresholdSpec:
        if not 1 <= self.count <= MOST_THRESHOLDS:
            raise _refuse(f"{self.count} thresholds cannot be searched", f"count: 1 to {MOST_THRESHOLDS}")
        for name in ("grid", "trim", "gap", "bootstrap"):
            values = getattr(self, name)
            if values is not None and len(values) not in (1, self.count):
                raise _refuse(
                    f"'{name}' has {len(values)} values for {self.count} threshold(s)",
                    "give one value a threshold, or one for all",
                )
        for size in self.grid:
            if size != "all" and (isinstance(size, bool) or not isinstance(size, int) or size < 2):
                raise _refuse(f"a grid of {size!r} points", "grid: 400, or all")
        for share in (*self.trim, *(self.gap or ())):
            if not 0.0 <= share < 0.5:
                raise _refuse(f"the share {share:g} to leave out is not from 0 up to one half", "for example 0.01")
        if any(draws < 0 for draws in self.bootstrap) or self.seed < 0:
            raise _refuse("a negative number of draws or seed", "bootstrap: [500], seed: 20251122")
        if self.points is not None and self.points not in POINTS:
            raise _refuse(f"a grid over '{self.points}' is not known", did_you_mean(self.points, POINTS))
        if self.resample is not None and self.resample not in RESAMPLES:
            raise _refuse(f"resampling by '{self.resample}' is not known", did_you_mean(self.resample, RESAMPLES))
        if self.given and (
            len(self.given) != self.count or sorted(set(self.given)) != list(self.given) or not _finite(self.given)
        ):
            raise _refuse("the given thresholds must be rising numbers, one each", "given: [2.5, 4]")
        return self

    def grid_of(self, order: int) -> int | str:
        """Grid of the ``order``-th threshold, counting from 0."""
        return self.grid[order if len(self.grid) > 1 else 0]

    def trim_of(self, order: int) -> float:
        """Share trimmed at the ends in the search for the ``order``-th threshold."""
        return self.trim[order if len(self.trim) > 1 else 0]

    def gap_of(self, order: int) -> float:
        """Share left free beside other thresholds in the search for the ``order``-th."""
        if self.gap is not None:
            return self.gap[order if len(self.gap) > 1 else 0]
        return self.trim[order] if len(self.trim) > 1 else DEFAULT_GAP

    def draws_of(self, order: int) -> int:
        """Bootstrap replications of the ``order``-th test."""
        return self.bootstrap[order if len(self.bootstrap) > 1 else 0]


@dataclass(frozen=True)
class Grid:
    """Candidate thresholds, ascending; the lower regime of candidate j is q <= ``cuts[j]``.

    Attributes
    ----------
    values : (G,) as reported.
    cuts : (G,) largest observed value of the lower regime; differs from ``values`` only for strict conventions.
    allowed : (count, G) whether a candidate belongs to the search for each threshold.
    ranks : (G,) position of the cut among the points the grid is laid over.
    near : (count, 2) how far below and above another threshold a candidate is too near, in ranks: excluded where
        -below <= rank - rank of the other <= above.
    distinct : number of distinct values of q.
    """

    values: np.ndarray
    cuts: np.ndarray
    allowed: np.ndarray
    ranks: np.ndarray
    near: np.ndarray
    distinct: int

    def eligible(self, order: int, others: Sequence[int]) -> np.ndarray:
        """(G,) candidates of the ``order``-th search beside the thresholds at positions ``others``."""
        mask = self.allowed[order].copy()
        for other in others:
            mask &= ~self.too_near(order, np.array([other]))[:, 0]
        return mask

    def too_near(self, order: int, others: np.ndarray) -> np.ndarray:
        """(G, B) whether each candidate is too near to the threshold at position ``others[b]``."""
        away = self.ranks[:, None] - self.ranks[others][None, :]
        below, above = self.near[order]
        return np.asarray((away >= -below) & (away <= above))

    def bins(self, q: np.ndarray) -> np.ndarray:
        """(n,) first candidate whose lower regime holds the observation; G where none does."""
        return np.searchsorted(self.cuts, q, side="left")


def build_grid(q: np.ndarray, rules: ThresholdConvention, spec: ThresholdSpec) -> Grid:
    """Lay the grid over the values of q (n,).

    Raises
    ------
    CarbonpanelError
        ``CP-EST-THRESHOLD``: q does not vary or has two values, the trimming leaves nothing, too many values for more
        than one threshold.
    """
    distinct, counts = np.unique(q, return_counts=True)
    m = len(distinct)
    if m < 3:
        what = "does not vary in the sample" if m == 1 else "has only two values in the sample"
        raise _refuse(
            f"the threshold variable '{spec.variable}' {what}",
            "a threshold is searched among many values; split the sample instead (estimator: heterogeneity)",
        )
    points = spec.points or rules.points
    total = m if points != "observations" else len(q)
    below = np.cumsum(counts)
    chosen: list[np.ndarray] = []
    for order in range(spec.count):
        # Hansen's program trims the ends by the first share in every search
        trim = spec.trim_of(0 if points == "program" else order)
        places = _places(points, spec.grid_of(order), trim, m, np.repeat(np.arange(m), counts))
        # the largest value would leave the upper regime empty, the smallest of a strict rule the lower one
        low, high = (1, m - 1) if rules.is_strict else (0, m - 2)
        places = np.unique(places[(places >= low) & (places <= high)])
        if places.size == 0:
            raise _refuse(
                f"no candidate is left for a threshold in '{spec.variable}': {m} distinct values, {trim:g} trimmed at "
                "each end",
                "trim less, or choose a variable with more values",
            )
        chosen.append(places)
    places = np.unique(np.concatenate(chosen))
    if spec.count > 1 and len(places) > MOST_JOINT_VALUES:
        raise _refuse(
            f"{len(places)} candidate values are too many for {spec.count} thresholds (limit {MOST_JOINT_VALUES})",
            "grid: 400 searches several thresholds; grid: all a single one",
        )
    cuts = distinct[places - 1] if rules.is_strict else distinct[places]
    return Grid(
        values=distinct[places],
        cuts=cuts,
        allowed=np.stack([np.isin(places, own) for own in chosen]),
        ranks=_ranks(points, places, below),
        near=np.array([_near(points, spec, order, total) for order in range(spec.count)]),
        distinct=m,
    )


def _places(points: str, size: int | str, trim: float, m: int, value_of: np.ndarray) -> np.ndarray:
    """Positions among the m distinct values; ``value_of`` (n,) is the position of each sorted observation's value."""
    if size == "all":
        return np.arange(round(m * trim), min(round(m * (1.0 - trim)), m - 1) + 1)
    if points == "program":
        steps = np.arange(round(int(size) - 2 * int(size) * trim) + 1)
        # a tiny shift keeps whole numbers whole where trim + j/G is not exact in binary
        return np.floor((trim + steps / int(size)) * m + 1e-9).astype(np.int64) - 1
    if points == "observations":
        n = len(value_of)
        at = np.floor(np.linspace(n * trim, n * (1.0 - trim), int(size))).astype(np.int64)
        return value_of[np.clip(at, 0, n - 1)]
    at = np.round(np.linspace(m * trim, m * (1.0 - trim), int(size))).astype(np.int64)
    return np.clip(at, 0, m - 1)


def _ranks(points: str, places: np.ndarray, below: np.ndarray) -> np.ndarray:
    if points == "program":
        return np.arange(len(places))
    return below[places] if points == "observations" else places


def _near(points: str, spec: ThresholdSpec, order: int, total: int) -> tuple[float, float]:
    """How near is too near, in ranks, below and above; the candidate itself always is."""
    gap = spec.gap_of(order)
    if points == "program":
        steps = spec.grid_of(order)
        width = gap * (total if steps == "all" else int(steps))
        return width, max(width - 1.0, 0.0)
    return (gap * total, gap * total) if gap * total > 0 else (0.0, 0.0)


def _finite(values: Sequence[float]) -> bool:
    return bool(np.isfinite(np.asarray(values, dtype=float)).all())


def _refuse(what: str, remedy: str) -> CarbonpanelError:
    return CarbonpanelError("CP-EST-THRESHOLD", what, remedy=remedy)
