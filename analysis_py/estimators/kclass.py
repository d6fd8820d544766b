"""Two-stage least squares, LIML, Fuller and k-class estimates on columns free of the exogenous regressors.

b = (X'(I - k M) X)^-1 X'(I - k M) y with M the annihilator of the instruments: k = 1 is 2SLS, k = 0 least squares.
LIML has k = lambda, the smallest eigenvalue of (Y'MY)^-1 Y'Y, Y = [y, X]; Fuller k = lambda - a/(N-L).
Sources: Davidson & MacKinnon (1993) ch. 18; Fuller (1977) Econometrica 45:939-953.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.iv_design import IvDesign

METHODS = ("2sls", "liml", "fuller", "kclass")


@dataclass(frozen=True)
class KClass:
    """Estimates in unit scale.

    ``coefficients`` (k1,), ``residuals`` (n,), ``bread`` (k1, k1) the inverse of X'(I-kM)X, ``influence`` (n, k1) rows
    H = PX bread with which sandwiches are made, ``k`` and LIML's ``eigenvalue`` (None for 2SLS and a given k).
    """

    method: str
    coefficients: np.ndarray
    residuals: np.ndarray
    bread: np.ndarray
    influence: np.ndarray
    k: float
    eigenvalue: float | None


def solve_kclass(
    design: IvDesign, method: str = "2sls", *, k: float | None = None, fuller: float = 1.0, l_total: int | None = None
) -> KClass:
    """Estimate the coefficients of the endogenous variables.

    Parameters
    ----------
    design : the prepared columns.
    method : one of :data:`METHODS`.
    k : for ``kclass``.
    fuller : a of Fuller's estimator.
    l_total : L, all instruments as the convention counts them; needed for ``fuller``.

    Raises ``CP-EST-METHOD`` (unknown method, missing k) and ``CP-EST-UNDERIDENTIFIED`` where the instruments do not
    move the endogenous variables independently of each other.
    """
    if method not in METHODS:
        raise CarbonpanelError("CP-EST-METHOD", f"unknown method '{method}'", remedy=did_you_mean(method, METHODS))
    if method == "kclass" and k is None:
        raise CarbonpanelError("CP-EST-METHOD", "method 'kclass' needs its k", remedy="add k: 0.9")
    w, x, y, z = design.weights, design.x, design.y, design.z
    fitted = z @ design.slopes
    _require_rank(design)
    eigenvalue = None
    if method == "2sls":
        value = 1.0
    elif method == "kclass":
        value = float(k if k is not None else 1.0)
    else:
        eigenvalue = liml_eigenvalue(design)
        value = eigenvalue
        if method == "fuller":
            counted = len(design.instruments) + len(design.exogenous) + 1
            value -= fuller / (len(y) - (counted if l_total is None else l_total))
    moved = (1.0 - value) * x + value * fitted
    hessian = moved.T @ (w[:, None] * x)
    bread = np.linalg.inv((hessian + hessian.T) / 2.0)
    coefficients = bread @ (moved.T @ (w * y))
    # one step of refinement against the residuals
    coefficients = coefficients + bread @ (moved.T @ (w * (y - x @ coefficients)))
    return KClass(method, coefficients, y - x @ coefficients, bread, fitted @ bread, value, eigenvalue)


def liml_eigenvalue(design: IvDesign) -> float:
    """LIML's lambda; exactly 1 where instruments and endogenous variables are as many."""
    if len(design.instruments) == len(design.endogenous):
        return 1.0
    both = np.column_stack([design.y, design.x])
    cross = design.z.T @ (design.weights[:, None] * both)
    whole = both.T @ (design.weights[:, None] * both)
    values = linalg.eigh(whole, whole - cross.T @ cross, eigvals_only=True)
    return float(values[0])


def _require_rank(design: IvDesign) -> None:
    """Singular values of the standardised first stage: a zero among them leaves no unique estimate."""
    scale = np.sqrt(np.einsum("i,ij,ij->j", design.weights, design.x, design.x))
    values = np.linalg.svd(design.slopes / scale, compute_uv=False)
    if values[-1] <= 1e-12:
        names = ", ".join(f"'{n}'" for n in design.endogenous.names)
        raise CarbonpanelError(
            "CP-EST-UNDERIDENTIFIED",
            f"the instruments do not move {names} independently: the first stage has rank "
            f"{int((values > 1e-12).sum())} of {len(design.endogenous)}",
            remedy="use instruments that explain each endogenous variable",
        )
