"""Properties of the simulation's pieces for any input, and of whole worlds for several seeds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from analysis_py.settings import paths
from analysis_py.simulate.defects import KINDS, count_kinds, plant_defects
from analysis_py.simulate.layout import LAYOUT, canonical, printed, quantise
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import accumulate, compose, demean, round_significant
from analysis_py.simulate.projection import build_design, project, winsorise
from analysis_py.simulate.raw_tables import build_raw_tables, frames
from analysis_py.simulate.remeasure import fill_linear, measure_panel
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import SYMBOLS, draw_world

REFERENCE = paths().seeds / "reference"
PRINTED = sorted({(s.source, s.indicator) for s in LAYOUT if s.year_to >= YEARS[0]})
numbers = st.floats(-1e6, 1e6, allow_nan=False, width=64)
panels = arrays(float, st.tuples(st.integers(2, 6), st.integers(2, 9)), elements=numbers)


@given(st.sampled_from(PRINTED), arrays(float, len(YEARS), elements=st.floats(0.0, 1e7)))
def test_printing_loses_only_the_rounding(what: tuple[str, str], values: np.ndarray) -> None:
    numbers = printed(*what, values)
    back = canonical(*what, numbers)
    assert np.array_equal(printed(*what, back), numbers, equal_nan=True)
    spans = [s for s in LAYOUT if (s.source, s.indicator) == what]
    for span in spans:
        inside = (span.year_from <= YEARS) & (span.year_to >= YEARS)
        step = 0.5 * 10.0**-span.decimals / span.factor
        assert np.all(np.abs(back - values)[inside] <= step * (1 + 1e-9) + 1e-9 * values[inside])
    assert np.array_equal(quantise(*what, quantise(*what, values)), quantise(*what, values))


@given(panels)
def test_demeaning_removes_both_effects_and_nothing_else(values: np.ndarray) -> None:
    scale = max(1.0, np.abs(values).max())
    within = demean(values)
    assert np.abs(within.mean(axis=0)).max() < 1e-9 * scale and np.abs(within.mean(axis=1)).max() < 1e-9 * scale
    shifted = values + np.arange(values.shape[0])[:, None] * 3.0 - np.arange(values.shape[1])[None, :] * 2.0
    assert demean(shifted) == pytest.approx(within, abs=1e-8 * scale)


@given(panels)
def test_composition_keeps_slopes_and_sets_levels(parts: np.ndarray) -> None:
    n, t = parts.shape
    outcome = compose(parts, np.arange(float(n)), np.linspace(-1.0, 1.0, t), np.zeros((n, t)))
    scale = max(1.0, np.abs(parts).max())
    assert outcome.mean(axis=1) == pytest.approx(np.arange(float(n)), abs=1e-9 * scale)
    assert demean(outcome) == pytest.approx(demean(parts), abs=1e-8 * scale)


@given(arrays(float, (3, 12), elements=st.one_of(numbers, st.just(float("nan")))), st.integers(1, 5))
def test_linear_fill_keeps_observations_and_respects_gaps(values: np.ndarray, limit: int) -> None:
    filled = fill_linear(values, limit)
    known = ~np.isnan(values)
    assert np.array_equal(filled[known], values[known])
    for before, after in zip(values, filled, strict=True):
        seen = np.flatnonzero(~np.isnan(before))
        if not len(seen):
            assert np.isnan(after).all()
            continue
        assert np.isnan(after[: seen[0]]).all() and np.isnan(after[seen[-1] + 1 :]).all()
        for a, b in pairwise(seen):
            gap = after[a + 1 : b]
            if b - a - 1 > limit:
                assert np.isnan(gap).all()
            elif b - a > 1:
                low, high = sorted((before[a], before[b]))
                slack = 1e-9 * max(1.0, abs(low), abs(high))
                assert np.all((gap >= low - slack) & (gap <= high + slack))


@given(st.integers(0, 2**32), st.floats(0.0, 0.95))
@settings(max_examples=20)
def test_paths_are_stationary(seed: int, rho: float) -> None:
    draw = np.random.default_rng(seed)
    walk = accumulate(draw.standard_normal((4000, 10)), rho)
    assert walk.std(axis=0) == pytest.approx(1.0, abs=0.08)
    assert np.corrcoef(walk[:, -1], walk[:, -2])[0, 1] == pytest.approx(rho, abs=0.08)


@given(st.integers(0, 2**31), arrays(float, 2, elements=st.floats(-5.0, 5.0)))
@settings(max_examples=30)
def test_projection_is_linear_and_exact_without_noise(seed: int, slope: np.ndarray) -> None:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(15, 9, 2))
    usable = draw.uniform(size=(15, 9)) < 0.9
    usable[:, :2] = True
    effects = draw.normal(size=(15, 1)) + draw.normal(size=(1, 9))
    design = build_design(x, x, usable)
    assert project(design, x @ slope + effects) == pytest.approx(slope, abs=1e-8)
    other = draw.normal(size=(15, 9))
    together = project(design, 2.0 * other + x @ slope)
    assert together == pytest.approx(2.0 * project(design, other) + slope, abs=1e-8)


@given(arrays(float, (6, 6), elements=numbers))
def test_winsorising_only_moves_the_extremes(values: np.ndarray) -> None:
    scope = np.ones(values.shape, dtype=bool)
    clipped = winsorise(values, scope, 0.1, 0.9)
    low, high = np.quantile(values, [0.1, 0.9])
    inside = (values >= low) & (values <= high)
    assert np.array_equal(clipped[inside], values[inside])
    assert clipped.min() >= low and clipped.max() <= high


@given(st.floats(1e-8, 1e8), st.integers(1, 8))
def test_significant_digits(value: float, digits: int) -> None:
    rounded = round_significant(value, digits)
    assert abs(rounded - value) <= 0.5000001 * 10 ** (np.floor(np.log10(value)) - digits + 1)
    assert round_significant(rounded, digits) == rounded


def test_streams_are_independent_of_each_other_and_of_their_order() -> None:
    streams = Streams(11)
    first = streams.stream("a").normal(size=5)
    streams.stream("b").normal(size=100)
    assert np.array_equal(first, streams.stream("a").normal(size=5))
    assert not np.array_equal(first, streams.stream("b").normal(size=5))
    assert not np.array_equal(first, Streams(12).stream("a").normal(size=5))


@pytest.mark.parametrize("seed", [1, 2, 3, 4, 5, 6])
def test_every_world_is_whole(seed: int) -> None:
    """Positive emissions and fuels, non-negative counts, measures recovered, defects of every kind, in any world."""
    world = draw_world(seed, REFERENCE)
    raw = build_raw_tables(world)
    assert (world.symbol["CP"] > 0).all() and np.isfinite(world.co2_mt).all()
    for columns in raw.printed.values():
        for name, values in columns.items():
            assert np.nanmin(values) >= (-80 if name.endswith("_growth") else 0), name
    measured = measure_panel(raw, REFERENCE)
    for symbol in SYMBOLS:
        seen = ~np.isnan(measured[symbol])
        truth, found = world.symbol[symbol][seen], measured[symbol][seen]
        assert np.all(np.abs(found - truth) <= 1e-3 * np.abs(truth) + 1e-9), symbol
    counts = count_kinds(plant_defects(raw, world, REFERENCE))
    assert set(counts) == set(KINDS) and min(counts.values()) >= 1
    tables = frames(raw)
    assert {len(tables[f"raw_city_{s}"]) for s in ("energy", "firms", "patents")} == {int(world.places.exists.sum())}
