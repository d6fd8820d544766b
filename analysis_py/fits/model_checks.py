"""What is checked of a study against its panel before anything is estimated."""

from __future__ import annotations

from collections.abc import Iterator

from analysis_py.errors import CarbonpanelError
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.cell_places import as_numbers
from analysis_py.panels.frame import ModelColumns, fixed_effect_columns
from analysis_py.specification.foreign_spellings import advise_on_column
from analysis_py.specification.terms import (
    Term,
    has_dummies,
    leaves,
    number_columns,
    parse_term,
    unknown_column,
    uses_time,
)
from analysis_py.study import Model, Study


def check_study(study: Study, panel: CalendarPanel) -> None:
    """Raise at the first name, type, condition or lag of any model that this panel cannot serve, naming its line."""
    for model in study.models:
        _check_model(study, model, panel)


def _check_model(study: Study, model: Model, panel: CalendarPanel) -> None:
    def where(key: str, item: int | None) -> str:
        return study.where(model, key, item)

    # building derives and transforms every column the study names, so it checks SQL, transforms and winsor too
    columns = ModelColumns(panel, model, where, observed=False)
    columns.mask(model.sample, "sample")
    for key, item, term in named_terms(study, model, columns.names):
        place = where(key, item)
        if (
            key not in ("outcome", "columns")
            and "_cons" in columns.names
            and term == parse_term("_cons", columns.names)
        ):
            raise CarbonpanelError(
                "CP-STUDY-TERM",
                "a regressor cannot be called '_cons': that is the constant's name in every table",
                where=place,
                remedy="give the column another name, for example transforms: {cons: '_cons'}",
            )
        if uses_time(term):
            panel.shift_rows(1)
        if key == "outcome" and has_dummies(term):
            raise CarbonpanelError("CP-STUDY-TERM", "the outcome must be one column, not dummies", where=place)
        for name in number_columns(term):
            as_numbers(columns.raw(name), name, place, panel.data)
    for key, item, name in _plain_names(model, columns.names):
        if name not in columns.names:
            raise unknown_column(name, columns.names, where(key, item), advise_on_column(name))
    if model.weights and (columns.numbers(model.weights) < 0).any():
        raise CarbonpanelError(
            "CP-STUDY-VALUE", f"weights '{model.weights}' hold negative values", where=where("weights", None)
        )


def named_terms(study: Study, model: Model, names: list[str]) -> Iterator[tuple[str, int | None, Term]]:
    """Every term a model names: (key, position in its list, term)."""
    options = model.options
    listed: list[tuple[str, tuple[str, ...]]] = [
        ("treatment", model.treatment),
        ("moderator", model.moderator),
        ("controls", model.controls),
        ("mechanism", tuple((options.get("mechanism") or {}).get("mediators", ()))),
        ("columns", model.columns if model.estimator == "descriptive" else ()),
        ("endogenous", tuple(options.get("endogenous", ()))),
        ("instruments", tuple(options.get("instruments", ()))),
    ]
    if model.outcome and model.is_regression:
        yield "outcome", None, parse_term(model.outcome, names, study.where(model, "outcome"))
    for key, texts in listed:
        for item, text in enumerate(texts):
            yield key, item, parse_term(text, names, study.where(model, key, item))
    threshold = options.get("threshold") or {}
    for text in (threshold.get("variable"), *threshold.get("regime_terms", ())):
        if text:
            yield "threshold", None, parse_term(text, names, study.where(model, "threshold"))


def _plain_names(model: Model, names: list[str]) -> Iterator[tuple[str, int | None, str]]:
    if model.is_regression:
        for item, effect in enumerate(model.fixed_effects):
            for name in fixed_effect_columns([effect], names):
                yield "fixed_effects", item, name
        for name in fixed_effect_columns(model.covariance.by, names):
            yield "covariance", None, name
        for option in ("lon", "lat"):
            value = model.covariance.option(option)
            if isinstance(value, str):
                yield "covariance", None, value
    if model.published and model.published.covariance:
        for name in fixed_effect_columns(model.published.covariance.by, names):
            yield "published", None, name
    if model.weights:
        yield "weights", None, model.weights
    if model.split is not None:
        yield "split", None, model.split.by
    first_treated = (model.options.get("did") or {}).get("first_treated")
    if first_treated:
        yield "did", None, first_treated


def absent_columns(model: Model, panel: CalendarPanel) -> str | None:
    """Why a model has no data to run on: columns without a single value and what would bring them; None if it has.

    A descriptive model is only stopped when all its columns are empty.
    """

    def where(key: str, item: int | None) -> str:
        return ""

    columns = ModelColumns(panel, model, where, observed=model.fill == "observed")
    used: dict[str, None] = {}
    mediators = (model.options.get("mechanism") or {}).get("mediators", ())
    texts = [model.outcome, *model.treatment, *model.moderator, *mediators, *model.controls]
    texts += [*model.options.get("endogenous", ()), *model.options.get("instruments", ())]
    threshold = model.options.get("threshold") or {}
    texts += [threshold.get("variable"), *threshold.get("regime_terms", ())]
    for text in model.columns if model.estimator == "descriptive" else texts:
        if text:
            used |= dict.fromkeys(name for name, _ in leaves(parse_term(text, columns.names)))
    if model.is_regression:
        used |= dict.fromkeys(fixed_effect_columns(model.fixed_effects, columns.names))
        used |= dict.fromkeys(fixed_effect_columns(model.covariance.by, columns.names))
        if model.split is not None:
            used[model.split.by] = None
    empty = [name for name in used if not columns.raw(name).notna().any()]
    if not empty or (model.estimator == "descriptive" and len(empty) < len(used)):
        return None
    return "no value of " + "; ".join(explain_absent(name, model, panel) for name in empty)


def explain_absent(name: str, model: Model, panel: CalendarPanel) -> str:
    """A column without a value and, as far as the panel's source knows, why."""
    if name in dict(model.transforms) and name not in panel.columns:
        return f"{name} ({dict(model.transforms)[name]})"
    if model.fill == "observed" and name in panel.filled_columns and panel.frame[name].notna().any():
        return f"{name}: every cell is filled, none observed"
    if panel.data.data_file is not None:
        return f"{name} in {panel.data.data_file}"
    return f"{name}: {panel.data.why_empty.get(name, 'no file brought it')}"
