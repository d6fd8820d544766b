"""Published columns and ours, side by side.

The design is compared always: outcome, treatment, controls, fixed effects, sample rule, size, convention. Estimates are
set beside each other only on a user's own inputs; on a simulated world an agreeing sign or star would mean nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.report.comparison_rows import DESIGN, ESTIMATES, Comparison, ComparisonRow

if TYPE_CHECKING:
    import duckdb

    from analysis_py.study import Study


def compare_published(study: str, table: str | None = None) -> Comparison:
    """Compare the latest results in the warehouse with the published columns of a study; see :func:`compare`."""
    from analysis_py.warehouse import open_read

    with open_read() as con:
        found = compare(con, study, table)
        simulated = _any_simulated(con, study)
        stale = _stale(con, study)
        edited = _edited(con, study, [row.id for row in found if row.id])
    columns = DESIGN if simulated else (*DESIGN[:-2], *ESTIMATES, *DESIGN[-2:])
    notes = []
    if simulated:
        notes.append("simulated inputs: only the design is compared; estimates, signs and stars are not")
    if stale:
        notes.append("some of these results were made from an earlier build: run 'carbonpanel estimate'")
    if edited:
        notes.append(f"from an edited study, not the shipped one: {', '.join(edited)}")
    notes.append("cities_published is N divided by the years of the published period; the papers do not print it")
    return Comparison(
        title=f"{study}: published and estimated" + (f", Table {table}" if table else ""),
        columns=columns,
        rows=tuple(tuple(getattr(row, c) for c in columns) for row in found),
        simulated=simulated,
        notes=tuple(notes),
    )


def compare(con: duckdb.DuckDBPyConnection, study: Study | str, table: str | None = None) -> list[ComparisonRow]:
    """Every published column of a study (or of one table) beside our latest main model with its analysis id.

    Parameters
    ----------
    con : a connection to the warehouse.
    study : a study or its id.
    table : a published table number, e.g. ``"3"``.

    Returns
    -------
    Rows in the order of table and column; published columns without a model of ours have status ``not_run``.

    Raises
    ------
    CarbonpanelError
        ``CP-COMPARE-STUDY`` or ``CP-COMPARE-TABLE`` (with the nearest name) where nothing is published under it.
    """
    name = study if isinstance(study, str) else study.study
    published = _records(
        con, "select * from published.seed_published_model where study = ? order by table_no, column_no", [name]
    )
    if not published:
        known = [r[0] for r in con.execute("select distinct study from published.seed_published_model").fetchall()]
        raise CarbonpanelError(
            "CP-COMPARE-STUDY", f"nothing is published under study '{name}'", remedy=did_you_mean(name, known)
        )
    tables = sorted({str(p["table_no"]) for p in published}, key=_natural)
    if table is not None:
        if str(table) not in tables:
            raise CarbonpanelError(
                "CP-COMPARE-TABLE",
                f"study '{name}' has no published table '{table}'",
                remedy=f"tables: {', '.join(tables)}",
            )
        published = [p for p in published if str(p["table_no"]) == str(table)]
    published.sort(key=lambda p: (_natural(str(p["table_no"])), _natural(str(p["column_no"]))))
    years = _published_years(con, name)
    ids = _analysis_ids(con, name)
    ours = _latest_models(con, name)
    rows: list[ComparisonRow] = []
    for column in published:
        place = (str(column["table_no"]), str(column["column_no"]))
        analysis_id = ids.get(place, f"T{place[0]}c{place[1]}")
        model = ours.get(analysis_id)
        design = _design_row(column, analysis_id, model, years)
        if model is None or model["is_simulated"]:
            rows.append(design)
        else:
            rows += _with_estimates(con, name, column, design, model)
    return rows


def _design_row(
    column: Mapping[str, Any], analysis_id: str, model: Mapping[str, Any] | None, years: int | None
) -> ComparisonRow:
    n_published = _whole(column["n_obs"])
    cities = n_published // years if n_published and years and n_published % years == 0 else None
    spec: dict[str, Any] = json.loads(model["spec"]) if model else {}
    controls = spec.get("controls")
    row: dict[str, Any] = {
        "table": str(column["table_no"]),
        "column": str(column["column_no"]),
        "analysis_id": analysis_id,
        "label": column["column_label"] or "",
        "id": model["id"] if model else None,
        "status": model["status"] if model else "not_run",
        "outcome_published": column["dependent_variable"],
        "outcome": model["outcome"] if model else None,
        "controls_published": column["controls"] or "",
        "controls": None if controls is None else ";".join(controls),
        "fixed_effects_published": column["fixed_effects"],
        "fixed_effects": "+".join(spec["fixed_effects"]) if spec.get("fixed_effects") is not None else None,
        "sample_published": column["sample_rule"],
        "sample": _our_sample(model["sample"], spec) if model else None,
        "n_published": n_published,
        "n": model["n_obs"] if model else None,
        "cities_published": cities,
        "cities": model["n_units"] if model else None,
        "errors_published": column["cluster_or_se"],
        "convention": model["convention"] if model else None,
        "errors": model["covariance"] if model else None,
        "estimator_published": column["estimator"],
        "estimator": model["estimator"] if model else None,
        "message": model["message"] if model else "no model of ours has this analysis id",
    }
    return ComparisonRow(differs_in=_differences(row) if model else "", **row)


def _our_sample(condition: str | None, spec: Mapping[str, Any]) -> str:
    text = condition or "whole panel"
    winsor = spec.get("winsor")
    if winsor:
        text += f"; {', '.join(winsor['columns'])} winsorised at {winsor['low']:g} and {winsor['high']:g} percent"
    return text


def _differences(row: Mapping[str, Any]) -> str:
    """Parts of the design that can be told apart mechanically. Sample rules are texts: whether either side is the
    whole panel is compared, how two parts of it differ is left to the reader."""
    parts = []
    for name in ("outcome", "controls"):
        if row[name] is not None and _names(row[name]) != _names(row[f"{name}_published"]):
            parts.append(name)
    printed = _names(str(row["fixed_effects_published"] or "").replace("+", ";"))
    ours = _names(str(row["fixed_effects"] or "").replace("+", ";").replace("_code", ""))
    if row["fixed_effects"] is not None and printed != ours:
        parts.append("fixed effects")
    printed_sample, sample = row["sample_published"], row["sample"]
    if printed_sample and sample is not None and _is_whole(printed_sample) != _is_whole(sample):
        parts.append("sample")
    for name in ("n", "cities"):
        if row[name] is not None and row[f"{name}_published"] is not None and row[name] != row[f"{name}_published"]:
            parts.append(name.upper() if name == "n" else name)
    return ", ".join(parts)


def _is_whole(rule: str) -> bool:
    """Whether a sample rule, printed or ours, leaves no rows out; winsorising leaves none out."""
    return rule.lower().startswith(("full sample", "whole panel"))


def _with_estimates(
    con: duckdb.DuckDBPyConnection,
    study: str,
    column: Mapping[str, Any],
    design: ComparisonRow,
    model: Mapping[str, Any],
) -> list[ComparisonRow]:
    printed = _records(
        con,
        "select term, estimate, statistic, stars from published.seed_published_coefficient"
        " where study = ? and table_no = ? and column_no = ?",
        [study, column["table_no"], column["column_no"]],
    )
    ours = {
        c["term"]: c
        for c in _records(
            con,
            "select term, estimate, statistic from results.coefficient where run_id = ? and study = ? and id = ?"
            ' and regime is null and "group" is null order by position',
            [model["run_id"], study, model["id"]],
        )
    }
    base = {f.name: getattr(design, f.name) for f in fields(design)}
    base |= {"r2_published": _real(column["r2"]), "r2": model["r2"]}
    rows = []
    for coefficient in printed:
        match = ours.get(coefficient["term"], {})
        rows.append(
            ComparisonRow(
                **base
                | {
                    "term": coefficient["term"],
                    "estimate_published": f"{coefficient['estimate']}{coefficient['stars'] or ''}",
                    "statistic_published": coefficient["statistic"],
                    "estimate": match.get("estimate"),
                    "statistic": match.get("statistic"),
                }
            )
        )
    return rows or [ComparisonRow(**base)]


def _latest_models(con: duckdb.DuckDBPyConnection, study: str) -> dict[str, dict[str, Any]]:
    """Our latest main model of each analysis, from runs on the warehouse's own panels."""
    found = _records(
        con,
        "select m.*, r.is_simulated, r.started_at, r.study_hash from results.model as m"
        " join results.run as r on r.run_id = m.run_id"
        " where m.study = ? and m.variant = 'main' and r.data_file is null"
        " order by r.started_at, m.run_id, m.id",
        [study],
    )
    return {model["analysis_id"]: model for model in found}


def _edited(con: duckdb.DuckDBPyConnection, study: str, ids: Sequence[str]) -> list[str]:
    """Which of our models do not come from the study file shipped under their id, in the order given, once each."""
    from analysis_py.settings import paths
    from analysis_py.study import load_studies

    shipped = {m.id: s.file_hash for s in load_studies(paths().studies) if s.study == study for m in s.models}
    ours = {m["id"]: m["study_hash"] for m in _latest_models(con, study).values()}
    return [i for i in dict.fromkeys(ids) if ours[i] != shipped.get(i)]


def _any_simulated(con: duckdb.DuckDBPyConnection, study: str) -> bool:
    """Whether any number behind the comparison is simulated; a study without results follows the warehouse."""
    from analysis_py.warehouse import simulated

    ours = _latest_models(con, study)
    return any(m["is_simulated"] for m in ours.values()) if ours else simulated(con)


def _stale(con: duckdb.DuckDBPyConnection, study: str) -> bool:
    row = con.execute(
        "select count(*) from results.run as r join meta.mart_hash as h"
        " on h.schema_name = 'marts' and h.table_name = r.panel"
        " where r.study = ? and r.data_file is null and h.hash <> r.panel_hash and r.started_at ="
        " (select max(n.started_at) from results.run as n where n.study = r.study and n.data_file is null)",
        [study],
    ).fetchone()
    return row is not None and int(row[0]) > 0


def _analysis_ids(con: duckdb.DuckDBPyConnection, study: str) -> dict[tuple[str, str], str]:
    """Analysis id of each (table, column), read from the claims (``Table 3 column 1: ...``)."""
    rows = con.execute(
        "select analysis_id, claim_or_table from published.seed_analysis_row where study = ? order by analysis_id",
        [study],
    ).fetchall()
    found = {}
    for analysis_id, claim in rows:
        hit = re.match(r"Table (\d+) column (\d+)\b", claim or "")
        if hit:
            found[hit[1], hit[2]] = str(analysis_id)
    return found


def _published_years(con: duckdb.DuckDBPyConnection, study: str) -> int | None:
    """How many years the published period has, from the texts' own numbers (``2003-2021``)."""
    row = con.execute(
        "select value from published.seed_published_text_number"
        " where study = ? and quantity = 'period' and unit = 'years'",
        [study],
    ).fetchone()
    hit = re.fullmatch(r"(\d{4})\D(\d{4})", str(row[0]).strip()) if row else None
    return int(hit[2]) - int(hit[1]) + 1 if hit else None


def _records(con: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[object]) -> list[dict[str, Any]]:
    cursor = con.execute(sql, parameters)
    names = [d[0] for d in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(sorted(part.strip() for part in (text or "").split(";") if part.strip()))


def _natural(text: str) -> tuple[int, str]:
    digits = re.match(r"\d+", text)
    return (int(digits[0]) if digits else 10**6, text)


def _whole(text: object) -> int | None:
    try:
        return int(str(text))
    except ValueError:
        return None


def _real(text: object) -> float | None:
    try:
        return float(str(text))
    except ValueError:
        return None
