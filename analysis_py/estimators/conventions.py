"""What a fixed-effects regression of each program counts, drops and reports, by name.

The same coefficients come with different standard errors, constants and R2s in Stata's ``xtreg``, ``areg`` and
``reghdfe`` and in R's ``fixest``. A study names one of these conventions and the result is stored under that name.
Without fixed effects all of them are ordinary least squares as in Stata's ``regress``.

N is the number of observations, k the slopes, R the rank of all fixed effects (the constant included), L_f the levels
of fixed effect f out of Q, G the clusters (the smallest number of them in multi-way clustering). K is what the factors
``N/(N-K)`` (HC1) and ``G/(G-1) * (N-1)/(N-K)`` (clusters) take off.
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError, did_you_mean


@dataclass(frozen=True)
class Convention:
    """One program's rules.

    Attributes
    ----------
    name : as a study writes it.
    imitates : the command whose output it equals.
    drops_singletons : whether rows alone in a level of a fixed effect are dropped (repeatedly) or kept.
    constant : ``dummies`` (mean(y) - mean(x)'b - mean(d)'delta, the dummies of every fixed effect after the first
        counted as regressors with their first level as base), ``means`` (mean(y) - mean(x)'b) or ``none``. Its
        standard error is that of the same linear combination of y under the chosen covariance.
    r2 : what the field ``r2`` holds: ``within`` (of the regression on data free of the first fixed effect, time
        dummies counted as explaining) or ``total`` (fixed effects counted as explaining).
    parameters : K of iid and HC1: ``rank`` (k + R), ``pairwise`` (k + reghdfe's pairwise count of redundant levels)
        or ``levels`` (k + sum of L_f - (Q - 1), exact only for connected effects).
    cluster_parameters : K of clusters: ``full`` (as ``rank``), ``unit_nested`` (k + R - L_1 + 1 where the first
        fixed effect is nested in a cluster variable, else as ``full``), ``pairwise_nested`` (effects nested in a
        cluster variable free, every other loses at least one level, plus one for the constant) or ``levels_nested``
        (as ``levels``, less L_f - 1 for each nested effect).
    counts_dummies : whether dummies of the fixed effects after the first are in the model's F and degrees of freedom.
    description : one sentence for tables and documentation.
    """

    name: str
    imitates: str
    drops_singletons: bool
    constant: str
    r2: str
    parameters: str
    cluster_parameters: str
    counts_dummies: bool
    description: str


CONVENTIONS: dict[str, Convention] = {
    c.name: c
    for c in (
        Convention(
            name="xtreg",
            imitates="Stata: xtreg y x i.year, fe",
            drops_singletons=False,
            constant="dummies",
            r2="within",
            parameters="rank",
            cluster_parameters="unit_nested",
            counts_dummies=True,
            description="Singletons kept; within R2 with time dummies as regressors; unit effects free in clusters "
            "that contain them; between and overall R2, sigma_u, sigma_e, rho and F of the unit effects reported.",
        ),
        Convention(
            name="areg",
            imitates="Stata: areg y x i.year, absorb(unit)",
            drops_singletons=False,
            constant="dummies",
            r2="total",
            parameters="rank",
            cluster_parameters="full",
            counts_dummies=True,
            description="Singletons kept; total R2; every fixed effect counted in the cluster factor too.",
        ),
        Convention(
            name="reghdfe",
            imitates="Stata: reghdfe y x, absorb(unit year)",
            drops_singletons=True,
            constant="means",
            r2="total",
            parameters="pairwise",
            cluster_parameters="pairwise_nested",
            counts_dummies=False,
            description="Singletons dropped repeatedly; total and within R2; effects nested in clusters are free; "
            "degrees of freedom of t never above those of the residuals.",
        ),
        Convention(
            name="fixest",
            imitates="R: feols(y ~ x | unit + year)",
            drops_singletons=False,
            constant="none",
            r2="total",
            parameters="levels",
            cluster_parameters="levels_nested",
            counts_dummies=False,
            description="Singletons kept; no constant; total and within R2; effects nested in clusters are free.",
        ),
        Convention(
            name="plain",
            imitates="least squares on explicit dummies, every parameter counted",
            drops_singletons=False,
            constant="none",
            r2="total",
            parameters="rank",
            cluster_parameters="full",
            counts_dummies=False,
            description="Singletons kept; no constant beside fixed effects; nothing is free in clusters.",
        ),
    )
}

#: Conventions a study may name for other estimators, and the estimator each belongs to.
OTHER_CONVENTIONS: dict[str, str] = {
    "ivreg2": "iv",
    "xtivreg2": "iv",
    "ivreghdfe": "iv",
    "ivregress": "iv",
    "xthreg": "threshold",
    "hansen": "threshold",
}


def find_convention(name: str) -> Convention:
    """The convention of that name; ``CP-EST-CONVENTION`` naming the valid ones where there is none."""
    if name in CONVENTIONS:
        return CONVENTIONS[name]
    valid = ", ".join(CONVENTIONS)
    if name in OTHER_CONVENTIONS:
        raise CarbonpanelError(
            "CP-EST-CONVENTION",
            f"convention '{name}' belongs to estimator '{OTHER_CONVENTIONS[name]}', not to fixed-effects least squares",
            remedy=f"choose one of: {valid}",
        )
    raise CarbonpanelError(
        "CP-EST-CONVENTION",
        f"unknown convention '{name}'",
        remedy=f"{did_you_mean(name, CONVENTIONS)} (valid: {valid})",
    )
