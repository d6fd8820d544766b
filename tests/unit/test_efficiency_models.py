"""Models against their papers' programmes, what slacks, targets, peers and multipliers mean, and what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis_py.efficiency.scores import Scores, evaluate
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from tests.unit import efficiency_textbook as textbook
from tests.unit.efficiency_problems import draw_values, split

SIZES = [(1, 1, 0), (2, 2, 0), (2, 1, 1), (3, 2, 2)]


def draw(seed: int, sizes: tuple[int, int, int], n: int = 12) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Inputs, goods and bads of ``n`` ordinary units."""
    return split(draw_values(np.random.default_rng(seed), n, sizes, "smooth"), sizes)


def score(x: np.ndarray, y: np.ndarray, b: np.ndarray, spec: ModelSpec, **options: object) -> Scores:
    return evaluate(x, y, b, x, y, b, spec, **options)  # type: ignore[arg-type]


def books(x: np.ndarray, y: np.ndarray, b: np.ndarray, *, without_self: bool = False) -> list[textbook.Textbook]:
    """A textbook programme for each unit."""
    keep = [np.arange(len(x)) != i if without_self else np.full(len(x), True) for i in range(len(x))]
    return [textbook.Textbook(x[i], y[i], b[i], x[k], y[k], b[k]) for i, k in enumerate(keep)]


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_radial_models(sizes: tuple[int, int, int], returns: str) -> None:
    x, y, b = draw(1, sizes)
    model = "ccr" if returns == "crs" else "bcc"
    sides = ("input", "output", "bad") if sizes[2] else ("input", "output")
    for orientation, weak in itertools.product(sides, (True, False)):
        spec = ModelSpec(model, orientation=orientation, disposability="weak" if weak else "strong")
        wanted = [textbook.radial(book, orientation, returns, weak) for book in books(x, y, b)]
        np.testing.assert_allclose(score(x, y, b, spec).score, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_sbm_of_all_sides(sizes: tuple[int, int, int], returns: str) -> None:
    x, y, b = draw(2, sizes)
    for orientation in ("none", "input", "output", "bad") if sizes[2] else ("none", "input", "output"):
        spec = ModelSpec("sbm", orientation=orientation, returns=returns)
        wanted = [textbook.sbm(book, orientation, returns) for book in books(x, y, b)]
        np.testing.assert_allclose(score(x, y, b, spec).score, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_super_sbm_beyond_one_and_sbm_below(sizes: tuple[int, int, int], returns: str) -> None:
    x, y, b = draw(3, sizes)
    found = score(x, y, b, ModelSpec("super-sbm", returns=returns))
    plain = [textbook.sbm(book, "none", returns) for book in books(x, y, b)]
    beyond = [textbook.super_sbm(book, returns) for book in books(x, y, b, without_self=True)]
    wanted = np.where(np.array(plain) < 1 - 1e-7, plain, beyond)
    np.testing.assert_allclose(found.score, wanted, rtol=0, atol=1e-7)
    assert (found.score > 1).any() and (found.score < 1).any()
    super_units = found.score > 1
    assert np.all(found.targets_input[super_units] >= x[super_units])
    assert np.all(found.targets_good[super_units] <= y[super_units])


@pytest.mark.parametrize("returns", ["crs", "vrs"])
@pytest.mark.parametrize("disposability", ["weak", "strong"])
def test_directional_models(returns: str, disposability: str) -> None:
    sizes = (2, 1, 1)
    x, y, b = draw(4, sizes)
    values = np.hstack([x, y, b])
    weak = disposability == "weak"
    for inputs_move, direction in itertools.product((False, True), ("own", "mean", "ones")):
        spec = ModelSpec(
            "ddf", returns=returns, disposability=disposability, direction=direction, direction_inputs=inputs_move
        )
        move = {"own": values, "mean": np.tile(values.mean(axis=0), (12, 1)), "ones": np.ones_like(values)}[direction]
        move = move * np.array([inputs_move, inputs_move, True, True])
        wanted = [textbook.distance(book, g, returns, weak) for book, g in zip(books(x, y, b), move, strict=True)]
        np.testing.assert_allclose(score(x, y, b, spec).score, wanted, rtol=0, atol=1e-8)


@pytest.mark.parametrize("returns", ["crs", "vrs"])
def test_weights_of_non_radial_models(returns: str) -> None:
    x, y, b = draw(5, (2, 1, 2))
    values = np.hstack([x, y, b])

    def wanted(weights: list[float], *, weak_rest: bool = False) -> list[float]:
        return [
            textbook.slacks(book, np.array(weights) / v, returns, weak_rest)
            for book, v in zip(books(x, y, b), values, strict=True)
        ]

    halves, thirds = [1 / 4, 1 / 4, 1 / 6, 1 / 6, 1 / 6], [1 / 6, 1 / 6, 1 / 3, 1 / 6, 1 / 6]
    for model, weights, numbers in (
        ("sbm-ddf", None, halves),
        ("sbm-ddf", "thirds", thirds),
        ("nddf", None, thirds),
        ("nddf", "halves", halves),
        ("nddf", (0.1, 0.2, 0.3, 0.4, 0.0), [0.1, 0.2, 0.3, 0.4, 0.0]),
        ("nddf", (0.5, 0.2, 0.3), [0.25, 0.25, 0.2, 0.15, 0.15]),
    ):
        spec = ModelSpec(model, returns=returns, weights=weights, disposability="strong")
        np.testing.assert_allclose(score(x, y, b, spec).score, wanted(numbers), rtol=0, atol=1e-8)
    resting = ModelSpec("nddf", returns=returns, direction_inputs=False)
    np.testing.assert_allclose(score(x, y, b, resting).score, wanted([0, 0, 0.5, 0.25, 0.25]), rtol=0, atol=1e-8)
    only_good = ModelSpec("nddf", returns=returns, direction_inputs=False, direction_bads=False)
    held = wanted([0, 0, 1.0, 0, 0], weak_rest=True)
    np.testing.assert_allclose(score(x, y, b, only_good).score, held, rtol=0, atol=1e-8)
    array = ModelSpec("sbm-ddf", returns=returns, direction=np.array([1.0, 2.0, 3.0, 1.0, 1.0]))
    numbers = np.array(halves) / np.array([1.0, 2.0, 3.0, 1.0, 1.0])
    direct = [textbook.slacks(book, numbers, returns) for book in books(x, y, b)]
    np.testing.assert_allclose(score(x, y, b, array).score, direct, rtol=0, atol=1e-8)


def test_additive_weights() -> None:
    x, y, b = draw(6, (2, 1, 0))
    values = np.hstack([x, y, b])
    by_name = {
        "ones": np.ones_like(values),
        "own": 1 / values,
        "ranges": np.tile(1 / (3 * np.ptp(values, axis=0)), (12, 1)),
        "deviations": np.tile(1 / values.std(axis=0, ddof=1), (12, 1)),
    }
    for name, weights in by_name.items():
        wanted = [textbook.slacks(book, w, "vrs") for book, w in zip(books(x, y, b), weights, strict=True)]
        found = score(x, y, b, ModelSpec("additive", returns="vrs", weights=name))
        np.testing.assert_allclose(found.score, wanted, rtol=1e-8, atol=1e-8)


def test_weak_disposability_under_variable_returns_is_what_its_name_says() -> None:
    """Three technologies that nest: equality within a common factor's, and that within one factor a unit."""
    x, y, b = draw(7, (2, 1, 1), n=25)
    names = ("equality", "common", "unit")
    found = {a: score(x, y, b, ModelSpec("ddf", returns="vrs", abatement=a)).score for a in names}
    move = np.hstack([0 * x, y, b])
    wanted = [textbook.kuosmanen(book, g) for book, g in zip(books(x, y, b), move, strict=True)]
    np.testing.assert_allclose(found["unit"], wanted, rtol=0, atol=1e-8)
    assert np.all(found["equality"] <= found["common"] + 1e-9)
    assert np.all(found["common"] <= found["unit"] + 1e-9)
    assert np.ptp(np.vstack(list(found.values())), axis=0).max() > 1e-3
    constant = [score(x, y, b, ModelSpec("ddf", abatement=a)).score for a in names]
    np.testing.assert_array_equal(constant[0], constant[1])
    np.testing.assert_array_equal(constant[0], constant[2])


def test_one_factor_for_all_needs_inputs_at_rest() -> None:
    x, y, b = draw(7, (2, 1, 1))
    for spec in (
        ModelSpec("ddf", returns="vrs", abatement="common", direction_inputs=True),
        ModelSpec("sbm", returns="vrs", abatement="common", disposability="weak"),
    ):
        with pytest.raises(CarbonpanelError, match="not give a linear programme"):
            score(x, y, b, spec)


@pytest.mark.parametrize(
    "spec",
    [
        ModelSpec("ccr"),
        ModelSpec("bcc", orientation="output"),
        ModelSpec("sbm", returns="vrs"),
        ModelSpec("sbm", returns="nirs", orientation="input"),
        ModelSpec("ddf", direction_inputs=True),
        ModelSpec("ddf", returns="vrs", disposability="strong"),
        ModelSpec("nddf", returns="ndrs"),
        ModelSpec("sbm-ddf", returns="vrs"),
        ModelSpec("additive", returns="vrs"),
    ],
    ids=lambda spec: f"{spec.model}-{spec.returns}",
)
def test_targets_peers_and_multipliers_hang_together(spec: ModelSpec) -> None:
    """Peers make the target (up to slack that may not be used), and multipliers price every reference unit at >= 0."""
    x, y, b = draw(8, (2, 2, 1), n=30)
    found = score(x, y, b, spec)
    assert found.score.shape == (30,) and np.all(found.status == "ok")
    for row in range(30):
        made = [np.zeros(2), np.zeros(2), np.zeros(1)]
        for peer, weight in found.peers_of(row):
            assert weight > 0
            for total, block in zip(made, (x, y, b), strict=True):
                total += weight * block[peer]
        np.testing.assert_allclose(made[0], found.targets_input[row], rtol=1e-7)
        np.testing.assert_allclose(made[1], found.targets_good[row], rtol=1e-7)
        np.testing.assert_allclose(made[2], found.targets_bad[row], rtol=1e-7)
    total = {"vrs": 1.0}.get(str(spec.returns))
    if total is not None:
        sums = np.add.reduceat(found.peer_weight, found.peer_start[:-1])
        np.testing.assert_allclose(sums, total, rtol=1e-9)
    v, u, w = found.duals[:, :2], found.duals[:, 2:4], found.duals[:, 4:5]
    free = found.duals[:, 5:6] if spec.returns != "crs" else np.zeros((30, 1))
    price = v @ x.T - u @ y.T + w @ b.T + free
    size = v @ x.T + u @ y.T + np.abs(w) @ b.T + np.abs(free)
    assert (price / size).min() >= -1e-8
    assert v.min() >= -1e-9 and u.min() >= -1e-9
    for row in range(30):
        for peer, _ in found.peers_of(row):
            assert abs(price[row, peer]) <= 1e-7 * size[row, peer]


def test_ccr_multiplier_form() -> None:
    """theta = u'y at v'x = 1 (Charnes, Cooper and Rhodes 1978)."""
    x, y, b = draw(9, (3, 2, 0))
    found = score(x, y, b, ModelSpec("ccr"))
    np.testing.assert_allclose((found.duals[:, :3] * x).sum(axis=1), 1.0, atol=1e-9)
    np.testing.assert_allclose((found.duals[:, 3:5] * y).sum(axis=1), found.score, atol=1e-9)


def test_zero_output_is_refused_or_dropped_by_rule() -> None:
    x, y, b = draw(10, (2, 2, 1))
    y[4, 1] = 0.0
    with pytest.raises(CarbonpanelError, match="good output 2 of unit 'Lhasa' is zero"):
        score(x, y, b, ModelSpec("sbm"), units=["Beijing"] * 4 + ["Lhasa"] + ["Wuhan"] * 7)
    for model in ("bcc", "sbm", "sbm-ddf"):
        spec = ModelSpec(model, returns="vrs", zero="drop_term")
        found = score(x, y, b, spec)
        assert found.reason[4] == "good output 2 is zero: its term is dropped for this unit"
        assert not found.reason[3]
        # the unit is scored as if the output did not exist, the others as if nothing had happened
        alone = evaluate(x[4:5], y[4:5, :1], b[4:5], x, y[:, :1], b, ModelSpec(model, returns="vrs"))
        np.testing.assert_allclose(found.score[4], alone.score[0], atol=1e-9)
        filled = y.copy()
        filled[4, 1] = 1e-12
        others = np.arange(12) != 4
        nearly = evaluate(x[others], y[others], b[others], x, filled, b, ModelSpec(model, returns="vrs"))
        np.testing.assert_allclose(found.score[others], nearly.score, atol=1e-7)
    y[4] = 0.0
    with pytest.raises(CarbonpanelError, match="no good output above zero"):
        score(x, y, b, ModelSpec("sbm", zero="drop_term"))


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ((0, 1), 0.0, "input 1 of unit 2 is zero"),
        ((0, 1), -3.0, r"input 1 of unit 2 is negative \(-3\)"),
        ((1, 0), np.nan, "good output 1 of unit 1 is not a number"),
        ((2, 2), np.inf, "bad output 1 of unit 3 is not a number"),
        ((2, 5), 0.0, "bad output 1 of unit 6 is zero"),
    ],
)
def test_what_has_no_score_is_refused_by_name(place: tuple[int, int], value: float, said: str) -> None:
    blocks = draw(11, (1, 1, 1))
    blocks[place[0]][place[1], 0] = value
    for zero in ("refuse", "drop_term"):
        with pytest.raises(CarbonpanelError, match=said) as caught:
            score(*blocks, ModelSpec("sbm", zero=zero))
        assert caught.value.code == "CP-EFFICIENCY-VALUE"
        assert caught.value.remedy


def test_reference_units_are_checked_too() -> None:
    x, y, _ = draw(12, (1, 1, 0))
    other = x.copy()
    other[3, 0] = 0.0
    with pytest.raises(CarbonpanelError, match="input 1 of unit 4 of the reference is zero"):
        evaluate(x, y, None, other, y, None, ModelSpec("ccr"))
    with pytest.raises(CarbonpanelError, match="reference set has no unit"):
        evaluate(x, y, None, x[:0], y[:0], None, ModelSpec("ccr"))


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ({"model": "sbn"}, "did you mean 'sbm'"),
        ({"model": "sbm", "returns": "vsr"}, "did you mean 'vrs'"),
        ({"model": "ccr", "returns": "vrs"}, "does not have 'vrs' returns"),
        ({"model": "ccr", "orientation": "none"}, "needs an orientation"),
        ({"model": "ddf", "orientation": "input"}, "has no orientation"),
        ({"model": "sbm", "direction": "own"}, "has no direction"),
        ({"model": "ddf", "weights": "halves"}, "has no weights"),
        ({"model": "sbm-ddf", "weights": "halfs"}, "did you mean 'halves'"),
        ({"model": "sbm-ddf", "weights": (0.0, 0.0)}, "not usable"),
        ({"model": "ddf", "direction": (-1.0, 1.0)}, "not usable"),
        ({"model": "sbm", "zero": "shift"}, "unknown zero"),
    ],
)
def test_wrong_choices_are_said(choices: dict[str, object], said: str) -> None:
    with pytest.raises(CarbonpanelError, match=said) as caught:
        ModelSpec(**choices)  # type: ignore[arg-type]
    assert caught.value.code == "CP-EFFICIENCY-SPEC"


def test_weights_and_directions_that_do_not_fit_the_columns_are_said() -> None:
    x, y, b = draw(13, (2, 1, 1))
    for spec, said in (
        (ModelSpec("nddf", weights=(1.0, 2.0)), "2 weights and 4 variables"),
        (ModelSpec("ddf", direction=np.ones(3)), "there are 4 variables"),
        (ModelSpec("ddf", direction=np.zeros(4)), "nothing of unit '1' moves"),
        (ModelSpec("sbm", weights=(0.0, 0.0, 0.0, 1.0), orientation="input"), "no slack counts"),
    ):
        with pytest.raises(CarbonpanelError, match=said):
            score(x, y, b, spec)
    with pytest.raises(CarbonpanelError, match="needs a bad output"):
        evaluate(x, y, None, x, y, None, ModelSpec("sbm", orientation="bad"))


def test_unit_beyond_the_frontier_of_others() -> None:
    """Radial distance is negative there, slack-based ones are infeasible with a reason, never a filled number."""
    x, y, b = draw(14, (2, 1, 1))
    beyond = evaluate(x, 10 * y, b, x, y, b, ModelSpec("ddf", disposability="strong"))
    assert np.all(beyond.score < 0)
    found = evaluate(x, 10 * y, b, x, y, b, ModelSpec("sbm-ddf"))
    assert np.all(found.status == "infeasible") and np.all(np.isnan(found.score))
    assert all("reaches" in reason for reason in found.reason)
    assert np.all(found.residual <= 1e-7)
    assert len(found.peer_index) == 0 and np.all(np.isnan(found.targets_input))
