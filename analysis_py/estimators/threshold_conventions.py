"""What each program of the panel threshold model searches, drops and divides by, by name.

The threshold, its F and its interval depend on choices that papers seldom print: over which points the grid is laid,
whether the threshold itself belongs to the lower regime, what F is scaled by. A study names one of these conventions.
The conventions of fixed-effects least squares serve here too: the search is then the textbook one of Hansen (1999) and
the coefficients come under that convention.

N is the number of observations, n the units, T = N/n the periods a unit has on average, u the sorted distinct values
of the threshold variable (m of them), t the trimmed share and G the size of the grid.

Sources: Hansen, B. E. (1999), Journal of Econometrics 93:345-368, and his program thresh_p; Wang, Q. (2015), Stata
Journal 15:121-134 (xthreg).
"""

from __future__ import annotations

from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.conventions import CONVENTIONS, OTHER_CONVENTIONS

#: What a grid of a given size is laid over.
POINTS = ("unique", "observations", "program")


@dataclass(frozen=True)
class ThresholdConvention:
    """One program's rules.

    Attributes
    ----------
    name : as a study writes it.
    points : ``unique``: u at round(t m) .. round((1-t) m), G equal steps; ``observations``: the same over the sorted
        observations, rounded down; ``program``: u at floor(m (t + j/G)) counted from 1, j = 0 .. G - 2Gt.
    is_strict : whether the lower regime is q < threshold (Hansen's program) and not q <= threshold.
    degrees : what F and the likelihood ratio are scaled by: ``units`` n(T-1) = N - n, ``periods`` T(n-1) = N - T.
    drops_last : whether the last demeaned observation of each unit is left out of every sum.
    regression : convention under which the coefficients of the regimes are estimated (``hansen``: on the demeaned
        data less the last observation of each unit, as Hansen's program).
    description : one sentence for tables and documentation.
    """

    name: str
    points: str
    is_strict: bool
    degrees: str
    drops_last: bool
    regression: str
    description: str

    @property
    def degrees_name(self) -> str:
        """The scale of F as it is printed."""
        return "n(T-1)" if self.degrees == "units" else "T(n-1)"

    def scale(self, n_obs: int, n_units: int) -> float:
        """Degrees of freedom F and the likelihood ratio are scaled by."""
        return float(n_obs - n_units) if self.degrees == "units" else n_obs - n_obs / n_units


_OWN = (
    ThresholdConvention(
        name="xthreg",
        points="unique",
        is_strict=False,
        degrees="periods",
        drops_last=False,
        regression="xtreg",
        description="Stata's xthreg: grid over distinct values, F scaled by T(n-1), coefficients by xtreg.",
    ),
    ThresholdConvention(
        name="hansen",
        points="program",
        is_strict=True,
        degrees="units",
        drops_last=True,
        regression="hansen",
        description="Hansen's own program: the last demeaned observation of each unit dropped, F scaled by n(T-1).",
    ),
)

THRESHOLD_CONVENTIONS: dict[str, ThresholdConvention] = {c.name: c for c in _OWN} | {
    name: ThresholdConvention(
        name=name,
        points="unique",
        is_strict=False,
        degrees="units",
        drops_last=False,
        regression=name,
        description=f"Hansen (1999) as in the text: F scaled by n(T-1), coefficients under '{name}'.",
    )
    for name in CONVENTIONS
}


def find_threshold_convention(name: str) -> ThresholdConvention:
    """The convention of that name; ``CP-EST-CONVENTION`` naming the valid ones where there is none."""
    if name in THRESHOLD_CONVENTIONS:
        return THRESHOLD_CONVENTIONS[name]
    valid = ", ".join(THRESHOLD_CONVENTIONS)
    if name in OTHER_CONVENTIONS:
        raise CarbonpanelError(
            "CP-EST-CONVENTION",
            f"convention '{name}' belongs to estimator '{OTHER_CONVENTIONS[name]}', not to the threshold model",
            remedy=f"choose one of: {valid}",
        )
    raise CarbonpanelError(
        "CP-EST-CONVENTION",
        f"unknown convention '{name}'",
        remedy=f"{did_you_mean(name, THRESHOLD_CONVENTIONS)} (valid: {valid})",
    )
