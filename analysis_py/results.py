"""A run written to the results tables in one short transaction, and as the JSON of the study contract."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis_py.errors import CarbonpanelError
from analysis_py.fits.run_record import CoefficientRow, DiagnosticRow, GroupFit, ModelRun, StudyRun, ThresholdRow
from analysis_py.settings import SIMULATED_NOTICE
from analysis_py.study import canonical_json

if TYPE_CHECKING:
    import duckdb

#: Tables of schema ``results``, made by dbt when a build starts; a run's rows go into them in this order.
TABLES = (
    "run",
    "model",
    "coefficient",
    "diagnostic",
    "threshold",
    "curve",
    "descriptive",
    "dropped_observation",
)

_RUN_COLUMNS = (
    "run_id",
    "study",
    "started_at",
    "finished_at",
    "status",
    "inputs",
    "is_simulated",
    "panel",
    "panel_hash",
    "data_file",
    "git_commit",
    "lock_hash",
    "seeds_hash",
    "study_hash",
    "seed",
    "message",
)

#: Numbers of a model that the JSON carries under the same name.
_MODEL_NUMBERS = (
    "n_obs",
    "n_units",
    "n_times",
    "n_singletons_dropped",
    "n_filled_cells",
    "df_resid",
    "df_model",
    "r2",
    "r2_within",
    "r2_between",
    "r2_overall",
    "r2_adjusted",
    "f",
    "f_p_value",
    "rmse",
)


def write_run(con: duckdb.DuckDBPyConnection, run: StudyRun) -> None:
    """Insert a run with everything that hangs on it, all or nothing.

    Inside an open transaction (as :func:`analysis_py.warehouse.open_write` gives) it joins that one; else it makes
    its own. Raises ``CP-RESULTS-MISSING`` where the tables are not there.
    """
    import duckdb

    rows = table_rows(run)
    own = _begin(con)
    try:
        for table in TABLES:
            if rows[table]:
                _insert(con, table, rows[table])
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        if own:
            con.execute("rollback")
        raise CarbonpanelError(
            "CP-RESULTS-MISSING",
            f"the results tables are not there or not of this version: {str(error).splitlines()[0]}",
            remedy="run 'carbonpanel refresh' (or dbt build), which makes them",
        ) from None
    except BaseException:
        if own:
            con.execute("rollback")
        raise
    if own:
        con.execute("commit")


def _begin(con: duckdb.DuckDBPyConnection) -> bool:
    """Begin a transaction unless one is open; whether this began it.

    DuckDB aborts an open transaction that is begun again, so it is asked first: outside a transaction every statement
    has an id of its own.
    """
    ids = [con.execute("select txid_current()").fetchone() for _ in range(2)]
    if ids[0] == ids[1]:
        return False
    con.execute("begin transaction")
    return True


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, Any]]) -> None:
    columns = list(rows[0])
    batch = pa.table({name: [row[name] for row in rows] for name in columns})
    listed = ", ".join(f'"{name}"' for name in columns)
    con.register("__rows", batch)
    try:
        con.execute(f'insert into results."{table}" ({listed}) select {listed} from __rows')
    finally:
        con.unregister("__rows")


def table_rows(run: StudyRun) -> dict[str, list[dict[str, Any]]]:
    """The rows of each results table, as plain values; infinities and NaN become null."""
    rows: dict[str, list[dict[str, Any]]] = {table: [] for table in TABLES}
    rows["run"].append(
        {name: getattr(run, name) for name in _RUN_COLUMNS} | {"versions": canonical_json(dict(run.versions))}
    )
    for model in run.models:
        key = {"run_id": run.run_id, "study": run.study, "id": model.id}
        rows["model"].append(key | _model_row(run, model))
        rows["coefficient"] += [
            key | {"position": i} | _finite(asdict(row)) for i, row in enumerate(model.coefficients, start=1)
        ]
        rows["diagnostic"] += [
            key | {"position": i} | _without_term(_with_critical(row))
            for i, row in enumerate(model.diagnostics, start=1)
        ]
        rows["threshold"] += [key | _with_critical(row) for row in model.thresholds]
        positions: dict[str, int] = {}
        for point in model.curves:
            positions[point.curve] = positions.get(point.curve, 0) + 1
            rows["curve"].append(key | {"position": positions[point.curve]} | _finite(asdict(point)))
        rows["descriptive"] += [
            key | {"position": i} | _finite({k: v for k, v in asdict(row).items() if k != "extra"})
            for i, row in enumerate(model.descriptives, start=1)
        ]
        rows["dropped_observation"] += [
            key | {"unit": unit, "time": time, "reason": reason} for unit, time, reason in model.dropped
        ]
    return rows


def _model_row(run: StudyRun, model: ModelRun) -> dict[str, Any]:
    small: dict[str, Any] = dict(model.small_sample)
    if model.groups:
        small["groups"] = [_group(g) | {"small_sample": dict(g.small_sample)} for g in model.groups]
    return {
        "analysis_id": model.analysis_id,
        "variant": model.variant,
        "variant_of": model.variant_of,
        "table_no": run.table_no,
        "spec_hash": model.spec_hash,
        "spec": canonical_json(_plain(_spec(model))),
        "status": model.status,
        "message": model.message,
        "estimator": model.estimator,
        "outcome": model.outcome,
        "sample": model.sample,
        "fill": model.fill,
        "convention": model.convention,
        "covariance": model.covariance,
        "small_sample": canonical_json(_plain(small)),
        "n_clusters": ", ".join(map(str, model.n_clusters)) or None,
        "dropped_terms": ", ".join(model.dropped_terms) or None,
    } | _finite({name: getattr(model, name) for name in _MODEL_NUMBERS})


def _spec(model: ModelRun) -> dict[str, Any]:
    return dict(model.spec) | {"notes": list(model.notes)}


def _with_critical(row: DiagnosticRow | ThresholdRow) -> dict[str, Any]:
    return _finite(asdict(row)) | {"critical": canonical_json(_plain(dict(row.critical)))}


def _without_term(row: dict[str, Any]) -> dict[str, Any]:
    """The table holds the term in front of the note, where the JSON has it by itself."""
    term = row.pop("term")
    return row | {"note": f"{term}: {row['note']}"} if term else row


def _group(group: GroupFit) -> dict[str, Any]:
    return {k: v for k, v in asdict(group).items() if k != "small_sample"}


def to_json(run: StudyRun) -> dict[str, Any]:
    """A run as the study contract says: ``{"run": {...}, "models": [...]}``; keys in a fixed order, full precision.

    NaN and infinities become null. A variant is a model of its own with ``variant`` and ``variant_of``.
    """
    return _plain(
        {
            "run": {
                "run_id": run.run_id,
                "study": run.study,
                "study_file": run.study_file,
                "table": run.table_no,
                "title": None if run.title is None else dict(run.title),
                "note": None if run.note is None else dict(run.note),
                "status": run.status,
                "message": run.message,
                "inputs": run.inputs,
                "is_simulated": run.is_simulated,
                "notice": SIMULATED_NOTICE if run.is_simulated else None,
                "panel": run.panel,
                "data_file": run.data_file,
                "started_at": run.started_at.isoformat(timespec="microseconds"),
                "finished_at": run.finished_at.isoformat(timespec="microseconds"),
                "seed": run.seed,
                "versions": dict(run.versions),
                "git_commit": run.git_commit,
                "hashes": {
                    "study": run.study_hash,
                    "panel": run.panel_hash,
                    "lock": run.lock_hash,
                    "seeds": run.seeds_hash,
                },
            },
            "models": [_model_json(run, model) for model in run.models],
        }
    )


def _model_json(run: StudyRun, model: ModelRun) -> dict[str, Any]:
    return {
        "study": run.study,
        "id": model.id,
        "analysis_id": model.analysis_id,
        "variant": model.variant,
        "variant_of": model.variant_of,
        "estimator": model.estimator,
        "status": model.status,
        "message": model.message,
        "notes": list(model.notes),
        "outcome": model.outcome,
        "sample": model.sample,
        "fill": model.fill,
        "convention": model.convention,
        "covariance": model.covariance,
        **{name: getattr(model, name) for name in _MODEL_NUMBERS},
        "n_clusters": list(model.n_clusters),
        "dropped_terms": list(model.dropped_terms),
        "small_sample": dict(model.small_sample),
        "groups": [_group(g) for g in model.groups],
        "coefficients": [_coefficient_json(c) for c in model.coefficients],
        "diagnostics": [asdict(d) for d in model.diagnostics],
        "thresholds": [asdict(t) for t in model.thresholds],
        "curves": [asdict(c) for c in model.curves],
        "descriptives": [
            {k: v for k, v in asdict(d).items() if k != "extra"} | dict(d.extra) for d in model.descriptives
        ],
        "dropped_reasons": _reasons(model),
        "dropped_observations": [
            {"unit": unit, "time": time, "reason": reason} for unit, time, reason in model.dropped
        ],
        "spec_hash": model.spec_hash,
        "spec": dict(model.spec),
    }


def _reasons(model: ModelRun) -> dict[str, int]:
    """How many rows of the panel did not enter, by reason."""
    counts: dict[str, int] = {}
    for _, _, reason in model.dropped:
        counts[reason] = counts.get(reason, 0) + 1
    return dict(sorted(counts.items()))


def _coefficient_json(row: CoefficientRow) -> dict[str, Any]:
    first = {"term": row.term, "regime": row.regime, "group": row.group}
    return first | {k: v for k, v in asdict(row).items() if k not in first}


def _finite(row: Mapping[str, Any]) -> dict[str, Any]:
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in row.items()}


def _plain(value: Any) -> Any:
    """JSON's own types only: tuples become lists, numpy numbers Python's, NaN and infinities null."""
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, int):
        return int(value)
    if hasattr(value, "item"):
        return _plain(value.item())
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return str(value)
