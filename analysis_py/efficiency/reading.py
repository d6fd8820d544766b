"""From solved programmes to scores, slacks, targets, peers and multipliers in the units of the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.directions import resolve_direction
from analysis_py.efficiency.frontier import Array, Frontier
from analysis_py.efficiency.models import SNAP, Programme
from analysis_py.efficiency.solution import INFEASIBLE, OK, UNBOUNDED, Solution
from analysis_py.efficiency.specification import ModelSpec


@dataclass(frozen=True)
class Scores:
    """Scores of n units against r reference units (m inputs, s goods, q bads).

    ``score`` (n,), NaN where ``status`` (n texts: ok, infeasible, unbounded, failed) is not ok; ``residual`` (n,) the
    largest of primal, dual and gap residual of the scaled programme, checked over all reference units (for an
    infeasible one, how far its Farkas row is violated); ``reason`` (n texts), empty where there is nothing to say.

    ``slacks_input``, ``slacks_good``, ``slacks_bad`` (n, m), (n, s), (n, q) in the data's units, and ``targets_*`` the
    same shapes: values minus movement minus slack (goods: plus). In super-efficiency slacks are negative: the target
    lies beyond the unit. Radial models report the largest slacks among all optima, in shares of own values.

    Peers of unit i are reference units ``peer_index[peer_start[i]:peer_start[i+1]]`` with intensities ``peer_weight``.
    Under ``unit`` abatement a weight is that of the peer's inputs (abated and not), under ``common`` it is after
    abatement.

    ``duals`` (n, m+s+q, and one more where returns are not constant): multipliers v, u, w >= 0 (w free under weak
    disposability) and the free term u0 in the data's units: v'x_j - u'y_j + w'b_j + u0 >= 0 for every reference unit j.
    Duals need not be unique. ``n_pivot`` counts simplex steps, ``n_fallback`` programmes solved again in full.
    """

    spec: ModelSpec
    score: Array
    status: NDArray[np.str_]
    residual: Array
    reason: NDArray[np.str_]
    slacks_input: Array
    slacks_good: Array
    slacks_bad: Array
    targets_input: Array
    targets_good: Array
    targets_bad: Array
    peer_start: NDArray[np.int64]
    peer_index: NDArray[np.int64]
    peer_weight: Array
    duals: Array
    n_pivot: int = 0
    n_fallback: int = 0

    def __len__(self) -> int:
        return len(self.score)

    def peers_of(self, row: int) -> list[tuple[int, float]]:
        """(reference unit, intensity) of one evaluated unit, in the order of the reference."""
        span = slice(int(self.peer_start[row]), int(self.peer_start[row + 1]))
        return list(zip(self.peer_index[span].tolist(), self.peer_weight[span].tolist(), strict=True))


def read_scores(frontier: Frontier, spec: ModelSpec, programme: Programme, solution: Solution) -> Scores:
    """Scores, slacks, targets, peers and multipliers out of solved programmes."""
    k = frontier.values.shape[1]
    is_ok = solution.status == OK
    scale = np.ones(len(frontier))
    for name in ("scale", "factor"):
        if name in programme.places:
            scale = solution.aux[:, programme.places[name]]
    divisor = scale if "scale" in programme.places else np.ones(len(frontier))
    shares = np.maximum(solution.aux[:, :k], 0.0) / divisor[:, None]
    if "factor" in programme.places:
        shares[:, frontier.parts[0]] /= np.maximum(scale, np.finfo(float).tiny)[:, None]
    slacks = programme.slack_sign * shares * frontier.values
    movement = np.zeros_like(frontier.values)
    distance = np.zeros(len(frontier))
    if "rise" in programme.places:
        distance = solution.aux[:, programme.places["rise"]] - solution.aux[:, programme.places["fall"]]
        movement = distance[:, None] * resolve_direction(frontier, spec)
    sign = np.ones(k)
    sign[frontier.parts[1]] = -1.0
    targets = frontier.values - sign * (movement + slacks)
    noise = SNAP * np.maximum(1.0, np.abs(programme.cost).max(axis=1))
    score = _score(spec, solution.objective, distance, programme.slack_sign < 0, noise)
    score[~is_ok] = np.nan
    status = solution.status.copy()
    reason = _reasons(frontier, spec, status, programme.slack_sign < 0)
    undefined = is_ok & ~np.isfinite(score)
    status[undefined] = INFEASIBLE
    reason[undefined] = "outputs would have to fall by more than all of themselves"
    start, index, weight = _peers(programme, solution, divisor, is_ok)
    if np.any(frontier.values == 0):
        targets = _dropped_targets(frontier, targets, start, index, weight)
    duals = np.full((len(frontier), k + int(spec.returns != "crs")), np.nan)
    duals[:, :k] = solution.duals[:, :k] * programme.row_scale * -sign
    if spec.returns != "crs":
        returns_row = k + int("scale" in programme.places)
        duals[:, k] = -solution.duals[:, returns_row]
    duals[~is_ok] = np.nan
    inputs, goods, bads = frontier.parts
    slacks[~is_ok] = targets[~is_ok] = np.nan
    return Scores(
        spec=spec,
        score=score,
        status=status,
        residual=solution.residual,
        reason=reason,
        slacks_input=slacks[:, inputs],
        slacks_good=slacks[:, goods],
        slacks_bad=slacks[:, bads],
        targets_input=targets[:, inputs],
        targets_good=targets[:, goods],
        targets_bad=targets[:, bads],
        peer_start=start,
        peer_index=index,
        peer_weight=weight,
        duals=duals,
        n_pivot=solution.n_pivot,
        n_fallback=solution.n_fallback,
    )


def _score(spec: ModelSpec, objective: Array, distance: Array, is_super: bool, noise: Array) -> Array:
    """The model's score from the least cost (and, radial, the distance); within ``noise`` of its bound it is there."""
    if spec.model in ("ccr", "bcc"):
        score = 1.0 + distance if spec.orientation == "output" else 1.0 - distance
    elif spec.model == "ddf":
        score = distance.copy()
    elif spec.is_inefficiency:
        score = -objective
    elif spec.orientation == "none":
        score = objective.copy()
    elif is_super:
        if spec.orientation == "input":
            score = 1.0 + objective
        else:
            score = np.divide(1.0, 1.0 - objective, out=np.full_like(objective, np.nan), where=objective < 1.0 - SNAP)
    else:
        score = 1.0 + objective if spec.orientation == "input" else 1.0 / (1.0 - objective)
    bound = 0.0 if spec.is_inefficiency else 1.0
    with np.errstate(invalid="ignore"):
        score[np.abs(score - bound) < noise] = bound
    return score


def _reasons(frontier: Frontier, spec: ModelSpec, status: NDArray[np.str_], is_super: bool) -> NDArray[np.str_]:
    words = {
        INFEASIBLE: "no combination of reference units reaches the unit in the model's direction",
        UNBOUNDED: "the score has no limit: the reference does not bound the unit in the model's direction",
        "failed": "no solver gave a result that passes its own check",
    }
    if is_super:
        words[INFEASIBLE] = "without the unit itself the others do not reach it on the side the model measures"
    texts = [words.get(str(each), "") for each in status]
    dropped = frontier.values == 0
    for row in np.flatnonzero(dropped.any(axis=1)):
        goods = np.flatnonzero(dropped[row, frontier.parts[1]]) + 1
        named = "good output " + ", ".join(str(g) for g in goods) + " is zero: its term is dropped for this unit"
        texts[row] = f"{texts[row]}; {named}" if texts[row] else named
    return np.array(texts, dtype=np.str_) if texts else np.empty(0, dtype=np.str_)


def _peers(
    programme: Programme, solution: Solution, divisor: Array, is_ok: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64], Array]:
    """Intensities as (start, index, weight) in the order of the reference.

    Both columns of a unit under ``unit`` abatement are added up.
    """
    used = (solution.columns >= 0) & (solution.values > 0) & is_ok[:, None]
    row, place = np.nonzero(used)
    owner = programme.owner[solution.columns[row, place]]
    weight = solution.values[row, place] / divisor[row]
    order = np.lexsort((owner, row))
    row, owner, weight = row[order], owner[order], weight[order]
    is_new = np.ones(len(row), dtype=bool)
    is_new[1:] = (row[1:] != row[:-1]) | (owner[1:] != owner[:-1])
    first = np.flatnonzero(is_new)
    total = np.add.reduceat(weight, first) if len(first) else weight
    start = np.zeros(len(is_ok) + 1, dtype=np.int64)
    np.cumsum(np.bincount(row[first], minlength=len(is_ok)), out=start[1:])
    return start, owner[first], total


def _dropped_targets(
    frontier: Frontier, targets: Array, start: NDArray[np.int64], index: NDArray[np.int64], weight: Array
) -> Array:
    """The target of a dropped output is what the peers make of it."""
    changed = targets.copy()
    for row in np.flatnonzero((frontier.values == 0).any(axis=1)):
        span = slice(int(start[row]), int(start[row + 1]))
        made = weight[span] @ frontier.reference[index[span]]
        changed[row] = np.where(frontier.values[row] == 0, made, changed[row])
    return changed


def merge_scores(first: Scores, second: Scores, rows: NDArray[np.int64]) -> Scores:
    """The first scores with those of ``rows`` replaced by the second."""

    def put(a: NDArray, b: NDArray) -> NDArray:
        merged = a.astype(np.result_type(a, b)) if a.dtype.kind == "U" else a.copy()
        merged[rows] = b
        return merged

    place = np.full(len(first), -1)
    place[rows] = np.arange(len(rows))
    start = np.zeros(len(first) + 1, dtype=np.int64)
    spans = []
    for row in range(len(first)):
        source, at = (second, int(place[row])) if place[row] >= 0 else (first, row)
        span = slice(int(source.peer_start[at]), int(source.peer_start[at + 1]))
        spans.append((source.peer_index[span], source.peer_weight[span]))
        start[row + 1] = start[row] + span.stop - span.start
    return Scores(
        spec=first.spec,
        score=put(first.score, second.score),
        status=put(first.status, second.status),
        residual=put(first.residual, second.residual),
        reason=put(first.reason, second.reason),
        slacks_input=put(first.slacks_input, second.slacks_input),
        slacks_good=put(first.slacks_good, second.slacks_good),
        slacks_bad=put(first.slacks_bad, second.slacks_bad),
        targets_input=put(first.targets_input, second.targets_input),
        targets_good=put(first.targets_good, second.targets_good),
        targets_bad=put(first.targets_bad, second.targets_bad),
        peer_start=start,
        peer_index=np.concatenate([s[0] for s in spans]) if spans else first.peer_index,
        peer_weight=np.concatenate([s[1] for s in spans]) if spans else first.peer_weight,
        duals=put(first.duals, second.duals),
        n_pivot=first.n_pivot + second.n_pivot,
        n_fallback=first.n_fallback + second.n_fallback,
    )
