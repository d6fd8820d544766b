"""Inference with few clusters: the wild bootstrap, and CR2, CR3 and the bootstrap beside ordinary clustered errors.

Clustered errors rest on many clusters of similar weight. Under :data:`FEW_CLUSTERS` of them, or where a 0/1 regressor
is one (or zero) in fewer than :data:`FEW_TREATED`, they are too small as a rule (Cameron & Miller 2015; MacKinnon &
Webb 2018), so the careful ones are shown without being asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.factors import Factor
from analysis_py.estimators.least_squares import Solution
from analysis_py.estimators.projection import Projection, find_projection
from analysis_py.estimators.result import CovarianceSpec, Diagnostic, Inference, infer
from analysis_py.estimators.sample import Sample
from analysis_py.inference.bias_reduced import correct_columns, satterthwaite
from analysis_py.inference.covariance import cluster_covariance
from analysis_py.inference.small_sample import FEW_CLUSTERS
from analysis_py.inference.wild_bootstrap import DEFAULT_DRAWS, Draws, WildResult, run_wild_bootstrap
from analysis_py.settings import DEFAULT_SEED

#: Under this many clusters with (or without) a 0/1 treatment the treated count as few.
FEW_TREATED = 10

_POWERS = {"cr2": -0.5, "cr3": -1.0}


@dataclass(frozen=True)
class Corrected:
    """Residuals corrected for CR2 or CR3, and degrees of freedom by coefficient (None: clusters less one).

    ``messages`` names clusters that fit a combination of regressors by themselves.
    """

    residuals: np.ndarray
    df_terms: np.ndarray | None
    messages: tuple[str, ...]


def correct_residuals(
    sample: Sample,
    solution: Solution,
    spec: CovarianceSpec,
    influence: np.ndarray,
    projection: Projection | None = None,
) -> Corrected:
    """Residuals for a CR2 or CR3 covariance of estimates with influence (n, p)."""
    projection = projection or find_projection(sample, solution)
    clusters, root = sample.clusters[0], np.sqrt(sample.weights)
    wants_df = spec.option("df", "satterthwaite" if spec.type == "cr2" else "clusters") == "satterthwaite"
    columns = np.column_stack([root * solution.residuals, root[:, None] * influence])
    made = correct_columns(projection, clusters, columns, _POWERS[spec.type])
    df = satterthwaite(projection, clusters, made.corrected[:, 1:]) if wants_df else None
    messages = []
    # the constant is left out: nested effects are part of it, and every cluster fits its own
    slopes = made.saturated[1 : 1 + len(solution.slopes)]
    if slopes.any():
        messages.append(
            f"{slopes.max()} cluster(s) of '{clusters.name}' fit a combination of the regressors by themselves: their"
            f" residuals add nothing in that direction to {spec.label}"
        )
    return Corrected(made.corrected[:, 0] / root, df, tuple(messages))


def bootstrap(
    sample: Sample,
    solution: Solution,
    spec: CovarianceSpec,
    influence: np.ndarray,
    estimate: np.ndarray,
    projection: Projection | None = None,
) -> tuple[WildResult, tuple[tuple[str, object], ...]]:
    """The wild cluster bootstrap as a study asks for it, and how it was made, by name."""
    boot = _boot_clusters(sample.clusters, spec)
    draws = Draws(
        count=_whole(spec, "draws", DEFAULT_DRAWS),
        seed=_whole(spec, "seed", DEFAULT_SEED),
        distribution=None if spec.option("distribution") is None else str(spec.option("distribution")),
    )
    made = run_wild_bootstrap(
        projection or find_projection(sample, solution),
        sample.clusters,
        boot=boot,
        weights=sample.weights,
        residuals=solution.residuals,
        influence=influence,
        estimate=estimate,
        draws=draws,
    )
    named: list[tuple[str, object]] = [
        ("bootstrap", "wild cluster bootstrap-t, null imposed"),
        ("distribution", made.distribution),
        ("draws", made.draws),
        ("boot_by", boot.name),
    ]
    named.append(("enumerated", True) if made.enumerated else ("seed", draws.seed))
    return made, tuple(named)


def _whole(spec: CovarianceSpec, key: str, default: int) -> int:
    value = spec.option(key, default)
    return value if isinstance(value, int) else default


def _boot_clusters(clusters: Sequence[Factor], spec: CovarianceSpec) -> Factor:
    """The cluster variable that is drawn by: as the study says, else the one with the fewest clusters."""
    wanted = spec.option("boot_by")
    if wanted is None:
        return min(clusters, key=lambda c: c.levels)
    named = dict(zip(spec.by, clusters, strict=True))
    if wanted not in named:
        raise CarbonpanelError(
            "CP-EST-COVARIANCE",
            f"boot_by '{wanted}' is not one of the cluster variables",
            remedy=did_you_mean(str(wanted), named),
        )
    return named[str(wanted)]


def few_cluster_reasons(sample: Sample, terms: Sequence[str]) -> list[str]:
    """Why clustered errors should not be trusted alone: too few clusters, or too few with or without a 0/1 term."""
    reasons = [f"only {c.levels} clusters in '{c.name}'" for c in sample.clusters if c.levels < FEW_CLUSTERS]
    for term in terms:
        if term not in sample.regressors:
            continue
        values = sample.x[:, sample.regressors.index(term)]
        if not np.isin(values, (0.0, 1.0)).all():
            continue
        for c in sample.clusters:
            for state, word in ((1.0, "one"), (0.0, "zero")):
                found = len(np.unique(c.codes[values == state]))
                if 0 < found < min(FEW_TREATED, c.levels):
                    reasons.append(f"'{term}' is {word} in only {found} clusters of '{c.name}'")
    return reasons


def careful_diagnostics(
    sample: Sample,
    solution: Solution,
    spec: CovarianceSpec,
    influence: np.ndarray,
    estimate: np.ndarray,
    terms: Sequence[str],
) -> tuple[list[Diagnostic], list[str]]:
    """CR2, CR3 (one cluster variable) and the wild bootstrap of some coefficients, beside clustered errors.

    Parameters
    ----------
    influence : (n, p), estimate (p,), terms (p,) : the coefficients shown.

    Returns
    -------
    Diagnostics ``cr2``, ``cr3``, ``wild_bootstrap`` of each term (t of a zero coefficient; ``critical`` holds standard
    error and interval), and messages.
    """
    try:
        projection = find_projection(sample, solution)
    except CarbonpanelError as problem:
        return [], [f"CR2, CR3 and the wild bootstrap cannot stand beside: {problem.what}"]
    found: list[Diagnostic] = []
    problems: list[str] = []
    if len(sample.clusters) == 1:
        groups = sample.clusters[0].levels
        for kind in ("cr2", "cr3"):
            own = CovarianceSpec(kind, spec.by)
            try:
                made = correct_residuals(sample, solution, own, influence, projection)
            except CarbonpanelError as problem:
                problems = [f"CR2 and CR3 cannot stand beside: {problem.what}"]
                break
            scores = influence * (sample.weights * made.residuals)[:, None]
            vcov = cluster_covariance(scores, sample.clusters) * ((groups - 1) / groups if kind == "cr3" else 1.0)
            df = made.df_terms if made.df_terms is not None else np.full(len(terms), groups - 1.0)
            found += _rows(kind, terms, infer(estimate, vcov, df), df, own.label)
    try:
        wild, named = bootstrap(sample, solution, CovarianceSpec("wild", spec.by), influence, estimate, projection)
    except CarbonpanelError as problem:
        return found, [*problems, f"the wild bootstrap cannot stand beside: {problem.what}"]
    how = ", ".join(f"{key} {value}" for key, value in named[1:])
    variance = np.diag(cluster_covariance(influence * (sample.weights * solution.residuals)[:, None], sample.clusters))
    for term, b, test, v in zip(terms, estimate, wild.tests, variance, strict=True):
        limits = {"ci_low": test.ci_low, "ci_high": test.ci_high}
        t = float(b / np.sqrt(v)) if v > 0 else float("nan")
        note = f"wild cluster bootstrap-t, null imposed; {how}; t without small-sample factor"
        found.append(Diagnostic("wild_bootstrap", t, None, None, test.p_value, _finite(limits), note, term))
    return found, problems


def _rows(kind: str, terms: Sequence[str], made: Inference, df: np.ndarray, label: str) -> list[Diagnostic]:
    return [
        Diagnostic(
            kind,
            float(made.statistic[i]),
            None,
            float(df[i]),
            float(made.p_value[i]),
            _finite(
                {
                    "std_error": float(made.std_error[i]),
                    "ci_low": float(made.ci_low[i]),
                    "ci_high": float(made.ci_high[i]),
                }
            ),
            f"t under {label}",
            term,
        )
        for i, term in enumerate(terms)
    ]


def _finite(values: dict[str, float]) -> dict[str, float]:
    return {key: value for key, value in values.items() if np.isfinite(value)}
