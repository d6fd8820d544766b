"""Least squares on explicit dummies, written as plainly as possible: the second opinion of the tests.

Everything is a dense matrix and a loop over rows, clusters or pairs; nothing is shared with the package.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd


def dummies(values: pd.Series, drop_first: bool = False) -> np.ndarray:
    levels = sorted(values.unique())[int(drop_first) :]
    return np.column_stack([(values == level).to_numpy(dtype=float) for level in levels])


@dataclass
class Dense:
    """A regression of y on Z (n, p), Z of full rank or not: coefficients of minimum norm, bread by pseudo-inverse."""

    z: np.ndarray
    y: np.ndarray
    w: np.ndarray

    def __post_init__(self) -> None:
        root = np.sqrt(self.w)[:, None]
        self.bread = np.linalg.pinv((self.z * root).T @ (self.z * root), rcond=1e-11, hermitian=True)
        self.beta = self.bread @ self.z.T @ (self.w * self.y)
        self.residuals = self.y - self.z @ self.beta
        self.rank = int(np.linalg.matrix_rank(self.z * root, tol=1e-8))
        self.df = len(self.y) - self.rank
        self.rss = float(np.sum(self.w * self.residuals**2))

    def iid(self) -> np.ndarray:
        return self.rss / self.df * self.bread

    def hat(self) -> np.ndarray:
        return np.array([wi * zi @ self.bread @ zi for wi, zi in zip(self.w, self.z, strict=True)])

    def sandwich(self, meat: np.ndarray) -> np.ndarray:
        return self.bread @ meat @ self.bread

    def hc(self, kind: int) -> np.ndarray:
        hat = self.hat()
        meat = np.zeros_like(self.bread)
        for i, zi in enumerate(self.z):
            e2 = (self.w[i] * self.residuals[i]) ** 2
            if kind > 1:
                if hat[i] > 1 - 1e-9:
                    continue
                e2 /= (1 - hat[i]) ** (kind - 1)
            meat += e2 * np.outer(zi, zi)
        scale = len(self.y) / self.df if kind == 1 else 1.0
        return scale * self.sandwich(meat)

    def scores(self) -> np.ndarray:
        return self.z * (self.w * self.residuals)[:, None]

    def cluster(self, *groups: Any) -> np.ndarray:
        """Inclusion and exclusion over one or two cluster variables, no factor."""
        meat = np.zeros_like(self.bread)
        keys: list[list[Any]] = [list(g) for g in groups]
        if len(keys) == 2:
            keys.append(list(zip(*keys, strict=True)))
        for sign, key in zip((1, 1, -1), keys, strict=False):
            for level in set(key):
                total = self.scores()[[k == level for k in key]].sum(axis=0)
                meat += sign * np.outer(total, total)
        return self.sandwich(meat)

    def kernel(self, weight: np.ndarray) -> np.ndarray:
        """Sum over all pairs of rows of weight (n, n) times the product of their scores."""
        scores = self.scores()
        return self.sandwich(scores.T @ weight @ scores)


def lsdv(
    frame: pd.DataFrame, outcome: str, slopes: Sequence[str], effects: Sequence[str], weights: np.ndarray | None = None
) -> Dense:
    """Slopes first, then every dummy of every effect (a constant alone where there is none)."""
    blocks = [frame[list(slopes)].to_numpy(dtype=float), *(dummies(frame[e]) for e in effects)]
    if not effects:
        blocks.append(np.ones((len(frame), 1)))
    w = np.ones(len(frame)) if weights is None else weights / weights.mean()
    return Dense(np.column_stack(blocks), frame[outcome].to_numpy(dtype=float), w)


def within_unit(
    frame: pd.DataFrame, outcome: str, slopes: Sequence[str], effects: Sequence[str], weights: np.ndarray | None = None
) -> Dense:
    """Stata's xtreg transformation: y, x and the dummies of later effects less unit means plus grand means, and 1."""
    w = np.ones(len(frame)) if weights is None else weights / weights.mean()
    z = np.column_stack(
        [frame[list(slopes)].to_numpy(dtype=float), *(dummies(frame[e], drop_first=True) for e in effects[1:])]
    )
    y = frame[outcome].to_numpy(dtype=float)
    both = np.column_stack([y, z])
    moved = both.copy()
    for level in frame[effects[0]].unique():
        rows = (frame[effects[0]] == level).to_numpy()
        moved[rows] -= np.average(both[rows], axis=0, weights=w[rows])
    moved += np.average(both, axis=0, weights=w)
    kept = in_order_independent(np.column_stack([np.ones(len(y)), moved[:, 1:]]) * np.sqrt(w)[:, None])[1:]
    return Dense(np.column_stack([moved[:, kept], np.ones(len(y))]), moved[:, 0], w)


def in_order_independent(columns: np.ndarray) -> list[int]:
    """Positions of the columns that raise the rank, taken from left to right."""
    kept: list[int] = []
    for j in range(columns.shape[1]):
        if np.linalg.matrix_rank(columns[:, [*kept, j]], tol=1e-8) > len(kept):
            kept.append(j)
    return kept


def unbalanced_panel(seed: int, units: int = 30, times: int = 8, regions: int = 6) -> pd.DataFrame:
    """A small panel with gaps, heteroskedastic and clustered errors, text ids, weights and coordinates."""
    rng = np.random.default_rng(seed)
    unit, year = np.repeat(np.arange(units), times), np.tile(np.arange(times) + 2001, units)
    rows = rng.random(units * times) < 0.8
    unit, year = unit[rows], year[rows]
    n = len(unit)
    region = unit % regions
    level = rng.normal(size=units)
    x1 = rng.normal(size=n) + level[unit]
    x2 = rng.exponential(size=n) + 0.1 * (year - 2001)
    shock = rng.normal(size=(regions, times))[region, year - 2001]
    e = (0.5 + np.abs(x1)) * rng.normal(size=n) + shock
    frame = pd.DataFrame(
        {
            "city": [f"c{u:02d}" for u in unit],
            "year": year,
            "region": [f"r{r}" for r in region],
            "x1": x1,
            "x2": x2,
            "w": rng.uniform(0.3, 3.0, n),
            "lon": 100 + 3 * np.cos(unit),
            "lat": 30 + 3 * np.sin(unit * 1.7),
        }
    )
    frame["y"] = 1.5 + 0.7 * x1 - 0.4 * x2 + level[unit] + 0.3 * (year - 2001) + e
    return frame.sample(frac=1.0, random_state=seed).reset_index(drop=True)
