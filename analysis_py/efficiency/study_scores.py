"""Efficiency of the studies inside the warehouse: what the dbt Python models ``fct_efficiency_score`` and
``fct_productivity_index`` hold.

Models are rows of ``seed_efficiency_model``; observations are rows of ``int_efficiency_inputs``, one a study, unit and
year. An observation with a needed quantity that is missing or not positive is left out of the frontier and keeps its
row, with the reason. What was computed is kept beside the database under a hash of the observations, the models and
this package, so that a build with nothing new reads it back.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from analysis_py.efficiency.frames import EfficiencyRun, run_efficiency
from analysis_py.efficiency.panel_columns import Columns
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError

KEYS = ["study", "measure", "unit_code"]
#: Columns that name the choices behind a number; they stand beside every one.
CHOICES = ["inputs", "goods", "bads", "model", "returns", "orientation", "disposability", "weights", "reference"]
SCORE_COLUMNS = {
    "study": "string",
    "measure": "string",
    "unit_code": "string",
    "year": "int32",
    "efficiency_score": "float64",
    "status": "string",
    "reason": "string",
    "residual_ratio": "float64",
    "fill": "string",
    **dict.fromkeys(CHOICES, "string"),
    "n_frontier_count": "int32",
}
INDEX_COLUMNS = {
    "study": "string",
    "measure": "string",
    "unit_code": "string",
    "year": "int32",
    "from_year": "Int32",
    "change_index": "float64",
    "efficiency_change_index": "float64",
    "technical_change_index": "float64",
    "cumulative_index": "float64",
    "status": "string",
    "reason": "string",
    "fill": "string",
    "index_kind": "string",
    **dict.fromkeys(CHOICES, "string"),
}
_FILL_ORDER = ("missing", "linear", "carried", "ratio", "observed")


def score_table(observations: pd.DataFrame, models: pd.DataFrame, cache: Path | None = None) -> pd.DataFrame:
    """Scores of every observation by every model, in the order of study, measure, unit and year.

    Parameters
    ----------
    observations : study, unit_code, year, the quantities in any positive units, and ``<quantity>_fill`` codes.
    models : rows of ``seed_efficiency_model``.
    cache : folder in which results are kept; None keeps nothing.

    Raises
    ------
    CarbonpanelError : ``CP-EFFICIENCY-SPEC``, ``CP-COLUMN`` for a model that names what does not exist.
    """
    return _kept("score", observations, models, cache, _score_rows, SCORE_COLUMNS)


def index_table(observations: pd.DataFrame, models: pd.DataFrame, cache: Path | None = None) -> pd.DataFrame:
    """Yearly and cumulative indices of every observation by every model that has an index, ordered as the scores.

    ``change_index`` leads from ``from_year`` to ``year``; the first year of a unit has none. ``cumulative_index`` is 1
    in the unit's first year.
    """
    wanted = models[models["index_kind"].fillna("") != ""]
    return _kept("index", observations, wanted, cache, _index_rows, INDEX_COLUMNS)


def _score_rows(run: EfficiencyRun | None, part: pd.DataFrame, model: dict[str, str]) -> pd.DataFrame:
    out = part[["unit_code", "year", "fill", "reason"]].copy()
    out["efficiency_score"], out["residual_ratio"], out["status"] = np.nan, np.nan, "left_out"
    out["n_frontier_count"] = 0
    if run is not None:
        used = part["reason"] == ""
        out.loc[used, "efficiency_score"] = run.scores.score
        out.loc[used, "residual_ratio"] = run.scores.residual
        out.loc[used, "status"] = np.asarray(run.scores.status, dtype=object)
        out.loc[used, "reason"] = np.asarray(run.scores.reason, dtype=object)
        sizes = part.loc[used, "year"].map(_frontier_sizes(run))
        out.loc[used, "n_frontier_count"] = sizes.astype(int)
    return out


def _frontier_sizes(run: EfficiencyRun) -> dict[object, int]:
    """Observations in the frontier of each period."""
    codes, n = run.panel.period_codes, run.panel.n_periods
    return {
        label: len(run.reference.rows_of(run.reference.periods_of(code, n), codes))
        for code, label in enumerate(run.panel.period_labels)
    }


def _index_rows(run: EfficiencyRun | None, part: pd.DataFrame, model: dict[str, str]) -> pd.DataFrame:
    out = part[["unit_code", "year", "fill", "reason"]].copy()
    names = ["change_index", "efficiency_change_index", "technical_change_index", "cumulative_index"]
    out[names], out["status"] = np.nan, "left_out"
    out["from_year"] = pd.array([pd.NA] * len(out), dtype="Int32")
    out["index_kind"] = model["index_kind"]
    if run is None or run.productivity is None:
        return out
    used = np.flatnonzero((part["reason"] == "").to_numpy())
    at = out.index[used]
    out.loc[at, "cumulative_index"] = run.productivity.cumulative
    # without a transition that leads to it, a year is its unit's first or follows a gap
    table = run.panel.rows_by_unit_period()
    first = set(table[np.arange(run.panel.n_units), (table >= 0).argmax(axis=1)].tolist())
    out.loc[at, "status"] = ["base" if row in first else "after_gap" for row in range(len(used))]
    changes = run.productivity.transitions
    if changes:
        rows = at[[change.end for change in changes]]
        starts = part["year"].to_numpy()[used][[change.start for change in changes]]
        out.loc[rows, "from_year"] = pd.array(starts, dtype="Int32")
        out.loc[rows, names[:3]] = [[c.index, c.efficiency_change, c.technical_change] for c in changes]
        out.loc[rows, "status"] = [change.status for change in changes]
        out.loc[rows, "reason"] = [change.reason for change in changes]
    return out


def _compute(
    observations: pd.DataFrame,
    models: pd.DataFrame,
    rows: Callable[[EfficiencyRun | None, pd.DataFrame, dict[str, str]], pd.DataFrame],
    columns: dict[str, str],
) -> pd.DataFrame:
    parts = []
    for model in models.fillna("").sort_values(["study", "measure"]).to_dict("records"):
        named = {str(k): str(v) for k, v in model.items()}
        sample = observations[observations["study"] == named["study"]]
        if sample.empty:
            continue
        parts.append(_run_model(sample, named, rows))
    if not parts:
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    table = pd.concat(parts, ignore_index=True).sort_values([*KEYS, "year"], kind="stable", ignore_index=True)
    return table[list(columns)].astype(columns)


def _run_model(
    sample: pd.DataFrame,
    model: dict[str, str],
    rows: Callable[[EfficiencyRun | None, pd.DataFrame, dict[str, str]], pd.DataFrame],
) -> pd.DataFrame:
    inputs, goods, bads = (_split(model[name]) for name in ("inputs", "goods", "bads"))
    columns = Columns("unit_code", "year", inputs, goods, bads)
    for name in columns.quantities:
        if name not in sample:
            raise CarbonpanelError(
                "CP-COLUMN",
                f"model {model['study']}.{model['measure']} needs a column '{name}'",
                where="seeds/reference/seed_efficiency_model.csv",
                remedy="name columns of int_efficiency_inputs",
            )
    spec = ModelSpec(
        model["model"],
        returns=model["returns"] or None,
        orientation=model["orientation"] if model["model"] not in ("ddf", "nddf", "sbm-ddf") else None,
        disposability=model["disposability"] or None,
        weights=model["weights"] or None,
        zero=model["zero"] or "refuse",
    )
    part = sample.sort_values(["unit_code", "year"], kind="stable", ignore_index=True)
    part = part.assign(reason=_why_left_out(part, columns, spec.zero), fill=_worst_fill(part, columns.quantities))
    used = part[part["reason"] == ""]
    run = None
    least = {"unit_code": 2, "year": 2 if model["index_kind"] else 1}
    if all(len(used[key].drop_duplicates()) >= count for key, count in least.items()):
        run = run_efficiency(
            used.reset_index(drop=True),
            columns,
            spec,
            reference=model["reference"] or None,
            # the scores of a model with an index need no index
            index=(model["index_kind"] or None) if rows is _index_rows else None,
        )
    else:
        part.loc[part["reason"] == "", "reason"] = "too few observations for a frontier"
    out = rows(run, part, model)
    out["study"], out["measure"] = model["study"], model["measure"]
    # "+" between the names, so that a trace follows each of them
    for name, group in (("inputs", inputs), ("goods", goods), ("bads", bads)):
        out[name] = "+".join(group) if group else None
    out["model"], out["returns"] = spec.model, str(spec.returns)
    out["orientation"] = str(spec.orientation)
    out["disposability"] = str(spec.disposability) if bads else ""
    out["weights"] = spec.weights if isinstance(spec.weights, str) else ""
    out["reference"] = model["reference"]
    return out


def _split(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split("|") if name.strip())


def _why_left_out(part: pd.DataFrame, columns: Columns, zero: str) -> list[str]:
    """For each row the first quantity that keeps it out of the frontier; empty where it is in."""
    reasons = [""] * len(part)
    for name in columns.quantities:
        values = part[name].to_numpy(dtype=float, na_value=np.nan)
        may_be_zero = zero == "drop_term" and name in columns.goods
        for at in np.flatnonzero(~np.isfinite(values) | (values < 0) | ((values == 0) & (not may_be_zero))).tolist():
            if not reasons[at]:
                reasons[at] = f"{name} is {'missing' if np.isnan(values[at]) else f'{values[at]:.6g}'}"
    return reasons


def _worst_fill(part: pd.DataFrame, quantities: Sequence[str]) -> pd.Series:
    """The worst fill code of a row's own quantities; those without a code count as observed."""
    rank = {code: place for place, code in enumerate(_FILL_ORDER)}
    worst = np.full(len(part), rank["observed"])
    for name in quantities:
        if f"{name}_fill" in part:
            worst = np.minimum(worst, part[f"{name}_fill"].map(rank).fillna(rank["missing"]).to_numpy(dtype=int))
    return pd.Series([_FILL_ORDER[place] for place in worst], index=part.index)


def _kept(
    kind: str,
    observations: pd.DataFrame,
    models: pd.DataFrame,
    cache: Path | None,
    rows: Callable[[EfficiencyRun | None, pd.DataFrame, dict[str, str]], pd.DataFrame],
    columns: dict[str, str],
) -> pd.DataFrame:
    if cache is None:
        return _compute(observations, models, rows, columns)
    path = cache / f"{kind}-{_fingerprint(observations, models)}.parquet"
    if path.exists():
        try:
            return pd.read_parquet(path).astype(columns)
        except (OSError, ValueError, KeyError):
            path.unlink(missing_ok=True)
    table = _compute(observations, models, rows, columns)
    cache.mkdir(parents=True, exist_ok=True)
    for old in cache.glob(f"{kind}-*.parquet"):
        old.unlink(missing_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        table.to_parquet(draft, index=False)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    return table


def _fingerprint(observations: pd.DataFrame, models: pd.DataFrame) -> str:
    """Hash of the observations, the models and the code that measures them."""
    digest = hashlib.sha256()
    for frame in (observations, models):
        ordered = frame.reindex(columns=sorted(frame.columns))
        ordered = ordered.sort_values(list(ordered.columns), kind="stable", ignore_index=True)
        digest.update(ordered.to_csv(index=False, float_format="%.17g").encode())
    for file in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:24]
