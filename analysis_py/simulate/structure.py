"""Structural effects of a demo world, drawn from its seed alone.

No estimate of any paper enters: which effects are zero, which have the sign a textbook expects and which have the
opposite sign is decided by shuffling a fixed composition (a third zero, a fifth reversed, the rest as expected);
magnitudes are uniform in units of within-city variation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.streams import Streams

CONTROLS = ("POP", "Ope", "Gov", "FI", "ST")
SLOPE_GROUPS = (
    "is_resource_based",
    "size_mega",
    "size_big",
    "region_central",
    "region_west",
    "region_northeast",
    "is_bth",
    "is_yrd",
    "is_prd",
    "is_mid_yangtze",
    "is_chengdu_chongqing",
)
THRESHOLD_VARIABLES = ("AI", "HC", "Fin")

#: name -> textbook sign. ``OUTCOME:TERM``; ``slope:GROUP`` is a difference in the effect of AI on CP;
#: ``threshold:Q`` is the change of that effect above a threshold in Q; ``W.AI`` is the neighbours' mean AI.
TEXTBOOK_SIGN: dict[str, int] = {
    "CP:AI": 1,
    "CP:POP": 1,
    "CP:Ope": 1,
    "CP:Gov": -1,
    "CP:FI": -1,
    "CP:ST": 1,
    "CP:ER": 1,
    "CP:IP": 1,
    "CP:AI*ER": 1,
    "CP:AI*IP": 1,
    "CP:UIS": 1,
    "CP:EnvrPat": 1,
    "CP:W.AI": 1,
    "UIS:AI": 1,
    "UIS:POP": 1,
    "UIS:Ope": 1,
    "UIS:Gov": -1,
    "UIS:FI": -1,
    "UIS:ST": 1,
    "EnvrPat:AI": 1,
    "EnvrPat:POP": 1,
    "EnvrPat:Ope": 1,
    "EnvrPat:Gov": -1,
    "EnvrPat:FI": -1,
    "EnvrPat:ST": 1,
    **{f"threshold:{q}": 1 for q in THRESHOLD_VARIABLES},
    **dict(zip((f"slope:{g}" for g in SLOPE_GROUPS), (-1, 1, 1, -1, -1, -1, 1, 1, 1, 1, 1), strict=True)),
}


@dataclass(frozen=True)
class Structure:
    """Signs and relative sizes of one world.

    ``sign`` is -1, 0 or 1 by effect; ``size`` is the relative magnitude (0.6 to 1.4); ``threshold_quantile`` says where
    in the distribution of the variable a threshold lies; ``shock_loading`` is the sign with which the shock of AI
    enters carbon productivity, ``patent_loading`` that with which it enters green patents.
    """

    sign: Mapping[str, int]
    size: Mapping[str, float]
    threshold_quantile: Mapping[str, float]
    shock_loading: int
    patent_loading: int

    def status(self, effect: str) -> str:
        """``zero``, ``expected`` or ``reversed`` against the textbook sign."""
        if self.sign[effect] == 0:
            return "zero"
        return "expected" if self.sign[effect] == TEXTBOOK_SIGN[effect] else "reversed"


def draw_structure(streams: Streams) -> Structure:
    """Draw signs and sizes: a third of the effects zero, a fifth reversed; thresholds in some relations only."""
    draw = streams.stream("structure")
    names = list(TEXTBOOK_SIGN)
    while True:
        sign = shuffle_signs(draw, TEXTBOOK_SIGN)
        if _is_varied(sign):
            break
    return Structure(
        sign=sign,
        size={n: float(np.round(draw.uniform(0.6, 1.4), 3)) for n in names},
        threshold_quantile={q: float(np.round(draw.uniform(0.45, 0.7), 2)) for q in THRESHOLD_VARIABLES},
        shock_loading=int(draw.choice([-1, 1])),
        patent_loading=int(draw.choice([-1, 1])),
    )


def shuffle_signs(draw: np.random.Generator, textbook: Mapping[str, int]) -> dict[str, int]:
    """Sign of each effect of ``textbook`` (name -> expected sign): a third zero, a fifth reversed, others expected."""
    zeros, reverses = round(len(textbook) / 3), round(len(textbook) / 5)
    deck = np.array([0] * zeros + [-1] * reverses + [1] * (len(textbook) - zeros - reverses))
    shuffled = draw.permutation(deck)
    return {n: int(s) * textbook[n] for n, s in zip(textbook, shuffled, strict=True)}


def _is_varied(sign: Mapping[str, int]) -> bool:
    """Thresholds here but not everywhere, spillovers, and groups that differ as well as groups that do not."""
    thresholds = sum(sign[f"threshold:{q}"] != 0 for q in THRESHOLD_VARIABLES)
    slopes = [sign[f"slope:{g}"] * TEXTBOOK_SIGN[f"slope:{g}"] for g in SLOPE_GROUPS]
    return 1 <= thresholds <= 2 and sign["CP:W.AI"] != 0 and slopes.count(0) >= 3 and slopes.count(-1) >= 1
