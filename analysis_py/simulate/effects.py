"""Effects of AI on what the other studies measure: drawn from the world's seed alone, like those of ``structure``.

AI is here ln(1 + AI invention applications); the first effect is the one of the AI firms on these applications. A third
of the effects is zero, a fifth has the opposite of the textbook's sign. Sizes are in units of within-city variation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.places import YEARS, Places
from analysis_py.simulate.process import round_significant, within_sd
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.structure import shuffle_signs

#: name -> textbook sign. ``OUTCOME:TERM``.
TEXTBOOK_SIGN: dict[str, int] = {
    "ai_invention_applications:AI_firms": 1,
    "employees:AI": -1,
    "other_energy:AI": -1,
    "green_coverage:AI": 1,
    "industrial_wastewater:AI": -1,
    "industrial_so2:AI": -1,
    "industrial_soot_dust:AI": -1,
    "green_patent_upstream:AI": 1,
    "green_credit:AI": 1,
    "sewage_treatment_rate:AI": 1,
    "digital_enterprises:AI": 1,
    "computing_power:AI": 1,
}
#: Change of the outcome (log or logit points) for one within standard deviation of AI and an effect of size 1.
EFFECT_SIZE = {
    "ai_invention_applications": 0.25,
    "employees": 0.05,
    "other_energy": 0.12,
    "green_coverage": 0.05,
    "industrial_wastewater": 0.12,
    "industrial_so2": 0.14,
    "industrial_soot_dust": 0.14,
    "green_patent_upstream": 0.15,
    "green_credit": 0.08,
    "sewage_treatment_rate": 0.15,
    "digital_enterprises": 0.12,
    "computing_power": 0.15,
}
#: Size of the shock of AI (unit variance) in the outcomes it moves besides AI itself: the source of endogeneity.
SHOCK_SIZE = {"employees": 0.03, "green_coverage": 0.03, "digital_enterprises": 0.06}


@dataclass(frozen=True)
class Effects:
    """Drawn effects: ``sign`` (-1, 0, 1), relative ``size`` and the sign ``loading`` of the shock by outcome."""

    sign: Mapping[str, int]
    size: Mapping[str, float]
    loading: Mapping[str, int]

    def status(self, effect: str) -> str:
        """``zero``, ``expected`` or ``reversed`` against the textbook sign."""
        if self.sign[effect] == 0:
            return "zero"
        return "expected" if self.sign[effect] == TEXTBOOK_SIGN[effect] else "reversed"

    def coefficient(self, effect: str, variable: np.ndarray) -> float:
        """Coefficient of ``variable`` (N, T) that moves its outcome by ``EFFECT_SIZE`` times the relative size."""
        outcome = effect.split(":")[0]
        return round_significant(self.sign[effect] * self.size[effect] * EFFECT_SIZE[outcome] / within_sd(variable))


@dataclass
class Ground:
    """What the measured quantities grow from: the exogenous world, AI, and the quantities drawn so far.

    Arrays are (N, T) in canonical units, scores (N,) standardised. ``quantity`` and ``coefficient`` are added to as
    the modules draw; ``ai`` is ln(1 + AI invention applications), there once the patents are drawn.
    """

    places: Places
    streams: Streams
    effects: Effects
    size: np.ndarray
    income: np.ndarray
    shock: np.ndarray
    quantity: dict[str, np.ndarray]
    symbol: Mapping[str, np.ndarray]
    co2_mt: np.ndarray
    coefficient: dict[str, float]
    history: dict[str, np.ndarray]

    @property
    def shape(self) -> tuple[int, int]:
        return self.places.count, len(YEARS)

    @property
    def ai(self) -> np.ndarray:
        return np.log1p(self.quantity["ai_invention_applications"])

    def effect(self, outcome: str) -> np.ndarray:
        """(N, T) what AI and its shock add to ``outcome`` (log or logit points); the coefficients are noted."""
        total = np.zeros(self.shape)
        if f"{outcome}:AI" in TEXTBOOK_SIGN:
            value = self.effects.coefficient(f"{outcome}:AI", self.ai)
            self.coefficient[f"{outcome}:AI"] = value
            total = total + value * self.ai
        if outcome in SHOCK_SIZE:
            value = SHOCK_SIZE[outcome] * self.effects.loading[outcome]
            self.coefficient[f"{outcome}:shock"] = value
            total = total + value * self.shock
        return total


def draw_effects(streams: Streams) -> Effects:
    """Draw signs (a third zero, a fifth reversed), relative sizes 0.6-1.4 and the signs of the shock's loadings."""
    draw = streams.stream("effects")
    sign = shuffle_signs(draw, TEXTBOOK_SIGN)
    return Effects(
        sign=sign,
        size={name: float(np.round(draw.uniform(0.6, 1.4), 3)) for name in TEXTBOOK_SIGN},
        loading={name: int(draw.choice([-1, 1])) for name in SHOCK_SIZE},
    )
