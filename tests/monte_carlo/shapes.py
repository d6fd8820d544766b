"""The shapes of the studies' panels: which cities and provinces, where they lie, which years each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from analysis_py.settings import project_root

FIRST_YEAR = 2003
#: Seed of what is drawn once for all panels of a shape: which units leave, which years are missing.
_GAPS = 19


@dataclass(frozen=True)
class Shape:
    """Units by years, of which ``keep`` (units, years) are observed.

    ``province`` (units,) are codes from 0; ``lon``, ``lat`` (units,) degrees; ``spread`` (units, units) turns
    independent normals into ones correlated by exp(-distance / 200 km), of unit variance.
    """

    name: str
    years: int
    province: np.ndarray
    lon: np.ndarray
    lat: np.ndarray
    keep: np.ndarray
    spread: np.ndarray

    @property
    def units(self) -> int:
        return len(self.province)

    @property
    def rows(self) -> np.ndarray:
        """Positions of the observed cells among units x years."""
        return np.flatnonzero(self.keep.ravel())

    def take(self, values: np.ndarray) -> np.ndarray:
        """Of values (draws, units, years) the observed ones, (draws, n)."""
        return np.ascontiguousarray(values.reshape(len(values), -1)[:, self.rows])

    def frame(self) -> pd.DataFrame:
        """Columns city, year, province, lon, lat of the observed cells."""
        unit, year = (v.ravel()[self.rows] for v in np.indices((self.units, self.years)))
        return pd.DataFrame(
            {
                "city": unit,
                "year": FIRST_YEAR + year,
                "province": self.province[unit],
                "lon": self.lon[unit],
                "lat": self.lat[unit],
            }
        )


@cache
def cities() -> Shape:
    """286 cities x 19 years, balanced: the prefecture-level cities of 2003-2010 outside Tibet, at their places."""
    table = pd.read_csv(project_root() / "seeds/reference/seed_city.csv", dtype={"province_code": str})
    lasting = table["valid_from"].isna() | (table["valid_from"].astype(str) < "2011")
    table = table[lasting & (table["province_code"] != "540000")]
    province = np.unique(table["province_code"].to_numpy(dtype=str), return_inverse=True)[1]
    lon, lat = table["lon"].to_numpy(dtype=float), table["lat"].to_numpy(dtype=float)
    return _shape("286 cities x 19", 19, province, lon, lat)


@cache
def unbalanced_cities() -> Shape:
    """271 of these cities, every sixth with a late first or an early last year, one cell in twenty missing."""
    whole, rng = cities(), np.random.default_rng(_GAPS)
    kept = np.sort(rng.permutation(whole.units)[:271])
    first = np.where(rng.random(271) < 1 / 6, rng.integers(1, 8, 271), 0)
    last = np.where(rng.random(271) < 1 / 6, rng.integers(12, 19, 271), 19)
    year = np.arange(19)
    keep = (year >= first[:, None]) & (year < last[:, None]) & (rng.random((271, 19)) > 0.05)
    return _shape("271 cities, unbalanced", 19, whole.province[kept], whole.lon[kept], whole.lat[kept], keep)


@cache
def provinces() -> Shape:
    """30 provinces x 10 years, balanced; a province lies in the middle of its cities."""
    whole = cities()
    each = np.arange(30)
    lon, lat = ([float(v[whole.province == p].mean()) for p in each] for v in (whole.lon, whole.lat))
    return _shape("30 provinces x 10", 10, each, np.array(lon), np.array(lat))


@cache
def river_cities() -> Shape:
    """78 cities x 16 years, balanced: spread evenly over the 286, as many as the Yellow River study has."""
    whole = cities()
    kept = np.unique(np.linspace(0, whole.units - 1, 78).astype(int))
    return _shape("78 cities x 16", 16, whole.province[kept], whole.lon[kept], whole.lat[kept])


def cities_of(provinces: int, each: tuple[int, ...], years: int) -> Shape:
    """A few provinces with that many cities each, the numbers repeated in turn; places do not matter."""
    sizes = [each[p % len(each)] for p in range(provinces)]
    name = f"{provinces} provinces of {' or '.join(str(n) for n in sorted(set(each)))} cities x {years}"
    code = np.repeat(np.arange(provinces), sizes)
    return _shape(name, years, code, 100 + 0.5 * np.arange(len(code)), np.full(len(code), 30.0))


@cache
def differences() -> Shape:
    """286 cities, one row each: a long difference."""
    whole = cities()
    return _shape("286 cities, one difference each", 1, whole.province, whole.lon, whole.lat)


def _shape(
    name: str, years: int, province: np.ndarray, lon: np.ndarray, lat: np.ndarray, keep: np.ndarray | None = None
) -> Shape:
    x, y = np.radians(lon)[:, None], np.radians(lat)[:, None]
    half = np.sin((y - y.T) / 2) ** 2 + np.cos(y) * np.cos(y.T) * np.sin((x - x.T) / 2) ** 2
    nearness = np.exp(-2 * 6371 * np.arcsin(np.sqrt(half)) / 200)
    spread = np.linalg.cholesky(nearness + 1e-9 * np.eye(len(lon)))
    return Shape(
        name, years, province, lon, lat, np.ones((len(lon), years), dtype=bool) if keep is None else keep, spread
    )
