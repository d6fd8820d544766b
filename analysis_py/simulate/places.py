"""The places of the demo world: real cities and lists, read from the reference seeds.

Only names, codes, classes and borders are real. A place is given the code and name it had in a year, so that the raw
tables contain the code changes a user meets in yearbooks.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError, Place

FIRST_YEAR = 2000
LAST_YEAR = 2023
YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)

#: Cities the carbon productivity study leaves out besides Tibet; the demo truth describes the same sample.
EXCLUDED_NAMES = ("临汾市", "朔州市", "吕梁市", "克拉玛依市", "嘉峪关市", "金昌市", "固原市", "定西市", "中卫市")

TIBET = "540000"
SANSHA = "460300"


@dataclass(frozen=True)
class Places:
    """City attributes, one entry a city, ordered by ``code`` (N cities, T years 2000-2023)."""

    code: np.ndarray  # (N,) text, current GB/T 2260 code
    name: np.ndarray  # (N,) current Chinese name
    province: np.ndarray  # (N,) text
    province_name: dict[str, str]
    region4: np.ndarray  # (N,) east | central | west | northeast
    size_class: np.ndarray  # (N,) mega | big | small_medium
    size_detail: np.ndarray  # (N,) class of the size list as printed
    is_municipality: np.ndarray
    is_capital: np.ndarray
    is_resource: np.ndarray
    is_coal_province: np.ndarray
    agglomeration: dict[str, np.ndarray]  # name -> (N,) bool
    exists: np.ndarray  # (N, T) bool: the place exists at the year's end
    former_code: np.ndarray  # (N, T) code in use in the year
    former_name: np.ndarray  # (N, T) name in use in the year
    in_sample: np.ndarray  # (N,) bool: sample rule of the carbon productivity study
    neighbour_weights: np.ndarray  # (N, N) row-normalised contiguity, zero rows where nobody borders
    grid_region: dict[str, str]  # province_code -> grid region

    @property
    def count(self) -> int:
        return len(self.code)

    def position(self, city_code: str) -> int:
        """Row of a city; KeyError when unknown."""
        found = np.flatnonzero(self.code == city_code)
        if not len(found):
            raise KeyError(city_code)
        return int(found[0])


def read_reference(reference: Path, name: str) -> pd.DataFrame:
    """A reference seed as text columns, empty cells as empty text; a missing file is a user's error."""
    file = reference / f"{name}.csv"
    if not file.is_file():
        raise CarbonpanelError(
            "CP-FILE-MISSING",
            f"the reference table {name} is not there",
            where=Place(file=file),
            remedy="run from a complete checkout, or name its folder with --reference",
        )
    return pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8")


def load_places(reference: Path) -> Places:
    """Read the reference seeds and lay the places out by code.

    Parameters
    ----------
    reference : folder with ``seed_city.csv``, ``seed_province.csv`` and the lists beside them.
    """
    city = read_reference(reference, "seed_city").sort_values("city_code", kind="stable").reset_index(drop=True)
    province = read_reference(reference, "seed_province").set_index("province_code")
    code = city["city_code"].to_numpy(object)
    place_of = {c: i for i, c in enumerate(code)}
    region = province["region4"].to_dict()
    coal = province["is_major_coal_consumer"].to_dict()
    size = read_reference(reference, "seed_city_size_class").set_index("city_code")["size_class"].to_dict()
    detail = np.array([size.get(c, "medium_or_small") for c in code], dtype=object)
    resource = read_reference(reference, "seed_resource_based_city")["city_code"].to_list()
    exists, former_code, former_name = _histories(city, read_reference(reference, "seed_city_alias"))
    cluster = read_reference(reference, "seed_city_agglomeration")
    members = {
        "bth": cluster["agglomeration"] == "BTH",
        "yrd": (cluster["agglomeration"] == "YRD") & (cluster["tier"].isin(["core26"])),
        "prd": cluster["agglomeration"] == "PRD",
        "mid_yangtze": cluster["agglomeration"] == "MYR",
        "chengdu_chongqing": cluster["agglomeration"] == "CYU",
    }
    grid = read_reference(reference, "seed_province_grid_region")
    steady = exists[:, (YEARS >= 2003) & (YEARS <= 2021)].all(axis=1)
    upgraded_early = np.array([v == "" or v <= "2003-12-31" for v in city["valid_from"]])
    left_out = (city["province_code"] == TIBET) | city["city_name_zh"].isin(EXCLUDED_NAMES)
    sampled = steady & upgraded_early & ~left_out.to_numpy(bool)
    return Places(
        code=code,
        name=city["city_name_zh"].to_numpy(object),
        province=city["province_code"].to_numpy(object),
        province_name=dict(zip(province.index.astype(str), province["name_zh"].astype(str), strict=True)),
        region4=np.array([region[p] for p in city["province_code"]], dtype=object),
        size_class=np.array([_broad_size(d) for d in detail], dtype=object),
        size_detail=detail,
        is_municipality=(city["is_municipality"] == "1").to_numpy(),
        is_capital=(city["is_provincial_capital"] == "1").to_numpy(),
        is_resource=np.isin(code, resource),
        is_coal_province=np.array([coal[p] == "1" for p in city["province_code"]]),
        agglomeration={k: np.isin(code, cluster.loc[m, "city_code"].to_list()) for k, m in members.items()},
        exists=exists,
        former_code=former_code,
        former_name=former_name,
        in_sample=sampled,
        neighbour_weights=_contiguity(read_reference(reference, "seed_city_neighbour"), place_of),
        grid_region=dict(zip(grid["province_code"], grid["region"], strict=True)),
    )


def _broad_size(detail: str) -> str:
    if detail == "super":
        return "mega"
    return "big" if detail in {"mega", "large_type_1", "large_type_2"} else "small_medium"


def _histories(city: pd.DataFrame, alias: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Existence, code and name by city and year (year-end rule): the year of a change has the new code and name."""
    n = len(city)
    exists = np.ones((n, len(YEARS)), dtype=bool)
    codes = np.repeat(city["city_code"].to_numpy(object)[:, None], len(YEARS), axis=1)
    names = np.repeat(city["city_name_zh"].to_numpy(object)[:, None], len(YEARS), axis=1)
    full = alias[(alias["alias_kind"] == "former_name") & alias["alias"].str.contains("(?:市|地区|盟)$")]
    place_of = {c: i for i, c in enumerate(city["city_code"])}
    for i, row in enumerate(city.itertuples(index=False)):
        started = int(str(row.valid_from)[:4]) if row.valid_from else FIRST_YEAR
        ended = int(str(row.valid_to)[:4]) if row.valid_to else LAST_YEAR + 1
        exists[i] = ended > YEARS
        if row.valid_from:
            if row.alt_code:
                codes[i, started > YEARS] = row.alt_code
            else:
                exists[i] &= started <= YEARS
    for former in full.itertuples(index=False):
        since = int(str(former.used_from_year)) if former.used_from_year else FIRST_YEAR
        until = int(str(former.used_to_year))
        names[place_of[str(former.city_code)], (since <= YEARS) & (until > YEARS)] = former.alias
    return exists, codes, names


def _contiguity(pairs: pd.DataFrame, place_of: dict[str, int]) -> np.ndarray:
    weights = np.zeros((len(place_of), len(place_of)))
    for a, b in zip(pairs["city_code"], pairs["neighbour_code"], strict=True):
        if a in place_of and b in place_of:
            weights[place_of[a], place_of[b]] = 1.0
    total = weights.sum(axis=1, keepdims=True)
    return np.divide(weights, total, out=np.zeros_like(weights), where=total > 0)
