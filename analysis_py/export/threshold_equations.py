"""The equation of a threshold model at its thresholds, and the search that found them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analysis_py.estimators.threshold_conventions import find_threshold_convention
from analysis_py.export.equation import Export, Part, ThresholdSearch
from analysis_py.export.preparation import (
    Setting,
    complete_rows,
    export_of,
    least_squares,
    rows_of_group,
    term_labels,
)
from analysis_py.fits.run_record import CoefficientRow
from analysis_py.panels.frame import build_frame


def thresholds(setting: Setting) -> Export:
    """The regimes' slopes in one equation; the columns by regime are made by the scripts."""
    model, run = setting.model, setting.run
    options = model.options["threshold"]
    variable = str(options["variable"])
    split = tuple(options.get("regime_terms") or model.treatment)
    others = tuple(t for t in (*model.treatment, *model.controls) if t not in split)
    carried = (variable,) if variable not in (*split, *others) else ()
    stated = replace(model, treatment=(*split, *others, *carried), controls=())
    data = build_frame(
        setting.panel, stated, lambda key, item: setting.where("threshold", None), observed=setting.observed
    )
    labels = term_labels(setting, stated.treatment)
    table = complete_rows(setting, data, data.frame, data.regressors)
    rules = find_threshold_convention(str(run.convention))
    q = labels[variable][0]
    values = np.unique(table.frame.loc[table.used, q].to_numpy(dtype=float))
    found = sorted(run.thresholds, key=lambda t: t.order)
    cuts = sorted(_between(values, t.value, rules.is_strict) for t in found)
    bounds = [None, *cuts, None]
    rows = rows_of_group(run, None)
    regimes = list(dict.fromkeys(r.regime for r in rows if r.regime is not None))
    parts = [
        Part(f"{term} [{regime}]", term, q, bounds[number], bounds[number + 1])
        for text in split
        for term in labels[text]
        for number, regime in enumerate(_all_regimes(regimes, len(cuts) + 1))
    ]
    by_hand = rules.regression == "hansen"
    equation = least_squares(
        setting,
        table,
        rows,
        outcome=data.outcome,
        small=run.small_sample,
        n_obs=int(run.n_obs or 0),
        label=_label,
        estimator="hansen" if by_hand else "ols",
        convention=rules.regression,
    )
    given = options.get("given")
    scale_name = str(run.small_sample["threshold_f"]).removeprefix("scaled by ")
    scale = run.small_sample[scale_name]
    search = ThresholdSearch(
        variable=q,
        split=tuple(label for text in split for label in labels[text]),
        others=tuple(label for text in others for label in labels[text]),
        options={**options, "given": given},
        values=tuple(t.value for t in found),
        f=tuple(t.f for t in found),
        points=str(options.get("points") or rules.points),
        is_strict=rules.is_strict,
        drops_last=rules.drops_last,
        scale=float(scale) if isinstance(scale, int | float) else 1.0,
        scale_name=scale_name,
    )
    used_parts = {e.term for e in equation.expected}
    export = export_of(setting, table.frame, (), [equation])
    for part in parts:
        number = 1 + bounds.index(part.low)
        export.names.give(part.label, f"{export.names[part.term][:28]}_r{number}")
    return replace(export, parts=tuple(p for p in parts if p.label in used_parts), search=search)


def _label(row: CoefficientRow) -> str:
    return row.term if row.regime is None else f"{row.term} [{row.regime}]"


def _all_regimes(seen: Sequence[str], count: int) -> Sequence[str]:
    """The regimes from the lowest up; every one has a coefficient unless a slope was not identified."""
    if len(seen) == count:
        return seen
    first = [s for s in seen if s.startswith("<=")]
    last = [s for s in seen if s.startswith(">")]
    middle = [s for s in seen if s.startswith("(")]
    filler = [f"regime {i}" for i in range(count)]
    return [*(first or filler[:1]), *(middle + filler[1 : count - 1])[: count - 2], *(last or filler[-1:])]


def _between(values: np.ndarray, threshold: float, is_strict: bool) -> float:
    """Half way between the two values that the threshold parts, so that its last digit decides nothing."""
    below = int(np.searchsorted(values, threshold, side="left" if is_strict else "right"))
    return float(values[below - 1] / 2.0 + values[below] / 2.0)
