"""What holds for every data set: invariances, bounds and orders of scores, on data drawn by hypothesis."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from analysis_py.efficiency.scores import Scores, evaluate
from analysis_py.efficiency.specification import ModelSpec
from tests.unit.efficiency_problems import draw_values, split

MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
Blocks = tuple[np.ndarray, np.ndarray, np.ndarray]

#: Models whose scores do not depend on units of measurement (the additive one with weights of one does).
INVARIANT = [
    ModelSpec("ccr"),
    ModelSpec("ccr", orientation="output", disposability="strong"),
    ModelSpec("bcc"),
    ModelSpec("bcc", orientation="output"),
    ModelSpec("additive", returns="vrs", weights="own"),
    ModelSpec("additive", returns="vrs", weights="ranges"),
    ModelSpec("sbm"),
    ModelSpec("sbm", returns="vrs"),
    ModelSpec("sbm", orientation="input", disposability="weak"),
    ModelSpec("sbm", orientation="output", returns="nirs"),
    ModelSpec("super-sbm"),
    ModelSpec("super-sbm", returns="vrs", orientation="input"),
    ModelSpec("ddf"),
    ModelSpec("ddf", returns="vrs", abatement="unit", direction_inputs=True),
    ModelSpec("nddf", returns="ndrs"),
    ModelSpec("nddf", direction="mean"),
    ModelSpec("sbm-ddf", returns="vrs"),
    ModelSpec("sbm-ddf", weights="thirds"),
]
BOUNDED = [s for s in INVARIANT if s.model != "super-sbm"]
KIND = st.sampled_from(["smooth", "ties", "twins", "sizes", "rays"])


@st.composite
def data(draw: st.DrawFn, with_bads: bool = False) -> Blocks:
    """Inputs, goods and bads of 3 to 30 units of any kind."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sizes = (draw(st.integers(1, 3)), draw(st.integers(1, 2)), draw(st.integers(1 if with_bads else 0, 2)))
    return split(draw_values(rng, draw(st.integers(3, 30)), sizes, draw(KIND)), sizes)


def score(blocks: Blocks, spec: ModelSpec) -> Scores:
    return evaluate(*blocks, *blocks, spec)


def rows(blocks: Blocks, chosen: np.ndarray) -> Blocks:
    return blocks[0][chosen], blocks[1][chosen], blocks[2][chosen]


def assert_scores(found: np.ndarray, wanted: np.ndarray, tolerance: float) -> None:
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)


@MANY
@given(data(), st.sampled_from(INVARIANT), st.integers(0, 2**32 - 1))
def test_units_of_measurement_do_not_matter(blocks: Blocks, spec: ModelSpec, seed: int) -> None:
    rng = np.random.default_rng(seed)
    scaled = tuple(block * 10.0 ** rng.integers(-9, 10, size=block.shape[1]) for block in blocks)
    first, second = score(blocks, spec), score(scaled, spec)  # type: ignore[arg-type]
    np.testing.assert_array_equal(first.status, second.status)
    assert_scores(second.score, first.score, 1e-9)


@MANY
@given(data(), st.sampled_from(BOUNDED), st.integers(0, 2**32 - 1))
def test_a_duplicated_unit_changes_nothing(blocks: Blocks, spec: ModelSpec, seed: int) -> None:
    n = len(blocks[0])
    twin = int(np.random.default_rng(seed).integers(n))
    if spec.model in ("nddf", "additive"):  # their means and ranges are of the data: a twin would change the mean
        spec = ModelSpec(spec.model, returns=spec.returns)
    more = score(rows(blocks, np.append(np.arange(n), twin)), spec)
    less = score(blocks, spec)
    assert_scores(more.score[:n], less.score, 1e-8)
    assert_scores(more.score[n], less.score[twin], 1e-8)


@MANY
@given(data(), st.sampled_from(INVARIANT), st.integers(0, 2**32 - 1))
def test_order_of_units_does_not_matter(blocks: Blocks, spec: ModelSpec, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(blocks[0]))
    first, second = score(blocks, spec), score(rows(blocks, order), spec)
    assert_scores(second.score, first.score[order], 1e-8)


@MANY
@given(data(), st.sampled_from(BOUNDED))
def test_bounds(blocks: Blocks, spec: ModelSpec) -> None:
    found = score(blocks, spec)
    assert np.all(found.status == "ok")
    assert found.residual.max() <= 1e-9
    if spec.is_inefficiency:
        assert found.score.min() >= 0.0
    elif spec.model in ("ccr", "bcc") and spec.orientation == "output":
        assert found.score.min() >= 1.0
    else:
        assert found.score.min() > 0.0
        assert found.score.max() <= 1.0
    best = 0.0 if spec.is_inefficiency else 1.0
    scale = np.abs(found.score).max() + 1.0
    assert np.abs(found.score - best).min() <= 1e-9 * scale  # somebody is on the frontier


@MANY
@given(data(), st.sampled_from(["crs", "vrs"]), st.sampled_from(["none", "input", "output"]))
def test_super_efficiency_only_of_efficient_units(blocks: Blocks, returns: str, orientation: str) -> None:
    plain = score(blocks, ModelSpec("sbm", returns=returns, orientation=orientation))
    found = score(blocks, ModelSpec("super-sbm", returns=returns, orientation=orientation))
    inefficient = plain.score < 1.0 - 1e-9
    np.testing.assert_array_equal(found.score[inefficient], plain.score[inefficient])
    measured = ~inefficient & (found.status == "ok")
    assert np.all(found.score[measured] >= 1.0 - 1e-9)
    assert set(found.status.tolist()) <= {"ok", "infeasible"}


@MANY
@given(data(), st.sampled_from(["input", "output"]), st.sampled_from(["weak", "strong"]))
def test_constant_returns_envelop_variable_ones(blocks: Blocks, orientation: str, disposability: str) -> None:
    constant = score(blocks, ModelSpec("ccr", orientation=orientation, disposability=disposability)).score
    variable = score(blocks, ModelSpec("bcc", orientation=orientation, disposability=disposability)).score
    sign = 1.0 if orientation == "input" else -1.0
    assert np.all(sign * constant <= sign * variable + 1e-9 * np.abs(variable))
    for model in ("sbm-ddf", "ddf", "nddf"):
        ordered = [score(blocks, ModelSpec(model, returns=r)).score for r in ("vrs", "nirs", "crs")]
        assert np.all(ordered[0] <= ordered[1] + 1e-8 * (1 + ordered[1]))
        assert np.all(ordered[1] <= ordered[2] + 1e-8 * (1 + ordered[2]))


@MANY
@given(data(with_bads=True), st.sampled_from(["weak", "strong"]), st.sampled_from(["crs", "vrs"]))
def test_an_added_bad_never_raises_radial_inefficiency(blocks: Blocks, disposability: str, returns: str) -> None:
    x, y, b = blocks
    for choices in ({"direction_bads": False}, {}):
        spec = ModelSpec("ddf", returns=returns, disposability=disposability, **choices)  # type: ignore[arg-type]
        fewer = score((x, y, b[:, :-1]), spec).score
        more = score(blocks, spec).score
        assert np.all(more <= fewer + 1e-8 * (1 + fewer))


@MANY
@given(data(with_bads=True), st.sampled_from(["crs", "vrs"]))
def test_weak_disposability_never_raises_inefficiency(blocks: Blocks, returns: str) -> None:
    weak, strong = (score(blocks, ModelSpec("ddf", returns=returns, disposability=d)).score for d in ("weak", "strong"))
    assert np.all(weak <= strong + 1e-8 * (1 + strong))


@MANY
@given(data(), st.sampled_from(["crs", "vrs"]))
def test_slacks_based_scores_are_below_radial_ones(blocks: Blocks, returns: str) -> None:
    """rho <= theta (Tone 2001, theorem 4), bads strongly disposable in both."""
    model = "ccr" if returns == "crs" else "bcc"
    theta = score(blocks, ModelSpec(model, disposability="strong")).score
    rho_input = score(blocks, ModelSpec("sbm", orientation="input", returns=returns)).score
    rho = score(blocks, ModelSpec("sbm", returns=returns)).score
    assert np.all(rho_input <= theta + 1e-9)
    assert np.all(rho <= rho_input + 1e-9)


@MANY
@given(data(), st.floats(1e-3, 1e4))
def test_size_does_not_matter_under_constant_returns(blocks: Blocks, factor: float) -> None:
    """A unit blown up keeps its score when returns are constant, whatever the seven orders of magnitude around it."""
    bigger = tuple(block.copy() for block in blocks)
    for block in bigger:
        block[0] *= factor
    for spec in (ModelSpec("ccr"), ModelSpec("sbm"), ModelSpec("sbm-ddf"), ModelSpec("ddf")):
        assert_scores(score(bigger, spec).score, score(blocks, spec).score, 1e-8)  # type: ignore[arg-type]
