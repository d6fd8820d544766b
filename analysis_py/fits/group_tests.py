"""Tests that the coefficients of groups are equal: permutation, interaction, Chow and stacked estimates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.blas import single_threaded_blas
from analysis_py.estimators.conventions import find_convention
from analysis_py.estimators.factors import Factor, encode
from analysis_py.estimators.least_squares import constant_from_means, solve
from analysis_py.estimators.result import RegressionResult
from analysis_py.estimators.sample import draw_sample
from analysis_py.fits.heterogeneity import Fit, Groups
from analysis_py.fits.run_record import DiagnosticRow
from analysis_py.inference.entity_grams import Columns
from analysis_py.inference.permutation import permute_groups
from analysis_py.inference.small_sample import small_sample
from analysis_py.inference.suest import StackedFits, stack_fits, wald_chi2
from analysis_py.panels.frame import EstimationFrame
from analysis_py.settings import DEFAULT_SEED
from analysis_py.study import Model, Split

#: What a split's test is called in the results.
TEST_NAMES = {"permutation": "permutation", "interaction": "interaction_wald", "chow": "chow", "suest": "suest"}

#: Permutations below which a p-value of 5% cannot be reached.
FEWEST_DRAWS = 20

_GROUP = "__group"


def compare_groups(
    data: EstimationFrame, model: Model, groups: Groups, fit: Fit, failed: Sequence[str] = ()
) -> tuple[tuple[DiagnosticRow, ...], list[str]]:
    """The tests a split asks for, in its order, and warnings about those that could not be run.

    ``interaction``: F test that the treatment's coefficients are equal in all groups, from one fit in which every slope
    and every fixed effect has its own value in each group (``interact: treatment``: only the treatment's), under the
    model's covariance: F = (Rb)' (R V R')^-1 (Rb) / q with q restrictions. ``chow``: the same for all slopes, and
    the constant where there are no fixed effects.
    ``suest``: chi-squared test of the treatment's coefficients with the covariance of the stacked separate fits.
    ``permutation``: for each pair of groups and each treatment, see :mod:`analysis_py.inference.permutation`.
    Where groups ``failed`` no test is run.
    """
    split = model.split
    if split is None:
        return (), []
    runs: dict[str, Callable[[], list[DiagnosticRow]]] = {
        "permutation": lambda: _permute(data, model, split, groups),
        "suest": lambda: [_stack(data, model, groups)],
        "interaction": lambda: [_interact(data, model, groups, fit, only_treatment=split.interact == "treatment")],
        "chow": lambda: [_chow(data, model, groups, fit)],
    }
    found: list[DiagnosticRow] = []
    warnings = []
    if failed and split.tests:
        warnings.append(f"the tests need every group and were not run: {', '.join(split.tests)}")
    for test in split.tests:
        if failed:
            note = f"not run: no fit of group {', '.join(failed)}"
            found.append(DiagnosticRow(TEST_NAMES[test], None, note=note))
            continue
        if test == "permutation" and split.draws < FEWEST_DRAWS:
            warnings.append(f"{split.draws} permutation(s) cannot tell 5% from nothing: draw more")
        try:
            found += runs[test]()
        except CarbonpanelError as error:
            why = f"{error.code}: {error.what}" + (f" ({error.remedy})" if error.remedy else "")
            found.append(DiagnosticRow(TEST_NAMES[test], None, note=f"not run: {why}"))
            warnings.append(f"test {test} not run: {why}")
    return tuple(found), warnings


# --- permutation -----------------------------------------------------------------------------------------------------


def _permute(data: EstimationFrame, model: Model, split: Split, groups: Groups) -> list[DiagnosticRow]:
    pooled = _inside(data, groups)
    sample = draw_sample(
        pooled.frame,
        outcome=data.outcome,
        regressors=data.regressors,
        fixed_effects=list(model.fixed_effects),
        spec=model.covariance,
        # whether a row is alone in a level depends on the draw, and such rows change no slope: all are kept
        convention=find_convention("fixest"),
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    rows = sample.used_rows
    kept = list(solve(sample).kept)
    terms = [sample.regressors[j] for j in kept]
    by_rows = split.permute == "rows" or model.unit is None
    if by_rows:
        entities = Factor("row", np.arange(len(rows)), len(rows))
    else:
        entities = _known(encode(pooled.frame, str(model.unit)).take(rows))
    constant = not model.fixed_effects
    test = permute_groups(
        Columns(np.column_stack([sample.x[:, kept], sample.y]), sample.weights, sample.fixed_effects),
        pooled.number[rows],
        entities,
        draws=split.draws,
        seed=DEFAULT_SEED if split.seed is None else split.seed,
        constant=constant,
    )
    named = [*terms, "_cons"] if constant else terms
    # the treatment first: its difference is what the split is about
    order = [t for t in model.treatment if t in named] + [t for t in named if t not in model.treatment]
    what = "rows" if by_rows else f"whole units ({entities.name})"
    found = []
    for pair, (a, b) in enumerate(test.pairs):
        for term in order:
            j = named.index(term)
            freq, used = int(test.freq[pair, j]), int(test.n_used[pair, j])
            about = f"{groups.order[a]} less {groups.order[b]}"
            how = f"{used} permutations of {test.n_entities} {what}"
            one, two = _or_none(test.p_one_sided[pair, j]), _or_none(test.p_two_sided[pair, j])
            statistic = _or_none(test.observed[pair, j])
            note = f"{about}; {how}, {freq} above; the smaller tail as bdiff prints it, one-sided"
            found.append(DiagnosticRow("permutation", statistic, None, None, one, term=term, note=note))
            note = f"{about}; {how}; share at least as far from zero"
            found.append(DiagnosticRow("permutation_two_sided", statistic, None, None, two, term=term, note=note))
    return found


@dataclass(frozen=True)
class _Inside:
    """The rows of a frame that are in a group: the frame, the group's number and the row of the whole frame."""

    frame: pd.DataFrame
    number: np.ndarray
    rows: np.ndarray


def _inside(data: EstimationFrame, groups: Groups) -> _Inside:
    rows = np.flatnonzero([label is not None for label in groups.labels])
    place = {label: number for number, label in enumerate(groups.order)}
    number = np.array([place[label] for label in groups.labels[rows]], dtype=np.int64)
    return _Inside(data.frame.iloc[rows].reset_index(drop=True), number, rows)


def _known(factor: Factor) -> Factor:
    if (factor.codes < 0).any():
        raise CarbonpanelError("CP-EST-CLUSTERS", f"{int((factor.codes < 0).sum())} row(s) have no '{factor.name}'")
    return factor


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


# --- stacked estimates -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class GroupScores:
    """One group's fit as its coefficients and the score of each row of the frame in them, shape (n, k).

    ``factor`` is what the convention multiplies the model's covariance by, one where it was not asked for.
    """

    terms: tuple[str, ...]
    estimate: np.ndarray
    scores: np.ndarray
    rows: np.ndarray
    factor: float = 1.0


def score_group(data: EstimationFrame, model: Model, rows: np.ndarray, *, factored: bool = False) -> GroupScores:
    """Fit some rows of a frame and keep influence times weight times residual of each row.

    ``factored`` asks for the small-sample factor, with the errors of :func:`small_sample`.
    """
    sample = draw_sample(
        data.frame.iloc[rows].reset_index(drop=True),
        outcome=data.outcome,
        regressors=data.regressors,
        fixed_effects=list(model.fixed_effects),
        spec=model.covariance,
        convention=find_convention(model.convention),
        unit=model.unit,
        time=model.time,
        weights=model.weights,
    )
    with single_threaded_blas():
        solution = solve(sample)
    factor = 1.0
    if factored:
        factor = small_sample(
            find_convention(model.convention),
            model.covariance,
            n_obs=len(sample.y),
            slopes=len(solution.slopes),
            fixed_effects=sample.fixed_effects,
            clusters=sample.clusters,
        ).factor
    influence, estimate = solution.influence, solution.slopes
    terms = [sample.regressors[j] for j in solution.kept]
    if not sample.fixed_effects:
        constant = constant_from_means(sample, solution)
        influence, estimate = np.column_stack([influence, constant.influence]), np.append(estimate, constant.value)
        terms.append("_cons")
    scores = influence * (sample.weights * solution.residuals)[:, None]
    return GroupScores(tuple(terms), estimate, scores, rows[sample.used_rows], factor)


def stack_groups(data: EstimationFrame, model: Model, groups: Groups) -> tuple[list[GroupScores], StackedFits, str]:
    """Every group's fit, the fits stacked, and what they are clustered by (empty where by nothing)."""
    fits = [score_group(data, model, np.flatnonzero(groups.labels == group)) for group in groups.order]
    by = cluster_columns(model)
    stacked = stack_fits(
        [f.estimate for f in fits],
        [f.scores for f in fits],
        [f.rows for f in fits],
        n_rows=len(data.frame),
        clusters=[encode(data.frame, name) for name in by],
    )
    return fits, stacked, ", ".join(by)


def cluster_columns(model: Model) -> tuple[str, ...]:
    """The columns a joint covariance is clustered by: the model's own clusters, else the unit."""
    if model.covariance.by:
        return model.covariance.by
    return (model.unit,) if model.unit else ()


def _stack(data: EstimationFrame, model: Model, groups: Groups) -> DiagnosticRow:
    fits, stacked, by = stack_groups(data, model, groups)
    contrasts = []
    for term in model.treatment:
        at = [
            start + fit.terms.index(term) if term in fit.terms else None
            for fit, start in zip(fits, stacked.starts, strict=False)
        ]
        for other in at[1:]:
            if at[0] is not None and other is not None:
                row = np.zeros(len(stacked.estimate))
                row[at[0]], row[other] = 1.0, -1.0
                contrasts.append(row)
    wanted = len(model.treatment) * (len(fits) - 1)
    note = f"stacked separate fits, {f'clustered by {by}' if by else 'robust'}; chi-squared"
    if len(contrasts) < wanted:
        note += f"; {wanted - len(contrasts)} difference(s) not identified"
    test = wald_chi2(np.array(contrasts).reshape(-1, len(stacked.estimate)), stacked)
    if test.statistic is None:
        raise CarbonpanelError("CP-EST-RANK", f"the joint covariance cannot test {test.df} difference(s)")
    return DiagnosticRow("suest", test.statistic, float(test.df), None, test.p_value, note=note)


# --- one fit with interactions ---------------------------------------------------------------------------------------


def _interact(data: EstimationFrame, model: Model, groups: Groups, fit: Fit, *, only_treatment: bool) -> DiagnosticRow:
    pooled = _fit_interacted(data, model, groups, fit, only_treatment=only_treatment)
    how = (
        "the treatment's slopes by group, all else common"
        if only_treatment
        else "all slopes and fixed effects by group"
    )
    others = range(1, len(groups.order))
    return _wald(pooled, "interaction_wald", [_interaction(g, t) for t in model.treatment for g in others], how)


def _chow(data: EstimationFrame, model: Model, groups: Groups, fit: Fit) -> DiagnosticRow:
    pooled = _fit_interacted(data, model, groups, fit, only_treatment=False)
    others = range(1, len(groups.order))
    wanted = [_interaction(g, t) for t in data.regressors for g in others]
    if model.fixed_effects:
        return _wald(pooled, "chow", wanted, "all slopes and fixed effects by group, slopes tested")
    # without fixed effects the constant is a coefficient like the others, as in Chow (1960)
    return _wald(pooled, "chow", [*wanted, *(f"{_GROUP}={g}" for g in others)], "all slopes and the constant by group")


def _fit_interacted(
    data: EstimationFrame, model: Model, groups: Groups, fit: Fit, *, only_treatment: bool
) -> RegressionResult:
    inside = _inside(data, groups)
    frame = inside.frame
    frame[_GROUP] = inside.number.astype(float)
    regressors = list(data.regressors)
    for position in range(1, len(groups.order)):
        member = (inside.number == position).astype(float)
        if not model.fixed_effects or only_treatment:
            frame[f"{_GROUP}={position}"] = member
            regressors.append(f"{_GROUP}={position}")
        for term in data.regressors:
            if only_treatment and term not in model.treatment:
                continue
            label = _interaction(position, term)
            frame[label] = frame[term].to_numpy(dtype=float) * member
            regressors.append(label)
    effects = []
    for effect in model.fixed_effects:
        parts = [effect] if effect in frame else effect.split("^")
        nested = len(parts) == 1 and len(frame[[parts[0], _GROUP]].drop_duplicates()) == frame[parts[0]].nunique()
        effects.append(effect if nested or only_treatment else f"{effect}^{_GROUP}")
    return fit(frame, regressors, effects)


def _wald(pooled: RegressionResult, name: str, wanted: Sequence[str], how: str) -> DiagnosticRow:
    at = [pooled.terms.index(t) for t in wanted if t in pooled.terms]
    lost = len(wanted) - len(at)
    if not at:
        return DiagnosticRow(name, None, note="not run: no interaction with the groups is identified")
    difference = pooled.estimate[at]
    spread = pooled.vcov[np.ix_(at, at)]
    scale = np.sqrt(np.diag(spread))
    rank = int(np.linalg.matrix_rank(spread / np.outer(scale, scale), hermitian=True)) if (scale > 0).all() else 0
    note = f"{how}; {pooled.covariance}"
    if lost:
        note += f"; {lost} interaction(s) not identified"
    if rank < len(at):
        return DiagnosticRow(
            name, None, df1=float(len(at)), note=f"not run: covariance of rank {rank} for {len(at)} restrictions"
        )
    statistic = float(difference @ np.linalg.solve(spread, difference)) / len(at)
    df2 = float(pooled.df_t)
    p_value = float(stats.f.sf(statistic, len(at), df2)) if df2 > 0 else None
    return DiagnosticRow(name, statistic, float(len(at)), df2, p_value, note=note)


def _interaction(position: int, term: str) -> str:
    return f"{_GROUP}={position}*{term}"
