"""How cells of the printed tables are spoilt: single cells picked, runs of cells emptied, each noted as a defect."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.places import FIRST_YEAR, SANSHA, YEARS
from analysis_py.simulate.raw_tables import RawTables


@dataclass(frozen=True)
class Defect:
    """One planted defect; an empty ``city_code`` is every city, an empty ``indicator`` the whole row."""

    kind: str
    source: str
    city_code: str
    year: int
    indicator: str
    description: str


#: (source, indicator, city_code, year) of spoilt cells.
Cells = set[tuple[str, str, str, int]]


def empty_runs(
    raw: RawTables,
    draw: np.random.Generator,
    source: str,
    names: tuple[str, ...],
    chance: np.ndarray,
    protected: Cells,
) -> list[Defect]:
    """Gaps of one to five years (most short) inside the series, in one indicator or in the whole row."""
    places = raw.places
    start = draw.uniform(size=places.exists.shape) < chance
    length = draw.choice([1, 2, 3, 5], p=[0.6, 0.2, 0.12, 0.08], size=places.exists.shape)
    out = []
    for i, t in zip(*np.nonzero(start), strict=True):
        last = min(int(t + length[i, t]), len(YEARS) - 1)
        if t == 0 or last >= np.flatnonzero(places.exists[i])[-1] or places.code[i] == SANSHA:
            continue
        cells = [(n, y) for n in names for y in range(t, last)]
        if any((source, n, str(places.code[i]), int(YEARS[y])) in protected for n, y in cells):
            continue
        out += blank(raw, source, names, int(i), int(t), last)
    return out


def trim_edges(
    raw: RawTables,
    draw: np.random.Generator,
    source: str,
    names: tuple[str, ...],
    chance: np.ndarray,
    *,
    since: int = FIRST_YEAR,
    protected: Cells | None = None,
) -> list[Defect]:
    """Series that start late or end early; ``since`` is the first year of the series, ``protected`` stays as it is."""
    places = raw.places
    late = draw.uniform(size=places.count) < chance
    early = draw.uniform(size=places.count) < 0.5 * chance
    begins = draw.integers(1, 7, places.count)
    ends = draw.integers(1, 5, places.count)
    kept = {(name, code, year) for where, name, code, year in protected or () if where == source}
    out = []
    for i in range(places.count):
        alive = np.flatnonzero(places.exists[i] & (since <= YEARS))
        if places.code[i] == SANSHA or not len(alive):
            continue
        edges = []
        if late[i] and alive[0] + begins[i] < alive[-1]:
            edges.append((int(alive[0]), int(alive[0] + begins[i])))
        if early[i] and alive[-1] - ends[i] > alive[0]:
            edges.append((int(alive[-1] + 1 - ends[i]), int(alive[-1] + 1)))
        for start, stop in edges:
            inside = {(n, str(places.code[i]), int(y)) for n in names for y in YEARS[start:stop]}
            if not inside & kept:
                out += blank(raw, source, names, i, start, stop)
    return out


def blank(raw: RawTables, source: str, names: tuple[str, ...], i: int, start: int, stop: int) -> list[Defect]:
    """Empty the printed years ``start:stop`` of some indicators; one defect a run, none where nothing was printed."""
    table = raw.printed[source]
    had = any(not np.isnan(table[n][i, start:stop]).all() for n in names)
    if not had:
        return []
    for name in names:
        table[name][i, start:stop] = np.nan
        if source == "city_yearbook" and name in raw.revised:
            raw.revised[name][i, start:stop] = np.nan
    indicator = names[0] if len(names) == 1 else ""
    text = f"empty {YEARS[start]}-{YEARS[stop - 1]}" + ("" if indicator else ", the whole row")
    return [Defect("missing", source, str(raw.places.code[i]), int(YEARS[start]), indicator, text)]


def pick(draw: np.random.Generator, allowed: np.ndarray, count: int) -> list[tuple[int, int]]:
    """``count`` different cells among those allowed, in order."""
    cells = np.argwhere(allowed)
    chosen = draw.choice(len(cells), size=min(count, len(cells)), replace=False)
    return [(int(cells[k, 0]), int(cells[k, 1])) for k in sorted(chosen)]


def note(raw: RawTables, kind: str, source: str, name: str, i: int, t: int, text: str) -> Defect:
    return Defect(kind, source, str(raw.places.code[i]), int(YEARS[t]), name, text)


def number(value: float) -> str:
    return f"{value:.4f}".rstrip("0").rstrip(".")
