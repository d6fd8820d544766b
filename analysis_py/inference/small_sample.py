"""Small-sample factors and degrees of freedom, by convention, each named so that it can be redone by hand.

No factor is taken from a library: pyfixest 0.60 matches its counts of fixed effects to the formula in the order of a
set, so its clustered errors depend on PYTHONHASHSEED.

Sources: Stata 18 manuals [R] areg, [XT] xtreg, [R] regress; reghdfe 6 (``DoF.mata``, ``Regression.mata``); fixest's
vignette "On standard-errors" (``K.fixef = "nonnested"``, ``G.df = "min"``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import pairwise_count, rank
from analysis_py.estimators.conventions import Convention
from analysis_py.estimators.factors import Factor, is_nested
from analysis_py.estimators.result import CLUSTER_TYPES, CovarianceSpec

#: Under this many clusters the cluster-robust errors are said to be unreliable.
FEW_CLUSTERS = 40


@dataclass(frozen=True)
class SmallSample:
    """Counts and factor of one model.

    Attributes
    ----------
    factor : what the sandwich is multiplied by (1 for iid, HC2, HC3).
    df_resid : N less all parameters, by the convention's count for iid errors.
    df_rmse : what the residual sum of squares is divided by in ``rmse`` and the adjusted R2.
    df_t : degrees of freedom of t and of the denominator of F.
    named : factors and counts by name, in the order they are applied.
    messages : what the reader should know about them.
    """

    factor: float
    df_resid: float
    df_rmse: float
    df_t: float
    named: tuple[tuple[str, object], ...]
    messages: tuple[str, ...]


def count_parameters(convention: Convention, fixed_effects: Sequence[Factor]) -> tuple[int, bool]:
    """Parameters of the fixed effects (constant included) for iid and HC errors, and whether the count is exact."""
    if not fixed_effects:
        return 1, True
    if convention.parameters == "levels":
        return sum(f.levels for f in fixed_effects) - (len(fixed_effects) - 1), True
    if convention.parameters == "pairwise":
        return pairwise_count(fixed_effects), True
    return rank(fixed_effects)


def count_cluster_parameters(
    convention: Convention, fixed_effects: Sequence[Factor], clusters: Sequence[Factor]
) -> tuple[int, tuple[str, ...]]:
    """Parameters of the fixed effects (constant included) in the cluster factor, and the names of those left free."""
    if not fixed_effects:
        return 1, ()
    nested = [any(is_nested(f, c) for c in clusters) for f in fixed_effects]
    free = tuple(f.name for f, is_free in zip(fixed_effects, nested, strict=True) if is_free)
    if convention.cluster_parameters == "full":
        return rank(fixed_effects)[0], ()
    if convention.cluster_parameters == "unit_nested":
        everything = rank(fixed_effects)[0]
        if nested[0]:
            return everything - fixed_effects[0].levels + 1, free[:1]
        return everything, ()
    if convention.cluster_parameters == "levels_nested":
        total = sum(f.levels for f in fixed_effects) - (len(fixed_effects) - 1)
        return total - sum(f.levels - 1 for f, is_free in zip(fixed_effects, nested, strict=True) if is_free), free
    return _count_reghdfe(fixed_effects, nested) + int(any(nested)), free


def _count_reghdfe(fixed_effects: Sequence[Factor], nested: Sequence[bool]) -> int:
    """reghdfe's absorbed degrees of freedom e(df_a) with clusters: nested effects 0, the others pairwise."""
    others = [f for f, is_free in zip(fixed_effects, nested, strict=True) if not is_free]
    if not others:
        return 0
    counted = pairwise_count(others)
    # once an effect is nested the first of the others also has one redundant level
    return counted - 1 if any(nested) else counted


def small_sample(
    convention: Convention,
    spec: CovarianceSpec,
    *,
    n_obs: int,
    slopes: int,
    fixed_effects: Sequence[Factor],
    clusters: Sequence[Factor] = (),
) -> SmallSample:
    """Factor and degrees of freedom of one model.

    ``clusters`` are the factors of ``spec.by``, or the time factor for ``driscoll_kraay``.

    Raises
    ------
    CarbonpanelError
        ``CP-EST-TOO-FEW`` where parameters use up the observations, ``CP-EST-CLUSTERS`` with a single cluster.
    """
    absorbed, exact = count_parameters(convention, fixed_effects)
    parameters = slopes + absorbed
    df_resid = n_obs - parameters
    if df_resid < 1:
        raise CarbonpanelError(
            "CP-EST-TOO-FEW",
            f"{n_obs} observations cannot identify {parameters} parameters ({slopes} slopes, {absorbed} of the "
            "fixed effects and the constant)",
            remedy="widen the sample, or take out regressors or fixed effects",
        )
    messages: list[str] = []
    if not exact:
        messages.append("the rank of the fixed effects is counted pairwise: the degrees of freedom are a lower bound")
    named: list[tuple[str, object]] = []
    df_rmse = float(df_resid)
    if spec.type == "iid":
        named += [("iid", "RSS/(N-K)"), ("N", n_obs), ("K", parameters)]
        return SmallSample(1.0, df_resid, df_rmse, df_resid, tuple(named), tuple(messages))
    if spec.type in ("hc2", "hc3"):
        power = "1/(1-h)" if spec.type == "hc2" else "1/(1-h)^2"
        named += [(spec.type, power), ("N", n_obs), ("K", parameters)]
        return SmallSample(1.0, df_resid, df_rmse, df_resid, tuple(named), tuple(messages))
    if spec.type in ("hc1", "conley"):
        factor = n_obs / df_resid
        named += [(spec.type, "N/(N-K)"), ("N", n_obs), ("K", parameters), ("factor", factor)]
        return SmallSample(factor, df_resid, df_rmse, df_resid, tuple(named), tuple(messages))

    groups = min(f.levels for f in clusters)
    if groups < 2:
        only = next(f.name for f in clusters if f.levels < 2)
        raise CarbonpanelError(
            "CP-EST-CLUSTERS",
            f"'{only}' has a single cluster in the sample",
            remedy="cluster by a column with more groups",
        )
    counted, free = count_cluster_parameters(convention, fixed_effects, clusters)
    cluster_parameters = slopes + counted
    if n_obs - cluster_parameters < 1:
        raise CarbonpanelError(
            "CP-EST-TOO-FEW",
            f"{n_obs} observations leave nothing for the cluster factor with K = {cluster_parameters}",
            remedy="widen the sample, or take out regressors or fixed effects",
        )
    factor = groups / (groups - 1) * (n_obs - 1) / (n_obs - cluster_parameters)
    formula = "G/(G-1)*(N-1)/(N-K)"
    if spec.type == "cr2":
        factor, formula = 1.0, "residuals times (I-P_gg)^(+1/2)"
    elif spec.type == "cr3":
        is_jackknife = spec.option("scale", "jackknife") == "jackknife"
        factor = (groups - 1) / groups if is_jackknife else 1.0
        formula = f"residuals times (I-P_gg)^(+1){', (G-1)/G' if is_jackknife else ''}"
    named += [
        (spec.type, formula if len(clusters) == 1 else f"{formula}, G the smallest number of clusters"),
        ("G", tuple(f.levels for f in clusters) if len(clusters) > 1 else groups),
        ("N", n_obs),
        ("K", cluster_parameters),
        ("nested", ", ".join(free)),
        ("factor", factor),
    ]
    df_t = float(groups - 1)
    if convention.cluster_parameters == "pairwise_nested" and fixed_effects:
        nested = [any(is_nested(f, c) for c in clusters) for f in fixed_effects]
        df_absorbed = _count_reghdfe(fixed_effects, nested)
        df_t = min(df_t, float(n_obs - slopes - df_absorbed))
        # reghdfe charges nested effects in full here, so two nested effects count the constant twice
        charged = sum(f.levels for f, is_free in zip(fixed_effects, nested, strict=True) if is_free)
        df_rmse = float(max(n_obs - slopes - df_absorbed - charged, 1))
    elif convention.cluster_parameters == "unit_nested" and fixed_effects and spec.type in CLUSTER_TYPES:
        # xtreg takes rmse and adjusted R2 from its regression on demeaned data, which does not count nested units
        df_rmse = float(n_obs - cluster_parameters)
    if convention.cluster_parameters == "unit_nested" and fixed_effects and spec.type == "cluster" and not free:
        messages.append(
            f"'{fixed_effects[0].name}' is not nested in the clusters: xtreg would refuse; all its effects are counted"
        )
    if spec.type == "cluster":
        messages += [
            f"only {f.levels} clusters in '{f.name}' (fewer than {FEW_CLUSTERS}): cluster-robust errors tend to be "
            "too small"
            for f in clusters
            if f.levels < FEW_CLUSTERS
        ]
    elif spec.type == "driscoll_kraay" and groups < FEW_CLUSTERS:
        messages.append(f"only {groups} periods: the errors of Driscoll and Kraay rest on many")
        lag = spec.option("lag")
        if isinstance(lag, int) and lag >= groups:
            messages.append(f"lag {lag} reaches over all {groups} periods: the errors go to zero as it grows")
    return SmallSample(factor, df_resid, df_rmse, df_t, tuple(named), tuple(messages))
