"""Listed firms of the demo world: accounts, patents, robots, energy and emissions by year, and who deals with whom.

Firms do not exist: their names say so. They stand in real cities, in industries of the 2012 classification, and
follow the world: their AI patents the AI of their city, their robots the robots of their industry (a valid
shift-share), their emissions the carbon productivity of their city. Effects between their variables are drawn (a third
zero, a fifth against the textbook) and given by :func:`firm_effects`:

    ln E[green patents_t]  = firm + year + b_ai ln(1 + ai_t-1) + b_partner ln(1 + partners' ai_t-1) + b_pilot pilot_t
                             + m_t
    ln(energy / revenue)_t = firm + year + b_robots ln(1 + robots_t) + b_ai ln(1 + ai_t-1) + e_t

``m`` is a shock of management that also moves AI patents: plain regressions of green patents on AI are biased.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from analysis_py.simulate.industries import ROBOT_YEARS, Industries, draw_industries
from analysis_py.simulate.places import YEARS, read_reference
from analysis_py.simulate.process import autoregress, demean
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

FIRM_YEARS = np.arange(2003, 2024)
FIRM_COUNT = 1600
#: Firms each firm ever deals with among the listed ones.
PARTNERS = 4
#: Typical number of listed firms by industry, per hundred or so; the rest of the classification has 0.3.
_LISTED = {
    **{"C39": 10.0, "C26": 7.0, "C27": 7.0, "C35": 6.5, "C38": 6.5, "I65": 7.0, "C34": 4.5, "C36": 4.2, "C30": 2.6},
    **{"C33": 2.2, "C29": 2.4, "C32": 2.3, "C13": 1.6, "C14": 1.8, "C15": 1.4, "C17": 1.4, "C18": 1.2, "C22": 1.1},
    **{"C31": 1.1, "C37": 1.8, "C40": 1.7, "C20": 0.4, "C21": 0.8, "C24": 0.7, "C25": 0.6, "C28": 0.8, "C41": 0.6},
    **{"C42": 0.5, "B06": 1.0, "B07": 0.3, "B09": 0.8, "B11": 0.5, "D44": 2.4, "D45": 0.9, "D46": 0.6, "E48": 2.0},
    **{"E50": 0.9, "F51": 2.2, "F52": 2.6, "G54": 1.1, "G55": 1.0, "K70": 3.6, "L72": 1.6, "M74": 1.8, "N77": 1.7},
    **{"N78": 0.6, "I63": 0.5, "I64": 1.5, "A01": 0.5, "A03": 0.5, "J66": 1.1, "J67": 1.4, "R85": 0.8, "R86": 0.8},
}
#: Industries that burn much: tonnes of coal equivalent per 10 thousand yuan of revenue, against 0.06 elsewhere.
_BURNING = {
    **{"D44": 1.9, "C31": 1.1, "C30": 1.0, "C25": 0.8, "C32": 0.7, "C26": 0.6, "B06": 0.6, "C22": 0.45, "C28": 0.4},
    **{"C17": 0.25, "C15": 0.15, "C27": 0.15, "B07": 0.5, "B08": 0.5, "B09": 0.4, "B10": 0.4, "G55": 0.4, "G56": 0.7},
}
_DIGITAL_INDUSTRIES = ("C39", "C40", "I63", "I64", "I65", "M73", "M74")
#: Effect -> textbook sign.
EFFECTS = {
    "upstream:ai": 1,
    "upstream:partner_ai": 1,
    "upstream:pilot": 1,
    "end_of_pipe:ai": 1,
    "end_of_pipe:partner_ai": 1,
    "end_of_pipe:pilot": 1,
    "energy:ai": -1,
    "energy:robots": -1,
    "robots:pilot": 1,
}


@dataclass(frozen=True)
class Firms:
    """Drawn firms; F firms by code, T years 2003-2023; persons, yuan, tonnes, pieces."""

    code: np.ndarray  # (F,) text
    name: np.ndarray  # (F,) text
    city: np.ndarray  # (F,) position in world.places
    industry: np.ndarray  # (F,) CSRC code
    industry_name: np.ndarray  # (F,)
    pilot_year: np.ndarray  # (F,) 0 where never
    active: np.ndarray  # (F, T) bool: has accounts of the year
    quantity: Mapping[str, np.ndarray]  # column -> (F, T)
    partner: np.ndarray  # (F, PARTNERS) positions of firms
    deals: np.ndarray  # (F, PARTNERS, T) bool: dealt with in the year
    is_supplier: np.ndarray  # (F, PARTNERS) bool: the partner supplies; else it buys
    city_ai: np.ndarray  # (F, T) ln(1 + AI firms of the city), deviation from the firm's and the year's mean


def firm_effects(seed: int) -> dict[str, float]:
    """The effects of the world's firms by name: a third zero, two reversed, sizes 0.05 to 0.18."""
    draw = Streams(seed).stream("firm_effects")
    deck = np.array([0] * 3 + [-1] * 2 + [1] * (len(EFFECTS) - 5))
    sign = draw.permutation(deck)
    size = np.round(draw.uniform(0.05, 0.18, len(EFFECTS)), 3)
    return {name: float(s * sign_of * z) for (name, sign_of), s, z in zip(EFFECTS.items(), sign, size, strict=True)}


def draw_firms(world: World, reference: Path, industries: Industries | None = None) -> Firms:
    """Draw the firms of ``world``; ``industries`` may be given where they were drawn already.

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING`` where a reference table is not there.
    """
    streams = Streams(world.seed)
    effect = firm_effects(world.seed)
    table = read_reference(reference, "seed_csrc_industry")
    names = dict(zip(table["csrc_code"], table["name_zh"], strict=True))
    division = dict(zip(table["csrc_code"], table["ifr_code"], strict=True))
    city, industry = _place_firms(world, streams, list(table["csrc_code"]))
    active = _draw_lives(world, streams, city)
    pilot_year = _draw_pilots(streams, industry)
    ai = demean(world.symbol["AI"][:, np.isin(YEARS, FIRM_YEARS)])[city]
    assets, revenue, employees = _draw_accounts(streams, industry)
    partner, deals, is_supplier = _draw_links(streams, active)
    management = autoregress(streams.stream("firm_management"), active.shape, 0.7)
    ai_patents = _draw_ai_patents(streams, industry, assets, ai, management) * active
    partner_ai = (deals * lag(ai_patents)[partner]).sum(axis=1)
    pilot = (pilot_year[:, None] > 0) & (pilot_year[:, None] <= FIRM_YEARS)
    robots_of = (
        [division[c] for c in industry],
        industries or draw_industries(world, reference),
    )
    robots = _draw_robots(streams, industry, robots_of, employees, effect["robots:pilot"] * pilot)
    push = {
        kind: effect[f"{kind}:ai"] * np.log1p(lag(ai_patents))
        + effect[f"{kind}:partner_ai"] * np.log1p(partner_ai)
        + effect[f"{kind}:pilot"] * pilot
        + 0.25 * management
        for kind in ("upstream", "end_of_pipe")
    }
    saving = effect["energy:robots"] * np.log1p(robots) + effect["energy:ai"] * np.log1p(lag(ai_patents))
    energy, co2 = _draw_energy(world, streams, industry, city, revenue, saving)
    quantity = {
        "total_assets_yuan": assets,
        "revenue_yuan": revenue,
        "employees_persons": employees,
        "green_patents_upstream": _draw_patents(streams, "upstream", industry, assets, push["upstream"]),
        "green_patents_end_of_pipe": _draw_patents(streams, "end_of_pipe", industry, assets, push["end_of_pipe"]),
        "ai_patents": ai_patents,
        "robots": robots,
        "energy_tce": energy,
        "co2_t": co2,
    }
    serial = np.arange(1, len(city) + 1)
    return Firms(
        code=np.array([f"SIM{k:05d}" for k in serial], dtype=object),
        name=np.array(
            [
                f"{world.places.name[i]}模拟{names[c][:4]}{k:04d}"
                for i, c, k in zip(city, industry, serial, strict=True)
            ],
            dtype=object,
        ),
        city=city,
        industry=industry,
        industry_name=np.array([names[c] for c in industry], dtype=object),
        pilot_year=pilot_year,
        active=active,
        quantity=quantity,
        partner=partner,
        deals=deals,
        is_supplier=is_supplier,
        city_ai=ai,
    )


def lag(values: np.ndarray) -> np.ndarray:
    """(F, T) values of the year before; 0 in the first year."""
    return np.hstack([np.zeros_like(values[:, :1]), values[:, :-1]])


def _place_firms(world: World, streams: Streams, codes: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """City (F,) in proportion to output, capitals twice as often; industry (F,), resource cities leaning to fuels."""
    draw = streams.stream("firm_places")
    places = world.places
    at = int(np.flatnonzero(YEARS == 2010)[0])
    weight = np.where(places.exists[:, at], world.quantity["gdp"][:, at], 0.0) * (1.0 + places.is_capital)
    weight = np.where(places.exists[:, -1], np.nan_to_num(weight), 0.0)
    city = draw.choice(places.count, FIRM_COUNT, p=weight / weight.sum())
    usual = np.array([_LISTED.get(c, 0.3) for c in codes])
    fuel = np.array([4.0 if c in _BURNING else 1.0 for c in codes])
    usual, resource = usual / usual.sum(), usual * fuel / (usual * fuel).sum()
    at_random = draw.uniform(size=FIRM_COUNT)
    ordinary = np.searchsorted(np.cumsum(usual), at_random)
    mined = np.searchsorted(np.cumsum(resource), at_random)
    chosen = np.minimum(np.where(places.is_resource[city], mined, ordinary), len(codes) - 1)
    return city, np.array(codes, dtype=object)[chosen]


def _draw_lives(world: World, streams: Streams, city: np.ndarray) -> np.ndarray:
    """(F, T) years in which a firm is listed: most came after 2008, a few left."""
    draw = streams.stream("firm_lives")
    since = np.round(2022.0 - 29.0 * draw.beta(1.15, 1.6, len(city)))
    leaves = np.where(draw.uniform(size=len(city)) < 0.05, since + draw.integers(4, 18, len(city)), 9999)
    existed = world.places.exists[city][:, np.isin(YEARS, FIRM_YEARS)]
    return (since[:, None] <= FIRM_YEARS) & (leaves[:, None] > FIRM_YEARS) & existed


def _draw_pilots(streams: Streams, industry: np.ndarray) -> np.ndarray:
    """(F,) year in which a manufacturer became a smart manufacturing pilot (2015-2018), 0 for the others."""
    draw = streams.stream("firm_pilots")
    chosen = draw.uniform(size=len(industry)) < np.where(_starts(industry, "C"), 0.11, 0.0)
    return np.where(chosen, draw.integers(2015, 2019, len(industry)), 0)


def _starts(industry: np.ndarray, section: str) -> np.ndarray:
    return np.array([str(c).startswith(section) for c in industry])


def _draw_accounts(streams: Streams, industry: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(F, T) total assets and revenue in yuan, employees in persons."""
    draw = streams.stream("firm_accounts")
    shape = (len(industry), len(FIRM_YEARS))
    finance, years = _starts(industry, "J"), (FIRM_YEARS - 2013.0)[None, :]
    level = 21.4 + draw.normal(0.0, 1.05, shape[0]) + 2.6 * finance + 0.7 * _starts(industry, "K")
    growth = 0.095 + draw.normal(0.0, 0.03, shape[0])
    log_assets = level[:, None] + growth[:, None] * years + 0.16 * autoregress(draw, shape, 0.85, tail_df=6.0)
    turnover = np.log(0.58) + draw.normal(0.0, 0.42, shape[0]) - 2.4 * finance
    log_revenue = log_assets + turnover[:, None] - 0.012 * years + 0.17 * autoregress(draw, shape, 0.7, tail_df=6.0)
    each = 13.35 + draw.normal(0.0, 0.5, shape[0])[:, None] + 0.062 * years
    employees = np.exp(log_revenue - each + 0.08 * autoregress(draw, shape, 0.8))
    return np.round(np.exp(log_assets), -2), np.round(np.exp(log_revenue), -2), np.maximum(np.round(employees), 12.0)


def _draw_links(streams: Streams, active: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Partners (F, PARTNERS), years dealt with (F, PARTNERS, T) from 2008 on, and which of them supply."""
    draw = streams.stream("firm_links")
    firms, years = active.shape
    step = draw.integers(1, firms, (firms, PARTNERS))
    partner = (np.arange(firms)[:, None] + step) % firms
    seen = draw.uniform(size=(firms, PARTNERS, years)) < draw.uniform(0.1, 0.7, (firms, PARTNERS))[:, :, None]
    both = active[:, None, :] & active[partner]
    # the same partner drawn twice counts once
    first = np.stack([(partner[:, :k] != partner[:, [k]]).all(axis=1) for k in range(PARTNERS)], axis=1)
    return partner, seen & both & first[:, :, None] & (FIRM_YEARS >= 2008), draw.uniform(size=(firms, PARTNERS)) < 0.5


def _draw_ai_patents(
    streams: Streams, industry: np.ndarray, assets: np.ndarray, ai: np.ndarray, management: np.ndarray
) -> np.ndarray:
    draw = streams.stream("firm_ai_patents")
    own = draw.normal(-2.1, 1.2, len(industry)) + 1.5 * np.isin(industry, _DIGITAL_INDUSTRIES)
    size = 0.45 * (np.log(assets) - 21.4)
    mean = np.exp(own[:, None] + size + 0.5 * ai + 0.16 * (FIRM_YEARS - 2015.0) + 0.35 * management)
    return draw.poisson(np.minimum(mean, 4000.0)).astype(float)


def _draw_robots(
    streams: Streams,
    industry: np.ndarray,
    source: tuple[list[str], Industries],
    employees: np.ndarray,
    push: np.ndarray,
) -> np.ndarray:
    """Robots of manufacturers: employees times robots per worker of the industry in China times the firm's own lean."""
    draw = streams.stream("firm_robots")
    division, industries = source
    row = np.array([industries.code.index(code) for code in division])
    density = industries.stock["CHN"][:-1] / industries.national["CHN"][:, None]
    per_worker = density[row][:, np.isin(ROBOT_YEARS, FIRM_YEARS)]
    lean = np.exp(draw.normal(-0.2, 0.8, len(industry)))[:, None]
    mean = employees * np.minimum(per_worker * lean * np.exp(push), 0.8) * _starts(industry, "C")[:, None]
    return draw.poisson(mean).astype(float)


def _draw_patents(
    streams: Streams, kind: str, industry: np.ndarray, assets: np.ndarray, push: np.ndarray
) -> np.ndarray:
    draw = streams.stream(f"firm_patents_{kind}")
    own = draw.normal(-1.2 if kind == "upstream" else -1.7, 1.1, len(industry)) + 0.5 * _starts(industry, "C")
    own = own + (1.2 if kind == "end_of_pipe" else 0.4) * np.isin(industry, ("N77", "D46", "C42"))
    wave = 0.3 * autoregress(draw, push.shape, 0.5)
    mean = np.exp(own[:, None] + 0.4 * (np.log(assets) - 21.4) + 0.07 * (FIRM_YEARS - 2013.0) + push + wave)
    return draw.poisson(np.minimum(mean, 3000.0)).astype(float)


def _draw_energy(
    world: World, streams: Streams, industry: np.ndarray, city: np.ndarray, revenue: np.ndarray, saving: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Energy in tonnes of coal equivalent and CO2 in tonnes, NaN where not disclosed.

    Disclosure is not at random: large firms disclose, firms that burn much for their size do so less.
    """
    draw = streams.stream("firm_energy")
    base = np.log([_BURNING.get(str(c), 0.06) for c in industry]) + draw.normal(0.0, 0.5, len(industry))
    wave = 0.15 * autoregress(draw, revenue.shape, 0.7)
    intensity = base[:, None] - 0.035 * (FIRM_YEARS - 2013.0) + saving + wave
    energy = np.exp(intensity) * revenue / 1e4
    productivity = demean(np.log(world.symbol["CP"][:, np.isin(YEARS, FIRM_YEARS)]))[city]
    carbon = 2.35 + draw.normal(0.0, 0.25, len(industry))[:, None] - 0.2 * productivity
    size = np.log(revenue) - 20.8
    wanted = 0.35 + 0.5 * size - 0.35 * (intensity - base.mean()) + 0.16 * (FIRM_YEARS - 2014.0)
    told = draw.logistic(size=revenue.shape) < wanted
    co2 = np.maximum(energy * carbon, 1.0)
    return np.where(told, np.round(energy, 1), np.nan), np.where(told, np.round(co2, 1), np.nan)
