"""Tables to paste: a run as papers print it, in text, Markdown, CSV or LaTeX.

Stars are made here and nowhere else. A table made from simulated numbers says so in its first and last lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.fits.run_record import CoefficientRow, ModelRun, StudyRun
from analysis_py.report.comparison import Comparison
from analysis_py.report.table_layout import FORMATS, Table, lay_out
from analysis_py.settings import SIMULATED_NOTICE
from analysis_py.specification.model_spec import is_convention_variant

#: p-value below which a coefficient gets so many stars.
STARS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))


@dataclass(frozen=True)
class _Column:
    """One printed column: a model, or one group of it, with the models that repeat it under other errors."""

    model: ModelRun
    group: str | None
    beside: tuple[ModelRun, ...]
    twin: ModelRun | None


def render(run_or_rows: StudyRun | Comparison, format: str = "text", *, language: str = "en") -> str:
    """A run's tables, or a comparison with the published ones, in one of ``text``, ``md``, ``csv``, ``tex``.

    Raises ``CP-TABLE-FORMAT`` for another format.
    """
    if format not in FORMATS:
        raise CarbonpanelError(
            "CP-TABLE-FORMAT", f"unknown table format '{format}'", remedy=did_you_mean(format, FORMATS)
        )
    if isinstance(run_or_rows, Comparison):
        return lay_out(_comparison_table(run_or_rows), format)
    run = run_or_rows
    tables = [_descriptive_table(run, m, language) for m in run.models if m.estimator == "descriptive"]
    split = {m.id for m in run.models if m.groups}
    whole = [m for m in run.models if m.estimator != "descriptive" and not {m.id, m.variant_of} & split]
    if whole:
        tables.append(_regression_table(run, whole, _title(run, language), language))
    for first in (m for m in run.models if m.groups and m.variant_of not in split):
        own = [m for m in run.models if first.id in (m.id, m.variant_of)]
        words = _words(dict(first.title or {}), language)
        title = " - ".join(dict.fromkeys(t for t in (_title(run, language), first.id, words) if t))
        tables.append(_regression_table(run, own, title, language))
    return "\n\n".join(lay_out(table, format) for table in tables)


def number(value: float | None) -> str:
    """Three decimals; small numbers keep three significant digits, very large ones six."""
    if value is None or value != value:
        return ""
    if value == 0 or 0.01 <= abs(value) < 1e5:
        return f"{value:.3f}"
    return f"{value:.6g}" if abs(value) >= 1e5 else f"{value:#.3g}"


def stars(p_value: float | None) -> str:
    """``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    if p_value is None or p_value != p_value:
        return ""
    return next((mark for limit, mark in STARS if p_value < limit), "")


def _title(run: StudyRun, language: str) -> str:
    words = dict(run.title or {})
    title = words.get(language) or words.get("en") or run.study
    if not run.table_no:
        return title
    return f"表{run.table_no} {title}" if language == "zh" else f"Table {run.table_no}. {title}"


def _words(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def _provenance(run: StudyRun) -> str:
    source = run.data_file or run.panel
    return f"Panel: {source} (inputs: {run.inputs}; content {run.panel_hash[:12]}). Run {run.run_id}."


def _columns(models: Sequence[ModelRun]) -> list[_Column]:
    columns = []
    for model in models:
        if is_convention_variant(model.id, model.variant, model.variant_of):
            continue
        own = [m for m in models if m.variant_of == model.id and m.id == f"{model.id}:{m.variant}"]
        twin = next((m for m in own if m.variant in ("observed", "filled")), None)
        beside = tuple(m for m in own if m is not twin)
        groups: list[str | None] = [g.group for g in model.groups] or [None]
        columns += [_Column(model, group, beside, twin) for group in groups]
    return columns


def _coefficients(model: ModelRun, group: str | None) -> dict[tuple[str, str | None], CoefficientRow]:
    return {(c.term, c.regime): c for c in model.coefficients if c.group == group}


def _regression_table(run: StudyRun, models: Sequence[ModelRun], title: str, language: str) -> Table:
    columns = _columns(models)
    keys: dict[tuple[str, str | None], None] = {}
    for column in columns:
        keys |= dict.fromkeys(_coefficients(column.model, column.group))
    ordered = [k for k in keys if k[0] != "_cons"] + [k for k in keys if k[0] == "_cons"]
    header = [
        ["", *(f"({i})" for i in range(1, len(columns) + 1))],
        ["", *(c.model.id for c in columns)],
    ]
    titles = [c.group or (_words(dict(c.model.title), language) if c.model.title else "") for c in columns]
    if any(t and t != (run.title or {}).get(language) for t in titles):
        header.append(["", *(t.replace("\n", " ") for t in titles)])
    header.append(["Outcome", *(c.model.outcome or "" for c in columns)])
    kinds = list(dict.fromkeys(m.variant for c in columns for m in c.beside))
    body: list[list[str]] = []
    for term, regime in ordered:
        label = f"{term} ({regime})" if regime else term
        rows = [[label], [""], *([""] for _ in kinds)]
        for column in columns:
            found = _coefficients(column.model, column.group).get((term, regime))
            rows[0].append(number(found.estimate) + stars(found.p_value) if found else "")
            rows[1].append(f"({number(found.std_error)})" if found else "")
            for row, kind in zip(rows[2:], kinds, strict=True):
                other = next((m for m in column.beside if m.variant == kind), None)
                again = _coefficients(other, column.group).get((term, regime)) if other else None
                row.append(f"[{number(again.std_error)}]" if again else "")
        body += rows
    table = Table(
        title=title,
        notice=SIMULATED_NOTICE if run.is_simulated else None,
        header=header,
        sections=[body, _fit_rows(columns), _twin_rows(columns)],
        notes=[*_error_notes(columns, kinds), *_model_notes(run, models, language), _provenance(run)],
    )
    return replace(table, sections=[s for s in table.sections if s])


def _fit_rows(columns: Sequence[_Column]) -> list[list[str]]:
    def count(value: int | None) -> str:
        return "" if value is None else f"{value}"

    groups = [next((g for g in c.model.groups if g.group == c.group), None) for c in columns]
    pairs = list(zip(columns, groups, strict=True))
    done = [c.model.status in ("ok", "warned") for c in columns]
    rows = [["Observations", *(count(g.n_obs if g else c.model.n_obs) for c, g in pairs)]]
    rows.append(["Units", *(count(g.n_units if g else c.model.n_units) for c, g in pairs)])
    rows.append(["R2", *(number(g.r2 if g else c.model.r2) for c, g in pairs)])
    rows.append(["R2 within", *(number(g.r2_within if g else c.model.r2_within) for c, g in pairs)])
    effects = list(dict.fromkeys(e for c in columns for e in c.model.fixed_effects))
    for effect in effects:
        marks = ["Yes" if effect in c.model.fixed_effects else "No" for c in columns]
        rows.append([f"Fixed effect {effect}", *(m if d else "" for m, d in zip(marks, done, strict=True))])
    rows.append(["Convention", *((c.model.convention or "") for c in columns)])
    rows.append(["Covariance", *((c.model.covariance or "") for c in columns)])
    rows.append(["Filled cells", *(count(c.model.n_filled_cells) for c in columns)])
    if any(c.model.status != "ok" for c in columns):
        rows.append(["Status", *(c.model.status.replace("_", " ") for c in columns)])
    return [row for row in rows if any(row[1:])]


def _twin_rows(columns: Sequence[_Column]) -> list[list[str]]:
    """The treatment's coefficients again, on the other kind of cells."""
    kinds = list(dict.fromkeys(c.twin.variant for c in columns if c.twin))
    rows: list[list[str]] = []
    for kind in kinds:
        wanted: dict[str, None] = {}
        for column in columns:
            wanted |= dict.fromkeys(column.model.treatment)
            if column.model.estimator == "moderation":
                wanted |= dict.fromkeys(c.term for c in column.model.coefficients if "*" in c.term)
        counts = [f"Observations, {kind} cells only"]
        for column in columns:
            right = column.twin if column.twin and column.twin.variant == kind else None
            counts.append("" if right is None or right.n_obs is None else str(right.n_obs))
        for term in wanted:
            estimates, errors = [f"{term}, {kind} cells only"], [""]
            for column in columns:
                twin = column.twin if column.twin and column.twin.variant == kind else None
                found = _coefficients(twin, column.group).get((term, None)) if twin else None
                estimates.append(number(found.estimate) + stars(found.p_value) if found else "")
                errors.append(f"({number(found.std_error)})" if found else "")
            rows += [estimates, errors]
        rows.append(counts)
    return rows


def _error_notes(columns: Sequence[_Column], kinds: Sequence[str]) -> list[str]:
    if not any(c.model.coefficients for c in columns):
        return []
    notes = ["Standard errors in parentheses: " + _errors(c.model for c in columns if c.model.coefficients) + "."]
    for kind in kinds:
        again = [m for c in columns for m in c.beside if m.variant == kind and m.coefficients]
        if again:
            notes.append(f"In brackets, {kind}: {_errors(again)}.")
    notes.append("* p < 0.1, ** p < 0.05, *** p < 0.01, two-sided, by the errors in parentheses.")
    return notes


def _errors(models: Iterable[ModelRun]) -> str:
    return "; ".join(dict.fromkeys(f"{m.convention}, {m.covariance}" for m in models))


def _model_notes(run: StudyRun, models: Sequence[ModelRun], language: str) -> list[str]:
    """Samples, messages and notes, each said once with the models it belongs to."""
    shared: dict[str, list[ModelRun]] = {}
    for model in models:
        said = [f"sample: {model.sample}"] if model.sample and model.variant_of is None else []
        if model.message:
            said.append(f"{model.status.replace('_', ' ')}: {model.message}")
        for text in (*said, *model.notes):
            shared.setdefault(text, []).append(model)
    lines = []
    if run.note:
        lines.append(_words(dict(run.note), language))
    for text, owning in shared.items():
        ids = [m.id for m in owning if m.variant_of not in [o.id for o in owning]]
        owners = "All models" if len(owning) == len(models) and len(ids) > 1 else ", ".join(ids)
        lines.append(f"{owners}: {text}")
    for model in models:
        for test in model.diagnostics:
            if model.groups:
                value = (
                    "not run" if test.statistic is None else f"{number(test.statistic)} (p = {number(test.p_value)})"
                )
                lines.append(f"{model.id}, {test.test}: {value}")
    return [line if line.endswith(".") else f"{line}." for line in lines]


def _descriptive_table(run: StudyRun, model: ModelRun, language: str) -> Table:
    names = ("N", "Mean", "SD", "Min", "P25", "Median", "P75", "Max", "Filled")
    body = [
        [
            row.variable,
            str(row.n),
            *(number(v) for v in (row.mean, row.sd, row.min, row.p25, row.median, row.p75, row.max)),
            str(row.n_filled),
        ]
        for row in model.descriptives
    ]
    title = _title(run, language)
    if model.variant != "main":
        title += f" ({model.variant} cells only)" if model.variant in ("observed", "filled") else f" ({model.variant})"
    return Table(
        title=title,
        notice=SIMULATED_NOTICE if run.is_simulated else None,
        header=[["Variable", *names]],
        sections=[body] if body else [],
        notes=["Percentiles by Stata's rule.", *_model_notes(run, [model], language), _provenance(run)],
    )


def _comparison_table(comparison: Comparison) -> Table:
    def shown(value: object) -> str:
        if isinstance(value, float):
            return number(value)
        return "" if value is None else str(value)

    return Table(
        title=comparison.title,
        notice=SIMULATED_NOTICE if comparison.simulated else None,
        header=[list(comparison.columns)],
        sections=[[[shown(v) for v in row] for row in comparison.rows]],
        notes=list(comparison.notes),
    )
