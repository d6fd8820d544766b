"""Inference and decomposition for shift-share instruments z_i = sum_s w_is g_s.

- Adao, Kolesar & Morales (2019, QJE 134:1949-2010): errors that let residuals be correlated among rows with similar
  shares (AKM), and the interval that imposes the null (AKM0). With z free of controls, shock estimates h = (W'W)^-1 W'z
  and R = sum h_s (w_s'e): V = sum_s (h_s w_s'e)^2 / (z'x)^2
- Goldsmith-Pinkham, Sorkin & Swift (2020, AER 110:2586-2624): Rotemberg weights, alpha_s = g_s w_s'x / sum and the
  estimate b_s = w_s'y / w_s'x of each share as the instrument; sum alpha_s b_s is the estimate
- Borusyak, Hull & Jaravel (2022, REStud 89:181-213): where shares do not sum to one, the sum of shares (by period) must
  be controlled for

A panel with shocks by period has one column of W for each sector and period, zero in other periods; ``cluster`` then
groups the columns of a sector.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import demean
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.iv_design import IvDesign
from analysis_py.inference.anderson_rubin import ConfidenceSet, where_positive

#: Shares count as summing to one within this.
_COMPLETE = 1e-6


@dataclass(frozen=True)
class Exposure:
    """Shares of the rows of a sample in shocks.

    ``shares`` (n, S); ``sectors`` (S,) names, repeated over periods; ``shocks`` (S,) or None; ``cluster`` (S,) integer
    groups within which shocks are correlated, or None for independent shocks.
    """

    shares: np.ndarray
    sectors: tuple[str, ...]
    shocks: np.ndarray | None = None
    cluster: np.ndarray | None = None

    @property
    def totals(self) -> np.ndarray:
        """(n,) sum of each row's shares."""
        return np.asarray(self.shares.sum(axis=1))

    @property
    def is_complete(self) -> bool:
        """Whether the shares of every row sum to one."""
        return bool(np.allclose(self.totals, 1.0, rtol=0.0, atol=_COMPLETE))

    @property
    def effective_shocks(self) -> float:
        """Inverse Herfindahl index of the average shares: how many shocks there are in effect."""
        mean = self.shares.mean(axis=0)
        total = mean.sum()
        return float(1.0 / np.sum((mean / total) ** 2)) if total > 0 else 0.0


@dataclass(frozen=True)
class ShiftShareInference:
    """AKM error and AKM0 set of the one endogenous coefficient, in the units of the data.

    ``akm_error`` with its normal interval ``akm_low``, ``akm_high``; ``akm0`` the set that is not rejected.
    """

    estimate: float
    akm_error: float
    akm_low: float
    akm_high: float
    akm_p_value: float
    akm0: ConfidenceSet
    n_shocks: int


def shift_share_inference(design: IvDesign, exposure: Exposure, *, level: float = 0.95) -> ShiftShareInference:
    """AKM and AKM0 inference for a model with one endogenous variable and one shift-share instrument.

    Raises ``CP-EST-SHIFT-SHARE`` with several of either, or where the shares do not tell the shocks apart (more shocks
    than rows, or shares that are combinations of each other).
    """
    if len(design.endogenous) != 1 or len(design.instruments) != 1:
        raise CarbonpanelError(
            "CP-EST-SHIFT-SHARE",
            "shift-share errors need exactly one endogenous variable and one instrument",
            remedy="name the shift-share instrument alone",
        )
    w, x, y = design.weights, design.x[:, 0], design.y
    z = design.z[:, 0]
    shares = _scaled(exposure.shares)
    root = np.sqrt(w)
    with single_threaded_blas():
        solved, _, rank, _ = np.linalg.lstsq(root[:, None] * shares, root * z, rcond=1e-10)
    if rank < shares.shape[1]:
        raise CarbonpanelError(
            "CP-EST-SHIFT-SHARE",
            f"the shares tell only {rank} of {shares.shape[1]} shocks apart",
            remedy="merge sectors whose shares move together, or use fewer of them than there are rows",
        )
    first = float(z @ (w * x))
    estimate = float(z @ (w * y)) / first

    def by_cluster(values: np.ndarray) -> np.ndarray:
        parts = solved * (shares.T @ (w * values))
        return parts if exposure.cluster is None else np.bincount(exposure.cluster, parts)

    a, b = by_cluster(y), by_cluster(x)
    residual = a - b * estimate
    error = float(np.sqrt(residual @ residual)) / abs(first)
    quantile = float(stats.norm.ppf(0.5 + level / 2.0))
    square, reduced = quantile**2, estimate * first
    intervals = where_positive(
        np.array([square * b @ b - first**2, -2.0 * (square * a @ b - reduced * first), square * a @ a - reduced**2])
    )
    unit = float(design.outcome.scale[0] / design.endogenous.scale[0])
    return ShiftShareInference(
        estimate=estimate * unit,
        akm_error=error * unit,
        akm_low=(estimate - quantile * error) * unit,
        akm_high=(estimate + quantile * error) * unit,
        akm_p_value=float(2.0 * stats.norm.sf(abs(estimate) / error)) if error > 0 else float("nan"),
        akm0=ConfidenceSet(level, tuple((low * unit, high * unit) for low, high in intervals)),
        n_shocks=len(np.unique(exposure.cluster)) if exposure.cluster is not None else shares.shape[1],
    )


@dataclass(frozen=True)
class RotembergWeights:
    """Weight and estimate of each sector, by falling absolute weight; (S,) arrays.

    ``weights`` sum to one; ``estimates`` are those of the sector's own instrument, NaN where it does not move the
    endogenous variable; ``first_stage_f`` its conventional F.
    """

    sectors: tuple[str, ...]
    weights: np.ndarray
    estimates: np.ndarray
    first_stage_f: np.ndarray

    @property
    def negative_share(self) -> float:
        """Sum of negative weights in absolute value over the sum of all absolute weights."""
        size = np.abs(self.weights).sum()
        return float(-self.weights[self.weights < 0].sum() / size) if size else 0.0

    @property
    def top_five(self) -> float:
        """Share of the five largest in the sum of absolute weights."""
        size = np.abs(self.weights).sum()
        return float(np.abs(self.weights[:5]).sum() / size) if size else 0.0


def rotemberg_weights(design: IvDesign, exposure: Exposure) -> RotembergWeights:
    """Rotemberg weights by sector, periods added up.

    Raises ``CP-EST-SHIFT-SHARE`` without shocks or with several endogenous variables.
    """
    if exposure.shocks is None or len(design.endogenous) != 1:
        raise CarbonpanelError(
            "CP-EST-SHIFT-SHARE",
            "Rotemberg weights need the shocks and one endogenous variable",
            remedy="name the table of shocks under iv: {shift_share: {shocks: ...}}",
        )
    w, n = design.weights, len(design.y)
    names = tuple(dict.fromkeys(exposure.sectors))
    position = {name: i for i, name in enumerate(names)}
    groups = np.array([position[s] for s in exposure.sectors])
    own = np.zeros((n, len(names)))
    for column, group in enumerate(groups):
        own[:, group] += exposure.shares[:, column] * exposure.shocks[column]
    size = np.abs(own).max(axis=0)
    free = design.partial_out(demean(own / np.where(size > 0, size, 1.0), design.sample.fixed_effects, w))
    zx, zy = free.T @ (w * design.x[:, 0]), free.T @ (w * design.y)
    zz = np.einsum("i,ij,ij->j", w, free, free)
    varies = zz > 1e-20 * n
    with np.errstate(all="ignore"):
        estimates = np.where(varies & (np.abs(zx) > 0), zy / zx, np.nan)
        explained = np.where(varies, zx**2 / zz, 0.0)
    whole = float(w @ design.x[:, 0] ** 2)
    controls = len(design.exogenous) + 2
    f = explained / ((whole - explained) / max(n - controls, 1))
    contribution = zx * size
    weights = contribution / contribution.sum()
    unit = float(design.outcome.scale[0] / design.endogenous.scale[0])
    order = np.lexsort((np.arange(len(names)), -np.abs(weights)))
    return RotembergWeights(
        tuple(names[i] for i in order), weights[order], estimates[order] * unit, np.where(varies, f, np.nan)[order]
    )


def _scaled(shares: np.ndarray) -> np.ndarray:
    """Columns of unit size, so that ranks do not depend on units; AKM does not change."""
    size = np.sqrt(np.einsum("ij,ij->j", shares, shares))
    return shares / np.where(size > 0, size, 1.0)
