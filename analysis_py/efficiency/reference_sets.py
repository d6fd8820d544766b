"""Which observations make the frontier that a score is measured against.

Periods are counted 0, 1, 2 ... in their order; an observation enters every frontier of its periods whether or not its
unit is present in other periods.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean

#: Frontiers by name; ``window`` carries the number of its periods, as ``window:3``.
KINDS = ("contemporaneous", "global", "sequential", "biennial", "window")

_WINDOW = re.compile(r"window\s*:\s*(\d+)")

_MEANING = {
    "contemporaneous": "the observations of the same period",
    "global": "the observations of all periods",
    "sequential": "the observations of the same and all earlier periods",
    "biennial": "the observations of two neighbouring periods",
}


@dataclass(frozen=True)
class ReferenceSet:
    """A rule for frontiers: one of :data:`KINDS`, with the number of periods of a window."""

    kind: str
    width: int = 1

    @property
    def name(self) -> str:
        """As it is written on the command line: ``global``, ``window:3``."""
        return f"window:{self.width}" if self.kind == "window" else self.kind

    @property
    def meaning(self) -> str:
        """What makes the frontier, in words."""
        if self.kind == "window":
            return f"the observations of the same period and the {self.width - 1} before it"
        return _MEANING[self.kind]

    @property
    def is_circular(self) -> bool:
        """Whether one frontier serves every period, so that indices chain exactly."""
        return self.kind == "global"

    def periods_of(self, period: int, n_periods: int) -> range:
        """The periods whose observations make the frontier of ``period``.

        Biennial frontiers belong to a pair of periods (:meth:`pair_of`); a score of one period is measured against the
        pair it makes with the period before it, in the first period with the one after it.
        """
        if self.kind == "contemporaneous":
            return range(period, period + 1)
        if self.kind == "global":
            return range(n_periods)
        if self.kind == "sequential":
            return range(period + 1)
        if self.kind == "biennial":
            later = max(period, 1)
            return range(later - 1, min(later, n_periods - 1) + 1)
        return range(max(0, period - self.width + 1), period + 1)

    def rows_of(self, periods: range, codes: np.ndarray) -> np.ndarray:
        """Rows (ascending) whose period code is in ``periods``."""
        return np.flatnonzero((codes >= periods.start) & (codes < periods.stop))


CONTEMPORANEOUS = ReferenceSet("contemporaneous")
GLOBAL = ReferenceSet("global")
SEQUENTIAL = ReferenceSet("sequential")


def parse_reference(text: str) -> ReferenceSet:
    """``global`` or ``window:3`` as a :class:`ReferenceSet`; raises ``CP-EFFICIENCY-REFERENCE`` naming the nearest."""
    plain = text.strip().lower()
    if plain in _MEANING:
        return ReferenceSet(plain)
    window = _WINDOW.fullmatch(plain)
    if window and int(window[1]) >= 1:
        return ReferenceSet("window", int(window[1]))
    if plain.startswith("window"):
        raise CarbonpanelError(
            "CP-EFFICIENCY-REFERENCE",
            f"'{text}' does not say how many periods a window has",
            where="--reference",
            remedy="write window:3 for the period itself and the two before it",
        )
    raise CarbonpanelError(
        "CP-EFFICIENCY-REFERENCE",
        f"there is no reference set '{text}'",
        where="--reference",
        remedy=did_you_mean(plain, [*_MEANING, "window:3"]),
    )
