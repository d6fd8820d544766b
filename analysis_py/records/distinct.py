"""Counting different small numbers without sorting them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

#: Greater keys are sorted, not counted in bins.
_MOST_BINS = 1 << 20


def count_distinct(keys: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], ...]:
    """Different keys (0 or more) in ascending order, the position of the first of each and how many there are."""
    size = int(keys.max()) + 1
    if size > _MOST_BINS:
        distinct, first, counts = np.unique(keys, return_index=True, return_counts=True)
        return distinct, first, counts
    bins = np.bincount(keys, minlength=size)
    places = np.zeros(size, np.int64)
    # Written from the last to the first: what stays is the first position.
    places[keys[::-1]] = np.arange(len(keys))[::-1]
    distinct = np.flatnonzero(bins)
    return distinct, places[distinct], bins[distinct]
