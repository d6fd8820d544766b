"""What every regression hands back: one frozen record, and the specification of its covariance.

Arrays are in the order of ``terms``. Nothing here estimates; :func:`infer` turns estimates and a covariance into
test statistics, p-values and confidence limits, the one place where that arithmetic stands.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from scipy import stats

from analysis_py.errors import CarbonpanelError, did_you_mean

#: Covariance types a study may name.
COVARIANCE_TYPES: tuple[str, ...] = (
    "iid",
    "hc1",
    "hc2",
    "hc3",
    "cluster",
    "cr2",
    "cr3",
    "wild",
    "conley",
    "driscoll_kraay",
)

#: Types that are made of clusters and take ``by``.
CLUSTER_TYPES: tuple[str, ...] = ("cluster", "cr2", "cr3", "wild")

#: Spellings people bring along from other programs, and the name used here.
_COVARIANCE_ALIASES: dict[str, str] = {
    "conventional": "iid",
    "ols": "iid",
    "unadjusted": "iid",
    "robust": "hc1",
    "hetero": "hc1",
    "heteroskedastic": "hc1",
    "clustered": "cluster",
    "crv1": "cluster",
    "cr1": "cluster",
    "crv2": "cr2",
    "bell_mccaffrey": "cr2",
    "crv3": "cr3",
    "jackknife": "cr3",
    "wild_bootstrap": "wild",
    "boottest": "wild",
    "dk": "driscoll_kraay",
}

#: Options each type understands beside ``by``.
_COVARIANCE_OPTIONS: dict[str, tuple[str, ...]] = {
    "conley": ("lon", "lat", "cutoff_km", "kernel"),
    "driscoll_kraay": ("lag",),
    "cr2": ("df",),
    "cr3": ("df", "scale"),
    "wild": ("draws", "seed", "distribution", "boot_by"),
}

#: Options that are one of a few words.
_COVARIANCE_WORDS: dict[str, tuple[str, ...]] = {
    "df": ("satterthwaite", "clusters"),
    "scale": ("jackknife", "none"),
    "distribution": ("rademacher", "webb"),
}

#: Options that must be given.
_COVARIANCE_REQUIRED: dict[str, tuple[str, ...]] = {"conley": ("lon", "lat", "cutoff_km")}


@dataclass(frozen=True)
class CovarianceSpec:
    """Which covariance of the estimates is wanted.

    Attributes
    ----------
    type : one of :data:`COVARIANCE_TYPES`.
    by : cluster columns of the frame, in the order given; empty unless the type is one of clusters.
    options : further named options: ``lon``, ``lat``, ``cutoff_km``, ``kernel`` (conley), ``lag`` (driscoll_kraay),
        ``df`` (cr2, cr3: satterthwaite or clusters), ``scale`` (cr3: jackknife or none), ``draws``, ``seed``,
        ``distribution``, ``boot_by`` (wild).
    """

    type: str
    by: tuple[str, ...] = ()
    options: tuple[tuple[str, object], ...] = ()

    @classmethod
    def parse(cls, value: CovarianceSpec | str | Mapping[str, object]) -> CovarianceSpec:
        """Read a study's ``covariance`` entry: a name (``hc1``) or a mapping (``{type: cluster, by: [city_code]}``).

        Raises
        ------
        CarbonpanelError
            ``CP-EST-COVARIANCE`` for an unknown type or option, a missing required one, or clusters without ``by``.
        """
        if isinstance(value, cls):
            spec = value
        elif isinstance(value, str):
            spec = cls(value)
        elif isinstance(value, Mapping):
            spec = cls._from_mapping(value)
        else:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                f"the covariance must be a name or a mapping with `type`, not {value!r}",
                remedy="for example: covariance: {type: cluster, by: [city_code]}",
            )
        return spec._checked()

    @classmethod
    def _from_mapping(cls, value: Mapping[str, object]) -> CovarianceSpec:
        if not isinstance(value.get("type"), str):
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                "the covariance does not say its `type`",
                remedy=f"one of: {', '.join(COVARIANCE_TYPES)}",
            )
        by = value.get("by")
        if by is None:
            columns: tuple[str, ...] = ()
        elif isinstance(by, str):
            columns = (by,)
        elif isinstance(by, list | tuple):
            columns = tuple(str(b) for b in by)
        else:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                f"`by` must be a column or a list of columns, not {by!r}",
                remedy="for example: by: [city_code, year]",
            )
        options = tuple((str(k), v) for k, v in value.items() if k not in ("type", "by") and v is not None)
        return cls(str(value["type"]), columns, options)

    def _checked(self) -> CovarianceSpec:
        name = self.type.strip().lower()
        name = _COVARIANCE_ALIASES.get(name, name)
        if name not in COVARIANCE_TYPES:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                f"unknown covariance '{self.type}'",
                remedy=did_you_mean(self.type, (*COVARIANCE_TYPES, *_COVARIANCE_ALIASES)),
            )
        if name in CLUSTER_TYPES and not self.by:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                "a clustered covariance needs the columns that make the clusters",
                remedy="add `by`, for example: covariance: {type: cluster, by: [city_code]}",
            )
        if self.by and name not in CLUSTER_TYPES:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                f"covariance '{name}' takes no `by`",
                remedy=f"for clusters write: covariance: {{type: cluster, by: [{', '.join(self.by)}]}}",
            )
        if len(set(self.by)) < len(self.by):
            raise CarbonpanelError(
                "CP-EST-COVARIANCE", f"a cluster column is named twice: {', '.join(self.by)}", remedy="name it once"
            )
        known = _COVARIANCE_OPTIONS.get(name, ())
        given = {k for k, _ in self.options}
        for key, _ in self.options:
            if key not in known:
                raise CarbonpanelError(
                    "CP-EST-COVARIANCE",
                    f"covariance '{name}' has no option '{key}'",
                    remedy=did_you_mean(key, (*known, "by")) if known else _remedy_without_options(name),
                )
        for key, words in _COVARIANCE_WORDS.items():
            if key in given and self.option(key) not in words:
                raise CarbonpanelError(
                    "CP-EST-COVARIANCE",
                    f"`{key}` of covariance '{name}' is one of {', '.join(words)}, not {self.option(key)!r}",
                    remedy=did_you_mean(str(self.option(key)), words),
                )
        for key, least in (("draws", 99), ("seed", 0)):
            number = self.option(key, least)
            if isinstance(number, bool) or not isinstance(number, int) or number < least:
                raise CarbonpanelError(
                    "CP-EST-COVARIANCE",
                    f"`{key}` must be a whole number of at least {least}, not {number!r}",
                    remedy="for example draws: 9999",
                )
        if name in ("cr2", "cr3") and len(self.by) > 1:
            raise CarbonpanelError(
                "CP-EST-COVARIANCE",
                f"{name} is defined for one cluster variable, not for {' and '.join(self.by)}",
                remedy=f"cluster by one of them, or use the wild bootstrap: {{type: wild, by: [{', '.join(self.by)}]}}",
            )
        for key in _COVARIANCE_REQUIRED.get(name, ()):
            if key not in given:
                raise CarbonpanelError(
                    "CP-EST-COVARIANCE",
                    f"covariance '{name}' needs the option '{key}'",
                    remedy="for example: covariance: {type: conley, lon: lon, lat: lat, cutoff_km: 200}",
                )
        return CovarianceSpec(name, self.by, self.options)

    def option(self, name: str, default: object = None) -> object:
        """The value of one option, or ``default``."""
        return dict(self.options).get(name, default)

    @property
    def label(self) -> str:
        """As printed with the result: ``iid``, ``HC1``, ``cluster(state, year)``, ``conley(200 km, bartlett)``.

        A kernel or lag that was not given is not in it; tables name the one that was used.
        """
        if self.type in ("hc1", "hc2", "hc3"):
            return self.type.upper()
        if self.type in ("cr2", "cr3"):
            return f"{self.type.upper()}({', '.join(self.by)})"
        if self.type == "conley":
            kernel = self.option("kernel")
            return f"conley({self.option('cutoff_km')} km{'' if kernel is None else f', {kernel}'})"
        if self.type == "driscoll_kraay":
            lag = self.option("lag")
            return "driscoll_kraay" if lag is None else f"driscoll_kraay(lag {lag})"
        return f"{self.type}({', '.join(self.by)})" if self.by else self.type


def _remedy_without_options(name: str) -> str:
    return (
        f"'{name}' takes only `by`, its columns: by: [city_code]" if name == "cluster" else f"'{name}' takes no options"
    )


@dataclass(frozen=True)
class Diagnostic:
    """One test or derived number of a model. ``df2`` is None for chi-squared; ``critical`` maps a level to a value.

    ``term`` is the coefficient it is about, where it is about one.
    """

    test: str
    statistic: float
    df1: float | None = None
    df2: float | None = None
    p_value: float | None = None
    critical: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    term: str | None = None


@dataclass(frozen=True)
class Inference:
    """Test statistics of a coefficient vector, each of shape (k,)."""

    std_error: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray


def infer(
    estimate: np.ndarray, vcov: np.ndarray, df: float | np.ndarray, *, kind: str = "t", level: float = 0.95
) -> Inference:
    """Standard errors, statistics, two-sided p-values and confidence limits.

    Parameters
    ----------
    estimate : (k,) coefficients.
    vcov : (k, k) covariance.
    df : degrees of freedom of the t distribution, one or one a coefficient; ignored where ``kind`` is ``"z"``.
    kind : ``"t"`` or ``"z"``.
    level : coverage of the interval.

    A zero or undefined variance gives NaN in every column, never an infinite statistic.
    """
    if kind not in ("t", "z"):
        raise ValueError(f"statistic kind must be 't' or 'z', not {kind!r}")
    variance = np.diag(vcov).astype(float)
    std_error = np.sqrt(np.where(variance > 0, variance, np.nan))
    statistic = np.asarray(estimate, dtype=float) / std_error
    if kind == "z":
        p_value = 2.0 * stats.norm.sf(np.abs(statistic))
        quantile = np.full_like(statistic, stats.norm.ppf(0.5 + level / 2))
    else:
        degrees = np.broadcast_to(np.asarray(df, dtype=float), statistic.shape)
        degrees = np.where(degrees > 0, degrees, np.nan)
        p_value = 2.0 * stats.t.sf(np.abs(statistic), degrees)
        quantile = stats.t.ppf(0.5 + level / 2, degrees)
    return Inference(
        std_error, statistic, p_value, estimate - quantile * std_error, np.asarray(estimate) + quantile * std_error
    )


@dataclass(frozen=True)
class RegressionResult:
    """One fitted linear model.

    ``terms`` are the regressors in the order given (collinear ones left out, listed in ``dropped_terms``), then
    ``_cons`` where the convention reports a constant. ``estimate`` to ``ci_high`` have shape (k,), ``vcov`` (k, k).
    ``dropped_rows`` gives positional rows of the frame handed in with the reason; ``used_rows`` the positions that
    entered, ascending, and ``residuals`` one residual for each of them. R2s a convention does not define are None.
    ``df_terms`` (k,) are degrees of freedom by coefficient where they differ (CR2), else None and ``df_t`` holds.
    ``small_sample`` names every factor that entered the covariance, so that the number can be redone by hand.
    """

    estimator: str
    convention: str
    covariance: str
    terms: tuple[str, ...]
    estimate: np.ndarray
    std_error: np.ndarray
    statistic: np.ndarray
    p_value: np.ndarray
    ci_low: np.ndarray
    ci_high: np.ndarray
    vcov: np.ndarray
    statistic_kind: str
    df_t: float
    n_obs: int
    n_units: int | None
    n_times: int | None
    n_clusters: tuple[int, ...]
    n_singletons_dropped: int
    dropped_rows: tuple[tuple[int, str], ...]
    df_resid: float
    df_model: float
    r2: float | None
    r2_within: float | None
    r2_between: float | None
    r2_overall: float | None
    r2_adjusted: float | None
    rmse: float | None
    f: float | None
    f_p_value: float | None
    diagnostics: tuple[Diagnostic, ...]
    small_sample: tuple[tuple[str, object], ...]
    dropped_terms: tuple[str, ...]
    messages: tuple[str, ...]
    residuals: np.ndarray
    used_rows: np.ndarray
    df_terms: np.ndarray | None = None

    def position(self, term: str) -> int:
        """Index of a term in the arrays; KeyError with the known terms where it is not there."""
        if term not in self.terms:
            raise KeyError(f"no term '{term}'; terms: {', '.join(self.terms)}")
        return self.terms.index(term)

    def coefficient(self, term: str) -> float:
        """Estimate of one term."""
        return float(self.estimate[self.position(term)])

    def error(self, term: str) -> float:
        """Standard error of one term."""
        return float(self.std_error[self.position(term)])

    def diagnostic(self, test: str) -> Diagnostic | None:
        """The diagnostic of that name, or None."""
        return next((d for d in self.diagnostics if d.test == test), None)
