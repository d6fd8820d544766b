"""Covariance of sums of moments: one object for the errors, the rank tests and the overidentification tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.factors import Factor
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.inference.covariance import (
    KernelOptions,
    cluster_covariance,
    conley_covariance,
    driscoll_kraay_covariance,
    hc_covariance,
    refuse_vanishing,
)


@dataclass(frozen=True)
class MomentCovariance:
    """How moments of different rows are correlated.

    ``clusters`` belong to ``cluster``, ``periods`` to ``driscoll_kraay``, ``coordinates`` (n, 2) to ``conley``.
    """

    spec: CovarianceSpec
    clusters: Sequence[Factor] = ()
    periods: Factor | None = None
    coordinates: np.ndarray | None = None

    @property
    def is_iid(self) -> bool:
        """Whether errors count as independent and of one variance, so that sums of outer products are not used."""
        return self.spec.type == "iid"

    @property
    def options(self) -> KernelOptions:
        """Kernel, cutoff and lag, given or chosen."""
        return KernelOptions(self.spec, self.periods)

    def meat(self, scores: np.ndarray) -> np.ndarray:
        """Estimated variance of the column sums of ``scores`` (n, p), no factor; shape (p, p).

        Two-way clusters are V1 + V2 - V12 (Cameron, Gelbach & Miller 2011) as they stand: ivreg2 repairs nothing.
        """
        kind = self.spec.type
        if kind == "hc1":
            return hc_covariance(scores)
        if kind == "cluster":
            summed = cluster_covariance(scores, self.clusters)
            refuse_vanishing(summed, scores, self.spec)
            return summed
        if kind == "driscoll_kraay" and self.periods is not None:
            return driscoll_kraay_covariance(scores, self.periods, self.options.lag)
        if kind == "conley" and self.coordinates is not None:
            lon, lat = self.coordinates.T
            joined = conley_covariance(scores, lon, lat, self.options.cutoff_km, self.options.kernel)
            refuse_vanishing(joined, scores, self.spec)
            return joined
        raise ValueError(f"covariance {kind!r} lacks what it is computed from")


def quadratic(matrix: np.ndarray, vector: np.ndarray) -> float | None:
    """v' M^-1 v for a positive definite M; None where M is not (fewer clusters than moments, for example)."""
    if vector.size == 0:
        return None
    scale = np.sqrt(np.diag(matrix).clip(min=0.0))
    if not (scale > 0).all() or not np.isfinite(scale).all():
        return None
    values, vectors = np.linalg.eigh(matrix / np.outer(scale, scale))
    if values[0] <= 1e-10 * values[-1]:
        return None
    rotated = vectors.T @ (vector / scale)
    return float(np.sum(rotated**2 / values))
