"""The demo world: true values of every measure, for all places and years, drawn from one seed.

Order: economy (population, prices, GDP) -> controls and moderators -> AI firms -> mediators -> carbon productivity
-> CO2 -> fuels and everything else the raw tables hold (``measured``). Quantities are rounded to what a yearbook
prints before anything is computed from them, so that the truth of a measure is what a careful reader of unspoilt
tables computes. Equation of the outcome (city i, year t):

    CP = a_i + d_t + [b + slope_g(i) + m_ER (ER - 80)/100 + m_IP (IP - 12)/100 + sum_q jump_q 1(q > c_q)] AI
         + c'X + k_1 UIS + k_2 EnvrPat + s W.AI + p v + e

with v the shock that also moves AI, e serially and spatially correlated with heavy tails.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis_py.simulate import economy
from analysis_py.simulate.effects import Effects, Ground, draw_effects
from analysis_py.simulate.layout import quantise
from analysis_py.simulate.measured import draw_measured
from analysis_py.simulate.places import YEARS, Places, load_places
from analysis_py.simulate.process import accumulate, autoregress, compose, demean, round_significant, spread, within_sd
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.structure import CONTROLS, SLOPE_GROUPS, THRESHOLD_VARIABLES, Structure, draw_structure

SYMBOLS = ("CP", "AI", "UIS", "EnvrPat", "ER", "IP", "HC", "Fin", "POP", "Ope", "Gov", "FI", "ST")
STUDY_YEARS = (YEARS >= 2003) & (YEARS <= 2021)
ER_CENTRE, IP_CENTRE = 80.0, 12.0
#: Standard deviations (outcome's units) of one effect of relative size 1, by outcome.
EFFECT_SD = {"CP": 0.018, "UIS": 0.006, "EnvrPat": 0.09}
#: Coefficient of the shock of AI (unit variance) in the outcomes it moves: the source of endogeneity.
SHOCK_SIZE = {"CP": 0.04, "EnvrPat": 0.12}
CP_ERROR_SD, UIS_ERROR_SD, PATENT_ERROR_SD = 0.075, 0.016, 0.30


@dataclass(frozen=True)
class World:
    """One drawn world. Arrays are (N, T) by place and year unless said otherwise; symbols in the panel's units."""

    seed: int
    places: Places
    structure: Structure
    coefficient: Mapping[str, float]  # effect name -> coefficient in the panel's units
    threshold_value: Mapping[str, float]
    symbol: Mapping[str, np.ndarray]
    quantity: Mapping[str, np.ndarray]  # raw indicators in canonical units, as printed when nothing is spoilt
    gdp_real: np.ndarray  # 10^8 yuan at 2003 prices
    co2_mt: np.ndarray
    slope: np.ndarray  # (N, T) coefficient of AI in CP where it is (all interactions and jumps included)
    shared_shock: np.ndarray  # v
    shock_coefficient: Mapping[str, float]  # outcome -> coefficient of v
    neighbour_ai: np.ndarray  # W.AI
    error: Mapping[str, np.ndarray]  # outcome -> exogenous error
    exposure: np.ndarray  # (N, K) shares of the valid shift-share
    national_shock: np.ndarray  # (K, T) its shocks, cumulated
    effects: Effects
    effect_coefficient: Mapping[str, float]  # effect of ``effects`` or shock -> coefficient, log or logit points
    history: Mapping[str, np.ndarray]  # (N,) indicators of the cross section of 1984

    @property
    def shift(self) -> np.ndarray:
        """(N, T) the valid shift-share itself: shares times cumulated shocks."""
        return np.einsum("ik,kt->it", self.exposure, self.national_shock, optimize=False)


def draw_world(seed: int, reference: Path) -> World:
    """Draw the world of ``seed`` over the places of ``reference`` (a folder of reference seeds)."""
    places = load_places(reference)
    streams = Streams(seed)
    structure = draw_structure(streams)
    base = economy.draw_economy(places, streams, reference)
    quantity = dict(base.quantity)
    symbol = dict(base.symbol)
    exposure, shock, shift = _draw_shift_share(places, streams)
    latent_ai, innovation = _draw_latent_ai(places, streams, base, shift)
    registered, deregistered, stock = _count_firms(places, latent_ai, streams)
    quantity["ai_firms_registered"], quantity["ai_firms_deregistered"] = registered, deregistered
    symbol["AI"] = np.log1p(stock)
    neighbour_ai = spread(places.neighbour_weights, symbol["AI"])
    coefficient = _scale_mediators(structure, symbol)
    shock_coefficient = {"EnvrPat": SHOCK_SIZE["EnvrPat"] * structure.patent_loading}
    error: dict[str, np.ndarray] = {}
    symbol["UIS"], quantity["gdp_tertiary"], error["UIS"] = _draw_structure_share(
        places, streams, symbol, quantity["gdp"], coefficient
    )
    symbol["EnvrPat"], quantity["green_patent_applications"], error["EnvrPat"] = _draw_patents(
        places, streams, symbol, base, coefficient, shock_coefficient["EnvrPat"] * innovation
    )
    coefficient |= _scale_outcome(structure, places, symbol, neighbour_ai)
    threshold_value = {
        q: round_significant(float(np.quantile(symbol[q][places.in_sample][:, STUDY_YEARS], p)))
        for q, p in structure.threshold_quantile.items()
    }
    slope = _slopes(places, symbol, coefficient, threshold_value)
    shock_coefficient["CP"] = SHOCK_SIZE["CP"] * structure.shock_loading
    outcome, error["CP"] = _draw_outcome(
        places, streams, symbol, coefficient, slope, neighbour_ai, shock_coefficient["CP"] * innovation
    )
    co2 = base.gdp_real / outcome / 100.0
    symbol["CP"] = outcome
    ground = Ground(
        places=places,
        streams=streams,
        effects=draw_effects(streams),
        size=base.size_score,
        income=base.income_score,
        shock=innovation,
        quantity=quantity,
        symbol=symbol,
        co2_mt=co2,
        coefficient={},
        history={},
    )
    draw_measured(ground, reference)
    return World(
        seed=seed,
        places=places,
        structure=structure,
        coefficient=coefficient,
        threshold_value=threshold_value,
        symbol=symbol,
        quantity=quantity,
        gdp_real=base.gdp_real,
        co2_mt=co2,
        slope=slope,
        shared_shock=innovation,
        shock_coefficient=shock_coefficient,
        neighbour_ai=neighbour_ai,
        error=error,
        exposure=exposure,
        national_shock=shock,
        effects=ground.effects,
        effect_coefficient=ground.coefficient,
        history=ground.history,
    )


def group_masks(places: Places) -> dict[str, np.ndarray]:
    """Membership (N,) of each group whose AI effect may differ."""
    return {
        "is_resource_based": places.is_resource,
        "size_mega": places.size_class == "mega",
        "size_big": places.size_class == "big",
        "region_central": places.region4 == "central",
        "region_west": places.region4 == "west",
        "region_northeast": places.region4 == "northeast",
        **{f"is_{name}": member for name, member in places.agglomeration.items()},
    }


def _draw_shift_share(places: Places, streams: Streams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shares (N, K) of a base year, cumulated national shocks (K, T), and their product with unit within variation."""
    fields = 12
    draw = streams.stream("shift_share")
    exposure = np.round(draw.dirichlet(np.full(fields, 0.6), size=places.count), 4)
    shock = np.round(np.cumsum(draw.normal(0.0, 0.12, size=(fields, len(YEARS))), axis=1), 4)
    shift = np.einsum("ik,kt->it", exposure, shock, optimize=False)
    return exposure, shock, shift / within_sd(shift)


def _draw_latent_ai(
    places: Places, streams: Streams, base: economy.Economy, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Latent log stock of AI firms and its shock v (unit variance, serially correlated)."""
    draw = streams.stream("ai")
    n, t = places.count, len(YEARS)
    shock = autoregress(draw, (n, t), 0.75)
    trend = draw.normal(0.0, 0.012, n)[:, None] * (YEARS - 2012.0)[None, :]
    pull = demean(np.log(base.symbol["ST"])) * 0.15 + demean(np.log(base.symbol["HC"])) * 0.1
    level = 3.85 + 0.9 * base.size_score + 0.4 * base.income_score + draw.normal(0.0, 0.85, n)
    path = -2.6 + 5.2 / (1.0 + np.exp(-(YEARS - 2012.0) / 4.5))
    return demean(pull) + demean(0.36 * shift) + 0.30 * shock + trend + level[:, None] + path[None, :], shock


def _count_firms(places: Places, latent: np.ndarray, streams: Streams) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whole firms registered and deregistered and the stock they leave, as near the latent stock as flows allow."""
    draw = streams.stream("firms")
    wanted = np.maximum(np.round(np.exp(latent) - 1.0), 0.0) * places.exists
    leaving = draw.uniform(0.01, 0.06, latent.shape)
    # as many firms again come and go within a year, so that no city with a stock goes without a registration
    turnover = streams.stream("turnover").uniform(0.02, 0.06, latent.shape)
    registered, deregistered, stock = np.zeros_like(wanted), np.zeros_like(wanted), np.zeros_like(wanted)
    before = np.zeros(len(wanted))
    for t in range(wanted.shape[1]):
        deregistered[:, t] = np.floor(leaving[:, t] * before)
        registered[:, t] = np.maximum(wanted[:, t] - before + deregistered[:, t], 0.0)
        before = before + registered[:, t] - deregistered[:, t]
        stock[:, t] = before
        passing = np.ceil(turnover[:, t] * before)
        registered[:, t] += passing
        deregistered[:, t] += passing
    return registered, deregistered, stock


def _scaled(structure: Structure, effect: str, sd: float) -> float:
    """Coefficient that moves its outcome by ``EFFECT_SD`` x size for one within standard deviation of its variable."""
    outcome = effect.split(":")[0]
    return round_significant(structure.sign[effect] * structure.size[effect] * EFFECT_SD.get(outcome, 0.0) / sd)


def _scale_mediators(structure: Structure, symbol: Mapping[str, np.ndarray]) -> dict[str, float]:
    return {
        f"{outcome}:{term}": _scaled(structure, f"{outcome}:{term}", within_sd(symbol[term][:, STUDY_YEARS]))
        for outcome in ("UIS", "EnvrPat")
        for term in ("AI", *CONTROLS)
    }


def _scale_outcome(
    structure: Structure, places: Places, symbol: Mapping[str, np.ndarray], neighbour_ai: np.ndarray
) -> dict[str, float]:
    ai = symbol["AI"]
    regressors = {name: symbol[name] for name in (*CONTROLS, "AI", "ER", "IP", "UIS", "EnvrPat")}
    regressors["AI*ER"] = ai * (symbol["ER"] - ER_CENTRE)
    regressors["AI*IP"] = ai * (symbol["IP"] - IP_CENTRE)
    out = {
        f"CP:{name}": _scaled(structure, f"CP:{name}", within_sd(values[places.in_sample][:, STUDY_YEARS]))
        for name, values in regressors.items()
    }
    out["CP:W.AI"] = round_significant(structure.sign["CP:W.AI"] * structure.size["CP:W.AI"] * 0.03)
    for q in THRESHOLD_VARIABLES:
        effect = f"threshold:{q}"
        out[effect] = round_significant(structure.sign[effect] * structure.size[effect] * 0.03)
    for group in SLOPE_GROUPS:
        effect = f"slope:{group}"
        out[effect] = round_significant(structure.sign[effect] * structure.size[effect] * 0.05)
    return out


def _draw_structure_share(
    places: Places,
    streams: Streams,
    symbol: Mapping[str, np.ndarray],
    gdp: np.ndarray,
    coefficient: Mapping[str, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = streams.stream("uis")
    shape = gdp.shape
    error = UIS_ERROR_SD * autoregress(draw, shape, 0.8)
    level = 0.40 + 0.06 * places.is_capital + 0.03 * (places.size_class == "mega") - 0.03 * places.is_resource
    level = np.maximum(level + draw.normal(0.0, 0.085, places.count), 0.17)
    path = 0.0048 * (YEARS - 2012.0)
    parts = sum_parts("UIS", symbol, coefficient)
    share = np.clip(compose(parts, level, path, error), 0.05, 0.92)
    tertiary = quantise("city_yearbook", "gdp_tertiary", share * gdp)
    realised = tertiary / gdp
    return realised, tertiary, error


def _draw_patents(
    places: Places,
    streams: Streams,
    symbol: Mapping[str, np.ndarray],
    base: economy.Economy,
    coefficient: Mapping[str, float],
    shared: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    draw = streams.stream("patents")
    error = PATENT_ERROR_SD * autoregress(draw, shared.shape, 0.65)
    level = 3.9 + 1.2 * base.size_score + 0.5 * base.income_score + draw.normal(0.0, 1.0, places.count)
    path = 3.6 / (1.0 + np.exp(-(YEARS - 2011.0) / 4.0)) - 1.8
    latent = compose(sum_parts("EnvrPat", symbol, coefficient), level, path, error) + shared
    count = np.maximum(np.round(np.exp(latent) - 1.0), 0.0)
    return np.log1p(count), count, error


def sum_parts(outcome: str, symbol: Mapping[str, np.ndarray], coefficient: Mapping[str, float]) -> np.ndarray:
    """Linear part of a mediator's equation: AI and the controls with their coefficients."""
    total = np.zeros_like(symbol["AI"])
    for term in ("AI", *CONTROLS):
        total = total + coefficient[f"{outcome}:{term}"] * symbol[term]
    return total


def _slopes(
    places: Places,
    symbol: Mapping[str, np.ndarray],
    coefficient: Mapping[str, float],
    threshold_value: Mapping[str, float],
) -> np.ndarray:
    city = np.full(places.count, coefficient["CP:AI"])
    for group, member in group_masks(places).items():
        city = city + coefficient[f"slope:{group}"] * member
    slope = city[:, None] + coefficient["CP:AI*ER"] * (symbol["ER"] - ER_CENTRE)
    slope = slope + coefficient["CP:AI*IP"] * (symbol["IP"] - IP_CENTRE)
    for q in THRESHOLD_VARIABLES:
        slope = slope + coefficient[f"threshold:{q}"] * (symbol[q] > threshold_value[q])
    return slope


def outcome_parts(
    symbol: Mapping[str, np.ndarray],
    coefficient: Mapping[str, float],
    slope: np.ndarray,
    neighbour_ai: np.ndarray,
) -> np.ndarray:
    """Systematic part of CP up to city and year effects: AI, controls, moderators, mediators, neighbours."""
    parts = slope * symbol["AI"] + coefficient["CP:W.AI"] * neighbour_ai
    for term in (*CONTROLS, "ER", "IP", "UIS", "EnvrPat"):
        parts = parts + coefficient[f"CP:{term}"] * symbol[term]
    return parts


def _draw_outcome(
    places: Places,
    streams: Streams,
    symbol: Mapping[str, np.ndarray],
    coefficient: Mapping[str, float],
    slope: np.ndarray,
    neighbour_ai: np.ndarray,
    shared: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Carbon productivity (10^8 yuan of 2003 per 10^4 t) and its exogenous error."""
    draw = streams.stream("cp")
    n, t = shared.shape
    level = np.exp(
        -0.85 + 0.92 * draw.standard_normal(n) - 0.25 * places.is_resource + 0.2 * (places.region4 == "east")
    )
    own = draw.standard_t(5.0, size=(n, t)) / np.sqrt(5.0 / 3.0)
    innovation = (own + 0.7 * spread(places.neighbour_weights, own)) / np.sqrt(1.0 + 0.49 / 4.5)
    scale = np.clip(0.25 + 0.75 * level, 0.3, 2.4)
    error = CP_ERROR_SD * scale[:, None] * accumulate(innovation, 0.75)
    path = 0.022 * (YEARS - 2012.0)
    parts = outcome_parts(symbol, coefficient, slope, neighbour_ai)
    outcome = compose(parts, np.zeros(n), path, error) + shared
    floor = draw.uniform(0.09, 0.20, n)
    lifted = np.maximum(level, floor - outcome.min(axis=1))
    return outcome + lifted[:, None], error
