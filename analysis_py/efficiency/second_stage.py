"""What explains radial scores: the second stage of Simar & Wilson (2007), algorithms 1 and 2.

Distances d >= 1 (1/theta, phi) are regressed on Z by maximum likelihood of a normal truncated at 1. Scores are
estimates that share a frontier, so neither a tobit nor the usual errors hold; a parametric bootstrap of the truncated
regression gives the intervals (algorithm 1), after a first one that corrects the distances for their bias (2).
A positive coefficient means more inefficiency.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.efficiency.bootstrap import PseudoFrontiers, check_draws
from analysis_py.efficiency.panel_scores import EfficiencyPanel, Evaluator
from analysis_py.efficiency.reference_sets import ReferenceSet
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.efficiency.truncated_regression import draw_truncated, fit_many, fit_truncated
from analysis_py.errors import CarbonpanelError
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import ProgressCallback
from analysis_py.settings import DEFAULT_SEED

#: A distance this close to one counts as one: it was made by the frontier, not by Z.
_ON_FRONTIER = 1e-8
#: Draws fitted at once; only memory depends on it.
_BLOCK = 200


@dataclass(frozen=True)
class SecondStage:
    """Truncated regression of distances on Z, one entry a coefficient (``_cons`` last), and how it was made.

    ``estimate``, ``std_error``, ``ci_low``, ``ci_high``, ``p_value`` are (k,); intervals are estimate minus quantiles
    of (draw - estimate), the p-value the smallest level at which such an interval leaves out zero. ``ml_std_error`` are
    the errors of the likelihood alone, for comparison. ``distance`` (n,) is the regressed one, NaN for rows not used;
    ``n_on_frontier`` rows with d = 1 were left out, ``n_failed_draws`` draws had no maximum and do not count.
    """

    names: tuple[str, ...]
    estimate: np.ndarray
    std_error: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    p_value: np.ndarray
    ml_std_error: np.ndarray
    sigma: float
    distance: np.ndarray
    n: int
    n_on_frontier: int
    n_failed_draws: int
    algorithm: int
    correction_draws: int
    draws: int
    seed: int
    level: float


def second_stage(
    panel: EfficiencyPanel,
    spec: ModelSpec,
    reference: ReferenceSet,
    explanatory: np.ndarray,
    names: Sequence[str],
    *,
    algorithm: int = 1,
    draws: int = 2000,
    correction_draws: int = 100,
    seed: int = DEFAULT_SEED,
    level: float = 0.95,
    evaluator: Evaluator | None = None,
    progress: ProgressCallback | None = None,
) -> SecondStage:
    """Explain the CCR or BCC scores of a panel.

    Parameters
    ----------
    explanatory : (n, k) values of Z without a constant, which is added; names : k names.
    algorithm : 1, or 2: distances are first corrected for their bias with ``correction_draws`` pseudo frontiers.
    draws : parametric draws behind the intervals.

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-BOOTSTRAP`` where radial bootstraps do not apply,
        ``CP-EFFICIENCY-SECOND-STAGE`` when too few rows lie off the frontier, Z is collinear, or no maximum exists.
    """
    if algorithm not in (1, 2):
        raise CarbonpanelError(
            "CP-EFFICIENCY-SECOND-STAGE", f"there is no algorithm {algorithm}", where="--algorithm", remedy="use 1 or 2"
        )
    check_draws(draws, len(panel))
    rng = np.random.default_rng(seed)
    pseudo = PseudoFrontiers(panel, spec, reference, evaluator=evaluator)
    design = np.column_stack([explanatory, np.ones(len(panel))])
    distance = pseudo.distance
    inner = np.isfinite(distance) & (distance > 1 + _ON_FRONTIER)
    _check_design(design[inner], names)
    n_on_frontier = int((np.isfinite(distance) & ~inner).sum())
    rounds = correction_draws if algorithm == 2 else 0
    used = inner
    if algorithm == 2:
        beta, sigma = _fit(distance[inner], design[inner])
        distance = _correct(pseudo, design, beta, sigma, rng, rounds, progress)
        used = np.isfinite(distance) & (distance > 1 + _ON_FRONTIER)
    y, z = distance[used], design[used]
    beta, sigma = _fit(y, z)
    fit = fit_truncated(y, z)
    found, failed = _parametric(z, beta, sigma, rng, draws, progress)
    error = found - beta
    tail = (1 - level) / 2
    low, high = np.quantile(error, [tail, 1 - tail], axis=0)
    beyond = np.minimum((error >= beta).mean(axis=0), (error <= beta).mean(axis=0))
    return SecondStage(
        names=(*names, "_cons"),
        estimate=beta,
        std_error=found.std(axis=0, ddof=1),
        ci_low=beta - high,
        ci_high=beta - low,
        p_value=np.minimum(1.0, np.maximum(2 * beyond, 2 / (len(found) + 1))),
        ml_std_error=np.sqrt(np.diag(fit.covariance)[:-1]),
        sigma=sigma,
        distance=np.where(used, distance, np.nan),
        n=int(used.sum()),
        n_on_frontier=n_on_frontier,
        n_failed_draws=failed,
        algorithm=algorithm,
        correction_draws=rounds,
        draws=draws,
        seed=seed,
        level=level,
    )


def _check_design(design: np.ndarray, names: Sequence[str]) -> None:
    n, k = design.shape
    if n <= k + 1:
        raise CarbonpanelError(
            "CP-EFFICIENCY-SECOND-STAGE",
            f"only {n} observation(s) lie off the frontier, too few for {k} coefficients",
            remedy="use fewer explanatory columns, or --reference global",
        )
    scale = np.sqrt((design**2).mean(axis=0))
    if (scale == 0).any() or np.linalg.matrix_rank(design / np.where(scale > 0, scale, 1.0)) < k:
        raise CarbonpanelError(
            "CP-EFFICIENCY-SECOND-STAGE",
            f"the explanatory columns ({', '.join(names)}) and the constant are collinear",
            remedy="leave one of them out",
        )


def _fit(distance: np.ndarray, design: np.ndarray) -> tuple[np.ndarray, float]:
    coefficients, sigma, converged = fit_many(distance[None, :], design)
    if not converged[0]:
        raise CarbonpanelError(
            "CP-EFFICIENCY-SECOND-STAGE",
            _why_no_maximum(distance, float(sigma[0])),
            remedy="use fewer or other explanatory columns, or another model of efficiency",
        )
    return coefficients[0], float(sigma[0])


def _why_no_maximum(distance: np.ndarray, sigma: float) -> str:
    if sigma < 1e-6 * max(float(distance.std()), 1e-12):
        return "the truncated regression has no maximum: the columns explain the distances without an error"
    return "the truncated regression has no maximum: the distances have a heavier tail than any truncated normal"


def _correct(
    pseudo: PseudoFrontiers,
    design: np.ndarray,
    beta: np.ndarray,
    sigma: float,
    rng: np.random.Generator,
    rounds: int,
    progress: ProgressCallback | None,
) -> np.ndarray:
    """Steps 3 and 4 of algorithm 2: distances minus their bias in pseudo samples drawn from the fitted regression."""
    total = np.zeros(len(design))
    done = 0
    for size in pseudo.blocks(rounds):
        distances = draw_truncated(design @ beta, sigma, 1 - rng.random((size, len(design))))
        distances = np.where(np.isfinite(pseudo.distance), distances, np.nan)
        total += pseudo.to_distance(pseudo.scores_against(distances)).sum(axis=0)
        done += size
        if progress is not None:
            progress(done, rounds, "bias of the distances")
    return 2 * pseudo.distance - total / rounds


def _parametric(
    design: np.ndarray,
    beta: np.ndarray,
    sigma: float,
    rng: np.random.Generator,
    draws: int,
    progress: ProgressCallback | None,
) -> tuple[np.ndarray, int]:
    """(converged draws, k) coefficients of samples drawn from the fitted regression, and how many did not converge."""
    kept = []
    for start in range(0, draws, _BLOCK):
        size = min(_BLOCK, draws - start)
        samples = draw_truncated(design @ beta, sigma, 1 - rng.random((size, len(design))))
        coefficients, _, converged = fit_many(np.maximum(samples, np.nextafter(1.0, 2.0)), design)
        kept.append(coefficients[converged])
        stop_if_interrupted()
        if progress is not None:
            progress(start + size, draws, "bootstrap of the regression")
    found = np.concatenate(kept)
    if len(found) < draws / 2:
        raise CarbonpanelError(
            "CP-EFFICIENCY-SECOND-STAGE",
            f"{draws - len(found)} of {draws} bootstrap samples have no maximum",
            remedy="use fewer explanatory columns",
        )
    return found, draws - len(found)
