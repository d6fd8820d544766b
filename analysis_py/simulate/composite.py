"""Indices composed by the entropy method, on complete true data of a study's sample.

For component j and unit-year i of the n of the sample:  z = (x - min)/(max - min), reversed where less is better;
p = z / sum z;  e = - sum p ln p / ln n (0 ln 0 = 0);  w = (1 - e) / sum (1 - e);  index = sum w z.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def compose_index(components: Mapping[str, tuple[int, np.ndarray]], sample: np.ndarray) -> np.ndarray:
    """(N, T) index of ``components`` (name -> sign 1 or -1 and (N, T) values), NaN outside the (N, T) ``sample``."""
    scaled = [_scale(values[sample], sign) for sign, values in components.values()]
    divergence = np.array([1.0 - _entropy(z) for z in scaled])
    weight = divergence / divergence.sum()
    out = np.full(sample.shape, np.nan)
    out[sample] = np.einsum("j,ji->i", weight, np.stack(scaled), optimize=False)
    return out


def _scale(values: np.ndarray, sign: int) -> np.ndarray:
    low, high = values.min(), values.max()
    return (values - low) / (high - low) if sign > 0 else (high - values) / (high - low)


def _entropy(scaled: np.ndarray) -> float:
    part = scaled / scaled.sum()
    terms = np.zeros_like(part)
    seen = part > 0
    terms[seen] = part[seen] * np.log(part[seen])
    return float(-terms.sum() / np.log(len(part)))
