"""Noise of panels and the worlds made of it: which errors, which truths.

Everything is drawn for many panels at once: arrays (draws, units, years), of which a shape's observed cells are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tests.monte_carlo.shapes import Shape

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Noise:
    """Noise of mean zero and unit variance.

    Attributes
    ----------
    serial : correlation of neighbouring years in every part.
    province : share of the variance that is common to a province's cities in a year.
    factor : share from a path common to all cities, of which each city has its own multiple.
    spatial : share correlated over space, exp(-distance / 200 km).
    uneven : spread of the log of each city's standard deviation.
    tail_df : degrees of freedom of t for the cities' own part; 0 for normal.
    """

    serial: float = 0.0
    province: float = 0.0
    factor: float = 0.0
    spatial: float = 0.0
    uneven: float = 0.0
    tail_df: float = 0.0

    def draw(self, rng: np.random.Generator, draws: int, shape: Shape, loads: np.ndarray | None = None) -> np.ndarray:
        """(draws, units, years); ``loads`` (draws, units) are the cities' multiples of the common path."""
        n, t = shape.units, shape.years
        own = rng.standard_normal((draws, n, t))
        if self.tail_df:
            own = rng.standard_t(self.tail_df, (draws, n, t)) * np.sqrt(1 - 2 / self.tail_df)
        parts = np.sqrt(1 - self.province - self.factor - self.spatial) * own
        if self.province:
            common = rng.standard_normal((draws, shape.province.max() + 1, t))
            parts += np.sqrt(self.province) * common[:, shape.province]
        if self.factor:
            multiple = rng.standard_normal((draws, n)) if loads is None else loads
            parts += np.sqrt(self.factor) * multiple[:, :, None] * rng.standard_normal((draws, 1, t))
        if self.spatial:
            parts += np.sqrt(self.spatial) * np.einsum("ij,djt->dit", shape.spread, rng.standard_normal((draws, n, t)))
        made = autoregress(parts, self.serial)
        if self.uneven:
            made *= np.exp(rng.normal(-(self.uneven**2), self.uneven, (draws, n, 1)))
        return made


def autoregress(innovations: np.ndarray, serial: float) -> np.ndarray:
    """Paths along the last axis with the variance of the innovations."""
    made = innovations.copy()
    for t in range(1, made.shape[-1]):
        made[..., t] = serial * made[..., t - 1] + np.sqrt(1 - serial**2) * innovations[..., t]
    return made


def effects(rng: np.random.Generator, draws: int, shape: Shape) -> tuple[np.ndarray, np.ndarray]:
    """City effects (draws, units, 1) and a path of years (draws, 1, years)."""
    path = np.cumsum(rng.normal(0.05, 0.1, (draws, 1, shape.years)), axis=2)
    return rng.standard_normal((draws, shape.units, 1)), path


@dataclass(frozen=True)
class PanelWorld:
    """y = slope x + 0.5 c + city + year + error, effects correlated with x.

    ``reaction`` is the share of the errors' standard deviation that goes with the size of the regressor's noise;
    ``weighted``: the errors' variance is the inverse of column w. ``treated`` provinces: x is a policy that starts in
    the middle of the years, one in these provinces alone.
    """

    shape: Shape
    slope: float
    error: Noise = Noise()
    regressor: Noise = Noise(serial=0.6)
    reaction: float = 0.0
    weighted: bool = False
    treated: int = 0

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        loads = rng.standard_normal((draws, shape.units))
        noise = self.regressor.draw(rng, draws, shape, loads)
        x = noise + 0.7 * city + year
        if self.treated:
            chosen = rng.random((draws, shape.province.max() + 1)).argsort(axis=1) < self.treated
            after = np.arange(shape.years) >= shape.years // 2
            x = (chosen[:, shape.province][:, :, None] & after).astype(float)
        control = rng.standard_normal(noise.shape) + 0.3 * x
        error = self.error.draw(rng, draws, shape, loads)
        if self.reaction:
            error *= np.sqrt(1 - self.reaction + self.reaction * noise**2)
        weight = np.exp(rng.normal(0.0, 1.0, (draws, shape.units, 1))) * np.ones(noise.shape)
        if self.weighted:
            error /= np.sqrt(weight)
        y = self.slope * x + 0.5 * control + city + year + error
        return {name: shape.take(v) for name, v in (("x", x), ("c", control), ("w", weight), ("y", y))}


@dataclass(frozen=True)
class CountWorld:
    """Counts with mean exp(slope x + 0.3 c + city + year); ``excess`` is the variance over the mean less one.

    With ``excess`` the mean is multiplied by a gamma variable of the city that drifts from year to year.
    """

    shape: Shape
    slope: float
    excess: float = 0.0
    regressor: Noise = Noise(serial=0.8)

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        x = self.regressor.draw(rng, draws, shape) + 0.5 * city
        control = rng.standard_normal(x.shape)
        mean = np.exp(0.5 + self.slope * x + 0.3 * control + 0.8 * city + year)
        if self.excess:
            log = np.sqrt(np.log1p(self.excess)) * Noise(serial=0.7).draw(rng, draws, shape)
            mean = mean * np.exp(log - np.log1p(self.excess) / 2)
        return {n: shape.take(v) for n, v in (("x", x), ("c", control), ("n", rng.poisson(mean).astype(float)))}


@dataclass(frozen=True)
class InstrumentWorld:
    """y = sum effects x + 0.4 c + direct z + city + year + u, x = strength z + city + year + v, corr(u, v) = ``tie``.

    ``strength`` (endogenous, instruments) and ``direct`` (instruments,) by rows; all noise serially correlated within
    cities, of unit variance.
    """

    shape: Shape
    effects: tuple[float, ...]
    strength: tuple[tuple[float, ...], ...]
    tie: float = 0.6
    direct: tuple[float, ...] = ()
    error: Noise = Noise(serial=0.5, uneven=0.3)
    instrument: Noise = Noise(serial=0.5)

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        count = len(self.strength[0])
        z = [self.instrument.draw(rng, draws, shape) + 0.5 * city for _ in range(count)]
        control = rng.standard_normal(z[0].shape)
        u = self.error.draw(rng, draws, shape)
        y = 0.4 * control + city + year + u
        columns = {f"z{j + 1}": v for j, v in enumerate(z)} | {"c": control}
        for k, (effect, strengths) in enumerate(zip(self.effects, self.strength, strict=True)):
            v = self.tie * u + np.sqrt(1 - self.tie**2) * self.error.draw(rng, draws, shape)
            x = sum(s * w for s, w in zip(strengths, z, strict=True)) + v + 0.3 * control + city + year
            columns[f"x{k + 1}"] = x
            y = y + effect * x
        for direct, w in zip(self.direct, z, strict=False):
            y = y + direct * w
        return {name: shape.take(v) for name, v in (columns | {"y": y}).items()}


@dataclass(frozen=True)
class ShiftShareWorld:
    """y = effect x + u, x = z + v, z = sum of shares x shocks; u and v have parts that go with the same shares.

    One long difference a city (a shape of one year). Shares are drawn once from a Dirichlet distribution and sum to
    one. Four fifths of the variance of the shocks, and of the sectors' parts of u and v, are common to groups of
    ``together`` sectors.
    """

    shape: Shape
    effect: float
    sectors: int = 120
    together: int = 1

    @cached_property
    def shares(self) -> np.ndarray:
        """(units, sectors)."""
        return np.random.default_rng(self.sectors).dirichlet(np.full(self.sectors, 0.05), self.shape.units)

    @property
    def groups(self) -> np.ndarray:
        """(sectors,) groups in which shocks are correlated."""
        return np.arange(self.sectors) // self.together

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        def exposed() -> np.ndarray:
            own = rng.standard_normal((draws, self.sectors))
            if self.together > 1:
                common = rng.standard_normal((draws, int(self.groups.max()) + 1))[:, self.groups]
                own = np.sqrt(0.2) * own + np.sqrt(0.8) * common
            return own @ self.shares.T

        z, u, v = exposed(), exposed(), exposed()
        noise = 0.05 * rng.standard_normal((2, *z.shape))
        x = z + 0.3 * (v + u) + noise[0]
        return {"z": z, "x": x, "y": self.effect * x + u + noise[1]}


@dataclass(frozen=True)
class ThresholdWorld:
    """y = slope(q) z + 0.2 x + city + year + error, the slope changing at ``thresholds`` of q."""

    shape: Shape
    slopes: tuple[float, ...]
    thresholds: tuple[float, ...] = ()
    error: Noise = Noise()

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        q = 0.8 * rng.standard_normal((draws, shape.units, shape.years)) + 0.6 * city
        z = rng.standard_normal(q.shape) + rng.standard_normal(city.shape)
        x = 0.5 * z + rng.standard_normal(q.shape)
        slope = np.asarray(self.slopes)[np.searchsorted(self.thresholds, q, side="left")]
        y = slope * z + 0.2 * x + rng.standard_normal(city.shape) + year + self.error.draw(rng, draws, shape)
        return {name: shape.take(v) for name, v in (("q", q), ("z", z), ("x", x), ("y", y))}


@dataclass(frozen=True)
class GroupWorld:
    """y = (slope + gap [group a] + own) x + 0.5 z + city + year + error: do the slopes of groups differ?

    Groups ``a``, ``b``, ``d`` of cities are drawn at random in each panel; ``gap`` belongs to a. ``uneven`` is the
    spread of the cities' own slopes.
    """

    shape: Shape
    gap: float = 0.0
    uneven: float = 0.0
    slope: float = 1.0
    error: Noise = Noise()
    regressor: Noise = Noise()

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        order = [rng.random((draws, shape.units)).argsort(axis=1).argsort(axis=1) for _ in range(3)]
        a, b, d = (o < shape.units * share for o, share in zip(order, (0.5, 0.33, 0.6), strict=True))
        x = self.regressor.draw(rng, draws, shape) + city
        z = rng.standard_normal(x.shape)
        own = self.uneven * rng.standard_normal(city.shape)
        y = (self.slope + self.gap * a[:, :, None] + own) * x + 0.5 * z + city + year
        y = y + self.error.draw(rng, draws, shape)
        flags = {n: np.broadcast_to(g[:, :, None], x.shape) * 1.0 for n, g in (("a", a), ("b", b), ("d", d))}
        return {name: shape.take(v) for name, v in ({"x": x, "z": z, "y": y} | flags).items()}


@dataclass(frozen=True)
class MediatorWorld:
    """m_k = path_k x + noise, y = x + sum effect_k m_k + moderation z x + 0.5 z + city + year + error."""

    shape: Shape
    paths: tuple[float, ...]
    moved: tuple[float, ...]
    moderation: float = 0.0
    slope: float = 1.0
    error: Noise = Noise()
    regressor: Noise = Noise()

    def draw(self, rng: np.random.Generator, draws: int) -> Columns:
        shape = self.shape
        city, year = effects(rng, draws, shape)
        x = self.regressor.draw(rng, draws, shape) + city
        z = rng.standard_normal(x.shape)
        y = (self.slope + self.moderation * z) * x + 0.5 * z + city + year + self.error.draw(rng, draws, shape)
        columns = {"x": x, "z": z}
        for k, (path, effect) in enumerate(zip(self.paths, self.moved, strict=True)):
            mediator = path * x + self.error.draw(rng, draws, shape)
            columns[f"m{k + 1}"] = mediator
            y = y + effect * mediator
        return {name: shape.take(v) for name, v in (columns | {"y": y}).items()}
