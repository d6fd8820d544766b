"""What a run says: the choices behind its numbers, its tables, and the JSON of the command."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from analysis_py.efficiency.frames import EfficiencyRun
from analysis_py.efficiency.specification import DIRECTIONAL_MODELS

_SCORES = {
    "ccr": "theta in (0, 1], 1 = efficient",
    "bcc": "theta in (0, 1], 1 = efficient",
    "additive": "largest weighted sum of slacks, 0 = efficient",
    "sbm": "rho in (0, 1], 1 = efficient",
    "super-sbm": "rho, above 1 for units that are efficient",
    "ddf": "inefficiency D (beta), 0 = efficient",
    "nddf": "inefficiency D, 0 = efficient",
    "sbm-ddf": "inefficiency D, 0 = efficient",
}
_INDICES = {
    "gml": "global Malmquist-Luenberger",
    "ml": "Malmquist-Luenberger",
    "malmquist": "Malmquist",
    "luenberger": "Luenberger indicator",
}


@dataclass(frozen=True)
class Table:
    """A table to print: its title, column names, and rows of plain values (NaN where there is no number)."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[object, ...]]


def score_meaning(run: EfficiencyRun) -> str:
    """What the score measures, in a few words."""
    if run.spec.model in ("ccr", "bcc") and run.spec.orientation == "output":
        return "phi >= 1, 1 = efficient"
    return _SCORES[run.spec.model]


def settings(run: EfficiencyRun) -> list[tuple[str, str]]:
    """Every choice behind the scores as (name, text), in a fixed order."""
    spec, columns = run.spec, run.columns
    shown = [
        ("model", spec.model),
        ("orientation", str(spec.orientation)),
        ("returns to scale", str(spec.returns)),
        ("frontier", f"{run.reference.name}: {run.reference.meaning}"),
    ]
    if columns.bads:
        abatement = f" (abatement: {spec.abatement})" if spec.disposability == "weak" and spec.returns != "crs" else ""
        shown.append(("bad outputs", f"{spec.disposability} disposability{abatement}"))
    if spec.weights is not None:
        weights = spec.weights if isinstance(spec.weights, str) else ", ".join(f"{w:g}" for w in spec.weights)
        shown.append(("weights", weights))
    if spec.model in DIRECTIONAL_MODELS:
        named = "given" if isinstance(spec.direction, np.ndarray) else str(spec.direction)
        flags = zip(
            ("inputs", "goods", "bads"),
            (spec.direction_inputs, spec.direction_goods, spec.direction_bads and bool(columns.bads)),
            strict=True,
        )
        shown.append(("direction", f"{named}; moving: {', '.join(name for name, moves in flags if moves)}"))
    if spec.zero != "refuse":
        shown.append(("zeros", spec.zero))
    shown.append(("score", score_meaning(run)))
    result = run.productivity
    if result is not None:
        variant = _INDICES[result.index]
        form = "differences of D" if result.index == "luenberger" else "ratios of " + _ratio_of(run)
        frontier = "global" if result.index == "gml" else result.reference.name
        shown.append(("index", f"{result.index} ({variant}; {form}; {frontier} frontier)"))
        if result.index != "gml" and not result.reference.is_circular:
            shown.append(("fallback", result.fallback or "none: a series ends where its index is lost"))
    shown.append(("inputs", ", ".join(columns.inputs)))
    shown.append(("good outputs", ", ".join(columns.goods)))
    if columns.bads:
        shown.append(("bad outputs are", ", ".join(columns.bads)))
    panel = run.panel
    periods = f", {panel.n_periods} periods" if panel.n_periods > 1 else ""
    shown.append(("observations", f"{len(panel)} ({panel.n_units} units{periods})"))
    return shown


def _ratio_of(run: EfficiencyRun) -> str:
    if run.spec.model in DIRECTIONAL_MODELS:
        return "1 + D"
    return "1/phi" if run.spec.model in ("ccr", "bcc") and run.spec.orientation == "output" else "the score"


def headline(run: EfficiencyRun) -> str:
    """The settings as text, one line each."""
    listed = settings(run)
    width = max(len(name) for name, _ in listed)
    return "\n".join(f"{name:<{width}}  {text}" for name, text in listed)


def score_columns(run: EfficiencyRun) -> dict[str, list[object]]:
    """What is known of each observation, by column; with a bootstrap also the corrected score and its interval."""
    scores, boot = run.scores, run.score_bootstrap
    found: dict[str, list[object]] = {
        "score": scores.score.tolist(),
        "status": list(scores.status),
        "residual": scores.residual.tolist(),
    }
    if boot is not None:
        for name in ("bias", "corrected", "std_error", "ci_low", "ci_high"):
            found[name] = getattr(boot, name).tolist()
        found["correction_advised"] = boot.is_advised.tolist()
    return found


def score_table(run: EfficiencyRun) -> Table:
    """Scores in the order of the data, with the reasons where there is something to say."""
    columns: dict[str, list[object]] = {"unit": list(run.panel.units)}
    if run.columns.period is not None:
        columns["period"] = list(run.panel.periods)
    columns |= score_columns(run)
    if any(run.scores.reason):
        columns["reason"] = list(run.scores.reason)
    spec = run.spec
    title = f"Scores: {spec.model}, {spec.orientation} orientation, {spec.returns}, {run.reference.name} frontier"
    return Table(title, tuple(columns), list(zip(*columns.values(), strict=True)))


def index_table(run: EfficiencyRun) -> Table | None:
    """Changes between neighbouring periods, ordered by the row of the later one; None without an index."""
    result = run.productivity
    if result is None:
        return None
    panel = result.panel
    names = ["unit", "from", "to", "index", "efficiency_change", "technical_change"]
    is_split = any(not math.isnan(t.pure) for t in result.transitions)
    names += ["pure_efficiency_change", "scale_efficiency_change"] if is_split else []
    rows = []
    for t in result.transitions:
        split = (t.pure, t.scale) if is_split else ()
        numbers = (t.index, t.efficiency_change, t.technical_change, *split)
        key = (panel.units[t.end], panel.periods[t.start], panel.periods[t.end])
        rows.append((*key, *numbers, t.status, t.reason))
    return Table(f"Index: {result.index}", (*names, "status", "reason"), rows)


def cumulative_table(run: EfficiencyRun) -> Table | None:
    """The cumulative index, 1 in each unit's first period, in the order of the data; None without an index."""
    result = run.productivity
    if result is None:
        return None
    rows: list[tuple[object, ...]] = list(
        zip(run.panel.units, run.panel.periods, result.cumulative.tolist(), strict=True)
    )
    return Table(f"Cumulative {result.index} (first period = 1)", ("unit", "period", "index"), rows)


def inference_tables(run: EfficiencyRun) -> list[Table]:
    """The bootstrap of mean changes and the second stage, where asked for."""
    tables = []
    boot = run.unit_bootstrap
    if boot is not None:
        low, high = boot.interval
        columns = ("mean of", "estimate", "bias", "std_error", "ci_low", "ci_high", "draws_used")
        parts = (boot.estimate, boot.bias, boot.std_error, low, high)
        rows = [(label, *(float(p[i]) for p in parts), int(boot.n_used[i])) for i, label in enumerate(boot.labels)]
        title = f"Units resampled {boot.draws} times, frontiers solved again (seed {boot.seed})"
        tables.append(Table(title, columns, rows))
    stage = run.second_stage
    if stage is not None:
        columns = ("term", "estimate", "std_error", "ci_low", "ci_high", "p_value", "ml_std_error")
        values = (stage.estimate, stage.std_error, stage.ci_low, stage.ci_high, stage.p_value, stage.ml_std_error)
        rows = [(name, *(float(v[i]) for v in values)) for i, name in enumerate(stage.names)]
        what = f"Simar & Wilson (2007) algorithm {stage.algorithm}; {stage.draws} draws, seed {stage.seed}"
        tables.append(Table(f"Second stage: distance (1/theta or phi, 1 = efficient); {what}", columns, rows))
    return tables


def inference_notes(run: EfficiencyRun) -> list[str]:
    """What to know when reading the bootstraps."""
    notes = []
    if run.score_bootstrap is not None:
        boot = run.score_bootstrap
        widths = ", ".join(f"{w:.4g}" for w in boot.bandwidths[:6]) + (", ..." if len(boot.bandwidths) > 6 else "")
        notes.append(
            f"Simar & Wilson (1998), {boot.smoothing} smoothing, {boot.draws} draws, seed {boot.seed}, "
            f"{100 * boot.level:g}% intervals, bandwidth {widths}; the correction is advised for "
            f"{int(boot.is_advised.sum())} of {len(boot.score)} scores"
        )
    stage = run.second_stage
    if stage is not None:
        notes.append(
            f"second stage: {stage.n} rows used, {stage.n_on_frontier} on the frontier left out by the estimate of the "
            f"score, sigma {stage.sigma:.6g}, {stage.n_failed_draws} draws without a maximum; a positive coefficient "
            f"means more inefficiency"
        )
    return notes


def to_json(run: EfficiencyRun) -> dict[str, Any]:
    """``scores``, ``indices``, ``cumulative`` as the contract says, NaN as null; ``run`` says what they are."""
    periods = run.panel.periods if run.columns.period is not None else (None,) * len(run.panel)
    columns = {"unit": list(run.panel.units), "period": list(periods), **score_columns(run)}
    found: dict[str, Any] = {
        "scores": [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)],
        "indices": _records(index_table(run)),
        "cumulative": _records(cumulative_table(run)),
        "run": _facts(run),
    }
    stage, boot = run.second_stage, run.unit_bootstrap
    tables = iter(inference_tables(run))
    if boot is not None:
        found["bootstrap"] = _records(next(tables))
    if stage is not None:
        found["second_stage"] = _records(next(tables))
    return dict(_plain(found))


def _records(table: Table | None) -> list[dict[str, object]]:
    """A table as JSON objects; a reason that says nothing is null."""
    if table is None:
        return []
    found = [dict(zip(table.columns, row, strict=True)) for row in table.rows]
    return [record | {"reason": record["reason"] or None} if "reason" in record else record for record in found]


def _facts(run: EfficiencyRun) -> dict[str, Any]:
    """What made the numbers: data and its hash, columns, every choice, seeds and draws, the rules applied."""
    result, columns = run.productivity, run.columns
    facts: dict[str, Any] = {
        "data": run.data.name,
        "data_hash": run.data.hash,
        "is_simulated": run.data.is_simulated,
        "columns": {
            "unit": columns.unit,
            "period": columns.period,
            "inputs": list(columns.inputs),
            "good": list(columns.goods),
            "bad": list(columns.bads),
        },
        "model": run.spec.describe(),
        "reference": run.reference.name,
        "score": score_meaning(run),
        "index": result.index if result is not None else None,
        "fallback": result.fallback if result is not None else None,
        "transitions_lost": result.n_lost if result is not None else None,
        "notes": [*run.notes, *inference_notes(run)],
    }
    inferred = run.score_bootstrap or run.unit_bootstrap or run.second_stage
    if inferred is not None:
        facts |= {"draws": inferred.draws, "seed": inferred.seed, "level": inferred.level}
    return facts


def _plain(value: Any) -> Any:
    """Only what JSON holds: NaN and infinities as null, NumPy's numbers as Python's."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    return value
