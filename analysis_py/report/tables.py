"""Tables to paste: a run as papers print it, in text, Markdown, CSV or LaTeX.

Stars are made here and nowhere else. A table made from simulated numbers says so in its first and last lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.fits.run_record import CoefficientRow, ModelRun, StudyRun
from analysis_py.report.comparison_rows import Comparison
from analysis_py.report.iv_rows import iv_rows
from analysis_py.report.numbers import number, stars
from analysis_py.report.table_layout import FORMATS, Table, lay_out
from analysis_py.report.tests_and_margins import margin_rows, outcome_of, test_lines
from analysis_py.report.threshold_rows import other_thresholds, threshold_rows
from analysis_py.settings import SIMULATED_NOTICE
from analysis_py.specification.model_spec import is_convention_variant

#: Standard errors below this share of the largest estimate are rounding, where the fit is exact to ``_EXACT``.
_ROUNDING = 1e-12
_EXACT = 1e-10

#: Rows that the limits of winsorising are taken on, by scope.
_SCOPES = {"universe": "every row of the panel", "study": "the study's sample", "subsample": "the model's sample"}


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
    whole = [m for m in run.models if m.estimator != "descriptive" and _owner(m) not in split]
    if whole:
        tables.append(_regression_table(run, whole, _title(run, language), language, _label(run)))
    for first in (m for m in run.models if m.groups and _owner(m) == m.id):
        own = [m for m in run.models if _owner(m) == first.id]
        words = _words(dict(first.title or {}), language)
        title = " - ".join(dict.fromkeys(t for t in (_title(run, language), first.id, words) if t))
        tables.append(_regression_table(run, own, title, language, _label(run, first.id)))
    return "\n\n".join(lay_out(table, format) for table in tables)


def _title(run: StudyRun, language: str) -> str:
    return _words(dict(run.title or {}), language) or run.study


def _numbering(run: StudyRun, language: str) -> str:
    if not run.table_no:
        return ""
    return f"表{run.table_no}" if language == "zh" else f"Table {run.table_no}."


def _label(run: StudyRun, *parts: str) -> str:
    return "-".join(part for part in (run.study, run.table_no, *parts) if part)


def _words(texts: dict[str, str], language: str) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


def _cells(kind: str) -> str:
    """Which cells a twin uses: ``observed`` ones only, or all of them."""
    return "observed cells only" if kind == "observed" else "observed and filled cells"


def _starred(model: ModelRun, group: str | None, found: CoefficientRow) -> str:
    """The estimate with its stars, none where the error is nothing but rounding."""
    return number(found.estimate) + ("" if _is_rounding(model, group, found) else stars(found.p_value))


def _is_rounding(model: ModelRun, group: str | None, found: CoefficientRow) -> bool:
    """Whether a standard error is rounding noise: tiny beside the estimates of an (all but) exact fit.

    A tiny error alone is no sign of it: a regressor in large units has a tiny coefficient and error.
    """
    estimates = [abs(c.estimate) for c in model.coefficients if c.group == group]
    scale = max([1.0, *(e for e in estimates if e < float("inf"))])
    if not found.std_error < _ROUNDING * scale:
        return False
    if group is None and model.rmse is not None:
        return model.rmse < _EXACT * scale
    fit = next((g.r2 for g in model.groups if g.group == group), model.r2)
    return fit is None or fit > 1.0 - _EXACT


def _provenance(run: StudyRun) -> str:
    source = run.data_file or run.panel
    return f"Panel: {source} (inputs: {run.inputs}; content {run.panel_hash[:12]}). Run {run.run_id}."


def _owner(model: ModelRun) -> str:
    """The id of the model that a row repeats under another convention or on other cells, else its own."""
    return str(model.variant_of) if is_convention_variant(model.id, model.variant, model.variant_of) else model.id


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


def _regression_table(run: StudyRun, models: Sequence[ModelRun], title: str, language: str, label: str) -> Table:
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
    if any(titles):
        header.append(["", *(t.replace("\n", " ") for t in titles)])
    header.append(["Outcome", *(outcome_of(c.model, c.group) for c in columns)])
    kinds = list(dict.fromkeys(m.variant for c in columns for m in c.beside))
    body: list[list[str]] = []
    for term, regime in ordered:
        rows = [[f"{term} ({regime})" if regime else term], [""], *([""] for _ in kinds)]
        for column in columns:
            found = _coefficients(column.model, column.group).get((term, regime))
            rows[0].append(_starred(column.model, column.group, found) if found else "")
            rows[1].append(f"({number(found.std_error)})" if found else "")
            for row, kind in zip(rows[2:], kinds, strict=True):
                other = next((m for m in column.beside if m.variant == kind), None)
                again = _coefficients(other, column.group).get((term, regime)) if other else None
                row.append(f"[{number(again.std_error)}]" if again else "")
        # a convention without a constant has nothing to say under it
        body += [*rows[:2], *(row for row in rows[2:] if any(row))]
    margins = margin_rows([(c.model, c.group) for c in columns])
    shown = [c.model for c in columns]
    tests = [*iv_rows(shown), *threshold_rows(shown)]
    for kind in kinds:
        tests += other_thresholds(shown, [c.beside for c in columns], kind)
    table = Table(
        title=title,
        notice=SIMULATED_NOTICE if run.is_simulated else None,
        header=header,
        sections=[body, margins, _fit_rows(columns), tests, _twin_rows(columns)],
        notes=[*_error_notes(columns, kinds), *_model_notes(run, models, language), _provenance(run)],
        numbering=_numbering(run, language),
        label=label,
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
    pseudo = [next((d.statistic for d in c.model.diagnostics if d.test == "pseudo_r2"), None) for c in columns]
    rows.append(["Pseudo R2", *(number(value) for value in pseudo)])
    effects = list(dict.fromkeys(e for c in columns for e in c.model.fixed_effects))
    for effect in effects:
        marks = ["Yes" if effect in c.model.fixed_effects else "No" for c in columns]
        rows.append([f"Fixed effect {effect}", *(m if d else "" for m, d in zip(marks, done, strict=True))])
    rows.append(["Convention", *((c.model.convention or "") for c in columns)])
    rows.append(["Covariance", *(_covariance(c.model) for c in columns)])
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
        counts = [f"Observations, {_cells(kind)}"]
        for column in columns:
            right = column.twin if column.twin and column.twin.variant == kind else None
            fit = next((g for g in right.groups if g.group == column.group), right) if right else None
            counts.append("" if fit is None or fit.n_obs is None else str(fit.n_obs))
        for term in wanted:
            estimates, errors = [f"{term}, {_cells(kind)}"], [""]
            for column in columns:
                twin = column.twin if column.twin and column.twin.variant == kind else None
                found = _coefficients(twin, column.group).get((term, None)) if twin else None
                estimates.append(_starred(twin, column.group, found) if twin and found else "")
                errors.append(f"({number(found.std_error)})" if found else "")
            rows += [estimates, errors] if any(estimates[1:]) else []
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
    return "; ".join(dict.fromkeys(f"{m.convention}, {_covariance(m)}" for m in models))


def _covariance(model: ModelRun) -> str:
    """The covariance with the kernel or lag that was used, also where the study left it to the default."""
    label = model.covariance or ""
    given = model.spec.get("covariance") or {}
    if given.get("type") == "conley" and given.get("kernel") is None:
        return f"conley({given['cutoff_km']} km, uniform)"
    if given.get("type") == "driscoll_kraay" and given.get("lag") is None:
        used = [m["lag"] for m in (model.small_sample, *(g.small_sample for g in model.groups)) if "lag" in m]
        return f"{label}(lag {', '.join(map(str, dict.fromkeys(used)))})" if used else label
    return label


def _is_in_place(transform: str) -> bool:
    from analysis_py.panels.transforms import TRANSFORMS

    return transform in TRANSFORMS or re.fullmatch(r"lag\(\s*-?\d+\s*\)", transform) is not None


def _made_of(model: ModelRun) -> list[str]:
    """What changed the numbers before they were estimated: derived columns, transforms, winsorising, weights."""
    spec = model.spec
    transforms = dict(spec.get("transforms") or {})
    derived = {name: text for name, text in transforms.items() if not _is_in_place(text)}
    changed = {name: text for name, text in transforms.items() if name not in derived}
    said = []
    if derived:
        said.append("derived columns: " + "; ".join(f"{name} = {' '.join(t.split())}" for name, t in derived.items()))
    if changed:
        said.append("transforms: " + "; ".join(f"{name}: {text}" for name, text in changed.items()))
    winsor = spec.get("winsor")
    if winsor:
        scope = _SCOPES[winsor["scope"]]
        if winsor["scope"] == "study" and spec.get("study_sample"):
            scope += f" ({spec['study_sample']})"
        limits = f"{winsor['low']:g} and {winsor['high']:g} percent"
        said.append(f"winsorised: {', '.join(winsor['columns'])} at {limits}, limits over {scope}")
    if spec.get("weights"):
        said.append(f"weights: {spec['weights']}")
    return said


def _model_notes(run: StudyRun, models: Sequence[ModelRun], language: str) -> list[str]:
    """Samples, what changed the numbers, messages and notes, each said once with the models it belongs to."""
    shared: dict[str, list[ModelRun]] = {}
    present = {m.id for m in models}
    for model in models:
        said = []
        # a repetition under other errors or cells shares these with its model, where that is in the table
        if not (is_convention_variant(model.id, model.variant, model.variant_of) and model.variant_of in present):
            said = [*([f"sample: {model.sample}"] if model.sample else []), *_made_of(model)]
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
    told: dict[str, list[str]] = {}
    for model in models:
        # a repetition under other errors says only what the errors change
        before = told.get(_owner(model), [])
        told[model.id] = test_lines(model)
        lines += [f"{model.id}, {line}" for line in told[model.id] if line not in before]
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
        twin = model.variant in ("observed", "filled")
        title += f" ({_cells(model.variant) if twin else model.variant})"
    return Table(
        title=title,
        notice=SIMULATED_NOTICE if run.is_simulated else None,
        header=[["Variable", *names]],
        sections=[body] if body else [],
        notes=["Percentiles by Stata's rule.", *_model_notes(run, [model], language), _provenance(run)],
        numbering=_numbering(run, language),
        label=_label(run, model.id),
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
