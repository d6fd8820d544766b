"""What each program counts in an instrumental-variables regression: by name, as stored with the result.

N observations, K regressors and L instruments (constant and dummies counted as the program counts them), k1 endogenous
variables, l1 excluded instruments, G clusters (the smaller number in two-way clustering), d large-sample and s
small-sample degrees of freedom taken off (``dofminus`` and ``sdofminus`` of ivreg2).

=============  =======================================================================================================
iid            sigma2 = RSS/(N-d); small: RSS/(N-K-d-s)
robust         HC0 * N/(N-d); small: HC0 * N/(N-K-d-s)
cluster        no factor; small: G/(G-1) * (N-1)/(N-K-s)
Wald to F      W/(N-d) * (N-L-d-s)/q; clustered: W/(N-1) * (N-L-s) * (G-1)/G / q
=============  =======================================================================================================

Sources: ivreg2 4.1.11 and its help (Baum, Schaffer & Stillman 2007, Stata Journal 7:465-506), xtivreg2 1.0.17
(``dofminus`` = number of groups, later fixed effects as dummies), ivreghdfe 1.2.0 (``small``; ``sdofminus`` = reghdfe's
absorbed degrees of freedom, at least 1), Stata 18 [R] ivregress.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from scipy import stats

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.absorption import pairwise_count, rank
from analysis_py.estimators.conventions import CONVENTIONS, Convention
from analysis_py.estimators.factors import Factor, is_nested
from analysis_py.estimators.result import CovarianceSpec

#: Under this many clusters the cluster-robust errors are said to be unreliable.
FEW_CLUSTERS = 40

#: Covariances an instrumental-variables regression may use.
COVARIANCES = ("iid", "hc1", "cluster", "conley", "driscoll_kraay")


@dataclass(frozen=True)
class IvConvention:
    """One program's rules.

    Attributes
    ----------
    name, imitates, description : as a study writes it, the command, one sentence.
    drops_singletons : ``all`` effects repeatedly, those of the ``first`` effect, or ``none``.
    effects : ``dummies`` (every fixed effect counts in K and L), ``first_absorbed`` (the first one in d, the others as
        dummies) or ``absorbed`` (all in s, by reghdfe's count).
    small : whether small-sample factors and t statistics are the rule.
    """

    name: str
    imitates: str
    drops_singletons: str
    effects: str
    small: bool
    description: str

    def sample_rules(self) -> Convention:
        """The rules by which the estimation sample is cut."""
        return replace(CONVENTIONS["plain"], name=self.name, drops_singletons=self.drops_singletons == "all")


IV_CONVENTIONS: dict[str, IvConvention] = {
    c.name: c
    for c in (
        IvConvention(
            "ivreg2",
            "Stata: ivreg2 y x2 i.unit i.year (x1 = z)",
            "none",
            "dummies",
            False,
            "Large-sample errors and z statistics; fixed effects count as dummies in K and L; singletons kept.",
        ),
        IvConvention(
            "xtivreg2",
            "Stata: xtivreg2 y x2 i.year (x1 = z), fe",
            "first",
            "first_absorbed",
            False,
            "Large-sample errors and z statistics with N less the number of units; later effects count as dummies; "
            "singletons of the first effect dropped.",
        ),
        IvConvention(
            "ivreghdfe",
            "Stata: ivreghdfe y x2 (x1 = z), absorb(unit year)",
            "all",
            "absorbed",
            True,
            "Small-sample errors and t statistics with reghdfe's absorbed degrees of freedom; singletons dropped.",
        ),
        IvConvention(
            "ivregress",
            "Stata: ivregress 2sls y x2 i.unit i.year (x1 = z)",
            "none",
            "dummies",
            False,
            "Large-sample errors and z statistics; fixed effects count as dummies; singletons kept.",
        ),
    )
}

#: The counterpart for instrumental variables of each convention of least squares.
COUNTERPARTS: dict[str, str] = {
    "xtreg": "xtivreg2",
    "areg": "ivreg2",
    "reghdfe": "ivreghdfe",
    "fixest": "ivreghdfe",
    "plain": "ivreg2",
}


def find_iv_convention(name: str) -> IvConvention:
    """The convention of that name; ``CP-EST-CONVENTION`` naming the valid ones where there is none."""
    if name in IV_CONVENTIONS:
        return IV_CONVENTIONS[name]
    valid = ", ".join(IV_CONVENTIONS)
    if name in COUNTERPARTS:
        raise CarbonpanelError(
            "CP-EST-CONVENTION",
            f"convention '{name}' belongs to least squares, not to instrumental variables",
            remedy=f"its counterpart is '{COUNTERPARTS[name]}' (valid: {valid})",
        )
    raise CarbonpanelError(
        "CP-EST-CONVENTION",
        f"unknown convention '{name}' for instrumental variables",
        remedy=f"{did_you_mean(name, IV_CONVENTIONS)} (valid: {valid})",
    )


@dataclass(frozen=True)
class IvCounts:
    """Counts of one model; see the table above for how they enter.

    ``k`` and ``l_total`` are K and L with whatever constant and dummies the convention puts there; ``slopes`` are the
    named regressors alone, ``groups`` is G or None, ``clustered`` whether the covariance is of the clustered kind.
    """

    n: int
    slopes: int
    k: int
    l_total: int
    k1: int
    l1: int
    dofminus: int
    sdofminus: int
    groups: int | None
    small: bool
    kind: str
    named: tuple[tuple[str, object], ...] = ()
    messages: tuple[str, ...] = ()

    @property
    def clustered(self) -> bool:
        return self.groups is not None

    @property
    def df_resid(self) -> int:
        """N-K-d-s."""
        return self.n - self.k - self.dofminus - self.sdofminus

    @property
    def df_first(self) -> int:
        """N-L-d-s, of the first stage and the reduced form."""
        return self.n - self.l_total - self.dofminus - self.sdofminus

    @property
    def df_denominator(self) -> int:
        """Denominator of the F statistics of the first stage: G-1 with clusters, else N-L-d-s."""
        return self.groups - 1 if self.groups is not None else self.df_first

    @property
    def df_t(self) -> int:
        """Degrees of freedom of t and of the model's F: G-1 with clusters, else N-K-d-s."""
        return self.groups - 1 if self.groups is not None else self.df_resid

    @property
    def large_n(self) -> int:
        """N-d: what the large-sample variances divide by."""
        return self.n - self.dofminus

    @property
    def robust_scale(self) -> float:
        """What a Wald statistic on plain sums of outer products is multiplied by: (N-d)/N, 1 with clusters."""
        return 1.0 if self.clustered else self.large_n / self.n

    def sandwich_factor(self, parameters: int | None = None, *, small: bool | None = None) -> float:
        """Factor on the plain sandwich of an equation with this K (default: the main equation's)."""
        k = self.k if parameters is None else parameters
        is_small = self.small if small is None else small
        if self.groups is not None:
            return self.groups / (self.groups - 1) * (self.n - 1) / (self.n - k - self.sdofminus) if is_small else 1.0
        return self.n / (self.n - k - self.dofminus - self.sdofminus) if is_small else self.n / self.large_n

    def sigma2_divisor(self, parameters: int | None = None, *, small: bool | None = None) -> int:
        """What the residual sum of squares of an equation with this K is divided by under iid errors."""
        k = self.k if parameters is None else parameters
        is_small = self.small if small is None else small
        return self.n - k - self.dofminus - self.sdofminus if is_small else self.large_n

    def to_f(self, wald: float, restrictions: int) -> float:
        """A large-sample Wald statistic of the first stage or reduced form as F."""
        if self.groups is not None:
            g = self.groups
            return wald / (self.n - 1) * (self.n - self.l_total - self.sdofminus) * (g - 1) / g / restrictions
        return wald / self.large_n * self.df_first / restrictions

    def from_f(self, f: float, restrictions: int) -> float:
        """The inverse of :meth:`to_f`."""
        return f / self.to_f(1.0, restrictions)

    def f_p_value(self, f: float, restrictions: int) -> float:
        return float(stats.f.sf(f, restrictions, self.df_denominator))


def count(
    rules: IvConvention,
    spec: CovarianceSpec,
    *,
    n: int,
    exogenous: int,
    k1: int,
    l1: int,
    fixed_effects: Sequence[Factor],
    clusters: Sequence[Factor],
    small: bool | None = None,
) -> IvCounts:
    """Counts of one model under a convention.

    ``clusters`` are the factors of ``spec.by``, or the time factor for ``driscoll_kraay``. Raises ``CP-EST-TOO-FEW``
    where parameters use up the observations and ``CP-EST-CLUSTERS`` with a single cluster.
    """
    messages: list[str] = []
    groups: int | None = None
    if spec.type in ("cluster", "driscoll_kraay"):
        groups = min(f.levels for f in clusters)
        if groups < 2:
            only = next(f.name for f in clusters if f.levels < 2)
            raise CarbonpanelError(
                "CP-EST-CLUSTERS",
                f"'{only}' has a single cluster in the sample",
                remedy="cluster by a column with more groups",
            )
    is_small = rules.small if small is None else small
    in_k, dofminus, sdofminus, counted = 1, 0, 0, "constant"
    if fixed_effects:
        everything, exact = rank(fixed_effects)
        if not exact:
            messages.append("the rank of the fixed effects is counted pairwise: degrees of freedom are a lower bound")
        if rules.effects == "dummies":
            in_k, counted = everything, "constant and dummies in K and L"
        elif rules.effects == "first_absorbed":
            dofminus = fixed_effects[0].levels
            in_k, counted = everything - dofminus, f"'{fixed_effects[0].name}' in d, later dummies in K and L"
        else:
            in_k, counted = 0, "fixed effects in s (reghdfe's count)"
            sdofminus = _absorbed(fixed_effects, clusters if spec.type == "cluster" else ())
        if rules.effects == "first_absorbed" and spec.type == "cluster" and not _nests(fixed_effects[0], clusters):
            messages.append(f"'{fixed_effects[0].name}' is not nested in the clusters: xtivreg2 would refuse")
    elif rules.effects != "dummies":
        is_small = False if small is None else small
        messages.append(f"without fixed effects {rules.name} is ivreg2")
    slopes = k1 + exogenous
    counts = IvCounts(
        n=n,
        slopes=slopes,
        k=slopes + in_k,
        l_total=l1 + exogenous + in_k,
        k1=k1,
        l1=l1,
        dofminus=dofminus,
        sdofminus=sdofminus,
        groups=groups,
        small=is_small,
        kind=spec.type,
    )
    if counts.df_resid < 1 or counts.df_first < 1 or (groups is not None and n - counts.l_total - sdofminus < 1):
        raise too_few(n, counts.l_total + dofminus + sdofminus, l1, exogenous)
    if spec.type == "cluster":
        messages += [
            f"only {f.levels} clusters in '{f.name}' (fewer than {FEW_CLUSTERS}): cluster-robust errors tend to be "
            "too small"
            for f in clusters
            if f.levels < FEW_CLUSTERS
        ]
    elif groups is not None and groups < FEW_CLUSTERS:
        messages.append(f"only {groups} periods: the errors of Driscoll and Kraay rest on many")
    return replace(counts, named=_name(counts, spec, counted, clusters), messages=tuple(messages))


def too_few(n: int, parameters: int, instruments: int, exogenous: int) -> CarbonpanelError:
    """The error about more parameters of the first stage than observations."""
    return CarbonpanelError(
        "CP-EST-TOO-FEW",
        f"{n} observations cannot identify {parameters} parameters of the first stage "
        f"({instruments} instruments, {exogenous} controls, the rest fixed effects and the constant)",
        remedy="widen the sample, or take out instruments, controls or fixed effects",
    )


def _name(
    counts: IvCounts, spec: CovarianceSpec, counted: str, clusters: Sequence[Factor]
) -> tuple[tuple[str, object], ...]:
    small = counts.small
    if spec.type == "iid":
        formula = "RSS/(N-K-d-s)" if small else "RSS/(N-d)"
    elif counts.clustered:
        formula = "G/(G-1)*(N-1)/(N-K-s)" if small else "1 (large sample)"
        formula += ", G the smallest number of clusters" if len(clusters) > 1 else ""
    else:
        formula = "N/(N-K-d-s)" if small else "N/(N-d)"
    named: list[tuple[str, object]] = [
        (spec.type, formula),
        ("small", small),
        ("N", counts.n),
        ("K", counts.k),
        ("L", counts.l_total),
        ("d (dofminus)", counts.dofminus),
        ("s (sdofminus)", counts.sdofminus),
        ("counted", counted),
    ]
    if counts.groups is not None:
        named.append(("G", tuple(f.levels for f in clusters) if len(clusters) > 1 else counts.groups))
    if spec.type != "iid":
        named.append(("factor", counts.sandwich_factor()))
    return tuple(named)


def _nests(effect: Factor, clusters: Sequence[Factor]) -> bool:
    return any(is_nested(effect, c) for c in clusters)


def _absorbed(fixed_effects: Sequence[Factor], clusters: Sequence[Factor]) -> int:
    """reghdfe's e(df_a): effects nested in a cluster variable free, the others pairwise; at least 1 as in ivreghdfe."""
    nested = [_nests(f, clusters) for f in fixed_effects]
    others = [f for f, is_free in zip(fixed_effects, nested, strict=True) if not is_free]
    if not others:
        return 1
    # once an effect is nested the first of the others also has one redundant level
    return max(pairwise_count(others) - int(any(nested)), 1)
