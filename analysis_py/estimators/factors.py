"""Categorical columns as integer codes: levels, interactions, nesting, connected groups, singletons.

A :class:`Factor` holds one code per row, 0 to ``levels - 1``, in the sorted order of the values; -1 marks a missing
value before the estimation sample is cut. Everything here is counting: no floating point, no dependence on row order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from analysis_py.errors import CarbonpanelError, did_you_mean


@dataclass(frozen=True)
class Factor:
    """A categorical column. ``codes`` has shape (n,), integers in [0, levels), or -1 where missing."""

    name: str
    codes: np.ndarray
    levels: int

    def take(self, rows: np.ndarray) -> Factor:
        """The factor on some rows, with the levels that are left renumbered without gaps (order kept)."""
        return compress(self.name, self.codes[rows])

    def counts(self) -> np.ndarray:
        """Rows in each level, shape (levels,)."""
        return np.bincount(self.codes[self.codes >= 0], minlength=self.levels)


def column(frame: pd.DataFrame, name: str) -> pd.Series:
    """One column of the frame; an error naming the nearest column where there is none of that name, or several."""
    if name not in frame.columns:
        raise CarbonpanelError(
            "CP-EST-COLUMN", f"there is no column '{name}'", remedy=did_you_mean(name, map(str, frame.columns))
        )
    found = frame[name]
    if isinstance(found, pd.DataFrame):
        raise CarbonpanelError(
            "CP-EST-COLUMN", f"there are {found.shape[1]} columns named '{name}'", remedy="rename all but one of them"
        )
    return found


def compress(name: str, codes: np.ndarray) -> Factor:
    """Renumber codes without gaps, keeping their order; -1 stays -1."""
    valid = codes[codes >= 0]
    if valid.size == 0:
        return Factor(name, codes, 0)
    present = np.bincount(valid) > 0
    renumber = np.cumsum(present) - 1
    return Factor(name, np.where(codes >= 0, renumber[np.maximum(codes, 0)], -1), int(present.sum()))


def encode(frame: pd.DataFrame, name: str) -> Factor:
    """Code a column, or an interaction ``a^b`` of columns.

    Any type serves as an identifier: text, integers, floats, dates, booleans, categories. A row with a missing value
    in any part of an interaction is missing. A column whose own name contains ``^`` is taken as it is.
    """
    if name in frame.columns or "^" not in name:
        return _encode_column(column(frame, name), name)
    parts = [part.strip() for part in name.split("^")]
    if not all(parts):
        raise CarbonpanelError(
            "CP-EST-COLUMN", f"'{name}' is not an interaction of columns", remedy="write it as province_code^year"
        )
    combined = _encode_column(column(frame, parts[0]), parts[0])
    for part in parts[1:]:
        combined = intersect((combined, _encode_column(column(frame, part), part)))
    return Factor(name, combined.codes, combined.levels)


def _encode_column(values: pd.Series, name: str) -> Factor:
    try:
        codes, uniques = pd.factorize(values, sort=True, use_na_sentinel=True)
    except TypeError:
        # values of several types have no order of their own: sort by type name, then by text
        try:
            codes, uniques = pd.factorize(values, sort=False, use_na_sentinel=True)
        except TypeError as problem:
            raise CarbonpanelError(
                "CP-EST-COLUMN",
                f"column '{name}' cannot serve as an identifier ({problem})",
                remedy="use a column of text, whole numbers or dates",
            ) from problem
        order = sorted(range(len(uniques)), key=lambda i: (type(uniques[i]).__name__, str(uniques[i])))
        rank = np.empty(len(uniques), dtype=np.int64)
        rank[order] = np.arange(len(uniques))
        codes = np.where(codes >= 0, rank[np.maximum(codes, 0)], -1)
    return compress(name, np.asarray(codes, dtype=np.int64))


def intersect(factors: Sequence[Factor]) -> Factor:
    """The factor whose levels are the combinations of levels that occur, in lexicographic order."""
    codes, levels = factors[0].codes, factors[0].levels
    for other in factors[1:]:
        product = np.where((codes >= 0) & (other.codes >= 0), codes * other.levels + other.codes, -1)
        if levels * other.levels <= 4 * max(len(codes), 1024):
            made = compress("", product)
            codes, levels = made.codes, made.levels
        else:
            uniques, inverse = np.unique(product, return_inverse=True)
            missing = int(uniques.size > 0 and uniques[0] < 0)
            codes, levels = inverse.astype(np.int64) - missing, len(uniques) - missing
    return Factor("^".join(f.name for f in factors), codes, levels)


def is_nested(inner: Factor, outer: Factor) -> bool:
    """Whether every level of ``inner`` lies within one level of ``outer`` (a city within its province)."""
    if inner.levels < outer.levels:
        return False
    assigned = np.zeros(inner.levels, dtype=np.int64)
    assigned[inner.codes] = outer.codes
    return bool(np.array_equal(assigned[inner.codes], outer.codes))


def connected_groups(first: Factor, second: Factor) -> int:
    """Number of connected groups of the bipartite graph of two factors (Abowd, Creecy & Kramarz 2002)."""
    nodes = first.levels + second.levels
    edges = sparse.coo_matrix(
        (np.ones(len(first.codes), dtype=np.int8), (first.codes, first.levels + second.codes)), shape=(nodes, nodes)
    )
    return int(csgraph.connected_components(edges.tocsr(), directed=False, return_labels=False))


def independent_factors(factors: Sequence[Factor]) -> list[int]:
    """Positions of the factors that span what all of them span: one that others refine (province, beside city) goes."""
    kept = list(range(len(factors)))
    for i in range(len(factors) - 1, -1, -1):
        if any(is_nested(factors[j], factors[i]) for j in kept if j != i):
            kept.remove(i)
    return kept


def find_singletons(factors: Sequence[Factor]) -> list[tuple[int, int]]:
    """Rows that are alone in a level of a fixed effect, found repeatedly until none is left (Correia 2015).

    Returns
    -------
    list of (row, position of the factor that made it a singleton), in the order they are found.
    """
    columns = [f.codes for f in factors]
    if not columns:
        return []
    active = np.ones(len(columns[0]), dtype=bool)
    counts = [np.bincount(c, minlength=f.levels) for c, f in zip(columns, factors, strict=True)]
    found: list[tuple[int, int]] = []
    while True:
        before = len(found)
        for position, level in enumerate(columns):
            alone = np.flatnonzero(active & (counts[position][level] == 1))
            if alone.size == 0:
                continue
            active[alone] = False
            found.extend((int(row), position) for row in alone)
            for count, other in zip(counts, columns, strict=True):
                np.subtract.at(count, other[alone], 1)
        if len(found) == before:
            return found
