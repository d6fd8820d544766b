"""Random and degenerate problems of efficiency, and their scores by both solvers."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from analysis_py.efficiency.frontier import Frontier, make_frontier
from analysis_py.efficiency.specification import ModelSpec

#: How data are drawn: ordinary; small whole numbers (many ties); few distinct units; sizes over seven orders of
#: magnitude; few rays; outputs of zero here and there.
KINDS = ("smooth", "ties", "twins", "sizes", "rays", "zeros")


def all_specs() -> list[ModelSpec]:
    """Every model in every returns to scale, orientation, disposability and abatement that it has."""
    found: list[dict[str, object]] = []
    for returns in ("crs", "vrs", "nirs", "ndrs"):
        for orientation in ("none", "input", "output", "bad"):
            found += [{"model": m, "orientation": orientation, "returns": returns} for m in ("sbm", "super-sbm")]
        for disposability in ("weak", "strong"):
            base = {"returns": returns, "disposability": disposability}
            found += [{"model": "ddf", **base}, {"model": "ddf", "direction_inputs": True, **base}]
            found += [{"model": "nddf", **base}]
            found += [{"model": "nddf", "direction_bads": False, "direction_inputs": False, **base}]
            found += [{"model": "sbm", "orientation": "input", **base}]
        found += [{"model": "sbm-ddf", "returns": returns}]
        found += [{"model": "sbm-ddf", "returns": returns, "weights": "thirds", "direction": "mean"}]
        found += [{"model": "additive", "returns": returns, "weights": w} for w in ("ones", "own", "ranges")]
        found += [
            {"model": m, "returns": returns, "abatement": "unit", "disposability": "weak"} for m in ("ddf", "nddf")
        ]
        found += [{"model": "ddf", "returns": returns, "abatement": "common"}]
    for orientation in ("input", "output", "bad"):
        for disposability in ("weak", "strong"):
            base = {"orientation": orientation, "disposability": disposability}
            found += [{"model": "ccr", **base}, {"model": "bcc", **base}]
    return [ModelSpec(**f, zero="drop_term") for f in found]  # type: ignore[arg-type]


def draw_values(rng: np.random.Generator, n: int, sizes: tuple[int, int, int], kind: str) -> np.ndarray:
    """(n, m+s+q) positive numbers of one kind."""
    k = sum(sizes)
    some = max(n // 3, 1)
    if kind == "ties":
        return rng.integers(1, 4, size=(n, k)).astype(float)
    if kind == "twins":
        return np.exp(rng.normal(size=(some, k)))[rng.integers(0, some, n)]
    if kind == "sizes":
        return np.exp(rng.normal(size=(n, k)) * 0.5) * 10 ** rng.uniform(0, 7, size=(n, 1))
    if kind == "rays":
        return np.exp(rng.normal(size=(some, k)))[rng.integers(0, some, n)] * rng.choice([1.0, 2.0, 0.5], size=(n, 1))
    values = np.exp(rng.normal(size=(n, k)) * 0.5 + rng.normal(size=(n, 1)))
    if kind == "zeros" and sizes[1] > 1:
        m, s, _ = sizes
        goods = values[:, m : m + s]
        hit = rng.random(goods.shape) < 0.3
        hit[:, 0] = False
        goods[hit] = 0.0
    return values


def split(values: np.ndarray, sizes: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    m, s, _ = sizes
    return values[:, :m], values[:, m : m + s], values[:, m + s :]


def draw_problems(count: int, seed: int, most_units: int = 25) -> Iterator[tuple[str, Frontier, ModelSpec]]:
    """Problems of all kinds and models: own, other or self-excluding references of 2 to ``most_units`` units."""
    rng = np.random.default_rng(seed)
    specs = all_specs()
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        spec = specs[int(rng.integers(len(specs)))]
        n = int(rng.integers(2, most_units))
        sizes = (int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(0, 3)))
        if spec.orientation == "bad" and sizes[2] == 0:
            sizes = (*sizes[:2], 1)
        values = draw_values(rng, n, sizes, kind)
        way = rng.random()
        reference = draw_values(rng, int(rng.integers(2, most_units)), sizes, kind) if way < 0.4 else values
        exclude = np.arange(n) if 0.4 <= way < 0.6 else None
        if way < 0.4 and spec.model == "super-sbm":
            exclude = np.full(n, -1)
        frontier = make_frontier(*split(values, sizes), *split(reference, sizes), zero=spec.zero, exclude=exclude)
        yield f"{number} {kind} {spec.describe()}", frontier, spec
