"""Robots and workers by industry: the tables behind the robot exposure of provinces, and the exposure itself.

Only the published country totals are real; how they divide over industries is drawn. Employment of 2004 leans on the
predetermined shares of the world's shift-share and robots on its national shocks, so that exposure (shares times
shocks) moves with the AI of the cities for reasons that have nothing to do with their carbon productivity: a valid
instrument. Robots of the United States follow the same technology with shocks of their own.

    stock of an industry = its installations of the last twelve years, without depreciation (the rule of the IFR)
                           + its part of what the published stock has beyond the published installations (revisions)
    exposure_it = sum over industries of L_ij,2004 / L_i,2004 * Robot_jt / L_j,base
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.simulate.places import YEARS, read_reference
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World

ROBOT_YEARS = np.arange(1993, 2024)
SERVICE_YEARS = 12
COUNTRIES = ("CHN", "USA")
BASE_YEAR = {"CHN": 2004, "USA": 1990}
METRICS = {"flow": "annual_installations", "stock": "operational_stock"}
#: Robots that are reported without an industry.
UNSPECIFIED = "99"
#: The aggregate whose divisions are listed one by one.
_AGGREGATE = "D"
#: Typical weight in robot installations, workers of China in 2004 and of the United States in 1990 (millions).
_TYPICAL: dict[str, tuple[float, float, float]] = {
    "A-B": (0.05, 330.0, 3.2),
    "C": (0.05, 6.7, 0.7),
    "10-12": (2.6, 7.0, 1.7),
    "13-15": (0.5, 15.0, 1.8),
    "16": (0.4, 2.6, 1.2),
    "17-18": (0.5, 3.0, 2.2),
    "19": (0.9, 1.5, 0.3),
    "20-21": (1.6, 5.8, 1.0),
    "22": (5.5, 4.0, 0.9),
    "23": (1.0, 8.0, 0.6),
    "24": (2.0, 5.4, 0.8),
    "25": (6.5, 4.2, 1.4),
    "26-27": (26.0, 11.5, 3.0),
    "28": (6.0, 8.4, 2.0),
    "29": (15.0, 2.6, 0.8),
    "30": (1.4, 2.0, 1.0),
    "91": (2.5, 4.6, 0.4),
    "E": (0.1, 3.0, 0.9),
    "F": (0.2, 28.0, 5.2),
    "P": (0.7, 16.0, 10.0),
    "90": (1.0, 210.0, 60.0),
}
_VINTAGES_BEFORE = np.arange(ROBOT_YEARS[0] - SERVICE_YEARS + 1, ROBOT_YEARS[0])


@dataclass(frozen=True)
class Industries:
    """Printed robots and workers. J industries, the unspecified one last; P provinces by code; Y = 1993-2023.

    ``installed`` and ``stock`` are (J, Y) whole numbers by country; ``workers`` is (P, J - 1) of 2004, ``national`` the
    (J - 1,) workers of each country in its base year.
    """

    code: tuple[str, ...]
    province: tuple[str, ...]
    installed: Mapping[str, np.ndarray]
    stock: Mapping[str, np.ndarray]
    workers: np.ndarray
    national: Mapping[str, np.ndarray]

    def exposure(self, country: str, metric: str) -> np.ndarray:
        """(P, Y) robots per worker by the shares of 2004; ``metric`` is ``stock`` or ``flow``."""
        robots = (self.stock if metric == "stock" else self.installed)[country][:-1]
        share = self.workers / self.workers.sum(axis=1, keepdims=True)
        shock = robots / self.national[country][:, None]
        return np.einsum("pj,jy->py", share, shock, optimize=False)


def industry_tables(world: World, reference: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """The raw and truth tables of this part of the world: folder -> file stem -> table of printed text."""
    drawn = draw_industries(world, reference)
    return {
        "raw": {
            "raw_industry_robots": _robot_frame(drawn),
            "raw_industry_employment": _employment_frame(drawn),
        },
        "truth": {"truth_robot_exposure": _exposure_frame(drawn)},
    }


def draw_industries(world: World, reference: Path) -> Industries:
    """Draw employment, divide the published robots over industries, and count the stocks.

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING`` where a reference table is not there.
    """
    streams = Streams(world.seed)
    codes = list_industries(reference)
    field = _assign_fields(codes, world, streams)
    province, workers = _draw_workers(codes, field, world, streams)
    american = streams.stream("industry_workers_us").normal(0.0, 0.12, len(codes) - 1)
    national = {
        "CHN": workers.sum(axis=0),
        "USA": np.round(np.array([_TYPICAL[c][2] for c in codes[:-1]]) * 1e6 * np.exp(american)),
    }
    totals = read_totals(reference)
    installed, stock = {}, {}
    for country, weight in _draw_weights(codes, field, world, streams).items():
        flows = complete_flows(totals[country], streams.stream(f"robots_before_{country}"))
        installed[country], stock[country] = _divide(flows, totals[country]["stock"], weight)
    return Industries(tuple(codes), tuple(province), installed, stock, workers, national)


def list_industries(reference: Path) -> list[str]:
    """Codes that do not overlap: the divisions of manufacturing and the other sectors, ``99`` last."""
    table = read_reference(reference, "seed_ifr_industry")
    kept = (table["level"] == "division") | ((table["level"] == "sector") & (table["ifr_code"] != _AGGREGATE))
    codes = [str(c) for c in table.loc[kept, "ifr_code"]]
    return [c for c in codes if c != UNSPECIFIED] + [UNSPECIFIED]


def read_totals(reference: Path) -> dict[str, dict[str, dict[int, int]]]:
    """Published robots: country -> ``flow`` | ``stock`` -> year -> number; years without a figure are absent."""
    table = read_reference(reference, "seed_robot_country_total")
    return {
        country: {
            kind: {
                int(y): int(n)
                for c, y, m, n in zip(table["country"], table["year"], table["metric"], table["units"], strict=True)
                if c == country and m == metric and n
            }
            for kind, metric in METRICS.items()
        }
        for country in COUNTRIES
    }


def complete_flows(total: Mapping[str, Mapping[int, int]], draw: np.random.Generator) -> dict[int, int]:
    """Installations of a country in every year, eleven years before the first printed one included.

    Published where there is a figure; else what left the published stock twelve years later (0 where nothing did);
    else, before all that, drawn backwards from the first years known, six percent less a year on average.
    """
    flow, stock = total["flow"], total["stock"]
    known = dict(flow)
    for year in range(int(_VINTAGES_BEFORE[0]), int(ROBOT_YEARS[-1]) + 1):
        later = year + SERVICE_YEARS
        if year not in known and later in flow and {later - 1, later} <= set(stock):
            known[year] = stock[later - 1] + flow[later] - stock[later]
    first = min(known)
    level = sum(known[first + k] for k in range(3)) / 3.0
    for year in range(first - 1, int(_VINTAGES_BEFORE[0]) - 1, -1):
        level *= float(np.exp(-0.06 + 0.05 * draw.standard_normal()))
        # a country without any robot in its first known years had none before
        known[year] = round(level) if known[first] else 0
    return dict(sorted(known.items()))


def _assign_fields(codes: list[str], world: World, streams: Streams) -> dict[str, int]:
    """Which field of the world's shift-share each of the most robotised industries belongs to."""
    largest = sorted(codes[:-1], key=lambda c: (-_TYPICAL[c][0], c))[: world.national_shock.shape[0]]
    order = streams.stream("industry_fields").permutation(len(largest))
    return {code: int(k) for code, k in zip(largest, order, strict=True)}


def _draw_workers(
    codes: list[str], field: Mapping[str, int], world: World, streams: Streams
) -> tuple[list[str], np.ndarray]:
    """Provinces by code, and their (P, J - 1) workers of 2004: typical structure, leaning on the fields' shares."""
    draw = streams.stream("industry_workers")
    places = world.places
    at = int(np.flatnonzero(BASE_YEAR["CHN"] == YEARS)[0])
    people = np.where(places.exists[:, at], world.quantity["population_resident"][:, at], 0.0) * 1e4
    output = np.where(places.exists[:, at], world.quantity["gdp"][:, at], 0.0)
    province = sorted(places.province_name)
    rows = []
    for code in province:
        member = places.province == code
        weight = people[member] / people[member].sum()
        share = np.einsum("i,ik->k", weight, world.exposure[member], optimize=False)
        income = np.log(output[member].sum() * 1e8 / people[member].sum() / 1.2e4)
        typical = np.array([_TYPICAL[c][1] for c in codes[:-1]])
        lean = np.array([0.25 + 0.75 * len(share) * share[field[c]] if c in field else 1.0 for c in codes[:-1]])
        rich = np.array([-0.8 if c == "A-B" else 0.7 if c in field else 0.3 for c in codes[:-1]])
        weights = typical * lean * np.exp(rich * income + 0.25 * draw.standard_normal(len(typical)))
        total = 0.56 * people[member].sum() * np.exp(0.05 * draw.standard_normal())
        rows.append(np.round(total * weights / weights.sum()))
    return province, np.array(rows)


def _draw_weights(codes: list[str], field: Mapping[str, int], world: World, streams: Streams) -> dict[str, np.ndarray]:
    """(J, Y) weights of the industries in each country's installations, earlier vintages as in the first year.

    Log weights: typical level + technology common to both countries (the field's national shock and a walk of its own)
    + a walk of the country. Robots without an industry become rarer as reporting improves.
    """
    draw = streams.stream("industry_robots")
    j, y = len(codes) - 1, len(ROBOT_YEARS)
    technology = np.cumsum(draw.normal(0.0, 0.02, (j, y)), axis=1)
    inside = np.isin(ROBOT_YEARS, YEARS)
    for code, k in field.items():
        technology[codes.index(code), inside] += world.national_shock[k]
    level = np.log([_TYPICAL[c][0] for c in codes[:-1]])
    out = {}
    for country, loading in (("CHN", 1.0), ("USA", 0.8)):
        own = draw.normal(0.0, 0.3, j)[:, None] + np.cumsum(draw.normal(0.0, 0.03, (j, y)), axis=1)
        weight = np.exp(level[:, None] + loading * technology + own)
        unknown = np.clip(0.28 - 0.012 * (ROBOT_YEARS - ROBOT_YEARS[0]) + draw.normal(0.0, 0.01, y), 0.02, 0.5)
        out[country] = np.vstack([weight / weight.sum(axis=0) * (1.0 - unknown), unknown])
    return out


def _divide(
    flows: Mapping[int, int], published: Mapping[int, int], weight: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(J, Y) installations and stocks in whole robots whose sums are the country's."""
    first = int(_VINTAGES_BEFORE[0])
    every = np.arange(first, ROBOT_YEARS[-1] + 1)
    parts = np.stack([apportion(flows[int(y)], weight[:, max(int(y) - int(ROBOT_YEARS[0]), 0)]) for y in every], axis=1)
    stock = []
    for year in ROBOT_YEARS:
        end = int(year) - first + 1
        alive = parts[:, end - SERVICE_YEARS : end].sum(axis=1)
        gap = published.get(int(year), int(alive.sum())) - int(alive.sum())
        stock.append(alive + apportion(gap, alive))
    return parts[:, len(_VINTAGES_BEFORE) :], np.stack(stock, axis=1)


def apportion(total: int, weight: np.ndarray) -> np.ndarray:
    """Whole numbers in proportion to ``weight`` that add up to ``total`` (largest remainders, ties to the first)."""
    if total == 0 or not weight.sum() > 0:
        return np.zeros(len(weight), dtype=np.int64)
    exact = np.round(abs(total) * weight / weight.sum(), 9)
    whole = np.floor(exact).astype(np.int64)
    left = abs(total) - int(whole.sum())
    whole[np.argsort(-(exact - whole), kind="stable")[:left]] += 1
    return whole if total > 0 else -whole


def _robot_frame(drawn: Industries) -> pd.DataFrame:
    blocks = [
        pd.DataFrame(
            {
                "country": country,
                "ifr_code": np.repeat(np.array(drawn.code, dtype=object), len(ROBOT_YEARS)),
                "year": np.tile(ROBOT_YEARS, len(drawn.code)),
                "robots_installed": [str(int(v)) for v in drawn.installed[country].ravel()],
                "robots_stock": [str(int(v)) for v in drawn.stock[country].ravel()],
            }
        )
        for country in COUNTRIES
    ]
    return pd.concat(blocks, ignore_index=True)


def _employment_frame(drawn: Industries) -> pd.DataFrame:
    named = drawn.code[:-1]
    areas = [(code, BASE_YEAR["CHN"], drawn.workers[p]) for p, code in enumerate(drawn.province)]
    areas += [(country, BASE_YEAR[country], drawn.national[country]) for country in COUNTRIES]
    rows = [
        (area, code, year, str(int(n))) for area, year, workers in areas for code, n in zip(named, workers, strict=True)
    ]
    return pd.DataFrame(rows, columns=["area_code", "ifr_code", "year", "employees_persons"])


def _exposure_frame(drawn: Industries) -> pd.DataFrame:
    data: dict[str, object] = {
        "province_code": np.repeat(np.array(drawn.province, dtype=object), len(ROBOT_YEARS)),
        "year": np.tile(ROBOT_YEARS, len(drawn.province)),
    }
    for country, short in (("CHN", "cn"), ("USA", "us")):
        for metric in ("stock", "flow"):
            values = drawn.exposure(country, metric).ravel()
            data[f"exposure_{short}_{metric}_per_worker"] = [f"{v:.12g}" for v in values]
    return pd.DataFrame(data)
