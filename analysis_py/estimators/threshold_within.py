"""Demeaning by one factor with an eye to the sums of a threshold search, and the rows a convention drops after it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import sparse


@dataclass(frozen=True)
class Within:
    """The projection off one absorbed factor, K(I - P), on rows that carry the square root s of their weight.

    ``codes`` (n,), ``levels``; without a factor P is zero. ``kept`` (n,) is None where every row counts.
    """

    codes: np.ndarray | None
    levels: int
    roots: np.ndarray
    kept: np.ndarray | None

    @property
    def _level(self) -> np.ndarray:
        """The codes; there are none to ask for without a factor."""
        if self.codes is None:
            raise ValueError("nothing is absorbed")
        return self.codes

    @cached_property
    def totals(self) -> np.ndarray:
        """Sum of weights by level, shape (levels,)."""
        return np.bincount(self._level, self.roots**2, self.levels)

    @cached_property
    def counts(self) -> np.ndarray:
        """Rows kept by level, shape (levels,); only where rows are dropped."""
        return np.bincount(self._level, self.kept, self.levels)

    @cached_property
    def _summing(self) -> sparse.csr_matrix:
        n = len(self.roots)
        return sparse.csr_matrix((self.roots, (self._level, np.arange(n))), shape=(self.levels, n))

    def centre(self, values: np.ndarray) -> np.ndarray:
        """(I - P) v for columns v (n, k)."""
        if self.codes is None:
            return values
        means = (self._summing @ values) / self.totals[:, None]
        return values - self.roots[:, None] * means[self.codes]

    def transform(self, values: np.ndarray) -> np.ndarray:
        """K(I - P) v, zero in the rows dropped."""
        inside = self.centre(values)
        return inside if self.kept is None else inside * self.kept[:, None]

    def carry(self, transformed: np.ndarray) -> np.ndarray:
        """(I - P)K t: h'(carry t) is (transform h)'t for any h."""
        return transformed if self.kept is None else self.centre(transformed * self.kept[:, None])
