"""The coverage study meets its band, fails it with wrong errors, and equals the estimator."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE
from analysis_py.simulate import coverage as study
from analysis_py.simulate.coverage import CoverageReport, coverage, render_coverage
from analysis_py.simulate.streams import Streams


@cache
def shipped() -> CoverageReport:
    return coverage()


def test_every_coefficient_is_inside_the_band() -> None:
    report = shipped()
    assert (report.draws, report.seed, len(report.rows)) == (400, DEFAULT_SEED, 6)
    low, high = report.band
    for row in report.rows:
        assert low <= row.covered <= high, row
        assert abs(row.mean_estimate - row.truth) < 4 * row.sd_estimate / np.sqrt(report.draws)
    assert report.within_band
    assert any(row.truth == 0 for row in report.rows) and any(row.truth < 0 for row in report.rows)


def test_conventional_errors_cover_too_little() -> None:
    assert not any(row.conventional_within_band for row in shipped().rows)
    assert max(row.coverage_conventional for row in shipped().rows) < 0.9


def test_the_fast_path_is_the_estimator() -> None:
    report = shipped()
    assert report.verified_draws == 8
    assert 0 < report.largest_difference < 1e-10


@pytest.mark.parametrize("factor", [0.7, 1.5])
def test_wrong_standard_errors_leave_the_band(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    right = study.fit_panel

    def wrong(panel: study.Draw) -> study.Fit:
        fit = right(panel)
        return replace(fit, clustered=fit.clustered * factor, clustered_half=fit.clustered_half * factor)

    monkeypatch.setattr(study, "fit_panel", wrong)
    report = study.coverage(draws=200)
    assert not report.within_band
    assert not any(row.within_band for row in report.rows)
    assert report.largest_difference > 0.1, "and the comparison with the estimator shows it too"


def test_band_is_exact_binomial() -> None:
    low, high = study.binomial_band(400)
    assert (low, high) == (364, 393)
    inside = stats.binom.cdf(high, 400, 0.95) - stats.binom.cdf(low - 1, 400, 0.95)
    assert inside >= 0.999
    narrower = stats.binom.cdf(high - 1, 400, 0.95) - stats.binom.cdf(low, 400, 0.95)
    assert narrower < 0.999


def test_counting_intervals() -> None:
    estimates = np.array([[0.0], [1.0], [2.5]])
    halves = np.array([[0.5], [1.0], [1.0]])
    assert study.count_covered(estimates, halves, np.array([0.5])).tolist() == [2]


def test_same_seed_same_report_and_progress_is_told() -> None:
    seen: list[tuple[int, int]] = []
    first = coverage(draws=20, seed=7, progress=lambda done, total, _: seen.append((done, total)))
    assert first == coverage(draws=20, seed=7)
    assert first != coverage(draws=20, seed=8)
    assert seen[0] == (0, 20) and seen[-1] == (20, 20)


def test_draws_are_panels_with_correlated_errors() -> None:
    truth = study.draw_coefficients(Streams(3))
    panel = study.draw_panel(np.random.default_rng(3), truth)
    assert panel.x.shape == (271, 19, 6) and panel.y.shape == (271, 19)
    frame = study.panel_frame(panel)
    assert frame.groupby("city_code").size().eq(19).all() and len(frame) == 5149


def test_too_few_draws_are_refused() -> None:
    with pytest.raises(CarbonpanelError, match="CP-COVERAGE-DRAWS"):
        coverage(draws=5)


def test_report_says_simulated_and_shows_the_band() -> None:
    text = render_coverage(shipped())
    assert text.startswith(SIMULATED_NOTICE)
    assert "364 to 393 of 400" in text and "every coefficient is inside the band" in text
    failed = replace(shipped(), rows=tuple(replace(r, within_band=False) for r in shipped().rows))
    assert "OUTSIDE the band" in render_coverage(failed)
