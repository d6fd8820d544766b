"""Monte Carlo: do 95% intervals with errors clustered by city cover the truth in 95% of panels?

Each draw is a new balanced panel (271 cities, 19 years): serially correlated exogenous regressors, city and year
effects correlated with them, errors that follow an AR(1) within the city, differ in size between cities and have heavy
tails. The coefficients are drawn once from the seed. Coverage of each coefficient is compared with the exact binomial
band at 0.1%; conventional errors stand beside, and are expected to cover too little. The panels are fitted by a
vectorised path; every 50th draw is fitted by :func:`analysis_py.estimators.twfe.fit_twfe` too, and the largest
difference is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE
from analysis_py.simulate.process import autoregress, demean
from analysis_py.simulate.streams import Streams

CITIES, FIRST_YEAR, YEAR_COUNT = 271, 2003, 19
TERMS = ("AI", "POP", "Ope", "Gov", "FI", "ST")
LEVEL = 0.95
#: Probability that a correct interval falls outside the band, both sides together.
BAND_ALPHA = 0.001
VERIFY_EVERY = 50
VERIFY_TOLERANCE = 1e-10


@dataclass(frozen=True)
class Draw:
    """One panel: ``x`` (N, T, K), ``y`` (N, T), by city and year."""

    x: np.ndarray
    y: np.ndarray


@dataclass(frozen=True)
class Fit:
    """Estimates (K,), standard errors clustered by city and conventional, half widths of their 95% intervals."""

    estimate: np.ndarray
    clustered: np.ndarray
    conventional: np.ndarray
    clustered_half: np.ndarray
    conventional_half: np.ndarray


@dataclass(frozen=True)
class CoverageRow:
    """One coefficient over all draws; ``covered`` counts the intervals that hold the truth."""

    term: str
    truth: float
    mean_estimate: float
    sd_estimate: float
    mean_std_error: float
    covered: int
    coverage: float
    within_band: bool
    coverage_conventional: float
    conventional_within_band: bool


@dataclass(frozen=True)
class CoverageReport:
    """Result of :func:`coverage`; ``largest_difference`` is relative, between the two ways of fitting."""

    draws: int
    seed: int
    rows: tuple[CoverageRow, ...]
    band: tuple[int, int]
    verified_draws: int
    largest_difference: float

    @property
    def within_band(self) -> bool:
        """Every coefficient's clustered coverage lies in the band, and the two ways of fitting agree."""
        return all(r.within_band for r in self.rows) and self.largest_difference <= VERIFY_TOLERANCE


def coverage(
    draws: int = 400, seed: int = DEFAULT_SEED, progress: Callable[[int, int, str], None] | None = None
) -> CoverageReport:
    """Run the study.

    Parameters
    ----------
    draws : number of panels, at least 20 (``CP-COVERAGE-DRAWS`` otherwise).
    seed : of the coefficients and of every panel.
    progress : called as (done, total, label).
    """
    if draws < 20:
        raise CarbonpanelError(
            "CP-COVERAGE-DRAWS",
            f"{draws} draws say nothing about coverage",
            remedy="use at least 20; the study is meant for 400",
        )
    streams = Streams(seed)
    truth = draw_coefficients(streams)
    generator = streams.stream("coverage_panels")
    fits: list[Fit] = []
    verified, largest = 0, 0.0
    for number in range(draws):
        if progress is not None:
            progress(number, draws, "panels drawn and fitted")
        panel = draw_panel(generator, truth)
        fit = fit_panel(panel)
        fits.append(fit)
        if number % VERIFY_EVERY == 0:
            verified += 1
            largest = max(largest, difference_from_estimator(panel, fit))
    if progress is not None:
        progress(draws, draws, "")
    return CoverageReport(
        draws=draws,
        seed=seed,
        rows=_summarise(truth, fits),
        band=binomial_band(draws),
        verified_draws=verified,
        largest_difference=largest,
    )


def draw_coefficients(streams: Streams) -> np.ndarray:
    """(K,) true coefficients: a third of them zero, the others of either sign."""
    draw = streams.stream("coverage_coefficients")
    size = np.round(draw.uniform(0.02, 0.20, len(TERMS)), 3)
    sign = draw.permutation([0, 0, 1, 1, -1, 1])
    return size * sign


def draw_panel(draw: np.random.Generator, truth: np.ndarray) -> Draw:
    """One panel; every regressor is exogenous given the city and year effects."""
    n, t = CITIES, YEAR_COUNT
    city, year = draw.standard_normal(n), np.cumsum(draw.normal(0.05, 0.05, t))
    x = np.empty((n, t, len(truth)))
    for k in range(len(truth)):
        own = autoregress(draw, (n, t), 0.7)
        x[:, :, k] = 0.5 * own + 0.4 * city[:, None] + 0.3 * year[None, :] + draw.standard_normal(n)[:, None]
    size = np.exp(draw.normal(-2.0, 0.35, n))
    error = size[:, None] * autoregress(draw, (n, t), 0.6, tail_df=6.0)
    return Draw(x, np.einsum("itk,k->it", x, truth) + city[:, None] + year[None, :] + error)


def fit_panel(panel: Draw) -> Fit:
    """Two-way fixed effects by demeaning a balanced panel; factors of convention ``xtreg``.

    Clustered: G/(G-1) (n-1)/(n-k-T), t(G-1), city effects nested in the clusters. Conventional: residual degrees of
    freedom n-k-N-T+1.
    """
    n, t, k = panel.x.shape
    x = np.stack([demean(panel.x[:, :, j]) for j in range(k)], axis=2)
    y = demean(panel.y)
    bread = np.linalg.inv(np.einsum("itj,itk->jk", x, x))
    estimate = bread @ np.einsum("itk,it->k", x, y)
    residual = y - x @ estimate
    score = np.einsum("itk,it->ik", x, residual)
    observations = n * t
    factor = n / (n - 1.0) * (observations - 1.0) / (observations - k - t)
    clustered = np.sqrt(np.diag(bread @ (score.T @ score) @ bread) * factor)
    freedom = observations - k - n - t + 1
    conventional = np.sqrt(np.diag(bread) * np.sum(residual**2) / freedom)
    upper = 0.5 + LEVEL / 2.0
    return Fit(
        estimate=estimate,
        clustered=clustered,
        conventional=conventional,
        clustered_half=clustered * stats.t.ppf(upper, n - 1),
        conventional_half=conventional * stats.t.ppf(upper, freedom),
    )


def difference_from_estimator(panel: Draw, fit: Fit) -> float:
    """Largest relative difference of estimates, errors and interval limits from ``fit_twfe`` on the same panel."""
    from analysis_py.estimators.twfe import fit_twfe

    frame = panel_frame(panel)
    worst = 0.0
    cases: tuple[tuple[dict[str, object], np.ndarray, np.ndarray], ...] = (
        ({"type": "cluster", "by": ["city_code"]}, fit.clustered, fit.clustered_half),
        ({"type": "iid"}, fit.conventional, fit.conventional_half),
    )
    for covariance, error, half in cases:
        result = fit_twfe(
            frame,
            outcome="CP",
            regressors=list(TERMS),
            fixed_effects=["city_code", "year"],
            covariance=covariance,
            convention="xtreg",
            unit="city_code",
            time="year",
        )
        places = [result.terms.index(term) for term in TERMS]
        pairs = (
            (result.estimate, fit.estimate),
            (result.std_error, error),
            (result.ci_low, fit.estimate - half),
            (result.ci_high, fit.estimate + half),
        )
        # limits and estimates of zero effects lie near zero: differences are measured against the standard error
        worst = max(worst, *(float(np.max(np.abs(a[places] - b) / error)) for a, b in pairs))
    return worst


def panel_frame(panel: Draw) -> pd.DataFrame:
    """A draw as a long table: city_code, year, CP and the regressors."""
    n, t, k = panel.x.shape
    data: dict[str, object] = {
        "city_code": np.repeat([f"C{i:03d}" for i in range(n)], t),
        "year": np.tile(np.arange(FIRST_YEAR, FIRST_YEAR + t), n),
        "CP": panel.y.ravel(),
    }
    return pd.DataFrame(data | {TERMS[j]: panel.x[:, :, j].ravel() for j in range(k)})


def binomial_band(draws: int, level: float = LEVEL, alpha: float = BAND_ALPHA) -> tuple[int, int]:
    """Fewest and most intervals out of ``draws`` that may cover the truth: exact binomial quantiles, alpha in all."""
    low, high = stats.binom.ppf([alpha / 2.0, 1.0 - alpha / 2.0], draws, level)
    return int(low), int(high)


def count_covered(estimates: np.ndarray, halves: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """(K,) number of draws whose interval ``estimate +- half`` holds the truth; estimates and halves are (draws, K)."""
    return np.sum(np.abs(estimates - truth[None, :]) <= halves, axis=0)


def _summarise(truth: np.ndarray, fits: list[Fit]) -> tuple[CoverageRow, ...]:
    estimates = np.stack([f.estimate for f in fits])
    draws = len(fits)
    low, high = binomial_band(draws)
    clustered = count_covered(estimates, np.stack([f.clustered_half for f in fits]), truth)
    conventional = count_covered(estimates, np.stack([f.conventional_half for f in fits]), truth)
    errors = np.stack([f.clustered for f in fits]).mean(axis=0)
    return tuple(
        CoverageRow(
            term=term,
            truth=float(truth[k]),
            mean_estimate=float(estimates[:, k].mean()),
            sd_estimate=float(estimates[:, k].std(ddof=1)),
            mean_std_error=float(errors[k]),
            covered=int(clustered[k]),
            coverage=float(clustered[k] / draws),
            within_band=bool(low <= clustered[k] <= high),
            coverage_conventional=float(conventional[k] / draws),
            conventional_within_band=bool(low <= conventional[k] <= high),
        )
        for k, term in enumerate(TERMS)
    )


def render_coverage(report: CoverageReport) -> str:
    """The report as text, with the notice that everything in it is simulated."""
    from analysis_py.display import render_rows

    low, high = report.band
    columns = [
        "term",
        "truth",
        "mean estimate",
        "sd",
        "mean s.e.",
        "coverage %",
        "in band",
        "conventional %",
        "in band ",
    ]
    rows = [
        [
            r.term,
            r.truth,
            round(r.mean_estimate, 5),
            round(r.sd_estimate, 5),
            round(r.mean_std_error, 5),
            round(100 * r.coverage, 2),
            "yes" if r.within_band else "NO",
            round(100 * r.coverage_conventional, 2),
            "yes" if r.conventional_within_band else "no, as expected",
        ]
        for r in report.rows
    ]
    verdict = "every coefficient is inside the band" if report.within_band else "OUTSIDE the band"
    return "\n".join(
        [
            SIMULATED_NOTICE,
            f"Coverage of 95% intervals, errors clustered by city: {report.draws} panels of {CITIES} cities x "
            f"{YEAR_COUNT} years, seed {report.seed}",
            render_rows(columns, rows),
            f"Binomial band at {100 * BAND_ALPHA:g}%: {100 * low / report.draws:.2f} to "
            f"{100 * high / report.draws:.2f} % ({low} to {high} of {report.draws}); {verdict}.",
            f"Conventional errors ignore the correlation within cities and are expected to cover too little. "
            f"{report.verified_draws} panels fitted again by the estimator itself: largest difference "
            f"{report.largest_difference:.1e} standard errors.",
        ]
    )
