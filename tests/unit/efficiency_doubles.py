"""A solver for tests: one input, one good output, constant returns, where theta is a ratio of ratios."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from analysis_py.efficiency.frontier import Frontier
from analysis_py.efficiency.scores import Scores
from analysis_py.efficiency.specification import ModelSpec


def make_scores(spec: ModelSpec, score: np.ndarray, k: int, status: Sequence[str] | None = None) -> Scores:
    """Scores with nothing but the scores (and states) in them."""
    n = len(score)
    empty = np.zeros((n, 0))
    states = np.array(status if status is not None else ["ok"] * n, dtype="<U10")
    return Scores(
        spec=spec,
        score=score,
        status=states,
        residual=np.zeros(n),
        reason=np.where(states == "ok", "", "made up").astype("<U20"),
        slacks_input=np.zeros((n, k)),
        slacks_good=empty,
        slacks_bad=empty,
        targets_input=np.zeros((n, k)),
        targets_good=empty,
        targets_bad=empty,
        peer_start=np.zeros(n + 1, dtype=np.int64),
        peer_index=np.zeros(0, dtype=np.int64),
        peer_weight=np.zeros(0),
        duals=np.zeros((n, k)),
    )


def ratio_evaluator(frontiers: Sequence[Frontier], spec: ModelSpec, **_: Any) -> list[Scores]:
    """CCR of one input and one good output: theta = (y/x) / max(y/x), phi its inverse; exact without a solver."""
    found = []
    for frontier in frontiers:
        assert (frontier.n_inputs, frontier.n_goods, frontier.n_bads) == (1, 1, 0)
        theta = frontier.values[:, 1] / frontier.values[:, 0]
        theta = theta / (frontier.reference[:, 1] / frontier.reference[:, 0]).max()
        found.append(make_scores(spec, theta if spec.orientation == "input" else 1 / theta, 2))
    return found


class TableEvaluator:
    """Looks scores up by (row of the observation, first row of the frontier, last row of the frontier).

    Panels of tests carry the number of the row as their first input, so that a score can be written down for each
    observation and frontier. A text is a status without a score.
    """

    def __init__(self, table: dict[tuple[int, int, int], float | str]) -> None:
        self.table = table

    def __call__(self, frontiers: Sequence[Frontier], spec: ModelSpec, **_: Any) -> list[Scores]:
        found = []
        for frontier in frontiers:
            span = int(frontier.reference[:, 0].min()), int(frontier.reference[:, 0].max())
            cells = [self.table[int(v), *span] for v in frontier.values[:, 0]]
            score = np.array([np.nan if isinstance(c, str) else c for c in cells])
            status = [c if isinstance(c, str) else "ok" for c in cells]
            found.append(make_scores(spec, score, frontier.values.shape[1], status))
        return found
