"""Whether the treatment varies wherever the moderator goes: the common support of an interaction.

A linear interaction draws its line through every value of the moderator, also where no treatment was seen to vary.
Source: Hainmueller, Mummolo & Xu (2019), Political Analysis 27:163-192.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.estimators.descriptive import stata_percentile

#: Share of its overall variance that the treatment must have in every third of the moderator.
LEAST_SHARE = 0.05
#: Share of the moderator's range that the middle 98 percent of its values must cover.
LEAST_SPREAD = 0.5


@dataclass(frozen=True)
class Support:
    """Support of one moderator.

    Attributes
    ----------
    low, high : smallest and largest value.
    inner_low, inner_high : 1st and 99th percentile.
    cuts : bounds of the thirds; fewer than two where values coincide.
    shares : variance of the treatment in each third over its variance on all rows.
    counts : rows in each third.
    """

    low: float
    high: float
    inner_low: float
    inner_high: float
    cuts: tuple[float, ...]
    shares: tuple[float, ...]
    counts: tuple[int, ...]

    def warnings(self, treatment: str, moderator: str) -> list[str]:
        """What a reader of the margins must know; empty where the support is good."""
        found = []
        bounds = [self.low, *self.cuts, self.high]
        for share, low, high in zip(self.shares, bounds, bounds[1:], strict=False):
            if share < LEAST_SHARE:
                found.append(
                    f"'{treatment}' hardly varies where {moderator} is between {low:.6g} and {high:.6g} "
                    f"({share:.1%} of its variance): the margins there rest on the straight line alone "
                    "(Hainmueller, Mummolo & Xu 2019)"
                )
        spread = self.high - self.low
        if spread > 0 and (self.inner_high - self.inner_low) < LEAST_SPREAD * spread:
            found.append(
                f"98 % of {moderator} lies between {self.inner_low:.6g} and {self.inner_high:.6g}, its range is "
                f"{self.low:.6g} to {self.high:.6g}: the margins outside are extrapolated from few rows"
            )
        return found


def find_support(treatment: np.ndarray, moderator: np.ndarray) -> Support:
    """Support from the treatment free of fixed effects (n,) and the moderator in its own units (n,)."""
    cuts = tuple(dict.fromkeys(float(stata_percentile(moderator, p)) for p in (100 / 3, 200 / 3)))
    low, high = float(moderator.min()), float(moderator.max())
    cuts = tuple(c for c in cuts if low <= c < high)
    place = np.searchsorted(cuts, moderator, side="left")
    whole = float(np.var(treatment))
    counts = np.bincount(place, minlength=len(cuts) + 1)
    shares = [
        float(np.var(treatment[place == third])) / whole if whole > 0 and counts[third] else 0.0
        for third in range(len(cuts) + 1)
    ]
    return Support(
        low,
        high,
        float(stata_percentile(moderator, 1)),
        float(stata_percentile(moderator, 99)),
        cuts,
        tuple(shares),
        tuple(int(c) for c in counts),
    )
