"""One design for all trials: many panels with a known truth, and what each method says of them held to bands.

A trial draws panels from a world, asks a method for an estimate, an interval and a test, and counts: bias in units of
its own Monte Carlo error, the share of intervals that hold the truth, the share of tests that reject (size where the
null is true, power where it is not). A share must lie in the band that a right method leaves with probability 0.1%:
exact binomial quantiles. A method known to err in a world is claimed to err, with the reason, and by how much or in
which direction; a method that is wrong there must leave the band of a right one, which shows that the trial would
notice a wrong covariance. With few panels a wrong method is held to leaving the 90% band: fewer can hardly show more.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.estimators.result import RegressionResult
from tests.monte_carlo.shapes import Shape

SEED = 20251122
#: Panels a trial at night; every test run draws the first of them.
NIGHTLY = 1_000
#: Probability that a right method leaves its band, both sides together.
ALPHA = 0.001
LEVEL = 0.05
#: The same for a method that must be seen to be wrong, with fewer panels than this.
_ALPHA_SEEN, _FEW = 0.1, 500
#: Panels drawn at once.
_BLOCK = 50
_NAN = float("nan")


class World(Protocol):
    """A shape and how its columns are made."""

    @property
    def shape(self) -> Shape: ...

    def draw(self, rng: np.random.Generator, draws: int) -> Mapping[str, np.ndarray]:
        """Columns (draws, n) of that many panels."""
        ...


@dataclass(frozen=True)
class Reading:
    """What a method says of one panel: estimate less truth, whether its interval holds the truth, whether it rejects.

    ``rejected`` may be a share (of false discoveries among all): its mean varies less than that of a yes or no. None
    where the method has no such thing.
    """

    off: float | None = None
    covered: bool | None = None
    rejected: float | None = None


@dataclass(frozen=True)
class Claim:
    """What is claimed of a method: shares as (least, most) of the true share, None where not claimed.

    Attributes
    ----------
    coverage, size : of intervals that hold the truth, of tests that reject a true null.
    power : least share of tests that reject a false null.
    bias : bias allowed beyond its Monte Carlo error, as a share of the standard deviation of the estimate.
    fails : the method is wrong here: coverage must lie below, size above the band of a right one.
    truth : as printed.
    why : reason of a claim other than 95% and 5%.
    """

    coverage: tuple[float, float] | None = None
    size: tuple[float, float] | None = None
    power: float | None = None
    bias: float | None = 0.0
    fails: bool = False
    truth: str = ""
    why: str = ""


def right(
    truth: float,
    *,
    coverage: tuple[float, float] = (0.95, 0.95),
    power: float | None = 0.8,
    bias: float | None = 0.0,
    why: str = "",
) -> Claim:
    """Unbiased, with intervals of the stated coverage; the test of zero is judged by size or by power.

    ``bias`` None for a set without an estimate of its own, ``power`` None where none is claimed.
    """
    size = (1 - coverage[1], 1 - coverage[0])
    return Claim(
        coverage,
        size if truth == 0 else None,
        None if truth == 0 else power,
        bias,
        truth=f"{truth:g}",
        why=why,
    )


def wrong(truth: float, why: str, *, bias: float | None = 0.0) -> Claim:
    """Intervals that must be seen to cover too little; ``bias`` None where the estimate is wrong too."""
    return Claim(
        (0.95, 0.95), (0.05, 0.05) if truth == 0 else None, None, bias, fails=True, truth=f"{truth:g}", why=why
    )


def sized(size: tuple[float, float] = (0.05, 0.05), *, truth: str = "null true", why: str = "") -> Claim:
    """A test of a true null."""
    return Claim(size=size, bias=None, truth=truth, why=why)


def powerful(power: float = 0.8, *, truth: str = "null false", why: str = "") -> Claim:
    """A test of a false null."""
    return Claim(power=power, bias=None, truth=truth, why=why)


def oversized(why: str, *, truth: str = "null true") -> Claim:
    """A test of a true null that must be seen to reject too often."""
    return Claim(size=(0.05, 0.05), bias=None, fails=True, truth=truth, why=why)


@dataclass(frozen=True)
class Trial:
    """An estimator in a world.

    ``read`` gives the reading of every method from one panel and its number; ``claims`` names the methods;
    ``small`` is the number of panels in every test run, ``large`` at night.
    """

    estimator: str
    about: str
    world: World
    read: Callable[[pd.DataFrame, int], Mapping[str, Reading]]
    claims: Mapping[str, Claim]
    small: int = 60
    large: int = NIGHTLY

    @property
    def name(self) -> str:
        truths = dict.fromkeys(c.truth for c in self.claims.values())
        return f"{self.estimator}; {self.about}; {self.world.shape.name}; {', '.join(truths)}"


def by_name(trials: Iterable[Trial]) -> dict[str, Trial]:
    """Trials by their names, which also seed them: no two may share one."""
    made = list(trials)
    found = {trial.name: trial for trial in made}
    assert len(found) == len(made), "two trials share a name"
    return found


@dataclass(frozen=True)
class Summary:
    """A method over all panels; NaN where it has no such thing. ``bias`` in units of its Monte Carlo error."""

    bias: float
    bias_by_spread: float
    coverage: float
    rejections: float


@dataclass(frozen=True)
class Line:
    """One line of the page: a method in a world, what was found and what was allowed."""

    estimator: str
    method: str
    world: str
    truth: str
    draws: int
    bias: float
    coverage: float
    size: float
    power: float
    band: str
    why: str


_lines: dict[tuple[str, str, str, str], Line] = {}


def lines() -> list[Line]:
    """What the trials of this process found, in a fixed order."""
    return [_lines[key] for key in sorted(_lines)]


def keep_line(line: Line) -> None:
    _lines[(line.estimator, line.world, line.truth, line.method)] = line


def draw_frames(world: World, name: str, draws: int) -> Iterator[pd.DataFrame]:
    """Panels of a world one by one; the first are the same however many are asked for."""
    base = world.shape.frame()
    for block in range(-(-draws // _BLOCK)):
        rng = np.random.default_rng([SEED, zlib.crc32(name.encode()), block])
        columns = world.draw(rng, _BLOCK)
        for i in range(min(_BLOCK, draws - block * _BLOCK)):
            yield base.assign(**{key: values[i] for key, values in columns.items()})


def run(trial: Trial, draws: int) -> dict[str, Summary]:
    """Every method's summary over ``draws`` panels."""
    readings: dict[str, list[Reading]] = {method: [] for method in trial.claims}
    for number, frame in enumerate(draw_frames(trial.world, trial.name, draws)):
        said = trial.read(frame, number)
        for method in trial.claims:
            readings[method].append(said[method])
    return {method: summarise(found) for method, found in readings.items()}


def summarise(found: list[Reading]) -> Summary:
    """Bias, coverage and rejections of one method."""
    off = np.array([r.off for r in found if r.off is not None])
    bias = by_spread = _NAN
    if len(off) > 1:
        spread = float(off.std(ddof=1))
        by_spread = float(off.mean()) / spread
        bias = by_spread * float(np.sqrt(len(off)))
    covered = [r.covered for r in found if r.covered is not None]
    rejected = [r.rejected for r in found if r.rejected is not None]
    return Summary(bias, by_spread, *(float(np.mean(v)) if v else _NAN for v in (covered, rejected)))


def band(share: float | tuple[float, float], draws: int, alpha: float = ALPHA) -> tuple[float, float]:
    """Shares that a binomial of ``share``, or of any between its two, leaves with probability ``alpha``."""
    least, most = share if isinstance(share, tuple) else (share, share)
    low = float(stats.binom.ppf(alpha / 2, draws, least)) if least > 0 else 0.0
    high = float(stats.binom.ppf(1 - alpha / 2, draws, most)) if most < 1 else float(draws)
    return low / draws, high / draws


def bias_limit(claim: Claim, draws: int) -> float:
    """Largest bias in units of its Monte Carlo error."""
    return float(stats.t.isf(ALPHA / 2, draws - 1)) + (claim.bias or 0.0) * float(np.sqrt(draws))


def check(claim: Claim, found: Summary, draws: int) -> list[str]:
    """What is wrong with a method, in words; empty where every claim holds."""
    problems = []
    if claim.bias is not None and not abs(found.bias) <= bias_limit(claim, draws):
        problems.append(f"bias {found.bias:.2f} Monte Carlo errors, at most {bias_limit(claim, draws):.2f}")
    for what, share, claimed in (
        ("coverage", found.coverage, claim.coverage),
        ("size", found.rejections, claim.size),
    ):
        if claimed is None:
            continue
        low, high = band(claimed, draws, _ALPHA_SEEN if claim.fails and draws < _FEW else ALPHA)
        if not claim.fails and not low <= share <= high:
            problems.append(f"{what} {share:.3f} outside {low:.3f} to {high:.3f}")
        elif claim.fails and not (share < low if what == "coverage" else share > high):
            problems.append(f"{what} {share:.3f}: this method must leave {low:.3f} to {high:.3f} and does not")
    if claim.power is not None and not found.rejections >= band(claim.power, draws)[0]:
        problems.append(f"power {found.rejections:.3f} under {band(claim.power, draws)[0]:.3f}")
    return problems


def judge(trial: Trial, draws: int) -> None:
    """Run a trial and hold every method to its claim."""
    found = run(trial, draws)
    problems = []
    for method, claim in trial.claims.items():
        keep_line(_line(trial, method, claim, found[method], draws))
        problems += [f"{method}: {problem}" for problem in check(claim, found[method], draws)]
    assert not problems, f"{trial.name}, {draws} panels\n" + "\n".join(problems)


def _line(trial: Trial, method: str, claim: Claim, found: Summary, draws: int) -> Line:
    rejections = found.rejections
    judged = claim.coverage or claim.size
    if judged is not None:
        low, high = band(judged, draws)
        what = "" if claim.coverage else "size "
        limits = f"{what}{100 * low:.1f} to {100 * high:.1f}"
        if claim.fails:
            limits = f"must leave {limits}"
    else:
        limits = f"power from {100 * band(claim.power or 0.0, draws)[0]:.1f}"
    return Line(
        trial.estimator,
        method,
        f"{trial.about}; {trial.world.shape.name}",
        _truth(trial, claim),
        draws,
        found.bias,
        found.coverage,
        rejections if claim.size is not None else _NAN,
        rejections if claim.size is None else _NAN,
        limits,
        claim.why,
    )


def _truth(trial: Trial, claim: Claim) -> str:
    """A claim's truth; one in words with the effect of the trial's other claims, which tells trials apart."""
    effects = [c.truth for c in trial.claims.values() if _is_number(c.truth)]
    return claim.truth if _is_number(claim.truth) or not effects else f"{claim.truth}; effect {effects[0]}"


def _is_number(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit()


def read_term(result: RegressionResult, term: str, truth: float) -> Reading:
    """A coefficient of a fitted model, its interval and its test of zero."""
    at = result.terms.index(term)
    low, high = float(result.ci_low[at]), float(result.ci_high[at])
    return Reading(float(result.estimate[at]) - truth, low <= truth <= high, bool(result.p_value[at] <= LEVEL))


def read_p(p_value: float | None) -> Reading:
    """A test by its p-value; one that could not be computed does not reject."""
    return Reading(rejected=p_value is not None and p_value <= LEVEL)
