"""Panels as arrays, and scores of all their observations, each against the frontier its rule names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from analysis_py.efficiency.frontier import Frontier, make_frontier
from analysis_py.efficiency.reference_sets import ReferenceSet
from analysis_py.efficiency.scores import Scores, evaluate_frontiers
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import ProgressCallback
from analysis_py.specification.terms import level_label

#: What computes scores; :func:`analysis_py.efficiency.scores.evaluate_frontiers` unless a test brings another.
Evaluator = Callable[..., list[Scores]]


@dataclass(frozen=True)
class EfficiencyPanel:
    """Observations of units over periods, one a row, in the order they came.

    ``units`` and ``periods`` are the labels of the n rows, ``period_labels`` the distinct periods in their order;
    ``unit_codes`` and ``period_codes`` count both from 0. ``inputs`` is (n, m), ``goods`` (n, s), ``bads`` (n, q), all
    positive. Build one with :func:`make_panel`.
    """

    units: tuple[object, ...]
    periods: tuple[object, ...]
    period_labels: tuple[object, ...]
    unit_codes: np.ndarray
    period_codes: np.ndarray
    inputs: np.ndarray
    goods: np.ndarray
    bads: np.ndarray

    def __len__(self) -> int:
        return len(self.units)

    @property
    def n_units(self) -> int:
        return int(self.unit_codes.max()) + 1 if len(self.unit_codes) else 0

    @property
    def n_periods(self) -> int:
        return len(self.period_labels)

    @property
    def is_balanced(self) -> bool:
        return len(self) == self.n_units * self.n_periods

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """``Beijing, 2013`` for each row; the unit alone in a cross-section."""
        units = [level_label(u) for u in self.units]
        if self.n_periods == 1:
            return tuple(units)
        return tuple(f"{u}, {level_label(p)}" for u, p in zip(units, self.periods, strict=True))

    def label(self, row: int) -> str:
        """The label of one row."""
        return self.labels[row]

    def rows_by_unit_period(self) -> np.ndarray:
        """(n_units, n_periods) rows, -1 where a unit was not observed."""
        table = np.full((self.n_units, self.n_periods), -1)
        table[self.unit_codes, self.period_codes] = np.arange(len(self))
        return table

    def take(self, rows: np.ndarray) -> EfficiencyPanel:
        """The panel of ``rows`` alone; periods keep their codes even where no row of theirs is left."""
        _, codes = np.unique(self.unit_codes[rows], return_inverse=True)
        return EfficiencyPanel(
            units=tuple(self.units[r] for r in rows),
            periods=tuple(self.periods[r] for r in rows),
            period_labels=self.period_labels,
            unit_codes=codes.astype(np.int64),
            period_codes=self.period_codes[rows],
            inputs=self.inputs[rows],
            goods=self.goods[rows],
            bads=self.bads[rows],
        )


def make_panel(
    units: Sequence[object],
    periods: Sequence[object] | None,
    inputs: np.ndarray,
    goods: np.ndarray,
    bads: np.ndarray | None = None,
) -> EfficiencyPanel:
    """Put arrays together.

    Parameters
    ----------
    units : n labels.
    periods : n labels, ordered by size (numbers) or by text; None makes one period of all rows.
    inputs, goods, bads : (n, m), (n, s), (n, q) or (n,) arrays in any units of measurement.

    Raises
    ------
    CarbonpanelError : ``CP-PANEL-EMPTY``, ``CP-PANEL-DUPLICATE`` (a unit twice in one period),
        ``CP-EFFICIENCY-VALUE`` (a number that is missing).
    """
    n = len(units)
    if n == 0:
        raise CarbonpanelError("CP-PANEL-EMPTY", "there is no observation to measure")
    times = list(periods) if periods is not None else [1] * n
    x, y = _columns(inputs, n), _columns(goods, n)
    b = _columns(bads, n) if bads is not None else np.empty((n, 0))
    unit_codes, _ = _codes(units)
    period_codes, period_labels = _codes(times)
    panel = EfficiencyPanel(tuple(units), tuple(times), period_labels, unit_codes, period_codes, x, y, b)
    seen: dict[tuple[int, int], int] = {}
    for row, key in enumerate(zip(unit_codes.tolist(), period_codes.tolist(), strict=True)):
        if key in seen:
            raise CarbonpanelError(
                "CP-PANEL-DUPLICATE",
                f"{panel.label(row)} stands in rows {seen[key] + 1} and {row + 1} of the data",
                remedy="keep one row for each unit and period",
            )
        seen[key] = row
    for name, values in (("input", x), ("good output", y), ("bad output", b)):
        bad = np.argwhere(~np.isfinite(values))
        if len(bad):
            row, column = (int(v) for v in bad[0])
            raise CarbonpanelError(
                "CP-EFFICIENCY-VALUE",
                f"{name} {column + 1} of {panel.label(row)} is missing",
                remedy="leave the unit out or bring the number; nothing is filled in",
            )
    return panel


def _columns(values: np.ndarray, n: int) -> np.ndarray:
    array = np.asarray(values, dtype=float)
    array = array.reshape(n, -1) if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != n:
        raise ValueError(f"{array.shape} does not have a row for each of {n} observations")
    return np.ascontiguousarray(array)


def _codes(labels: Sequence[object]) -> tuple[np.ndarray, tuple[object, ...]]:
    """Codes 0, 1, 2 ... in the order of the labels (numbers by size, anything else by text), and the ordered labels."""
    distinct = list(dict.fromkeys(labels))
    if all(isinstance(v, int | float | np.number) and not isinstance(v, bool) for v in distinct):
        ordered = sorted(distinct, key=float)  # type: ignore[arg-type]
    else:
        ordered = sorted(distinct, key=level_label)
    code = {label: at for at, label in enumerate(ordered)}
    return np.array([code[v] for v in labels], dtype=np.int64), tuple(ordered)


@dataclass(frozen=True)
class Task:
    """Evaluate panel rows ``rows`` against the frontier of panel rows ``reference``."""

    rows: np.ndarray
    reference: np.ndarray

    @property
    def key(self) -> tuple[bytes, bytes]:
        return self.rows.tobytes(), self.reference.tobytes()


@dataclass(frozen=True)
class PanelScores:
    """Scores of all n rows of a panel against the frontiers of one rule.

    ``score`` (n,) in the convention of the model, ``status`` and ``reason`` (n texts), ``residual`` (n,);
    ``slacks`` and ``targets`` (n, m+s+q) inputs first, then goods, then bads, in the units of the data; ``multipliers``
    (n, m+s+q) are the shadow prices; ``parts`` the tasks the rows were solved in.
    """

    reference: ReferenceSet
    score: np.ndarray
    status: tuple[str, ...]
    reason: tuple[str, ...]
    residual: np.ndarray
    slacks: np.ndarray
    targets: np.ndarray
    multipliers: np.ndarray
    parts: tuple[tuple[Task, Scores], ...] = field(repr=False)

    @cached_property
    def peers(self) -> tuple[tuple[tuple[int, float], ...], ...]:
        """(panel row, weight) pairs of each row, by falling weight; put together when first asked for."""
        found: list[tuple[tuple[int, float], ...]] = [()] * len(self.score)
        for task, scores in self.parts:
            start, weight = scores.peer_start.tolist(), scores.peer_weight.tolist()
            index = task.reference[scores.peer_index].tolist()
            for at, row in enumerate(task.rows.tolist()):
                span = slice(start[at], start[at + 1])
                pairs = zip(index[span], weight[span], strict=True)
                found[row] = tuple(sorted(pairs, key=lambda peer: (-peer[1], peer[0])))
        return tuple(found)

    @property
    def n_failed(self) -> int:
        """Observations without a score."""
        return sum(s != "ok" for s in self.status)


class Frontiers:
    """Evaluates rows of one panel against frontiers made of its rows; the same task is solved once.

    Parameters
    ----------
    panel, spec : what to measure, and how. The direction ``mean`` is fixed here, once for all frontiers: the means of
        the whole panel, so that scores of several periods are measured along one direction.
    evaluator : replaces the solver in tests.
    """

    def __init__(self, panel: EfficiencyPanel, spec: ModelSpec, *, evaluator: Evaluator | None = None) -> None:
        self.panel = panel
        self.spec = _with_panel_mean(panel, spec)
        self._evaluate = evaluator or evaluate_frontiers
        self._done: dict[tuple[bytes, bytes], Scores] = {}

    def solve(
        self, tasks: Sequence[Task], *, progress: ProgressCallback | None = None, label: str = ""
    ) -> list[Scores]:
        """One :class:`Scores` a task; work is counted in evaluated rows. Stops at a Ctrl-C that got lost."""
        waiting = list({t.key: t for t in tasks if t.key not in self._done}.values())
        frontiers = [self.frontier(t.rows, self.panel, t.reference) for t in waiting]
        for task, scores in zip(waiting, self.evaluate(frontiers, waiting, progress, label), strict=True):
            self._done[task.key] = scores
        return [self._done[t.key] for t in tasks]

    def frontier(self, rows: np.ndarray, other: EfficiencyPanel, reference: np.ndarray) -> Frontier:
        """Rows of this panel before the frontier of rows ``reference`` of ``other`` (this panel, or one like it)."""
        panel, labels = self.panel, self.panel.labels
        exclude = None
        if self.spec.model == "super-sbm":
            place = np.full(len(panel), -1)
            place[reference] = np.arange(len(reference))
            exclude = place[rows]
        return make_frontier(
            panel.inputs[rows],
            panel.goods[rows],
            panel.bads[rows],
            other.inputs[reference],
            other.goods[reference],
            other.bads[reference],
            zero=self.spec.zero,
            exclude=exclude,
            units=[labels[r] for r in rows.tolist()],
        )

    def evaluate(
        self,
        frontiers: Sequence[Frontier],
        tasks: Sequence[Task],
        progress: ProgressCallback | None = None,
        label: str = "",
    ) -> list[Scores]:
        """Scores of frontiers made by :meth:`frontier`, ``tasks`` naming the rows of each; nothing is remembered."""
        if not frontiers:
            return []
        total = sum(len(t.rows) for t in tasks)
        direction = self.spec.direction
        if not isinstance(direction, np.ndarray) or direction.ndim == 1:
            return self._evaluate(frontiers, self.spec, progress=_offset(progress, 0, total, label))
        found, done = [], 0
        for frontier, task in zip(frontiers, tasks, strict=True):  # a direction for each row goes with its rows
            spec = replace(self.spec, direction=direction[task.rows])
            found += self._evaluate([frontier], spec, progress=_offset(progress, done, total, label))
            done += len(task.rows)
        return found

    def own_tasks(self, reference: ReferenceSet) -> list[Task]:
        """Every row against the frontier of its own period; one task where the frontier is the same for all."""
        panel = self.panel
        if reference.is_circular:
            everything = np.arange(len(panel))
            return [Task(everything, everything)]
        tasks = []
        for period in range(panel.n_periods):
            rows = np.flatnonzero(panel.period_codes == period)
            if len(rows):
                periods = reference.periods_of(period, panel.n_periods)
                tasks.append(Task(rows, reference.rows_of(periods, panel.period_codes)))
        return tasks

    def own(self, reference: ReferenceSet, *, progress: ProgressCallback | None = None, label: str = "") -> PanelScores:
        """Scores of all rows against the frontiers of their own periods."""
        tasks = self.own_tasks(reference)
        return _combine(self.panel, reference, tasks, self.solve(tasks, progress=progress, label=label))


def _combine(
    panel: EfficiencyPanel, reference: ReferenceSet, tasks: Sequence[Task], results: Sequence[Scores]
) -> PanelScores:
    """One table of all rows out of the scores of tasks that cover each row once; peers become panel rows."""
    n = len(panel)
    k = panel.inputs.shape[1] + panel.goods.shape[1] + panel.bads.shape[1]
    score, residual = np.full(n, np.nan), np.full(n, np.nan)
    slacks, targets, multipliers = (np.full((n, k), np.nan) for _ in range(3))
    status, reason = [""] * n, [""] * n
    for task, scores in zip(tasks, results, strict=True):
        score[task.rows], residual[task.rows] = scores.score, scores.residual
        slacks[task.rows] = np.hstack([scores.slacks_input, scores.slacks_good, scores.slacks_bad])
        targets[task.rows] = np.hstack([scores.targets_input, scores.targets_good, scores.targets_bad])
        multipliers[task.rows] = scores.duals[:, :k]
        states, reasons = scores.status.tolist(), scores.reason.tolist()
        for at, row in enumerate(task.rows.tolist()):
            status[row], reason[row] = states[at], reasons[at]
    score[np.array(status) != "ok"] = np.nan
    parts = tuple(zip(tasks, results, strict=True))
    return PanelScores(reference, score, tuple(status), tuple(reason), residual, slacks, targets, multipliers, parts)


def _with_panel_mean(panel: EfficiencyPanel, spec: ModelSpec) -> ModelSpec:
    if not isinstance(spec.direction, str) or spec.direction != "mean":
        return spec
    return replace(spec, direction=np.hstack([panel.inputs, panel.goods, panel.bads]).mean(axis=0))


def _offset(progress: ProgressCallback | None, base: int, total: int, label: str) -> ProgressCallback:
    def step(done: int, _: int, __: str = "") -> None:
        stop_if_interrupted()
        if progress is not None:
            progress(base + done, total, label)

    return step
