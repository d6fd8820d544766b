"""Productivity change between neighbouring periods: Malmquist, Luenberger, Malmquist-Luenberger and its global form.

Write E^r(t) for the efficiency of a unit's observation of period t against frontier r, larger being better: theta
(input), 1/phi (output) or rho of ratio models, 1/(1+D) of models that report an inefficiency D. Then

- ``malmquist``, ``ml``   M = sqrt[ E^t(t+1)/E^t(t) * E^{t+1}(t+1)/E^{t+1}(t) ],  EC = E^{t+1}(t+1)/E^t(t),  TC = M/EC
  (Fare, Grosskopf, Norris & Zhang 1994; Chung, Fare & Grosskopf 1997);
- with a ``global`` reference, and ``gml``   M = E^G(t+1)/E^G(t),  EC as above,  TC = M/EC, the change of the
  best-practice gap (Pastor & Lovell 2005; Oh 2010);
- with a ``biennial`` reference   M = E^B(t+1)/E^B(t), B made of both periods (Pastor, Asmild & Lovell 2011);
- ``luenberger``   L = 1/2 [ D^t(t) - D^t(t+1) + D^{t+1}(t) - D^{t+1}(t+1) ],  EC = D^t(t) - D^{t+1}(t+1),  TC = L - EC
  (Chambers, Fare & Grosskopf 1996); 0 is no change.

Nothing undefined is filled in: a mixed-period problem without a solution leaves the index empty, with its reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis_py.efficiency.index_choice import check_index, to_efficiency
from analysis_py.efficiency.panel_scores import EfficiencyPanel, Evaluator, Frontiers, PanelScores, Task
from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS, GLOBAL, SEQUENTIAL, ReferenceSet
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from analysis_py.progress import ProgressCallback
from analysis_py.specification.terms import level_label


@dataclass(frozen=True)
class Transition:
    """Change of one unit from panel row ``start`` to panel row ``end``, of neighbouring periods.

    ``index = efficiency_change * technical_change`` (a sum for Luenberger); NaN where ``status`` is not ok, and then
    ``reason`` says why. ``status`` is ok | infeasible | undefined | failed | fallback_sequential | fallback_gml; a
    fallback's reason says why it was needed. ``pure`` and ``scale`` split the efficiency change, NaN when not asked.
    """

    start: int
    end: int
    index: float
    efficiency_change: float
    technical_change: float
    status: str
    reason: str
    pure: float = float("nan")
    scale: float = float("nan")

    @property
    def is_defined(self) -> bool:
        return bool(np.isfinite(self.index))


@dataclass(frozen=True)
class ProductivityResult:
    """Indices of a panel.

    ``transitions`` in the order of the rows they end in; ``cumulative`` (n,) is 1 in each unit's first period and NaN
    after the series ends; ``scores`` are those against ``reference``; ``notes`` say by which rules the panel was read.
    """

    panel: EfficiencyPanel
    spec: ModelSpec
    index: str
    reference: ReferenceSet
    fallback: str | None
    transitions: tuple[Transition, ...]
    cumulative: np.ndarray
    scores: PanelScores
    notes: tuple[str, ...]

    @property
    def n_lost(self) -> int:
        """Transitions whose index could not be computed, with or without a fallback standing in."""
        return sum(t.status != "ok" for t in self.transitions)

    @property
    def n_undefined(self) -> int:
        """Transitions left without an index."""
        return sum(not t.is_defined for t in self.transitions)


def productivity_indices(
    panel: EfficiencyPanel,
    spec: ModelSpec,
    *,
    index: str = "gml",
    reference: ReferenceSet | None = None,
    fallback: str | None = None,
    scale_split: bool = False,
    evaluator: Evaluator | None = None,
    progress: ProgressCallback | None = None,
) -> ProductivityResult:
    """Indices between neighbouring periods of the panel, with their parts, and their cumulative form.

    Parameters
    ----------
    panel, spec : what to measure and how.
    index : one of :data:`INDICES`; ``ml`` of a ratio model takes the ratio form and equals ``malmquist``.
    reference : frontiers; by default global for gml, contemporaneous for the others. ``gml`` with contemporaneous
        changes only which scores are reported.
    fallback : what stands in for an index whose mixed-period problem has no solution: ``sequential`` frontiers,
        ``gml``, or None: the cumulative series of the unit ends there.
    scale_split : also split the efficiency change into its pure and its scale part, by variable and constant returns.

    Raises
    ------
    CarbonpanelError : see :func:`check_index`; ``CP-EFFICIENCY-PERIODS`` when the panel has one period.
    """
    chosen = check_index(index, spec, reference, fallback)
    if panel.n_periods < 2:
        raise CarbonpanelError(
            "CP-EFFICIENCY-PERIODS",
            "an index needs at least two periods; there is one",
            where="--period",
            remedy="name the column of the periods, or leave --index out",
        )
    frontiers = Frontiers(panel, spec, evaluator=evaluator)
    frontier = GLOBAL if index == "gml" else chosen
    is_difference = index == "luenberger"
    pairs = _pairs(panel)
    found = _changes(frontiers, pairs, frontier, is_difference, progress)
    if fallback is not None:
        found = _fall_back(frontiers, found, fallback, is_difference, progress)
    if scale_split:
        found = _split(panel, spec, found, is_difference, evaluator, progress)
    found = sorted(found, key=lambda t: t.end)
    scores = frontiers.own(chosen, progress=progress, label=f"scores, {chosen.name} frontier")
    if frontier.is_circular:
        cumulative = _relative(frontiers, is_difference)
    else:
        cumulative = _chained(panel, found, is_difference)
    notes = _notes(panel, pairs, frontier, found, fallback, is_difference)
    return ProductivityResult(panel, spec, index, chosen, fallback, tuple(found), cumulative, scores, tuple(notes))


def _pairs(panel: EfficiencyPanel) -> np.ndarray:
    """(k, 2) rows of the same unit in neighbouring periods, by unit and time."""
    table = panel.rows_by_unit_period()
    both = (table[:, :-1] >= 0) & (table[:, 1:] >= 0)
    return np.column_stack([table[:, :-1][both], table[:, 1:][both]]).astype(np.int64)


@dataclass(frozen=True)
class _Measures:
    """E (D for Luenberger) of the panel's rows in one role, NaN with a status and a reason where there is none."""

    value: np.ndarray
    status: list[str]
    reason: list[str]
    role: str


def _read(frontiers: Frontiers, tasks: Sequence[Task], is_difference: bool, role: str) -> _Measures:
    n = len(frontiers.panel)
    measures = _Measures(np.full(n, np.nan), [""] * n, [""] * n, role)
    for task, scores in zip(tasks, frontiers.solve(tasks), strict=True):
        score = np.where(np.asarray(scores.status) == "ok", scores.score, np.nan)
        values = score if is_difference else to_efficiency(frontiers.spec, score)
        measures.value[task.rows] = values
        for at in np.flatnonzero(~np.isfinite(values)).tolist():
            row, status = int(task.rows[at]), str(scores.status[at])
            if status == "ok":
                status, why = "undefined", f"the score is {scores.score[at]:.6g}, which has no ratio form"
            else:
                why = str(scores.reason[at])
            measures.status[row], measures.reason[row] = status, why
    return measures


def _role_tasks(
    frontiers: Frontiers, pairs: np.ndarray, reference: ReferenceSet
) -> tuple[ReferenceSet, dict[str, list[Task]]]:
    """The frontiers of the own-period scores, and what must be solved for pairs in each of three roles.

    ``own``: rows against their own periods; ``end``: the later rows, and ``start``: the earlier rows, of the pairs
    against the frontier the index compares them with.
    """
    panel = frontiers.panel
    if reference.is_circular:
        both = frontiers.own_tasks(reference)
        return CONTEMPORANEOUS, {"own": frontiers.own_tasks(CONTEMPORANEOUS), "start": both, "end": both}
    tasks: dict[str, list[Task]] = {"own": [], "start": [], "end": []}
    for period in range(panel.n_periods - 1):
        of_period = pairs[panel.period_codes[pairs[:, 0]] == period]
        if not len(of_period):
            continue
        if reference.kind == "biennial":
            old = new = range(period, period + 2)
        else:
            old, new = (reference.periods_of(t, panel.n_periods) for t in (period, period + 1))
        tasks["end"].append(Task(np.sort(of_period[:, 1]), reference.rows_of(old, panel.period_codes)))
        tasks["start"].append(Task(np.sort(of_period[:, 0]), reference.rows_of(new, panel.period_codes)))
    own = CONTEMPORANEOUS if reference.kind == "biennial" else reference
    tasks["own"] = frontiers.own_tasks(own)
    return own, tasks


def _changes(
    frontiers: Frontiers,
    pairs: np.ndarray,
    reference: ReferenceSet,
    is_difference: bool,
    progress: ProgressCallback | None,
) -> list[Transition]:
    """One transition a pair, measured against the frontiers of ``reference``."""
    own_reference, tasks = _role_tasks(frontiers, pairs, reference)
    label = f"{reference.name} frontier"
    frontiers.solve([task for role in tasks.values() for task in role], progress=progress, label=label)
    whose = "its own period" if own_reference.kind == "contemporaneous" else f"its own period ({own_reference.name})"
    own = _read(frontiers, tasks["own"], is_difference, whose)
    one_frontier = reference.kind in ("global", "biennial")
    late = _read(frontiers, tasks["end"], is_difference, "all periods" if one_frontier else "the period before")
    early = _read(frontiers, tasks["start"], is_difference, "all periods" if one_frontier else "the period after")
    first, last = pairs[:, 0], pairs[:, 1]

    def change(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        return before - after if is_difference else after / before

    efficiency = change(own.value[first], own.value[last])
    if one_frontier:
        index = change(early.value[first], late.value[last])
    else:
        old, new = change(own.value[first], late.value[last]), change(early.value[first], own.value[last])
        index = (old + new) / 2 if is_difference else np.sqrt(old * new)
    technical = index - efficiency if is_difference else index / efficiency
    found = []
    for at, (start, end) in enumerate(pairs.tolist()):
        asked = ((late, end), (early, start), (own, start), (own, end))
        troubles = [(measures, row) for measures, row in asked if measures.status[row]]
        if troubles:
            status = troubles[0][0].status[troubles[0][1]]
            reason = "; ".join(dict.fromkeys(_explain(frontiers.panel, m, row) for m, row in troubles))
            found.append(Transition(start, end, np.nan, float(efficiency[at]), np.nan, status, reason))
        else:
            numbers = (float(index[at]), float(efficiency[at]), float(technical[at]))
            found.append(Transition(start, end, *numbers, "ok", ""))
    return found


def _explain(panel: EfficiencyPanel, measures: _Measures, row: int) -> str:
    why = f": {measures.reason[row]}" if measures.reason[row] else ""
    return f"{panel.label(row)} against the frontier of {measures.role} is {measures.status[row]}{why}"


def _fall_back(
    frontiers: Frontiers,
    found: Sequence[Transition],
    fallback: str,
    is_difference: bool,
    progress: ProgressCallback | None,
) -> list[Transition]:
    """Lost transitions measured again, all three numbers, against the fallback's frontiers."""
    lost = [t for t in found if not t.is_defined]
    if not lost:
        return list(found)
    reference = SEQUENTIAL if fallback == "sequential" else GLOBAL
    pairs = np.array([(t.start, t.end) for t in lost], dtype=np.int64)
    again = {t.start: t for t in _changes(frontiers, pairs, reference, is_difference, progress)}
    mended = []
    for transition in found:
        other = again.get(transition.start)
        if other is None:
            mended.append(transition)
        elif other.is_defined:
            mended.append(replace(other, status=f"fallback_{fallback}", reason=transition.reason))
        else:
            reason = f"{transition.reason}; with the fallback {fallback}: {other.reason}"
            mended.append(replace(transition, reason=reason))
    return mended


def _split(
    panel: EfficiencyPanel,
    spec: ModelSpec,
    found: Sequence[Transition],
    is_difference: bool,
    evaluator: Evaluator | None,
    progress: ProgressCallback | None,
) -> list[Transition]:
    """Pure (variable returns) and scale (constant over variable returns) efficiency change, own-period frontiers."""
    measures = {}
    for returns in ("crs", "vrs"):
        model = {"crs": "ccr", "vrs": "bcc"}[returns] if spec.model in ("ccr", "bcc") else spec.model
        frontiers = Frontiers(panel, replace(spec, model=model, returns=returns), evaluator=evaluator)
        tasks = frontiers.own_tasks(CONTEMPORANEOUS)
        frontiers.solve(tasks, progress=progress, label=f"scale, {returns}")
        measures[returns] = _read(frontiers, tasks, is_difference, "its own period").value
    split = []
    for t in found:
        changes = {
            k: float(v[t.start] - v[t.end]) if is_difference else float(v[t.end] / v[t.start])
            for k, v in measures.items()
        }
        pure, both = changes["vrs"], changes["crs"]
        split.append(replace(t, pure=pure, scale=both - pure if is_difference else both / pure))
    return split


def _relative(frontiers: Frontiers, is_difference: bool) -> np.ndarray:
    """Each row over its unit's first row, measured against one global frontier: exact, also across gaps."""
    panel = frontiers.panel
    value = _read(frontiers, frontiers.own_tasks(GLOBAL), is_difference, "all periods").value
    table = panel.rows_by_unit_period()
    first = table[np.arange(panel.n_units), (table >= 0).argmax(axis=1)]
    base = value[first][panel.unit_codes]
    relative = 1 + base - value if is_difference else value / base
    relative[first[np.isfinite(value[first])]] = 1.0
    return relative


def _chained(panel: EfficiencyPanel, found: Sequence[Transition], is_difference: bool) -> np.ndarray:
    """Transitions multiplied up (for Luenberger 1 plus their sum) from each unit's first period; NaN once lost."""
    table = panel.rows_by_unit_period()
    cumulative = np.full(len(panel), np.nan)
    cumulative[table[np.arange(panel.n_units), (table >= 0).argmax(axis=1)]] = 1.0
    for t in sorted(found, key=lambda t: int(panel.period_codes[t.end])):
        cumulative[t.end] = cumulative[t.start] + t.index if is_difference else cumulative[t.start] * t.index
    return cumulative


def _notes(
    panel: EfficiencyPanel,
    pairs: np.ndarray,
    frontier: ReferenceSet,
    found: Sequence[Transition],
    fallback: str | None,
    is_difference: bool,
) -> list[str]:
    """The rules the panel was read by, and what was lost, in sentences."""
    notes = []
    if is_difference:
        notes.append("Luenberger changes are differences (0 = none); the cumulative series is 1 plus their sum")
    if not panel.is_balanced:
        missing = panel.n_units * panel.n_periods - len(panel)
        possible = panel.n_units * (panel.n_periods - 1)
        after = (
            "the cumulative series goes on after a gap, the frontier being one for all periods"
            if frontier.is_circular
            else "a cumulative series ends at a gap"
        )
        notes.append(
            f"the panel is unbalanced ({missing} of {panel.n_units * panel.n_periods} unit-periods are absent): every "
            f"observation enters the frontiers of its period; changes are between neighbouring periods of the panel "
            f"with the unit in both ({len(pairs)} of {possible}); {after}"
        )
        late = panel.rows_by_unit_period()[:, 0] < 0
        if late.any():
            first = level_label(panel.period_labels[0])
            notes.append(f"{int(late.sum())} unit(s) are absent in {first}: their base (1) is their own first period")
    lost = [t for t in found if t.status != "ok"]
    if lost:
        kinds = {s: sum(t.status == s for t in lost) for s in sorted({t.status for t in lost})}
        counts = ", ".join(f"{count} {status}" for status, count in kinds.items())
        share = 100 * len(lost) / len(found)
        what = "" if fallback else "; the cumulative series of a unit ends where one is lost (--fallback names others)"
        notes.append(f"{len(lost)} of {len(found)} transitions ({share:.1f}%) were lost: {counts}{what}")
    elif found:
        notes.append(f"no transition was lost ({len(found)} computed)")
    return notes
