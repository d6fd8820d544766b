"""Patents by city: AI applications of three types by two sets of keywords, and the flow of green applications.

ln(1 + AI inventions) carries the shock of the AI firms, so that AI measured by patents is endogenous as well. The two
flows of green patents are parts of the green applications; what is neither is left between them and the total.
"""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.economy import standardise
from analysis_py.simulate.effects import Ground
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import autoregress, compose

SHOCK_IN_INVENTIONS = 0.24
_TYPE_SHARE = {"utility_model": 0.55, "design": 0.12}


def draw_ai_patents(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) counts of AI applications by type, by 14 keywords and by the single one (never more than by 14)."""
    draw = ground.streams.stream("ai_patents")
    n = ground.places.count
    tradition = standardise(np.log1p(ground.history["natural_science_researchers"]))
    level = 1.05 + 0.75 * ground.size + 0.6 * ground.income + 0.3 * tradition + draw.normal(0.0, 0.75, n)
    level = level + 0.6 * ground.places.is_capital
    path = 4.6 / (1.0 + np.exp(-(YEARS - 2013.5) / 3.6)) - 2.3
    effect = "ai_invention_applications:AI_firms"
    pull = ground.effects.coefficient(effect, ground.symbol["AI"])
    ground.coefficient[effect] = pull
    ground.coefficient["ai_invention_applications:shock"] = SHOCK_IN_INVENTIONS
    own = 0.28 * autoregress(draw, ground.shape, 0.6)
    latent = compose(pull * ground.symbol["AI"], level, path, own) + SHOCK_IN_INVENTIONS * ground.shock
    out = {"ai_invention_applications": np.maximum(np.round(np.exp(latent) - 1.0), 0.0)}
    for kind, share in _TYPE_SHARE.items():
        lean = np.exp(draw.normal(0.0, 0.35, n)[:, None] + 0.25 * autoregress(draw, ground.shape, 0.5))
        out[f"ai_{kind}_applications"] = np.maximum(np.round(share * lean * np.exp(latent) - 0.5), 0.0)
    narrow = draw.uniform(0.22, 0.5, n)[:, None]
    for name in list(out):
        part = np.clip(narrow + 0.06 * autoregress(draw, ground.shape, 0.3), 0.05, 0.9)
        out[f"{name}_single"] = np.floor(part * out[name])
    return out


def split_green_patents(ground: Ground) -> dict[str, np.ndarray]:
    """(N, T) green applications upstream (clean production) and end of pipe; their sum never exceeds the total."""
    draw = ground.streams.stream("green_patents")
    n = ground.places.count
    lean = draw.normal(0.1, 0.35, n) + 0.2 * ground.places.is_capital
    path = 0.025 * (YEARS - 2012.0)
    upstream = np.exp(compose(ground.effect("green_patent_upstream"), lean, path, _noise(draw, ground)))
    treatment = np.exp(-0.35 + draw.normal(0.0, 0.3, n)[:, None] + _noise(draw, ground))
    total = ground.quantity["green_patent_applications"]
    whole = upstream + treatment + 0.45
    return {
        "green_patent_upstream": np.floor(total * upstream / whole),
        "green_patent_end_of_pipe": np.floor(total * treatment / whole),
    }


def _noise(draw: np.random.Generator, ground: Ground) -> np.ndarray:
    return 0.2 * autoregress(draw, ground.shape, 0.5)
