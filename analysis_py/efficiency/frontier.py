"""The data of one evaluation: units, and the reference units that span their frontier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis_py.errors import CarbonpanelError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frontier:
    """Units to evaluate, and their reference.

    ``values`` (n, k) and ``reference`` (r, k) hold inputs, goods and bads side by side, k = m + s + q; ``exclude`` (n,)
    is the column of the reference that a unit may not use (itself, for super-efficiency), -1 for none; ``units`` are
    n labels for messages.
    """

    values: Array
    reference: Array
    n_inputs: int
    n_goods: int
    n_bads: int
    exclude: NDArray[np.int64]
    units: Sequence[object]

    def __len__(self) -> int:
        return len(self.values)

    @property
    def parts(self) -> tuple[slice, slice, slice]:
        """Places of inputs, goods and bads among the k columns."""
        m, s, q = self.n_inputs, self.n_goods, self.n_bads
        return slice(0, m), slice(m, m + s), slice(m + s, m + s + q)


def make_frontier(
    inputs: Array,
    goods: Array,
    bads: Array | None,
    reference_inputs: Array,
    reference_goods: Array,
    reference_bads: Array | None,
    *,
    zero: str = "refuse",
    exclude: NDArray[np.int64] | None = None,
    units: Sequence[object] | None = None,
    reference_units: Sequence[object] | None = None,
) -> Frontier:
    """Put the arrays of one evaluation together and refuse what has no score.

    Parameters
    ----------
    inputs, goods, bads : (n, m), (n, s), (n, q) of the evaluated units, any units of measurement; bads may be None.
    reference_inputs, reference_goods, reference_bads : the same columns of the r reference units.
    zero : ``refuse`` or ``drop_term``, as in :class:`~analysis_py.efficiency.specification.ModelSpec`.
    exclude : (n,) places in the reference, -1 for none.
    units, reference_units : labels; positions from 1 where not given.

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-VALUE`` names the unit whose number is missing, infinite, zero or negative.
    ValueError : for arrays whose shapes do not fit together.
    """
    blocks = [_columns(block) for block in (inputs, goods)]
    blocks.append(_columns(bads) if bads is not None else np.empty((len(blocks[0]), 0)))
    others = [_columns(block) for block in (reference_inputs, reference_goods)]
    others.append(_columns(reference_bads) if reference_bads is not None else np.empty((len(others[0]), 0)))
    if len({len(b) for b in blocks}) > 1 or len({len(b) for b in others}) > 1:
        raise ValueError("inputs, goods and bads have different numbers of rows")
    if [b.shape[1] for b in blocks] != [b.shape[1] for b in others]:
        raise ValueError("evaluated and reference units have different columns")
    sizes = [b.shape[1] for b in blocks]
    if sizes[0] == 0 or sizes[1] == 0:
        raise CarbonpanelError(
            "CP-EFFICIENCY-SPEC",
            "a model of efficiency needs an input and a good output",
            remedy="name at least one column of each",
        )
    values, reference = np.ascontiguousarray(np.hstack(blocks)), np.ascontiguousarray(np.hstack(others))
    n = len(values)
    if len(reference) == 0:
        raise CarbonpanelError(
            "CP-EFFICIENCY-EMPTY", "the reference set has no unit", remedy="choose a wider reference"
        )
    labels = list(units) if units is not None else list(range(1, n + 1))
    reference_labels = list(reference_units) if reference_units is not None else None
    if len(labels) != n or (reference_labels is not None and len(reference_labels) != len(reference)):
        raise ValueError("there must be one label a unit")
    _check_values(values, sizes, labels if units is not None else None, zero, "")
    if reference is not values:
        _check_values(reference, sizes, reference_labels, zero, " of the reference")
    skipped = np.full(n, -1, dtype=np.int64) if exclude is None else np.asarray(exclude, dtype=np.int64)
    if skipped.shape != (n,) or np.any(skipped >= len(reference)):
        raise ValueError("exclude must hold one place in the reference for each evaluated unit, -1 for none")
    return Frontier(values, reference, sizes[0], sizes[1], sizes[2], np.maximum(skipped, -1), labels)


def _columns(block: Array) -> Array:
    array = np.asarray(block, dtype=float)
    return array.reshape(-1, 1) if array.ndim == 1 else array


def _check_values(values: Array, sizes: list[int], labels: list[object] | None, zero: str, whose: str) -> None:
    m, s, _ = sizes
    wrong = ~np.isfinite(values) | (values < 0)
    zeros = values == 0
    if zero == "drop_term":
        lost = np.flatnonzero(zeros[:, m : m + s].all(axis=1))
        if len(lost):
            row = int(lost[0])
            raise CarbonpanelError(
                "CP-EFFICIENCY-VALUE",
                f"unit {_label(labels, row)}{whose} has no good output above zero",
                remedy="leave the unit out; a unit that makes nothing has no score",
            )
        zeros[:, m : m + s] = False
    places = np.argwhere(wrong | zeros)
    if not len(places):
        return
    row, column = (int(v) for v in places[0])
    part = "input" if column < m else "good output" if column < m + s else "bad output"
    number = column + 1 - (0 if column < m else m if column < m + s else m + s)
    value = float(values[row, column])
    kind = "not a number" if not np.isfinite(value) else "zero" if value == 0 else f"negative ({value:g})"
    others = len(places) - 1
    more = f"; {others} more value{'s' * (others > 1)} cannot be used either" if others else ""
    can_drop = value == 0 and part == "good output"
    remedy = "leave the unit out or bring the number; nothing is shifted or filled in"
    raise CarbonpanelError(
        "CP-EFFICIENCY-VALUE",
        f"{part} {number} of unit {_label(labels, row)}{whose} is {kind}{more}",
        remedy="leave the unit out, or say zero: drop_term; nothing is shifted" if can_drop else remedy,
    )


def _label(labels: list[object] | None, row: int) -> str:
    return f"{row + 1}" if labels is None else f"'{labels[row]}'"
