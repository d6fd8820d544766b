"""What every productivity index must obey, whatever the data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis_py.efficiency.indices import ProductivityResult, productivity_indices
from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.efficiency.reference_sets import parse_reference
from analysis_py.efficiency.specification import ModelSpec

SPECS = {
    "ccr": ModelSpec("ccr"),
    "bcc-output": ModelSpec("bcc", orientation="output"),
    "ddf": ModelSpec("ddf"),
    "ddf-vrs-strong": ModelSpec("ddf", returns="vrs", disposability="strong"),
    "sbm": ModelSpec("sbm"),
    "sbm-ddf": ModelSpec("sbm-ddf", returns="vrs"),
    "nddf": ModelSpec("nddf"),
}
FAST = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def draw_panel(seed: int, *, n: int = 7, periods: int = 3, missing: int = 0) -> EfficiencyPanel:
    """A panel with technical progress; rows in random order, ``missing`` of them left out."""
    rng = np.random.default_rng(seed)
    keys = [(u, t) for t in range(periods) for u in range(n)]
    kept = np.sort(rng.permutation(len(keys))[missing:])
    order = rng.permutation(kept)
    x = rng.lognormal(0, 0.6, (len(keys), 2))
    progress = 1.04 ** np.array([t for _, t in keys])
    y = x.prod(axis=1) ** 0.5 * np.exp(-np.abs(rng.normal(0, 0.3, len(keys)))) * progress
    b = y * rng.lognormal(0, 0.4, len(keys))
    units, times = zip(*[keys[i] for i in order], strict=True)
    return make_panel(units, times, x[order], y[order], b[order])


def indices(panel: EfficiencyPanel, model: str, index: str, reference: str | None = None, **more) -> ProductivityResult:
    rule = parse_reference(reference) if reference else None
    return productivity_indices(panel, SPECS[model], index=index, reference=rule, **more)


def by_key(result: ProductivityResult, quantity: str = "index") -> dict[tuple[object, object], float]:
    panel = result.panel
    return {(panel.units[t.end], panel.periods[t.end]): getattr(t, quantity) for t in result.transitions}


@FAST
@given(
    seed=st.integers(0, 10**6),
    model=st.sampled_from(sorted(SPECS)),
    reference=st.sampled_from(["contemporaneous", "global", "sequential", "biennial", "window:2"]),
)
def test_index_is_the_product_of_its_parts(seed: int, model: str, reference: str) -> None:
    result = indices(draw_panel(seed, missing=2), model, "ml", reference, scale_split=True)
    assert result.transitions
    for t in result.transitions:
        if t.is_defined:
            assert t.index == pytest.approx(t.efficiency_change * t.technical_change, rel=1e-10)
            assert t.index > 0
        else:
            assert t.reason
        if reference in ("contemporaneous", "global", "biennial") and np.isfinite(t.pure):
            own = t.pure if SPECS[model].returns == "vrs" else t.pure * t.scale
            assert own == pytest.approx(t.efficiency_change, rel=1e-9)


@FAST
@given(seed=st.integers(0, 10**6), model=st.sampled_from(["ddf", "ddf-vrs-strong", "sbm-ddf", "nddf"]))
def test_luenberger_is_the_sum_of_its_parts(seed: int, model: str) -> None:
    for reference in ("contemporaneous", "global"):
        for t in indices(draw_panel(seed), model, "luenberger", reference).transitions:
            if t.is_defined:
                assert t.index == pytest.approx(t.efficiency_change + t.technical_change, abs=1e-10)


@FAST
@given(seed=st.integers(0, 10**6), model=st.sampled_from(sorted(SPECS)))
def test_global_index_is_circular(seed: int, model: str) -> None:
    panel = draw_panel(seed, periods=4)
    result = indices(panel, model, "gml")
    assert result.n_lost == 0
    steps = by_key(result)
    for row in range(len(panel)):
        unit, period = panel.units[row], int(panel.periods[row])  # type: ignore[call-overload]
        chained = np.prod([steps[unit, t] for t in range(1, period + 1)])
        assert result.cumulative[row] == pytest.approx(chained, rel=1e-10)
    # and in one step from the first to the last period
    first = {panel.units[r]: r for r in range(len(panel)) if panel.periods[r] == 0}
    last = {panel.units[r]: r for r in range(len(panel)) if panel.periods[r] == 3}
    score = result.scores.score
    inefficiency = {"ddf", "ddf-vrs-strong", "sbm-ddf", "nddf"}
    for unit, a in first.items():
        b = last[unit]
        if model in inefficiency:
            direct = (1 + score[a]) / (1 + score[b])
        elif model == "bcc-output":
            direct = score[a] / score[b]
        else:
            direct = score[b] / score[a]
        assert result.cumulative[b] == pytest.approx(direct, rel=1e-10)


@FAST
@given(
    seed=st.integers(0, 10**6),
    model=st.sampled_from(sorted(SPECS)),
    index=st.sampled_from(["gml", "ml"]),
    powers=st.tuples(*[st.integers(-4, 4)] * 4),
)
def test_units_of_measurement_do_not_matter(seed: int, model: str, index: str, powers: tuple[int, ...]) -> None:
    panel = draw_panel(seed)
    scale = 10.0 ** np.array(powers)
    other = make_panel(
        panel.units, panel.periods, panel.inputs * scale[:2], panel.goods * scale[2], panel.bads * scale[3]
    )
    one, two = indices(panel, model, index), indices(other, model, index)
    for quantity in ("index", "efficiency_change", "technical_change"):
        a, b = by_key(one, quantity), by_key(two, quantity)
        np.testing.assert_allclose(list(a.values()), list(b.values()), rtol=1e-9, atol=0)
    assert [t.status for t in one.transitions] == [t.status for t in two.transitions]


@FAST
@given(seed=st.integers(0, 10**6), model=st.sampled_from(sorted(SPECS)))
def test_order_of_rows_does_not_matter(seed: int, model: str) -> None:
    panel = draw_panel(seed, missing=3)
    shuffled = panel.take(np.random.default_rng(seed).permutation(len(panel)))
    for index in ("ml", "gml"):
        a, b = by_key(indices(panel, model, index)), by_key(indices(shuffled, model, index))
        assert set(a) == set(b)
        np.testing.assert_allclose([b[k] for k in a], list(a.values()), rtol=1e-9)


@FAST
@given(seed=st.integers(0, 10**6), model=st.sampled_from(["ccr", "ddf", "sbm", "sbm-ddf"]))
def test_nothing_changes_where_nothing_changes(seed: int, model: str) -> None:
    one = draw_panel(seed, periods=1)
    again = make_panel(
        [*one.units] * 2,
        [1] * len(one) + [2] * len(one),
        np.vstack([one.inputs, one.inputs]),
        np.vstack([one.goods, one.goods]),
        np.vstack([one.bads, one.bads]),
    )
    for index in ("ml", "gml"):
        result = indices(again, model, index)
        for quantity in ("index", "efficiency_change", "technical_change"):
            np.testing.assert_allclose(list(by_key(result, quantity).values()), 1, rtol=1e-9)


@FAST
@given(seed=st.integers(0, 10**6), growth=st.floats(0.8, 1.3))
def test_neutral_growth_is_technical_change(seed: int, growth: float) -> None:
    """All goods and no bads grow by one factor: CRS Malmquist is that factor, all of it technical change."""
    one = draw_panel(seed, periods=1)
    both = make_panel(
        [*one.units] * 2,
        [1] * len(one) + [2] * len(one),
        np.vstack([one.inputs, one.inputs]),
        np.vstack([one.goods, one.goods * growth]),
    )
    for reference in ("contemporaneous", "global"):
        result = indices(both, "ccr", "malmquist", reference)
        np.testing.assert_allclose(list(by_key(result, "efficiency_change").values()), 1, rtol=1e-9)
        np.testing.assert_allclose(list(by_key(result).values()), growth, rtol=1e-9)


@FAST
@given(seed=st.integers(0, 10**6))
def test_wider_frontiers_never_raise_efficiency(seed: int) -> None:
    panel = draw_panel(seed, periods=4, missing=2)
    found = {
        name: indices(panel, "ddf-vrs-strong", "ml", name).scores.score
        for name in ("contemporaneous", "window:2", "sequential", "global")
    }
    assert (found["window:2"] >= found["contemporaneous"] - 1e-9).all()
    assert (found["sequential"] >= found["window:2"] - 1e-9).all()
    assert (found["global"] >= found["sequential"] - 1e-9).all()


def test_biennial_and_global_lose_nothing_where_contemporaneous_does() -> None:
    panel = draw_panel(5, n=12, periods=5)
    assert indices(panel, "sbm-ddf", "ml").n_lost > 0
    assert indices(panel, "sbm-ddf", "ml", "biennial").n_lost == 0
    assert indices(panel, "sbm-ddf", "gml").n_lost == 0
    mended = indices(panel, "sbm-ddf", "ml", fallback="gml")
    assert mended.n_lost > 0
    assert mended.n_undefined == 0
    assert np.isfinite(mended.cumulative).all()
