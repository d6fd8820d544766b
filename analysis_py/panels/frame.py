"""From a panel to the frame one model is estimated on.

Order of operations (part of every number's definition): derived columns -> transforms in place -> winsor limits on
their scope -> terms, lags by calendar time, on the whole panel -> cut to the model's sample. Rows with a missing
value are dropped by the estimator, last.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.descriptive import stata_percentile
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.cell_places import as_numbers, describe_values
from analysis_py.panels.transforms import IN_PLACE, LAG, is_expression, unknown_transform, zeros_warning
from analysis_py.specification.expressions import Expression, evaluate_condition, evaluate_expression, parse_expression
from analysis_py.specification.terms import FUNCTIONS, Column, Term, calls, evaluate, leaves, parse_term, unknown_column
from analysis_py.study import Model

#: ``where(key, item)``: the line of a model's key in its study file.
Where = Callable[[str, int | None], str]

_BARE_WORD = re.compile(r"[^\W\d]\w*")

#: Keys of a model that hold terms, in the order of the coefficients.
TERM_KEYS = ("outcome", "treatment", "moderator", "controls")


@dataclass(frozen=True)
class Regressor:
    """One column of the design: its label, its values on the whole panel and the (column, lag) cells behind it."""

    label: str
    values: np.ndarray
    cells: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class EstimationFrame:
    """What an estimator is given. ``rows`` are the panel's rows of the frame's rows, in order."""

    frame: pd.DataFrame
    rows: np.ndarray
    outcome: str
    regressors: tuple[str, ...]
    filled_cells: np.ndarray
    messages: tuple[str, ...]
    notes: tuple[str, ...]
    #: What was subtracted from treatments and moderators before they were multiplied, by label; empty without centring.
    centres: Mapping[str, float] = field(default_factory=dict)
    #: (treatment, moderator, their product), by label.
    products: tuple[tuple[str, str, str], ...] = ()

    def n_filled(self, used: np.ndarray) -> int:
        """Filled cells among the frame rows ``used``."""
        return int(self.filled_cells[used].sum())


class ModelColumns:
    """The columns a model sees on the whole panel: the panel's own, derived, transformed and winsorised ones."""

    def __init__(self, panel: CalendarPanel, model: Model, where: Where, *, observed: bool) -> None:
        self.panel = panel
        self.model = model
        self.where = where
        self.observed = observed
        self.messages: list[str] = []
        self._own: dict[str, pd.Series] = {}
        self._fills: dict[str, np.ndarray] = {}
        for name, text in model.transforms:
            if is_expression(text):
                self._derive(name, text)
        for name, text in model.transforms:
            if not is_expression(text):
                self._transform(name, text)
        if model.winsor is not None:
            self._winsorise()

    @property
    def names(self) -> list[str]:
        """Every name a term may use."""
        return [*self.panel.columns, *(n for n in self._own if n not in self.panel.frame)]

    def raw(self, name: str) -> pd.Series:
        """A column as it stands now; in an observed-only model its reported cells."""
        if name in self._own:
            return self._own[name]
        if self.observed and name in self.panel.filled_columns:
            return self.panel.frame[f"{name}_reported"]
        return self.panel.frame[name]

    def numbers(self, column: str) -> np.ndarray:
        """A column as float64, NaN where missing or infinite."""
        values = as_numbers(self.raw(column), column, self._place_of(column), self.panel.data)
        infinite = np.isinf(values)
        if infinite.any():
            self.messages.append(f"{int(infinite.sum())} infinite value(s) of {column} count as missing")
            values = np.where(infinite, np.nan, values)
        return values

    def shifted(self, values: np.ndarray, periods: int) -> np.ndarray:
        """Values ``periods`` earlier of the same unit."""
        return self.panel.shifted(values, periods)

    def levels(self, column: Column) -> np.ndarray:
        """A column as objects, None where missing."""
        series = self.raw(column.name)
        return np.array([None if m else v for v, m in zip(series, series.isna(), strict=True)], dtype=object)

    def level_rows(self) -> np.ndarray:
        """Rows of the model's sample."""
        return self.mask(self.model.sample, "sample")

    def mask(self, condition: str | None, key: str) -> np.ndarray:
        """Rows on which a SQL condition holds. Conditions see the panel as given (filled cells too) and what is
        derived from it, before transforms and winsorising, so that an observed-only model has the same rows."""
        if condition is None:
            return np.ones(len(self.panel), dtype=bool)
        plain_model = derived_only(self.model)
        known = (condition, *plain_model.transforms)
        if known not in self.panel.condition_rows:
            place = self.where(key, None)
            plain = ModelColumns(self.panel, plain_model, self.where, observed=False)
            expression = parse_expression(condition, plain.names, place)
            self.panel.condition_rows[known] = evaluate_condition(expression, plain.table(expression), place)
        return self.panel.condition_rows[known]

    def fill_mask(self, column: str) -> np.ndarray:
        """Rows whose cell of ``column`` was filled, not observed; False everywhere in an observed-only model."""
        if column in self._fills:
            return self._fills[column]
        if self.observed or column not in self.panel.filled_columns:
            return np.zeros(len(self.panel), dtype=bool)
        codes = self.panel.frame[f"{column}_fill"]
        return (codes.notna() & ~codes.isin(["observed", "missing"])).to_numpy(dtype=bool)

    def _derive(self, name: str, text: str) -> None:
        place = self.where("transforms", None)
        bare = _BARE_WORD.fullmatch(text.strip())
        if bare and bare[0].lower() not in ("null", "true", "false", *(n.lower() for n in self.names)):
            raise unknown_transform(name, bare[0], self.names, place)
        expression = parse_expression(text, self.names, place)
        filled = np.zeros(len(self.panel), dtype=bool)
        for column in expression.columns:
            filled |= self.fill_mask(column)
        values = evaluate_expression(expression, self.table(expression), place)
        self._own[name], self._fills[name] = values, filled

    def table(self, expression: Expression) -> pd.DataFrame:
        """The columns an expression names, on the whole panel."""
        return pd.DataFrame({c: self.raw(c) for c in expression.columns}, index=self.panel.frame.index)

    def _transform(self, name: str, text: str) -> None:
        if name not in self.names:
            raise unknown_column(name, self.names, self.where("transforms", None))
        values = self.numbers(name)
        lag = LAG.fullmatch(text)
        self._fills[name] = self.fill_mask(name)
        if lag:
            self._fills[name] = self.panel.shifted(self._fills[name], int(lag[1]))
            values = self.panel.shifted(values, int(lag[1]))
        elif text == "standardise":
            values = self._standardise(name, values)
        else:
            self._warn_of_logs(IN_PLACE[text], name, values)
            values = FUNCTIONS[IN_PLACE[text]](values)
        self._own[name] = pd.Series(values)

    def _standardise(self, name: str, values: np.ndarray) -> np.ndarray:
        inside = values[self.mask(self.model.study_sample, "sample") & ~np.isnan(values)]
        spread = float(np.std(inside, ddof=1)) if len(inside) > 1 else 0.0
        if not spread > 0:
            raise CarbonpanelError(
                "CP-STUDY-VALUE",
                f"'{name}' does not vary and cannot be standardised",
                where=self.where("transforms", None),
            )
        return (values - float(np.mean(inside))) / spread

    def _winsorise(self) -> None:
        rule = self.model.winsor
        if rule is None:
            return
        scope = {
            "universe": np.ones(len(self.panel), dtype=bool),
            "study": self.mask(self.model.study_sample, "sample"),
            "subsample": self.mask(self.model.sample, "sample"),
        }[rule.scope]
        for item, name in enumerate(rule.columns):
            if name not in self.names:
                raise unknown_column(name, self.names, self.where("winsor", None))
            values = self.numbers(name)
            inside = values[scope & ~np.isnan(values)]
            if len(inside) == 0:
                raise CarbonpanelError(
                    "CP-STUDY-VALUE",
                    f"'{name}' has no value in the {rule.scope} to take winsor limits from",
                    where=self.where("winsor", item),
                )
            low, high = stata_percentile(inside, rule.low), stata_percentile(inside, rule.high)
            self._fills[name] = self.fill_mask(name)
            self._own[name] = pd.Series(np.clip(values, low, high))

    def _warn_of_logs(self, function: str, name: str, values: np.ndarray) -> None:
        inside = values[self.mask(self.model.sample, "sample")]
        bad = {"ln": inside <= 0, "log1p": inside <= -1}.get(function, np.zeros(0, dtype=bool))
        if bad.any():
            self.messages.append(f"{int(bad.sum())} value(s) of {name} have no {function}() and count as missing")
        if function in ("log1p", "asinh") and (inside == 0).any():
            self.messages.append(zeros_warning(f"{function}({name})"))

    def _place_of(self, column: str) -> str:
        for key in TERM_KEYS:
            named = getattr(self.model, key)
            items = [named] if isinstance(named, str) else list(named or ())
            for item, text in enumerate(items):
                if column in text:
                    return self.where(key, None if isinstance(named, str) else item)
        return self.where("id", None)

    def warn_of_term(self, term: Term) -> None:
        """Note logs of zeros and of impossible values inside a term, and logs of what is a log already."""
        done = dict(self.model.transforms)
        for function, inner in calls(term):
            for name in dict.fromkeys(n for n, _ in leaves(inner) if done.get(n) in IN_PLACE):
                first = IN_PLACE[done[name]]
                self.messages.append(
                    f"transforms makes {name} {first}({name}) already, so {function}({name}) is"
                    f" {function}({first}({name})); leave out one of the two"
                )
            label = "*".join(c for c, _ in leaves(inner))
            self._warn_of_logs("ln" if function == "log" else function, label, evaluate(inner, label, self)[0][1])


def derived_only(model: Model) -> Model:
    return replace(model, transforms=tuple((n, t) for n, t in model.transforms if is_expression(t)), winsor=None)


def fixed_effect_columns(effects: Sequence[str], names: Sequence[str]) -> list[str]:
    """The columns behind fixed effects or clusters: ``a^b`` stands for two unless a column is called so."""
    found: list[str] = []
    for effect in effects:
        parts = [effect] if effect in names else [p.strip() for p in effect.split("^")]
        found += [p for p in parts if p not in found]
    return found


def term_columns(columns: ModelColumns, key: str) -> list[Regressor]:
    """The design columns of one key of the model, dummies expanded."""
    named = getattr(columns.model, key)
    texts = [named] if isinstance(named, str) else list(named or ())
    found = []
    for item, text in enumerate(texts):
        place = columns.where(key, None if isinstance(named, str) else item)
        term = parse_term(text, columns.names, place)
        columns.warn_of_term(term)
        cells = tuple(dict.fromkeys(leaves(term)))
        found += [Regressor(label, values, cells) for label, values in evaluate(term, text, columns, place)]
    return found


def build_frame(
    panel: CalendarPanel, model: Model, where: Where, *, observed: bool, extra: Mapping[str, str] | None = None
) -> EstimationFrame:
    """The estimation frame of a regression model.

    Parameters
    ----------
    panel : the whole panel.
    model : a resolved model whose outcome has been checked to be one column.
    where : places of the model's keys, for messages.
    observed : use reported cells only, instead of filled ones.
    extra : further columns to carry (name -> key of the model that names it), e.g. a split variable.
    """
    columns = ModelColumns(panel, model, where, observed=observed)
    outcome = term_columns(columns, "outcome")
    groups = {key: term_columns(columns, key) for key in TERM_KEYS[1:]}
    design = [*groups["treatment"], *groups["moderator"]]
    keep = columns.mask(model.sample, "sample")
    if not keep.any():
        raise empty_sample(columns)
    carried = _carried_columns(columns, model, where, extra or {})
    centres: dict[str, float] = {}
    products: tuple[tuple[str, str, str], ...] = ()
    if model.moderator:
        complete = keep & ~np.isnan(outcome[0].values)
        for regressor in (*design, *groups["controls"]):
            complete &= ~np.isnan(regressor.values)
        for series in carried.values():
            complete &= series.notna().to_numpy()
        design, centres = _interact(groups["treatment"], groups["moderator"], model.centre, complete)
        products = tuple(
            (t.label, m.label, f"{t.label}*{m.label}") for t in groups["treatment"] for m in groups["moderator"]
        )
    design += groups["controls"]
    rows = np.flatnonzero(keep)
    table = {name: series.iloc[rows].reset_index(drop=True) for name, series in carried.items()}
    for regressor in (outcome[0], *design):
        table[regressor.label] = pd.Series(regressor.values[rows])
    cells = dict.fromkeys(c for r in (outcome[0], *design) for c in r.cells)
    if model.weights:
        cells |= {(model.weights, 0): None}
    filled = np.zeros(len(panel), dtype=np.int64)
    for column, lag in cells:
        filled += panel.shifted(columns.fill_mask(column), lag).astype(np.int64)
    return EstimationFrame(
        frame=pd.DataFrame(table),
        rows=rows,
        outcome=outcome[0].label,
        regressors=tuple(r.label for r in design),
        filled_cells=filled[rows],
        messages=tuple(dict.fromkeys(columns.messages)),
        notes=_centring_notes(centres),
        centres=centres,
        products=products,
    )


def _centring_notes(centres: Mapping[str, float]) -> tuple[str, ...]:
    shown = ", ".join(f"{label} at {mean:.6g}" for label, mean in centres.items())
    return (f"centred on the estimation sample: {shown}",) if shown else ()


def empty_sample(columns: ModelColumns) -> CarbonpanelError:
    """The error about a sample without rows, with what the columns of its condition hold."""
    condition, place = columns.model.sample or "", columns.where("sample", None)
    plain = ModelColumns(columns.panel, derived_only(columns.model), columns.where, observed=False)
    held = describe_values(
        plain.table(expression := parse_expression(condition, plain.names, place)), expression.columns
    )
    from_file = columns.panel.data.data_file is not None
    return CarbonpanelError(
        "CP-EST-EMPTY",
        f"no row satisfies the sample condition: {condition}",
        where=place,
        remedy=f"widen it{f' ({held})' if held else ''}" + ("" if from_file else ", or look with carbonpanel sql"),
    )


def _carried_columns(
    columns: ModelColumns, model: Model, where: Where, extra: Mapping[str, str]
) -> dict[str, pd.Series]:
    """Columns that are not terms: fixed effects, clusters, covariance columns, weights, keys."""
    wanted = dict.fromkeys(fixed_effect_columns(model.fixed_effects, columns.names), "fixed_effects")
    wanted |= dict.fromkeys(fixed_effect_columns(model.covariance.by, columns.names), "covariance")
    for option in ("lon", "lat"):
        name = model.covariance.option(option)
        if isinstance(name, str):
            wanted[name] = "covariance"
    wanted |= dict.fromkeys((k for k in (model.unit, model.time) if k), "id") | dict(extra)
    if model.weights:
        wanted[model.weights] = "weights"
    carried = {}
    for name, key in wanted.items():
        if name not in columns.names:
            raise unknown_column(name, columns.names, where(key, None))
        carried[name] = columns.raw(name).reset_index(drop=True)
    if model.weights:
        carried[model.weights] = pd.Series(columns.numbers(model.weights))
    return carried


def _interact(
    treatment: Sequence[Regressor], moderators: Sequence[Regressor], centre: str, complete: np.ndarray
) -> tuple[list[Regressor], dict[str, float]]:
    """Treatments, moderators, then every treatment times every moderator; ``mean`` centres both on complete rows.

    The second part is what was subtracted from each, by label.
    """
    centres = {}
    if centre == "mean" and complete.any():
        centred = []
        for regressor in (*treatment, *moderators):
            mean = float(np.mean(regressor.values[complete]))
            centres[regressor.label] = mean
            centred.append(Regressor(regressor.label, regressor.values - mean, regressor.cells))
        treatment, moderators = centred[: len(treatment)], centred[len(treatment) :]
    products = [
        Regressor(f"{t.label}*{m.label}", t.values * m.values, tuple(dict.fromkeys((*t.cells, *m.cells))))
        for t in treatment
        for m in moderators
    ]
    return [*treatment, *moderators, *products], centres
