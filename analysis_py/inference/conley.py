"""Conley's (1999) spatial covariance: rows within a distance of each other are correlated, whatever their periods.

Pairs of places are never held: places lie in strips of latitude as high as the cutoff, ordered by longitude, and are
taken in blocks, each beside the places of its own and the neighbouring strips within reach by longitude. Whether two
are near is read off the straight line through the earth, 2 R sin(d / 2R).
"""

from __future__ import annotations

import numpy as np

from analysis_py.estimators.factors import Factor
from analysis_py.estimators.projection import sum_columns
from analysis_py.interrupts import stop_if_interrupted

EARTH_RADIUS_KM = 6371.0088
#: Pairs worked on at a time, and places of a block.
_PAIRS, _BLOCK = 2_000_000, 64


def great_circle_km(lon: np.ndarray, lat: np.ndarray, other_lon: np.ndarray, other_lat: np.ndarray) -> np.ndarray:
    """Haversine distances in km between points (a,) and points (b,), degrees; shape (a, b)."""
    lon, lat, other_lon, other_lat = (np.radians(v) for v in (lon, lat, other_lon, other_lat))
    half_lat = np.sin((lat[:, None] - other_lat[None, :]) / 2.0) ** 2
    half_lon = np.sin((lon[:, None] - other_lon[None, :]) / 2.0) ** 2
    chord = half_lat + np.cos(lat)[:, None] * np.cos(other_lat)[None, :] * half_lon
    return np.asarray(2.0 * EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(chord, 0.0, 1.0))))


def conley_covariance(
    scores: np.ndarray, lon: np.ndarray, lat: np.ndarray, cutoff_km: float, kernel: str = "uniform"
) -> np.ndarray:
    """Sum over pairs of places a, b of k(d_ab) S_a S_b', from scores (n, p); shape (p, p), symmetric.

    A place is its own neighbour at all times, so errors of one place may be correlated over time as well.
    ``uniform`` weighs every pair within the cutoff by one, ``bartlett`` by 1 - d/cutoff. Time grows with the pairs that
    are near, memory with the places.
    """
    places, location = np.unique(np.column_stack([lat, lon]), axis=0, return_inverse=True)
    summed = sum_columns(scores, Factor("place", np.asarray(location).ravel(), len(places)))
    reach = min(cutoff_km / EARTH_RADIUS_KM, np.pi)
    strips = np.floor((places[:, 0] + 90.0) / max(np.degrees(reach) * (1.0 + 1e-9), 1e-6)).astype(np.int64)
    order = np.lexsort((places[:, 1], strips))
    places, strips, summed = places[order], strips[order], summed[order]
    angle = np.radians(places)
    points = np.column_stack(
        [np.cos(angle[:, 0]) * np.cos(angle[:, 1]), np.cos(angle[:, 0]) * np.sin(angle[:, 1]), np.sin(angle[:, 0])]
    )
    limit = (2.0 * np.sin(reach / 2.0)) ** 2
    total = np.zeros((scores.shape[1], scores.shape[1]))
    step = int(np.clip(_PAIRS // max(len(places), 1), 1, _BLOCK))
    for start in range(0, len(places), step):
        stop_if_interrupted()
        stop = min(start + step, len(places))
        near = _within_reach(places, strips, start, stop, reach)
        squared = np.zeros((stop - start, len(near)))
        for axis in points.T:
            apart = axis[start:stop, None] - axis[None, near]
            apart *= apart
            squared += apart
        weight = (squared <= limit).astype(float)
        if kernel == "bartlett":
            a, b = np.nonzero(weight)
            distance = 2.0 * EARTH_RADIUS_KM * np.arcsin(np.minimum(np.sqrt(squared[a, b]) / 2.0, 1.0))
            weight[a, b] = 1.0 - distance / cutoff_km
        total += summed[start:stop].T @ (weight @ summed[near])
    return np.asarray((total + total.T) / 2.0)


def _within_reach(places: np.ndarray, strips: np.ndarray, start: int, stop: int, reach: float) -> np.ndarray:
    """Positions of all places that may be within ``reach`` (radians) of those from ``start`` to ``stop``."""
    lat, lon = places[start:stop, 0], places[start:stop, 1]
    bounds = np.searchsorted(strips, [strips[start] - 1, strips[stop - 1] + 2])
    polar = np.abs(lat).max() + np.degrees(reach) >= 89.9
    if polar or strips[start] != strips[stop - 1]:
        return np.arange(bounds[0], bounds[1])
    # the meridians that touch a circle of this radius
    wide = np.degrees(np.arcsin(min(np.sin(reach) / np.cos(np.radians(np.abs(lat).max())), 1.0))) * (1.0 + 1e-9) + 1e-9
    low, high = float(lon[0]) - wide, float(lon[-1]) + wide
    found = []
    for strip in range(int(strips[start]) - 1, int(strips[start]) + 2):
        first, last = np.searchsorted(strips, [strip, strip + 1])
        own = places[first:last, 1]
        inside = np.zeros(last - first, dtype=bool)
        for turn in (-360.0, 0.0, 360.0):
            inside[np.searchsorted(own, low + turn) : np.searchsorted(own, high + turn, side="right")] = True
        found.append(first + np.flatnonzero(inside))
    return np.concatenate(found)
