"""The trials themselves: bands are exact, draws do not depend on their number, and wrong methods are caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from analysis_py.estimators import iv, mediation, threshold
from analysis_py.estimators.threshold_bootstrap import bootstrap_test
from analysis_py.fits import group_tests, mechanism_fits, moderation_fits
from analysis_py.inference import covariance, moments, multiple_testing, permutation, suest
from analysis_py.inference.weak_iv import TfInference
from tests.monte_carlo import (
    test_groups,
    test_iv,
    test_mechanisms,
    test_poisson,
    test_shift_share,
    test_threshold,
    test_twfe,
)
from tests.monte_carlo.page import render_page
from tests.monte_carlo.shapes import cities, differences, provinces, river_cities, unbalanced_cities
from tests.monte_carlo.study import (
    NIGHTLY,
    Claim,
    Line,
    Reading,
    Summary,
    Trial,
    band,
    by_name,
    check,
    draw_frames,
    judge,
    right,
    run,
    sized,
    summarise,
    wrong,
)
from tests.monte_carlo.worlds import CountWorld, InstrumentWorld, Noise, PanelWorld


def test_shapes_are_those_of_the_studies() -> None:
    assert (cities().units, len(cities().rows), len(np.unique(cities().province))) == (286, 286 * 19, 30)
    assert unbalanced_cities().units == 271 and unbalanced_cities().frame().groupby("city").size().nunique() > 5
    assert (provinces().units, len(provinces().rows)) == (30, 300)
    assert (river_cities().units, river_cities().years, len(differences().rows)) == (78, 16, 286)


@pytest.mark.parametrize("share", [0.05, 0.95])
@pytest.mark.parametrize("draws", [40, 1000])
def test_band_is_exact_binomial(share: float, draws: int) -> None:
    low, high = (round(v * draws) for v in band(share, draws))
    inside = stats.binom.cdf(high, draws, share) - stats.binom.cdf(low - 1, draws, share)
    narrower = stats.binom.cdf(high - 1, draws, share) - stats.binom.cdf(low, draws, share)
    assert inside >= 0.999 > narrower


def test_a_range_is_widened_by_the_bands_of_its_ends() -> None:
    assert band((0.9, 0.95), 200) == (band(0.9, 200)[0], band(0.95, 200)[1])
    assert band((0.95, 1.0), 200)[1] == 1.0 and band((0.0, 0.05), 200)[0] == 0.0


def test_the_first_panels_are_the_same_however_many() -> None:
    world = PanelWorld(provinces(), 0.3, Noise(serial=0.5))
    few, many = (list(draw_frames(world, "a", n)) for n in (3, 60))
    for one, other in zip(few, many, strict=False):
        assert one.equals(other)
    assert not many[0]["y"].equals(many[50]["y"])
    assert not few[0]["y"].equals(next(draw_frames(world, "b", 1))["y"])


def test_noise_is_as_described() -> None:
    rng = np.random.default_rng(1)
    made = Noise(serial=0.6, province=0.5).draw(rng, 40, cities())
    assert made.std() == pytest.approx(1.0, abs=0.02)
    lagged = np.corrcoef(made[..., 1:].ravel(), made[..., :-1].ravel())[0, 1]
    assert lagged == pytest.approx(0.6, abs=0.02)
    same = np.flatnonzero(cities().province == 10)[:2]
    assert np.corrcoef(made[:, same[0]].ravel(), made[:, same[1]].ravel())[0, 1] == pytest.approx(0.5, abs=0.12)
    spread = cities().spread
    assert np.allclose(np.diag(spread @ spread.T), 1.0)


def test_counting() -> None:
    found = summarise([Reading(0.1, True, False), Reading(0.3, False, True), Reading(0.2, True, 0.5)])
    assert found.bias_by_spread == pytest.approx(2.0)
    assert found.bias == pytest.approx(2.0 * np.sqrt(3))
    assert (found.coverage, found.rejections) == (pytest.approx(2 / 3), 0.5)


@pytest.mark.parametrize(
    ("claim", "found", "words"),
    [
        (right(0.0), Summary(3.4, 0.1, 0.95, 0.05), "bias"),
        (right(0.0), Summary(0.0, 0.0, 0.92, 0.05), "coverage"),
        (right(0.0), Summary(0.0, 0.0, 0.98, 0.05), "coverage"),
        (right(0.0), Summary(0.0, 0.0, 0.95, 0.08), "size"),
        (right(0.3), Summary(0.0, 0.0, 0.95, 0.7), "power"),
        (wrong(0.3, ""), Summary(0.0, 0.0, 0.94, 1.0), "must leave"),
        (sized(), Summary(0.0, 0.0, float("nan"), float("nan")), "size"),
    ],
)
def test_what_is_caught(claim: Claim, found: Summary, words: str) -> None:
    (problem,) = check(claim, found, NIGHTLY)
    assert words in problem
    assert not check(replace(claim, bias=None, coverage=None, size=None, power=None), found, NIGHTLY)


def test_names_are_not_shared() -> None:
    made = next(iter(test_poisson.TRIALS.values()))
    with pytest.raises(AssertionError, match="share a name"):
        by_name([made, made])


def test_page_has_a_row_a_method() -> None:
    nothing = float("nan")
    line = Line("twfe", "iid", "a world", "0.3", 1000, -0.04, 0.612, nothing, 1.0, "must leave 92.6 to 97.1", "why")
    page = render_page([line, replace(line, estimator="iv")])
    row = "| a world | 0.3 | iid | 1,000 | 0.0 | 61.2 |  | 100.0 | **must leave** 92.6 to 97.1 | why |"
    assert page.count(row) == 2
    assert page.count("\n## ") == 2 and "simulated" in page.lower()


# --- wrong methods leave the band -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """Where a fault is planted, what it does, and the trial that must notice it through ``method``."""

    holder: Any
    name: str
    change: Callable[[Any], Any]
    trial: Trial
    method: str
    draws: int = 60


def times(factor: float) -> Callable[[Any], Any]:
    """What a function returns, multiplied."""
    return lambda right_one: lambda *given, **named: factor * right_one(*given, **named)


def quarter_p(right_one: Any) -> Any:
    return lambda *given, **named: (lambda found: replace(found, p_value=found.p_value / 4))(right_one(*given, **named))


def small_permutation(right_one: Any) -> Any:
    return lambda *given, **named: (lambda found: replace(found, p_two_sided=found.p_two_sided / 4))(
        right_one(*given, **named)
    )


def narrow_indirect(right_one: Any) -> Any:
    def narrow(*given: Any, **named: Any) -> mediation.IndirectEffects:
        found = right_one(*given, **named)
        centre = (found.low + found.high) / 2
        return replace(found, low=(centre + found.low) / 2, high=(centre + found.high) / 2)

    return narrow


def without_paths(right_one: Any) -> Any:
    """Gelbach's parts with the paths taken as known."""

    def fixed(*given: Any, **named: Any) -> Any:
        found = right_one(*given, **named)
        spread = found.path_scores * np.tile(found.effect, found.path.shape[0])
        return replace(found, scores=found.scores - spread)

    return fixed


SERIAL, PROVINCE = test_twfe.serial_errors(0.0), test_twfe.province_errors(0.0)
MUTATIONS = {
    "clustered errors too small": Mutation(
        covariance, "cluster_covariance", times(0.3), SERIAL, "cluster city: coverage"
    ),
    "clustered errors too large": Mutation(
        covariance, "cluster_covariance", times(4.0), SERIAL, "cluster city: coverage", 150
    ),
    "clusters of another variable": Mutation(
        test_twfe,
        "METHODS",
        lambda methods: methods | {"cluster province": methods["cluster city"]},
        PROVINCE,
        "cluster province: coverage",
    ),
    "iid errors right where they should fail": Mutation(
        covariance, "iid_covariance", times(8.0), SERIAL, "iid: coverage"
    ),
    "robust errors too small": Mutation(
        covariance, "hc_covariance", times(0.3), test_twfe.independent(0.0), "hc1: coverage"
    ),
    "poisson: clustered errors too small": Mutation(
        covariance, "cluster_covariance", times(0.3), test_poisson.excess(0.0), "cluster city: coverage"
    ),
    "iv: moments too small": Mutation(moments, "cluster_covariance", times(0.3), test_iv.strong(0.0), "2SLS: coverage"),
    "iv: rank test too large": Mutation(
        moments, "cluster_covariance", times(0.3), test_iv.unidentified(), "Kleibergen-Paap rk LM: size"
    ),
    "iv: Anderson-Rubin with the wrong moments": Mutation(
        moments, "cluster_covariance", times(0.3), test_iv.weak(0.0), "Anderson-Rubin set: coverage"
    ),
    "iv: tF without its adjustment": Mutation(
        iv,
        "tf_inference",
        lambda _: lambda b, se, f: TfInference(1.96, se, b - 1.96 * se, b + 1.96 * se),
        test_iv.weak_alone(0.5),
        "tF: coverage",
        200,
    ),
    "shift-share: correlated shocks taken as independent": Mutation(
        test_shift_share,
        "Exposure",
        lambda made: lambda shares, names, cluster=None: made(shares, names),
        test_shift_share.correlated(0.0),
        "AKM0 by groups of sectors: coverage",
        150,
    ),
    "threshold: p-values too small": Mutation(
        threshold, "bootstrap_test", quarter_p, test_threshold.none(provinces(), Noise(), 0.3, 100), "test 1: size", 60
    ),
    "threshold: clustered errors too small": Mutation(
        covariance,
        "cluster_covariance",
        times(0.25),
        test_threshold.located("one threshold", river_cities(), (0.3, 0.75), (0.25,)),
        "slope 1: coverage",
    ),
    "moderation: region without its adjustment": Mutation(
        moderation_fits,
        "discovery_critical",
        lambda _: lambda *given, **named: 1.6,
        test_mechanisms.unmoderated(),
        "johnson_neyman_fdr, iid: significant somewhere: size",
    ),
}
#: Those that take longer, or need many panels to be seen.
SLOW = {
    "moderation: clustered errors too small": Mutation(
        covariance,
        "cluster_covariance",
        times(0.3),
        test_mechanisms.moderated_in_time(),
        "margin at 0, clustered: coverage",
    ),
    "groups: permutation p-values too small": Mutation(
        group_tests, "permute_groups", small_permutation, test_groups.rows(), "permutation of units: size"
    ),
    "groups: SUEST covariance too small": Mutation(
        suest, "cluster_covariance", times(0.3), test_groups.equal(), "SUEST: size", 60
    ),
    "groups: interaction with small errors": Mutation(
        covariance, "cluster_covariance", times(0.3), test_groups.uneven(), "interaction Wald: size", 60
    ),
    "groups: no step-down": Mutation(
        multiple_testing,
        "step_down",
        lambda _: lambda t, drawn: (1 + (drawn >= t).sum(axis=0)) / (1 + len(drawn)),
        test_groups.equal(),
        "Romano-Wolf, any false difference: size",
        300,
    ),
    "groups: Benjamini-Hochberg without a correction": Mutation(
        multiple_testing,
        "benjamini_hochberg",
        lambda _: lambda p: p,
        test_groups.equal(),
        "Benjamini-Hochberg, any false difference: size",
        300,
    ),
    "mechanism: interval too narrow": Mutation(
        mechanism_fits, "bootstrap_indirect", narrow_indirect, test_mechanisms.paths(), "indirect, m1: coverage", 60
    ),
    "mechanism: paths taken as known": Mutation(
        mechanism_fits, "decompose", without_paths, test_mechanisms.dependent(), "Gelbach, clustered, m1: coverage", 200
    ),
}


def alone(trial: Trial, method: str) -> Trial:
    """The trial with one method; what reads several at a price reads this one only."""
    claims = {method: trial.claims[method]}
    world = trial.world
    if isinstance(world, PanelWorld):
        return replace(trial, claims=claims, read=test_twfe.reader(claims, world.slope))
    if isinstance(world, CountWorld):
        return replace(trial, claims=claims, read=test_poisson.reader(claims, world.slope))
    if isinstance(world, InstrumentWorld):
        return replace(trial, claims=claims, read=test_iv.reader(world, claims))
    return replace(trial, claims=claims)


def notice(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    right_one = getattr(mutation.holder, mutation.name)
    monkeypatch.setattr(mutation.holder, mutation.name, mutation.change(right_one))
    method, _, what = mutation.method.rpartition(": ")
    small = alone(mutation.trial, method)
    found = run(small, mutation.draws)
    problems = check(small.claims[method], found[method], mutation.draws)
    assert any(problem.startswith(what) for problem in problems), found


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_fault_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notice(monkeypatch, MUTATIONS[name])


@pytest.mark.nightly
@pytest.mark.parametrize("name", SLOW)
def test_a_fault_is_noticed_at_length(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    notice(monkeypatch, SLOW[name])


def test_a_broken_claim_fails_the_trial() -> None:
    made = test_twfe.thirty(0.0)
    assert right(0.0).coverage == (0.95, 0.95)
    with pytest.raises(AssertionError, match="iid: coverage"):
        judge(replace(alone(made, "iid"), claims={"iid": right(0.0)}), 150)
    assert bootstrap_test is threshold.bootstrap_test and permutation.permute_groups is group_tests.permute_groups
