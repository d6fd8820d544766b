"""What the literature warns of, found in an instrument's spelling and in its numbers.

- A lag as instrument is valid only if the errors are not serially correlated (Reed 2015, Oxford Bulletin 77:897-905)
- One value of each unit times a common path (a 1984 value times a national trend) compares units that trend apart for
  any reason (Goldsmith-Pinkham, Sorkin & Swift 2020; Christian & Barrett 2017)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.iv import IvResult
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.specification.terms import Call, Dummies, Product, Shift, Term, parse_term

#: Relative size below which a matrix counts as the product of a column and a row.
_PRODUCT = 1e-9


def instrument_messages(
    result: IvResult, panel: CalendarPanel, rows: np.ndarray, terms: Mapping[str, str], columns: Sequence[str]
) -> list[str]:
    """Warnings for the instruments of a fitted model.

    Parameters
    ----------
    result : the fit.
    panel, rows : the panel, and its rows of the frame the model was fitted on.
    terms : the spelling in the study behind each instrument's column.
    columns : names a term may use.
    """
    used = rows[result.main.used_rows]
    found: list[str] = []
    kept = [label for label in result.design.instruments.names if label in terms]
    lagged, leading = [], []
    for text in dict.fromkeys(terms[label] for label in kept):
        shifts = _shifts(parse_term(text, columns))
        lagged += [text] if any(s > 0 for s in shifts) else []
        leading += [text] if any(s < 0 for s in shifts) else []
    if lagged:
        found.append(_lag_message(lagged, result, panel, used))
    if leading:
        found.append(f"instrument {_listed(leading)} lies in the future of the outcome: it may be its consequence")
    found_paths = (terms[label] for label in kept if _is_value_times_path(label, result, panel, used))
    paths = list(dict.fromkeys(found_paths))
    if paths:
        found.append(
            f"instrument {_listed(paths)} is one value of each unit times a path common to all: it compares units that "
            "may trend apart for other reasons (differential trends); control for initial conditions by time "
            "(iv: {initial_conditions: [..]}) or bound the effect (iv: {plausibly_exogenous: ..})"
        )
    return found


def _lag_message(texts: Sequence[str], result: IvResult, panel: CalendarPanel, used: np.ndarray) -> str:
    said = f"instrument {_listed(texts)} is a lag: it is valid only if the errors are not serially correlated"
    correlation = residual_correlation(result.main.residuals, panel, used)
    if correlation is None:
        return said
    return f"{said}; the residuals' correlation with those of the time before is {correlation:.2f}"


def residual_correlation(residuals: np.ndarray, panel: CalendarPanel, used: np.ndarray) -> float | None:
    """Correlation of residuals with those of the time before, of the same unit; None without such pairs."""
    values = np.full(len(panel), np.nan)
    values[used] = residuals
    try:
        before = panel.shifted(values, 1)
    except CarbonpanelError:
        return None
    both = ~np.isnan(values) & ~np.isnan(before)
    if both.sum() < 3:
        return None
    a, b = values[both], before[both]
    if not (np.ptp(a) > 0 and np.ptp(b) > 0):
        return None
    return float(np.corrcoef(a, b)[0, 1])


def _shifts(term: Term, inside: int = 0) -> list[int]:
    """Every lag (positive) and lead (negative) that a term is made with."""
    if isinstance(term, Shift):
        return _shifts(term.inner, inside + term.periods)
    if isinstance(term, Call | Dummies):
        return _shifts(term.inner, inside)
    if isinstance(term, Product):
        return [s for factor in term.factors for s in _shifts(factor, inside)]
    return [inside]


def _is_value_times_path(label: str, result: IvResult, panel: CalendarPanel, used: np.ndarray) -> bool:
    """Whether an instrument is a_i * b_t, neither a alone nor b alone, exactly."""
    if not panel.unit or not panel.time:
        return False
    sample = result.design.sample
    values = sample.x[:, sample.regressors.index(label)]
    units = panel.frame[panel.unit].iloc[used].to_numpy()
    times = panel.frame[panel.time].iloc[used].to_numpy()
    return is_value_times_path(values, units, times)


def is_value_times_path(values: np.ndarray, units: np.ndarray, times: np.ndarray) -> bool:
    """Whether values (n,) are a unit's number times a time's number, varying in both, on any pattern of rows.

    The ratios of a unit's values at two times must be those of every other unit: they are carried from unit to unit
    until all times are reached, then compared everywhere. At least three units and three times are asked for.
    """
    _, unit = np.unique(units.astype(str), return_inverse=True)
    _, time = np.unique(times.astype(str), return_inverse=True)
    n_units, n_times = int(unit.max()) + 1, int(time.max()) + 1
    size = float(np.abs(values).max())
    if n_units < 3 or n_times < 3 or size == 0.0:
        return False
    level, path = np.full(n_units, np.nan), np.full(n_times, np.nan)
    order = np.argsort(-np.abs(values), kind="stable")
    start = int(order[0])
    level[unit[start]] = 1.0
    for _ in range(n_units + n_times):
        before = np.isnan(level).sum() + np.isnan(path).sum()
        with np.errstate(all="ignore"):
            # the largest value decides, as it is the most precise
            for row in order[::-1][np.isnan(path[time[order[::-1]]])]:
                if abs(level[unit[row]]) > _PRODUCT:
                    path[time[row]] = values[row] / level[unit[row]]
            for row in order[::-1][np.isnan(level[unit[order[::-1]]])]:
                if abs(path[time[row]]) > _PRODUCT * size:
                    level[unit[row]] = values[row] / path[time[row]]
        if np.isnan(level).sum() + np.isnan(path).sum() == before:
            break
    if np.isnan(level).any() or np.isnan(path).any():
        return False
    if np.ptp(level) <= _PRODUCT * np.abs(level).max() or np.ptp(path) <= _PRODUCT * np.abs(path).max():
        return False
    return bool(np.abs(values - level[unit] * path[time]).max() <= _PRODUCT * size)


def _listed(texts: Sequence[str]) -> str:
    return ", ".join(f"'{t}'" for t in texts)
