"""Indices from scores written down by hand: formulas, lost transitions, fallbacks, unbalanced panels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from analysis_py.efficiency.index_choice import to_efficiency
from analysis_py.efficiency.indices import ProductivityResult, productivity_indices
from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.efficiency.reference_sets import ReferenceSet, parse_reference
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from tests.unit.efficiency_doubles import TableEvaluator

DDF = ModelSpec("ddf")


def panel_of(keys: list[tuple[str, int]]) -> EfficiencyPanel:
    """A panel whose only input is the number of the row, from 1: what TableEvaluator looks up."""
    rows = np.arange(1.0, len(keys) + 1)
    return make_panel([k[0] for k in keys], [k[1] for k in keys], rows, np.ones(len(keys)))


ONE = panel_of([("a", 2001), ("a", 2002), ("a", 2003)])
Table = dict[tuple[int, int, int], float | str]
#: Inefficiency of row r against the frontier of rows f to l, by (r, f, l).
TABLE: Table = {
    **{(1, 1, 1): 0.5, (2, 2, 2): 0.25, (3, 3, 3): 0.1},  # own periods
    **{(2, 1, 1): 0.2, (1, 2, 2): 0.8, (3, 2, 2): -0.05, (2, 3, 3): 0.4},  # the other period's
    **{(1, 1, 3): 0.9, (2, 1, 3): 0.4, (3, 1, 3): 0.15},  # all periods
    **{(1, 1, 2): 0.85, (2, 1, 2): 0.3, (3, 1, 2): 0.05, (2, 2, 3): 0.45, (3, 2, 3): 0.12},  # two periods
}


def indices(index: str, reference: str | None = None, table: Table | None = None, **more) -> ProductivityResult:
    rule = parse_reference(reference) if reference else None
    evaluator = TableEvaluator(table or TABLE)
    return productivity_indices(more.pop("panel", ONE), DDF, index=index, reference=rule, evaluator=evaluator, **more)


def test_malmquist_luenberger() -> None:
    result = indices("ml")
    first, second = result.transitions
    assert first.index == pytest.approx(math.sqrt(1.5 / 1.2 * 1.8 / 1.25))
    assert first.efficiency_change == pytest.approx(1.5 / 1.25)
    assert first.technical_change == pytest.approx(math.sqrt(1.8 / 1.5 * 1.25 / 1.2))
    assert second.index == pytest.approx(math.sqrt(1.25 / 0.95 * 1.4 / 1.1))
    assert result.cumulative.tolist() == pytest.approx([1, first.index, first.index * second.index])
    assert result.n_lost == 0
    assert result.scores.score.tolist() == [0.5, 0.25, 0.1]


def test_luenberger_adds_up() -> None:
    result = indices("luenberger")
    first, second = result.transitions
    assert first.index == pytest.approx(((0.5 - 0.2) + (0.8 - 0.25)) / 2)
    assert first.efficiency_change == pytest.approx(0.25)
    assert first.technical_change == pytest.approx(first.index - 0.25)
    assert result.cumulative.tolist() == pytest.approx([1, 1 + first.index, 1 + first.index + second.index])


def test_global_index_is_exact_in_its_base() -> None:
    result = indices("gml")
    assert [t.index for t in result.transitions] == pytest.approx([1.9 / 1.4, 1.4 / 1.15])
    assert [t.efficiency_change for t in result.transitions] == pytest.approx([1.5 / 1.25, 1.25 / 1.1])
    assert result.cumulative[0] == 1.0
    assert result.cumulative.tolist() == pytest.approx([1, 1.9 / 1.4, 1.9 / 1.15])
    assert result.scores.reference.kind == "global"
    # another reference changes which scores are reported, not the index
    assert indices("gml", "contemporaneous").cumulative.tolist() == result.cumulative.tolist()
    assert indices("gml", "contemporaneous").scores.score.tolist() == [0.5, 0.25, 0.1]
    assert [t.index for t in indices("ml", "global").transitions] == [t.index for t in result.transitions]


def test_biennial_needs_one_frontier_of_both_periods() -> None:
    result = indices("ml", "biennial")
    assert [t.index for t in result.transitions] == pytest.approx([1.85 / 1.3, 1.45 / 1.12])
    change = [1.5 / 1.25, 1.25 / 1.1]
    assert [t.efficiency_change for t in result.transitions] == pytest.approx(change)
    wanted = [1.85 / 1.3 / change[0], 1.45 / 1.12 / change[1]]
    assert [t.technical_change for t in result.transitions] == pytest.approx(wanted)


def sequential_index() -> float:
    """Of the first transition: own (1,1,1) and (2,1,2), across (2,1,1) and (1,1,2)."""
    return math.sqrt(1.5 / 1.2 * 1.85 / 1.3)


def test_sequential_and_window_frontiers() -> None:
    first, second = indices("ml", "sequential").transitions
    assert first.index == pytest.approx(sequential_index())
    assert first.efficiency_change == pytest.approx(1.5 / 1.3)
    assert second.index == pytest.approx(math.sqrt(1.3 / 1.05 * 1.4 / 1.15))
    first, second = indices("ml", "window:2").transitions
    assert first.index == pytest.approx(sequential_index())
    assert second.index == pytest.approx(math.sqrt(1.3 / 1.05 * 1.45 / 1.12))
    assert second.efficiency_change == pytest.approx(1.3 / 1.12)


def test_lost_transition_is_empty_and_ends_the_series() -> None:
    result = indices("ml", table=TABLE | {(1, 2, 2): "infeasible"})
    lost, kept = result.transitions
    assert math.isnan(lost.index)
    assert math.isnan(lost.technical_change)
    assert lost.efficiency_change == pytest.approx(1.2)  # own-period scores exist
    assert lost.status == "infeasible"
    assert "a, 2001 against the frontier of the period after is infeasible: made up" in lost.reason
    assert kept.is_defined
    assert np.isnan(result.cumulative).tolist() == [False, True, True]
    assert (result.n_lost, result.n_undefined) == (1, 1)
    assert any("1 of 2 transitions (50.0%) were lost: 1 infeasible" in note for note in result.notes)


@pytest.mark.parametrize(("fallback", "wanted"), [("gml", 1.9 / 1.4), ("sequential", sequential_index())])
def test_fallbacks_are_named(fallback: str, wanted: float) -> None:
    result = indices("ml", table=TABLE | {(1, 2, 2): "infeasible"}, fallback=fallback)
    first, second = result.transitions
    assert first.status == f"fallback_{fallback}"
    assert first.index == pytest.approx(wanted)
    assert first.index == pytest.approx(first.efficiency_change * first.technical_change)
    assert "infeasible" in first.reason
    assert second.status == "ok"
    assert (result.n_lost, result.n_undefined) == (1, 0)
    assert result.cumulative.tolist() == pytest.approx([1, first.index, first.index * second.index])


def test_a_fallback_may_fail_too() -> None:
    table = TABLE | {(1, 2, 2): "infeasible", (1, 1, 2): "infeasible"}
    first, _ = indices("ml", table=table, fallback="sequential").transitions
    assert first.status == "infeasible"
    assert math.isnan(first.index)
    assert "with the fallback sequential: " in first.reason


def test_d_below_minus_one_has_no_ratio() -> None:
    result = indices("ml", table=TABLE | {(1, 2, 2): -1.5})
    assert result.transitions[0].status == "undefined"
    assert "no ratio form" in result.transitions[0].reason
    assert indices("luenberger", table=TABLE | {(1, 2, 2): -1.5}).transitions[0].is_defined


def test_unbalanced_panel_by_rule() -> None:
    panel = panel_of([("a", 1), ("b", 1), ("b", 2), ("a", 3), ("b", 3), ("c", 3)])
    table: Table = {(r, *span): r / 10 for r in range(1, 7) for span in ((1, 2), (3, 3), (4, 6), (1, 6))}
    result = indices("ml", panel=panel, table=table)
    assert [(t.start, t.end) for t in result.transitions] == [(1, 2), (2, 4)]
    # a has a gap: its series ends; c begins in 3 with its own base
    assert np.isnan(result.cumulative).tolist() == [False, False, False, True, False, False]
    assert result.cumulative[[0, 1, 5]].tolist() == [1, 1, 1]
    notes = " ".join(result.notes)
    assert "the panel is unbalanced (3 of 9 unit-periods are absent)" in notes
    assert "2 of 6" in notes
    assert "1 unit(s) are absent in 1" in notes
    # one global frontier: the series goes on after the gap
    circular = indices("gml", panel=panel, table=table)
    assert circular.cumulative[3] == pytest.approx(1.1 / 1.4)


def test_transitions_stand_in_the_order_of_their_later_row() -> None:
    panel = panel_of([("b", 2), ("a", 2), ("a", 1), ("b", 1)])
    table: Table = {(r, *span): 0.1 * r for r in range(1, 5) for span in ((1, 2), (3, 4))}
    assert [t.end for t in indices("ml", panel=panel, table=table).transitions] == [0, 1]


@pytest.mark.parametrize(
    ("spec", "index", "reference", "word"),
    [
        (DDF, "malmquist", None, "inefficiency"),
        (ModelSpec("ccr"), "luenberger", None, "ratio"),
        (ModelSpec("additive"), "gml", None, "sums of slacks"),
        (DDF, "gmll", None, "gml"),
        (DDF, "gml", "sequential", "--index ml --reference sequential"),
    ],
)
def test_what_does_not_go_together(spec: ModelSpec, index: str, reference: str | None, word: str) -> None:
    with pytest.raises(CarbonpanelError, match=word) as caught:
        productivity_indices(ONE, spec, index=index, reference=parse_reference(reference) if reference else None)
    assert caught.value.code == "CP-EFFICIENCY-INDEX"


def test_one_period_and_unknown_fallback() -> None:
    with pytest.raises(CarbonpanelError) as caught:
        productivity_indices(panel_of([("a", 1), ("b", 1)]), DDF)
    assert caught.value.code == "CP-EFFICIENCY-PERIODS"
    with pytest.raises(CarbonpanelError, match="sequential") as caught:
        productivity_indices(ONE, DDF, index="ml", fallback="sequental")
    assert caught.value.code == "CP-EFFICIENCY-FALLBACK"


def test_a_fallback_that_is_not_needed_changes_nothing() -> None:
    plain, idle = indices("gml"), indices("gml", fallback="sequential")
    assert plain.transitions == idle.transitions


def test_efficiency_of_each_convention() -> None:
    assert to_efficiency(DDF, np.array([0.0, 1.0, -0.5, -1.0])).tolist()[:3] == [1, 0.5, 2]
    assert np.isnan(to_efficiency(DDF, np.array([-1.0]))).all()
    assert to_efficiency(ModelSpec("ccr", orientation="output"), np.array([2.0])).tolist() == [0.5]
    assert to_efficiency(ModelSpec("sbm"), np.array([0.4])).tolist() == [0.4]


@pytest.mark.parametrize(
    ("text", "period", "wanted"),
    [
        ("contemporaneous", 2, [2]),
        ("global", 2, [0, 1, 2, 3]),
        ("sequential", 2, [0, 1, 2]),
        ("biennial", 0, [0, 1]),
        ("biennial", 3, [2, 3]),
        ("window:2", 0, [0]),
        ("Window: 3", 3, [1, 2, 3]),
    ],
)
def test_reference_sets(text: str, period: int, wanted: list[int]) -> None:
    assert list(parse_reference(text).periods_of(period, 4)) == wanted


def test_biennial_of_one_period_is_that_period() -> None:
    assert list(ReferenceSet("biennial").periods_of(0, 1)) == [0]


@pytest.mark.parametrize(("text", "word"), [("globl", "'global'"), ("window", "window:3"), ("window:0", "window:3")])
def test_unknown_reference_sets(text: str, word: str) -> None:
    with pytest.raises(CarbonpanelError, match=word) as caught:
        parse_reference(text)
    assert caught.value.code == "CP-EFFICIENCY-REFERENCE"
