"""Truth tables of a demo world: what was true, what each column centres on, and why the two may differ.

For a column with two-way fixed effects and regressors X, the outcome is a sum of known components and an exogenous
error. Projecting each component on X tells how much of the column's coefficient is effect and how much is bias:

    target = structural effect + varying slopes + omitted variables + spillover + shared shock + measurement
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis_py.simulate.places import YEARS
from analysis_py.simulate.process import demean, round_significant
from analysis_py.simulate.projection import Design, build_design, cluster_errors, project, winsorise
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.structure import CONTROLS, THRESHOLD_VARIABLES
from analysis_py.simulate.study_columns import STUDY, StudyColumn, list_columns
from analysis_py.simulate.world import STUDY_YEARS, SYMBOLS, World

PARAMETER_COLUMNS = ["study", "analysis_id", "term", "parameter", "value", "exact_for", "expectation", "description"]
#: Study whose measure of AI, ln(1 + AI inventions), the effects on the further quantities are effects of.
EFFECT_STUDY = "yellow_river"
MEDIATORS = ("UIS", "EnvrPat")
#: A target further from the structural value than this share of the clustered standard error counts as biased.
NOTICEABLE = 1.0
SIGN_FLIPS = 100
REASONS = {
    "shared_shock": "a shock moves both AI and the outcome",
    "varying_slopes": "slopes vary, and least squares weights them in its own way",
    "omitted": "variables with an effect are left out",
    "spillover": "the neighbours' AI has an effect",
    "measurement": "defects and fills move the measures",
    "winsorising": "extreme outcomes are replaced",
}


@dataclass(frozen=True)
class ColumnTruth:
    """Truth of one column: (K,) arrays by term of ``column.terms``.

    ``shift_share_target`` is what AI centres on when the valid shift-share is its instrument, ``shift_share_error`` the
    clustered standard error of that estimate; both None where AI is not the only term with AI in it.
    """

    column: StudyColumn
    structural: np.ndarray
    target: np.ndarray
    reference_error: np.ndarray
    bias: Mapping[str, np.ndarray]
    n_obs: int
    n_cities: int
    shift_share_target: float | None
    shift_share_error: float | None

    def expectation(self, k: int) -> str:
        """``recovers`` or ``biased``: whether the bias of term ``k`` would be noticed beside its standard error."""
        distance = abs(self.target[k] - self.structural[k])
        return "biased" if distance > NOTICEABLE * self.reference_error[k] else "recovers"

    def exact_for(self, k: int) -> str:
        """Estimators without noticeable bias for term ``k``: ``twfe``, ``iv_shift_share``, both or ``no_estimator``."""
        found = ["twfe"] if self.expectation(k) == "recovers" else []
        if self.column.terms[k] == "AI" and self.shift_share_target is not None and self.shift_share_error is not None:
            distance = abs(self.shift_share_target - self.structural[k])
            found += ["iv_shift_share"] if distance <= NOTICEABLE * self.shift_share_error else []
        return ";".join(found) or "no_estimator"


def describe_columns(world: World, measured: Mapping[str, np.ndarray]) -> list[ColumnTruth]:
    """Truth of every study column on the city-years that the printed tables leave usable."""
    return [describe_column(world, measured, column) for column in list_columns(world.places)]


def describe_column(world: World, measured: Mapping[str, np.ndarray], column: StudyColumn) -> ColumnTruth:
    """Project the components of the column's outcome on its regressors, as measured and as they truly were."""
    names = {*column.terms, column.outcome} - {t for t in column.terms if "*" in t}
    # the panel of the study begins with its first year, so a lag is not known in that year
    lag = _lag(np.where(STUDY_YEARS, measured["AI"], np.nan)) if column.instrument else measured["AI"]
    known = np.all([~np.isnan(measured[n]) for n in sorted(names)], axis=0) & ~np.isnan(lag)
    usable = known & column.cities[:, None] & STUDY_YEARS[None, :]
    components, structural = _components(world, column, usable)
    seen = build_design(_regressors(measured, column), _regressors(measured, column, lag), usable)
    true_lag = _lag(world.symbol["AI"]) if column.instrument else world.symbol["AI"]
    pure = build_design(_regressors(world.symbol, column), _regressors(world.symbol, column, true_lag), usable)
    bias = {name: project(pure, values) for name, values in components.items() if name != "effect"}
    systematic = sum(components.values(), np.zeros(usable.shape))
    outcome = np.where(usable, measured[column.outcome], 0.0)
    slip = outcome - np.where(usable, world.symbol[column.outcome], 0.0)
    target = project(seen, systematic + slip)
    bias["measurement"] = target - project(pure, systematic)
    if column.winsorised:
        # the limits are those of the whole study sample, years without every control included
        scope = ~np.isnan(measured["CP"]) & world.places.in_sample[:, None] & STUDY_YEARS[None, :]
        everywhere = np.where(scope, measured["CP"], 0.0)
        error = demean(world.symbol["CP"] - systematic)
        squeezed = _winsorised_target(world, seen, everywhere, error, scope)
        bias["winsorising"], target = squeezed - target, squeezed
        outcome = winsorise(everywhere, scope, 0.01, 0.99)
    shifted: tuple[float | None, float | None] = (None, None)
    if not (column.moderator or column.instrument or column.winsorised):
        moved = build_design(_regressors(measured, column), _regressors(measured, column, world.shift), usable)
        by_shift = project(moved, systematic + slip)
        shifted = float(by_shift[0]), float(cluster_errors(moved, outcome)[0])
    return ColumnTruth(
        column, structural, target, cluster_errors(seen, outcome), bias, len(seen.rows[0]), seen.clusters, *shifted
    )


def _winsorised_target(
    world: World, design: Design, outcome: np.ndarray, error: np.ndarray, scope: np.ndarray
) -> np.ndarray:
    """Mean coefficient of the winsorised outcome when each city's error keeps its size and draws its sign anew."""
    draw = Streams(world.seed).stream("winsorised_target")
    total = np.zeros(design.x.shape[1])
    for _ in range(SIGN_FLIPS):
        sign = draw.choice([-1.0, 1.0], size=(error.shape[0], 1))
        total = total + project(design, winsorise(outcome + (sign - 1.0) * error, scope, 0.01, 0.99))
    return total / SIGN_FLIPS


def _lag(values: np.ndarray) -> np.ndarray:
    out = np.full(values.shape, np.nan)
    out[:, 1:] = values[:, :-1]
    return out


def _regressors(source: Mapping[str, np.ndarray], column: StudyColumn, ai: np.ndarray | None = None) -> np.ndarray:
    """(N, T, K) regressors of a column; ``ai`` stands in for AI when it is instrumented."""
    values = []
    for term in column.terms:
        if "*" in term:
            values.append(source["AI"] * source[column.moderator])
        else:
            values.append(ai if term == "AI" and ai is not None else source[term])
    return np.nan_to_num(np.stack(values, axis=2))


def _components(world: World, column: StudyColumn, usable: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Systematic parts of the outcome by origin, and each term's structural value (through mediators included)."""
    b, x = world.coefficient, world.symbol
    if column.outcome != "CP":
        own = {t: b[f"{column.outcome}:{t}"] for t in ("AI", *CONTROLS)}
        parts = {"effect": sum((own[t] * x[t] for t in own), np.zeros(usable.shape))}
        loading = world.shock_coefficient.get(column.outcome, 0.0)
        if loading:
            parts["shared_shock"] = loading * world.shared_shock
        return parts, np.array([own[t] for t in column.terms])
    through = {t: sum(b[f"CP:{m}"] * b[f"{m}:{t}"] for m in MEDIATORS) for t in ("AI", *CONTROLS)}
    slope = world.slope
    value: dict[str, float] = {t: b[f"CP:{t}"] + through[t] for t in CONTROLS}
    value |= {m: b[f"CP:{m}"] for m in ("ER", "IP")}
    if column.moderator:
        product = f"AI*{column.moderator}"
        value[product] = b[f"CP:{product}"]
        slope = slope - value[product] * x[column.moderator]
    mean_slope = float(slope[usable].mean())
    value["AI"] = mean_slope + through["AI"]
    effect = value["AI"] * x["AI"]
    if column.moderator:
        effect = effect + value[f"AI*{column.moderator}"] * x["AI"] * x[column.moderator]
    omitted = np.zeros(usable.shape)
    for term in (*CONTROLS, "ER", "IP"):
        if term in column.terms:
            effect = effect + value[term] * x[term]
        else:
            omitted = omitted + value[term] * x[term]
    shock = world.shock_coefficient["CP"] + sum(b[f"CP:{m}"] * world.shock_coefficient.get(m, 0.0) for m in MEDIATORS)
    parts = {
        "effect": effect,
        "varying_slopes": (slope - mean_slope) * x["AI"],
        "omitted": omitted,
        "spillover": b["CP:W.AI"] * world.neighbour_ai,
        "shared_shock": shock * world.shared_shock,
    }
    return parts, np.array([value[t] for t in column.terms])


def parameter_frame(world: World, columns: list[ColumnTruth]) -> pd.DataFrame:
    """``truth_parameter``: structural coefficients of the world, then the truth of each column's terms."""
    rows = _structure_rows(world)
    for truth in columns:
        for k, term in enumerate(truth.column.terms):
            rows += _term_rows(truth, k, term)
        rows.append(
            _row(truth.column.analysis_id, "_cons", "structural", None, "no_estimator", "not_identified", _CONSTANT)
        )
    return pd.DataFrame(rows, columns=PARAMETER_COLUMNS)


_CONSTANT = "city and year effects have no separate constant; its value is a convention of the estimator"


def _term_rows(truth: ColumnTruth, k: int, term: str) -> list[tuple[object, ...]]:
    identifier = truth.column.analysis_id
    expectation, exact = truth.expectation(k), truth.exact_for(k)
    size = f"{truth.n_obs} city-years, {truth.n_cities} cities with true and printed values"
    if expectation == "biased":
        ranked = sorted(truth.bias, key=lambda name: -abs(truth.bias[name][k]))
        reason = "; ".join(f"{REASONS[n]} ({truth.bias[n][k]:+.4g})" for n in ranked[:2])
        text = f"biased: {reason}; {size}"
    else:
        text = f"mean effect over the column's sample; {size}"
    rows = [
        _row(identifier, term, "structural", truth.structural[k], exact, expectation, text),
        _row(identifier, term, "target", truth.target[k], exact, expectation, "value the column centres on"),
        _row(
            identifier, term, "reference_std_error", truth.reference_error[k], exact, expectation, "clustered by city"
        ),
    ]
    if term.startswith("AI"):
        rows += [
            _row(identifier, term, f"bias_{name}", truth.bias[name][k], exact, expectation, REASONS[name])
            for name in REASONS
            if name in truth.bias
        ]
    return rows


def _row(
    analysis_id: str, term: str, parameter: str, value: float | None, exact: str, expectation: str, text: str
) -> tuple[object, ...]:
    number = "" if value is None else f"{round_significant(float(value), 6):.10g}"
    return (STUDY, analysis_id, term, parameter, number, exact, expectation, text)


def _structure_rows(world: World) -> list[tuple[object, ...]]:
    """The drawn structure: every coefficient with its status against the textbook sign, thresholds and shocks."""
    rows: list[tuple[object, ...]] = []
    for effect in world.structure.sign:
        status = world.structure.status(effect)
        rows.append((STUDY, "world", effect, "coefficient", f"{world.coefficient[effect]:.10g}", "", "", status))
    for q in THRESHOLD_VARIABLES:
        jump = world.coefficient[f"threshold:{q}"]
        text = "the effect of AI changes where the variable exceeds this" if jump else "no threshold in this variable"
        value = f"{world.threshold_value[q]:.10g}" if jump else ""
        rows.append((STUDY, "world", f"threshold:{q}", "location", value, "", "", text))
    for outcome in ("CP", "EnvrPat"):
        value = f"{world.shock_coefficient[outcome]:.10g}"
        text = "coefficient of the shock of AI; its lags are in the error, so a lag of AI is no valid instrument"
        rows.append((STUDY, "world", f"{outcome}:shock", "coefficient", value, "", "", text))
    return rows + _effect_rows(world)


def _effect_rows(world: World) -> list[tuple[object, ...]]:
    """Effects of AI on what the other studies measure, in log or logit points."""
    rows: list[tuple[object, ...]] = []
    for effect, value in sorted(world.effect_coefficient.items()):
        if effect.endswith(":shock"):
            text = "coefficient of the shock of AI in a log or logit: AI by patents is endogenous as well"
        else:
            text = world.effects.status(effect)
        rows.append((EFFECT_STUDY, "world", effect, "coefficient", f"{value:.10g}", "", "", text))
    return rows


def city_year_frame(world: World, measures: Mapping[str, np.ndarray]) -> pd.DataFrame:
    """``truth_city_year``: the true symbols, CO2 (Mt), real GDP (10^8 yuan of 2003) and the further ``measures``.

    One row a city (current code) and year; empty where a measure is not defined.
    """
    places = world.places
    i, t = np.nonzero(places.exists & np.isfinite(world.symbol["CP"]))
    data: dict[str, object] = {"city_code": places.code[i], "year": YEARS[t]}
    for name in SYMBOLS:
        data[name] = [f"{v:.8g}" for v in world.symbol[name][i, t]]
    data["co2_mt"] = [f"{v:.8g}" for v in world.co2_mt[i, t]]
    data["gdp_2003_price_yi_yuan"] = [f"{v:.8g}" for v in world.gdp_real[i, t]]
    for name, values in measures.items():
        data[name] = ["" if np.isnan(v) else f"{v:.8g}" for v in values[i, t]]
    return pd.DataFrame(data).sort_values(["city_code", "year"], kind="stable")


def exposure_frames(world: World) -> dict[str, pd.DataFrame]:
    """Shares and shocks of the shift-share that moves AI and nothing else: a valid instrument kept for later use."""
    n, k = world.exposure.shape
    fields = [f"F{j + 1:02d}" for j in range(k)]
    share = pd.DataFrame(
        {
            "city_code": np.repeat(world.places.code, k),
            "field": fields * n,
            "share": [f"{v:.4f}" for v in world.exposure.ravel()],
        }
    )
    shock = pd.DataFrame(
        {
            "field": np.repeat(np.array(fields, dtype=object), len(YEARS)),
            "year": np.tile(YEARS, k),
            "cumulated_shock": [f"{v:.4f}" for v in world.national_shock.ravel()],
        }
    )
    return {"truth_exposure_share": share, "truth_national_shock": shock}
