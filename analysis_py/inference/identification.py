"""Whether the instruments identify the model: rank tests of the first stage and first-stage F statistics.

Everything is computed on columns free of the exogenous regressors with orthonormal instruments z'Wz = 1, on which no
statistic depends. With x orthonormalised likewise, theta = z'Wx has the canonical correlations as singular values:

- Anderson (1951) LM         (N-d) * min r^2, chi2(l1-k1+1)
- Cragg & Donald (1993)      min r^2/(1-r^2) as F: to_f(.)
- Kleibergen & Paap (2006)   with the singular vectors u, v of the smallest values, lambda = u'theta v and
                             rk = lambda' V(lambda)^-1 lambda, V from the moments (u'z_i)(v'e_i): e = x for LM,
                             e = x - z theta for Wald
- Sanderson & Windmeijer (2016), Angrist & Pischke (2009): F of the instruments for one endogenous variable given the
  others, l1-k1+1 degrees of freedom

The scaling of each is that of ivreg2 and ranktest (see :mod:`analysis_py.estimators.iv_conventions`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, stats

from analysis_py.estimators.iv_conventions import IvCounts
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.inference.moments import MomentCovariance, quadratic


@dataclass(frozen=True)
class ChiSquared:
    """A statistic with its chi-squared degrees of freedom; ``statistic`` None where its covariance is singular."""

    statistic: float | None
    df: int

    @property
    def p_value(self) -> float | None:
        return None if self.statistic is None else float(stats.chi2.sf(self.statistic, self.df))


@dataclass(frozen=True)
class Identification:
    """The rank tests of one first stage. F statistics have ``df1`` and ``df2``; None where not computable.

    ``correlations`` (k1,) are the canonical correlations, falling.
    """

    correlations: np.ndarray
    anderson_lm: ChiSquared
    cragg_donald_f: float
    kleibergen_paap_lm: ChiSquared
    kleibergen_paap_wald: ChiSquared
    kleibergen_paap_f: float | None
    df1: int
    df2_cragg_donald: int
    df2: int


def identify(design: IvDesign, counts: IvCounts, moments: MomentCovariance) -> Identification:
    """Anderson, Cragg-Donald and Kleibergen-Paap statistics of a model."""
    w, z = design.weights, design.z
    root = np.sqrt(w)[:, None]
    q, _ = np.linalg.qr(root * design.x)
    x = q / root
    theta = z.T @ (w[:, None] * x)
    left, correlations, right = linalg.svd(theta)
    smallest = min(float(correlations[-1]), 1.0)
    df = counts.l1 - counts.k1 + 1
    ratio = smallest**2 / max(1.0 - smallest**2, 1e-300)
    u, v = left[:, counts.k1 - 1 :], right[-1]
    lam = u.T @ theta @ v
    residual = x - z @ theta
    chi: dict[str, float | None] = {}
    for name, errors in (("lm", x @ v), ("wald", residual @ v)):
        if moments.is_iid:
            variance = float(w @ errors**2) / counts.large_n
            chi[name] = float(lam @ lam) / variance
        else:
            value = quadratic(moments.meat((z @ u) * (w * errors)[:, None]), lam)
            chi[name] = None if value is None else value * counts.robust_scale
    wald = chi["wald"]
    return Identification(
        correlations=correlations,
        anderson_lm=ChiSquared(counts.large_n * smallest**2, df),
        cragg_donald_f=ratio * counts.df_first / counts.l1,
        kleibergen_paap_lm=ChiSquared(chi["lm"], df),
        kleibergen_paap_wald=ChiSquared(wald, df),
        kleibergen_paap_f=None if wald is None else counts.to_f(wald, counts.l1),
        df1=counts.l1,
        df2_cragg_donald=counts.df_first,
        df2=counts.df_denominator,
    )


@dataclass(frozen=True)
class FirstStageTest:
    """How well the instruments explain one endogenous variable.

    ``f`` tests the excluded instruments (df1 = l1), ``sanderson_windmeijer_f`` and ``angrist_pischke_f`` the same given
    the other endogenous variables (``conditional_df1`` = l1-k1+1), all against ``df2``. ``partial_r2`` is
    conventional, ``shea_r2`` Shea's (1997), ``rmse`` in the units of the variable.
    """

    endogenous: str
    f: float | None
    df1: int
    df2: int
    partial_r2: float
    shea_r2: float
    rmse: float
    sanderson_windmeijer_f: float | None
    angrist_pischke_f: float | None
    conditional_df1: int

    @property
    def f_p_value(self) -> float | None:
        """Probability of a larger F where the instruments explain nothing."""
        return None if self.f is None else float(stats.f.sf(self.f, self.df1, self.df2))


def first_stage_tests(
    design: IvDesign, counts: IvCounts, moments: MomentCovariance, bread: np.ndarray
) -> tuple[FirstStageTest, ...]:
    """One test per endogenous variable; ``bread`` is the inverse of x'Pz x (of 2SLS whatever the estimator)."""
    w, x, z = design.weights, design.x, design.z
    fitted = z @ design.slopes
    df = counts.l1 - counts.k1 + 1
    own = np.linalg.inv(x.T @ (w[:, None] * x))
    found = []
    for j, name in enumerate(design.endogenous.names):
        wald, r2, rss = _wald(x[:, j], design, counts, moments)
        sanderson = angrist = wald
        if counts.k1 > 1:
            others = [i for i in range(counts.k1) if i != j]
            hat = fitted[:, others]
            b = np.linalg.solve(hat.T @ (w[:, None] * hat), hat.T @ (w * x[:, j]))
            sanderson, _, _ = _wald(x[:, j] - x[:, others] @ b, design, counts, moments)
            angrist, _, _ = _wald(x[:, j] - hat @ b, design, counts, moments)
        found.append(
            FirstStageTest(
                endogenous=name,
                f=_f(wald, counts, counts.l1),
                df1=counts.l1,
                df2=counts.df_denominator,
                partial_r2=r2,
                shea_r2=float(own[j, j] / bread[j, j]),
                rmse=float(np.sqrt(rss / counts.df_first) * design.endogenous.scale[j]),
                sanderson_windmeijer_f=_f(sanderson, counts, df),
                angrist_pischke_f=_f(angrist, counts, df),
                conditional_df1=df,
            )
        )
    return tuple(found)


def _wald(
    target: np.ndarray, design: IvDesign, counts: IvCounts, moments: MomentCovariance
) -> tuple[float | None, float, float]:
    """Large-sample Wald statistic of the instruments for a column, its partial R2 and residual sum of squares."""
    w, z = design.weights, design.z
    slopes = z.T @ (w * target)
    residual = target - z @ slopes
    rss, explained = float(w @ residual**2), float(slopes @ slopes)
    r2 = explained / (explained + rss)
    if moments.is_iid:
        return explained / (rss / counts.large_n), r2, rss
    value = quadratic(moments.meat(z * (w * residual)[:, None]), slopes)
    return None if value is None else value * counts.robust_scale, r2, rss


def _f(wald: float | None, counts: IvCounts, restrictions: int) -> float | None:
    return None if wald is None else counts.to_f(wald, restrictions)
