"""What a script redoes: equations with the numbers they must give, on one table of data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from analysis_py.estimators.result import CovarianceSpec
from analysis_py.export.names import Names
from analysis_py.fits.run_record import DiagnosticRow, ModelRun, StudyRun
from analysis_py.study import Model

#: The constant's name among the terms.
CONSTANT = "_cons"


@dataclass(frozen=True)
class Expected:
    """A coefficient and its standard error."""

    term: str
    estimate: float
    std_error: float


@dataclass(frozen=True)
class Part:
    """A column the script makes: ``term`` on the rows of one regime, ``low < variable <= high`` (None: no bound)."""

    label: str
    term: str
    variable: str
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Equation:
    """One regression.

    Attributes
    ----------
    title : what it is, in words; empty for a model of one equation.
    estimator : ``ols``, ``poisson``, ``iv`` or ``hansen`` (least squares on Hansen's rows).
    outcome, regressors : labels of columns; of instrumental variables the exogenous regressors.
    endogenous, instruments, silent : of instrumental variables; ``silent`` are controls that are not reported.
    effects : fixed effects, the first the one that xtreg, areg and xtivreg2 absorb.
    covariance, convention : under which ``expected`` stands.
    small : the named counts and factors of the result.
    n_obs : rows that enter.
    used : their positions in the table.
    expected : coefficients that are checked, in the order of the result.
    group : code of the column ``group`` whose rows enter, or None.
    method, k, fuller : of instrumental variables.
    is_t : whether the statistics are t and not z.
    constant_holds : whether the constant is the same in any program (no dummy is redundant).
    diagnostics : tests of this equation, for programs that store them.
    """

    title: str
    estimator: str
    outcome: str
    regressors: tuple[str, ...]
    effects: tuple[str, ...]
    covariance: CovarianceSpec
    convention: str
    small: Mapping[str, object]
    n_obs: int
    used: np.ndarray
    expected: tuple[Expected, ...]
    endogenous: tuple[str, ...] = ()
    instruments: tuple[str, ...] = ()
    silent: tuple[str, ...] = ()
    group: int | None = None
    method: str = "2sls"
    k: float | None = None
    fuller: float = 1.0
    is_t: bool = True
    constant_holds: bool = True
    diagnostics: tuple[DiagnosticRow, ...] = ()

    @property
    def slopes(self) -> tuple[str, ...]:
        """Every regressor in the order of the coefficients."""
        return (*self.endogenous, *self.regressors)

    @property
    def divisor(self) -> float | None:
        """What the residual sum of squares is divided by under iid errors; None for other covariances."""
        if self.covariance.type != "iid" or self.estimator == "poisson":
            return None
        n, k = self._count("N"), self._count("K")
        if self.estimator == "hansen":
            return n - self._count("units") - k
        if self.estimator == "iv":
            taken = self._count("d (dofminus)")
            return n - k - taken - self._count("s (sdofminus)") if self.small["small"] else n - taken
        return n - k

    @property
    def factor(self) -> float:
        """What the sandwich (of Poisson also the inverse information) is multiplied by."""
        found = self.small.get("factor", 1.0)
        return float(found) if isinstance(found, int | float) else 1.0

    @property
    def scale(self) -> float:
        """The multiplier of the covariance, whatever its kind: 1/divisor under iid errors, else the factor."""
        return self.factor if self.divisor is None else 1.0 / self.divisor

    def _count(self, name: str) -> float:
        value = self.small[name]
        if not isinstance(value, int | float):
            raise ValueError(f"{name} is not a number but {value!r}")
        return float(value)


@dataclass(frozen=True)
class Combination:
    """A sum of coefficients of one equation with the number it must give (a marginal effect)."""

    title: str
    equation: int
    weights: tuple[tuple[str, float], ...]
    estimate: float
    std_error: float


@dataclass(frozen=True)
class Product:
    """The coefficient of one equation times that of another: an indirect effect."""

    title: str
    first: tuple[int, str]
    second: tuple[int, str]
    estimate: float


@dataclass(frozen=True)
class JointTest:
    """The F test of a heterogeneity model: ``terms`` differ between groups in one regression of all rows.

    ``by_group`` are the regressors that have a slope a group, ``effects`` the fixed effects with whether they are
    crossed with the group, ``constants`` whether each group has its own constant.
    """

    name: str
    terms: tuple[str, ...]
    by_group: tuple[str, ...]
    effects: tuple[tuple[str, bool], ...]
    constants: bool
    statistic: float
    df1: float
    df2: float
    regressors: tuple[str, ...]
    scale: float


@dataclass(frozen=True)
class ThresholdSearch:
    """The search behind a threshold model, for scripts that repeat it.

    ``steps`` are, in order, (grid order, positions of the thresholds held, value found, RSS without it, RSS, F).
    """

    variable: str
    split: tuple[str, ...]
    others: tuple[str, ...]
    options: Mapping[str, object]
    values: tuple[float, ...]
    f: tuple[float | None, ...]
    points: str
    is_strict: bool
    drops_last: bool
    scale: float
    scale_name: str


@dataclass(frozen=True)
class Export:
    """Everything the two scripts are written from.

    Attributes
    ----------
    table : the exported columns by label, complete rows in the order of the panel, singletons included.
    identifiers : labels of columns that are codes (units, times, effects, clusters, groups), not measures.
    group_names : the groups of a split in the order of their codes 1, 2, ...
    notes : what is worth saying in the header.
    """

    model: Model
    run: ModelRun
    study: StudyRun
    table: pd.DataFrame
    names: Names
    identifiers: tuple[str, ...]
    equations: tuple[Equation, ...]
    parts: tuple[Part, ...] = ()
    products: tuple[tuple[str, str, str], ...] = ()
    combinations: tuple[Combination, ...] = ()
    indirect: tuple[Product, ...] = ()
    joint_tests: tuple[JointTest, ...] = ()
    search: ThresholdSearch | None = None
    group_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    @property
    def file_stem(self) -> str:
        """The model's id as a file is called."""
        return "".join(c if c.isalnum() or c in "-_" else "_" for c in self.run.id)
