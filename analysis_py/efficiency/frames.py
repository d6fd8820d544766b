"""Efficiency of tables: scores, indices and bootstraps of a data frame, a file or a mart in one call."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from analysis_py.efficiency.bootstrap import (
    ScoreBootstrap,
    UnitBootstrap,
    bootstrap_index,
    bootstrap_scores,
    check_radial,
)
from analysis_py.efficiency.index_choice import check_index
from analysis_py.efficiency.indices import ProductivityResult, productivity_indices
from analysis_py.efficiency.panel_columns import Columns, build_panel, frame_data, read_explanatory
from analysis_py.efficiency.panel_scores import EfficiencyPanel, Frontiers, PanelScores
from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS, ReferenceSet, parse_reference
from analysis_py.efficiency.second_stage import SecondStage, second_stage
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.panels.panel import PanelData
from analysis_py.progress import ProgressCallback
from analysis_py.settings import DEFAULT_SEED


@dataclass(frozen=True)
class EfficiencyRun:
    """Everything one command computed, and what it was computed from."""

    data: PanelData
    columns: Columns
    panel: EfficiencyPanel
    spec: ModelSpec
    reference: ReferenceSet
    scores: PanelScores
    productivity: ProductivityResult | None
    score_bootstrap: ScoreBootstrap | None
    unit_bootstrap: UnitBootstrap | None
    second_stage: SecondStage | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Inference:
    """What to resample: ``draws`` of the bootstrap (0 = none), its seed, and columns that explain the scores;
    ``algorithm`` of the second stage, ``smoothing`` of the bootstrap of scores."""

    draws: int = 0
    seed: int = DEFAULT_SEED
    explanatory: tuple[str, ...] = ()
    algorithm: int = 1
    smoothing: str = "mirrored"


def run_efficiency(
    data: PanelData | pd.DataFrame,
    columns: Columns,
    spec: ModelSpec,
    *,
    reference: str | ReferenceSet | None = None,
    index: str | None = None,
    fallback: str | None = None,
    scale_split: bool = False,
    inference: Inference | None = None,
    progress: ProgressCallback | None = None,
) -> EfficiencyRun:
    """Scores of a table's rows, and where asked their productivity indices and bootstraps.

    Parameters
    ----------
    data : a data frame, or panel data that knows its file, so that messages name row and column.
    columns, spec : what is measured, and how.
    reference : ``contemporaneous`` (default), ``global`` (default of gml), ``sequential``, ``biennial``, ``window:K``.
    index, fallback, scale_split : as :func:`analysis_py.efficiency.indices.productivity_indices`; no index by default.
    inference : with an index whole units are resampled, without one radial scores.

    Raises
    ------
    CarbonpanelError : see :func:`build_panel`, :func:`check_index` and the bootstraps.
    """
    source = data if isinstance(data, PanelData) else frame_data(data)
    wish = inference or Inference()
    rule = parse_reference(reference) if isinstance(reference, str) else reference
    rule = check_index(index, spec, rule, fallback) if index else rule or CONTEMPORANEOUS
    panel = build_panel(source, columns, zero=spec.zero)
    explanatory = read_explanatory(source, wish.explanatory)
    if wish.explanatory or (wish.draws and index is None):
        check_radial(panel, spec, rule)
    productivity = None
    if index is not None:
        productivity = productivity_indices(
            panel,
            spec,
            index=index,
            reference=rule,
            fallback=fallback,
            scale_split=scale_split,
            progress=progress,
        )
        scores = productivity.scores
    else:
        scores = Frontiers(panel, spec).own(rule, progress=progress, label=f"scores, {rule.name} frontier")
    score_bootstrap = unit_bootstrap = stage = None
    if wish.draws and productivity is not None:
        unit_bootstrap = bootstrap_index(productivity, draws=wish.draws, seed=wish.seed, progress=progress)
    elif wish.draws and not wish.explanatory:
        score_bootstrap = bootstrap_scores(
            panel, spec, rule, draws=wish.draws, seed=wish.seed, smoothing=wish.smoothing, progress=progress
        )
    if wish.explanatory:
        stage = second_stage(
            panel,
            spec,
            rule,
            explanatory,
            wish.explanatory,
            algorithm=wish.algorithm,
            draws=wish.draws or 2000,
            seed=wish.seed,
            progress=progress,
        )
    notes = (*_score_notes(panel, rule, scores), *(productivity.notes if productivity else ()))
    return EfficiencyRun(
        source, columns, panel, spec, rule, scores, productivity, score_bootstrap, unit_bootstrap, stage, notes
    )


def _score_notes(panel: EfficiencyPanel, reference: ReferenceSet, scores: PanelScores) -> list[str]:
    notes = []
    if scores.n_failed:
        first = next(i for i, s in enumerate(scores.status) if s != "ok")
        why = f": {scores.reason[first]}" if scores.reason[first] else ""
        notes.append(f"{scores.n_failed} of {len(panel)} scores are missing; the first is {panel.label(first)}{why}")
    said = [i for i, (s, r) in enumerate(zip(scores.status, scores.reason, strict=True)) if s == "ok" and r]
    if said:
        notes.append(
            f"{len(said)} score(s) carry a remark; the first is {panel.label(said[0])}: {scores.reason[said[0]]}"
        )
    if reference.kind == "biennial" and panel.n_periods > 1:
        notes.append("scores against a biennial frontier: the period with the one before it, the first with the second")
    return notes
