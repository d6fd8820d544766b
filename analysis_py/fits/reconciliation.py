"""Which conventions bring a regression nearest to a printed column: a search that says how wide it was.

A paper that does not name its program, errors, log rule, winsorising or sample leaves choices open; each combination is
estimated and ranked by how near it comes to the printed coefficients, statistics, N and R2 together. Nearness found by
trying many combinations is no evidence that the nearest is what the authors did: the result carries how many were
tried and how many come as near, and simulated inputs are refused, on which a match would mean nothing at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.iv_conventions import IV_CONVENTIONS
from analysis_py.estimators.result import CovarianceSpec, RegressionResult
from analysis_py.fits.convention_choices import (
    FrameChoice,
    convention_choices,
    frame_choices,
    product_texts,
    regressor_texts,
)
from analysis_py.fits.iv_fits import fit_iv_frame
from analysis_py.fits.iv_frame import build_iv_frame
from analysis_py.fits.model_checks import absent_columns, check_study
from analysis_py.fits.model_fits import fit_frame
from analysis_py.fits.printed_columns import Printed
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.panels.frame import ModelColumns, Where, build_frame
from analysis_py.panels.panel import PanelSource
from analysis_py.study import Model, Study

#: Estimators whose columns can be searched.
ESTIMATORS = ("twfe", "moderation", "iv")
#: Distances this near to the best count as equally near.
_TIED = 1e-9

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Candidate:
    """One combination and what it gives; None where it could not be estimated (``problem`` says why).

    ``agrees`` names the printed numbers it equals to the last printed digit, ``r2_kind`` which R2 is nearest.
    """

    convention: str
    errors: str
    singletons: str
    logs: str
    winsor: str
    centring: str
    sample: str
    cells: str
    distance: float
    estimates: tuple[tuple[str, float, float], ...] = ()
    n_obs: int | None = None
    r2: float | None = None
    r2_kind: str | None = None
    agrees: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class Reconciliation:
    """The candidates, nearest first, of ``tried`` combinations; ``as_near`` of them tie with the first."""

    study: str
    model: str
    printed: Printed
    terms: tuple[str, ...]
    tried: int
    failed: int
    as_near: int
    candidates: tuple[Candidate, ...]
    notes: tuple[str, ...]


def reconcile(
    study: Study,
    model_id: str,
    source: PanelSource,
    printed: Printed,
    *,
    samples: Sequence[str] = (),
    progress: Progress | None = None,
) -> Reconciliation:
    """Search the conventions for those nearest to a printed column.

    Parameters
    ----------
    study, model_id : the model whose design is kept: outcome, regressors, fixed effects, weights.
    source : where the panel comes from.
    printed : the column's numbers.
    samples : further SQL conditions to try.

    Raises
    ------
    CarbonpanelError
        ``CP-RECONCILE-SIMULATED`` on simulated inputs, ``CP-RECONCILE-ESTIMATOR`` for other estimators,
        ``CP-RECONCILE-NOTHING`` where no printed term is in the model or nothing could be estimated,
        ``CP-MODEL-UNKNOWN``, and those of running a study.
    """
    model = find_model(study, model_id)
    if model.estimator not in ESTIMATORS:
        raise CarbonpanelError(
            "CP-RECONCILE-ESTIMATOR",
            f"model '{model.id}' is estimated by '{model.estimator}'; the search is for {', '.join(ESTIMATORS)}",
            where=study.where(model, "id"),
            remedy="choose such a column; a group's is a fixed-effects model with a sample of its own",
        )
    keys = {
        column: study.document.where((key,))
        for key, column in (("unit", study.unit), ("time", study.time))
        if column is not None
    }
    data = source.read(study.panel, keys, study.document.where(("panel",)))
    if data.is_simulated:
        raise CarbonpanelError(
            "CP-RECONCILE-SIMULATED",
            f"'{data.name}' holds simulated numbers (inputs: {data.inputs}): a convention that comes near to a"
            " published column there would mean nothing",
            remedy="bring your own files (carbonpanel ingest) or run it on one: --data FILE",
        )
    panel = CalendarPanel(data, study.unit, study.time)
    check_study(replace(study, models=(model,)), panel)
    missing = absent_columns(model, panel)
    if missing:
        raise CarbonpanelError("CP-RECONCILE-NOTHING", missing, remedy="bring files that hold these columns")
    known = (*regressor_texts(model), *product_texts(model), "_cons")
    terms = tuple(t.term for t in printed.terms if t.term in known)
    if not terms:
        raise CarbonpanelError(
            "CP-RECONCILE-NOTHING",
            f"no printed coefficient of {printed.label} is a regressor of model '{model.id}'",
            remedy=f"printed: {', '.join(t.term for t in printed.terms) or 'nothing'}",
        )
    for condition in samples:
        ModelColumns(panel, model, lambda key, item: "--sample", observed=False).mask(condition, "sample")
    ways = list(frame_choices(model, panel, samples))
    pairs = list(convention_choices(model, panel))
    found: list[Candidate] = []
    for done, way in enumerate(ways):
        if progress is not None:
            progress(done * len(pairs), len(ways) * len(pairs), way.sample)
        found += _estimate_all(study, way, pairs, panel, printed, terms)
    if progress is not None:
        progress(len(found), len(found), "")
    estimated = [c for c in found if c.problem is None]
    if not estimated:
        raise CarbonpanelError(
            "CP-RECONCILE-NOTHING", f"no combination could be estimated: {found[0].problem}", remedy="see the model"
        )
    order = sorted(range(len(estimated)), key=lambda i: (round(estimated[i].distance, 12), i))
    ranked = tuple(estimated[i] for i in order)
    return Reconciliation(
        study=study.study,
        model=model.id,
        printed=printed,
        terms=terms,
        tried=len(found),
        failed=len(found) - len(estimated),
        as_near=sum(c.distance <= ranked[0].distance + _TIED for c in ranked),
        candidates=ranked,
        notes=_notes(printed, terms),
    )


def find_model(study: Study, model_id: str) -> Model:
    """A model of the study by its id; ``CP-MODEL-UNKNOWN`` with the nearest where there is none."""
    return find_in_studies([study], model_id)[1]


def find_in_studies(studies: Sequence[Study], model_id: str) -> tuple[Study, Model]:
    """The first of the studies (the tables of one study) that has a model of this id, and the model."""
    for study in studies:
        for model in study.models:
            if model.id == model_id:
                return study, model
    names = dict.fromkeys(study.name if len(studies) == 1 else study.study for study in studies)
    raise CarbonpanelError(
        "CP-MODEL-UNKNOWN",
        f"study '{', '.join(names)}' has no model '{model_id}'",
        remedy=did_you_mean(model_id, (m.id for study in studies for m in study.models)),
    )


def _estimate_all(
    study: Study,
    way: FrameChoice,
    pairs: Sequence[tuple[str, CovarianceSpec]],
    panel: CalendarPanel,
    printed: Printed,
    terms: Sequence[str],
) -> list[Candidate]:
    def where(key: str, item: int | None) -> str:
        return study.where(way.model, key, item)

    blank = Candidate("", "", "", way.logs, way.winsor, way.centring, way.sample, way.cells, float("inf"))
    try:
        fit = _fitter(way, panel, where)
    except CarbonpanelError as problem:
        return [replace(blank, convention=c, errors=v.label, problem=problem.what) for c, v in pairs]
    # a term respelled by another log rule is still the printed one
    own = find_model(study, way.model.id)
    theirs = (*regressor_texts(own), *product_texts(own))
    as_printed = dict(zip((*regressor_texts(way.model), *product_texts(way.model)), theirs, strict=True))
    found = []
    for convention, covariance in pairs:
        named = replace(blank, convention=convention, errors=covariance.label)
        try:
            with np.errstate(all="ignore"):
                result = fit(replace(way.model, convention=convention, covariance=covariance))
        except (CarbonpanelError, np.linalg.LinAlgError) as problem:
            what = problem.what if isinstance(problem, CarbonpanelError) else str(problem)
            found.append(replace(named, problem=what))
            continue
        singletons = _singletons(convention)
        found.append(_compare(replace(named, singletons=singletons), result, as_printed, printed, terms))
    return found


def _singletons(convention: str) -> str:
    if convention in IV_CONVENTIONS:
        return {"all": "dropped", "first": "units' dropped"}.get(IV_CONVENTIONS[convention].drops_singletons, "kept")
    return "dropped" if CONVENTIONS[convention].drops_singletons else "kept"


def _fitter(way: FrameChoice, panel: CalendarPanel, where: Where) -> Callable[[Model], RegressionResult]:
    """The estimator on one way to make the frame, which is built once."""
    observed = way.cells == "observed"
    if way.model.estimator != "iv":
        data = build_frame(panel, way.model, where, observed=observed)
        return lambda model: fit_frame(model, data.frame, data.outcome, data.regressors, model.fixed_effects)
    frame = build_iv_frame(panel, way.model, where, observed=observed)
    return lambda model: fit_iv_frame(model, frame).main


def _compare(
    named: Candidate,
    result: RegressionResult,
    as_printed: dict[str, str],
    printed: Printed,
    terms: Sequence[str],
) -> Candidate:
    """Root mean square over the printed kinds of numbers: see :func:`_notes` for the unit of each."""
    position = {as_printed.get(t, t): i for i, t in enumerate(result.terms)}
    of_b, of_t, agrees, estimates = [], [], [], []
    for entry in printed.terms:
        if entry.term not in terms or entry.term not in position:
            # a term that a combination has no number for is a whole unit away
            if entry.term in terms:
                of_b.append(1.0)
            continue
        i = position[entry.term]
        b, se = float(result.estimate[i]), float(result.std_error[i])
        t = b / se if se > 0 else float("nan")
        estimates.append((entry.term, b, t))
        of_b.append((b - entry.estimate.value) / entry.scale)
        if entry.estimate.equals(b):
            agrees.append(f"b {entry.term}")
        if entry.statistic is not None:
            ours = se if entry.is_error else t
            size = max(abs(entry.statistic.value), 1e-12 if entry.is_error else 1.0)
            of_t.append((ours - entry.statistic.value) / size)
            if entry.statistic.equals(ours):
                agrees.append(f"{'se' if entry.is_error else 't'} {entry.term}")
    parts = [_mean_square(of_b)] + ([_mean_square(of_t)] if of_t else [])
    if printed.n_obs is not None:
        parts.append((10.0 * (result.n_obs / printed.n_obs - 1.0)) ** 2)
        if result.n_obs == printed.n_obs:
            agrees.append("N")
    r2, kind = None, None
    if printed.r2 is not None:
        kinds = {
            "r2": result.r2,
            "within": result.r2_within,
            "overall": result.r2_overall,
            "adjusted": result.r2_adjusted,
        }
        wanted = printed.r2.value
        near = [(abs(value - wanted), name, value) for name, value in kinds.items() if value is not None]
        if near:
            apart, kind, r2 = min(near, key=lambda n: n[0])
            parts.append((10.0 * apart) ** 2)
            if printed.r2.equals(r2):
                agrees.append("R2")
    distance = float(np.sqrt(np.mean(parts)))
    if not np.isfinite(distance):
        return replace(named, problem="a printed number has no counterpart")
    return replace(
        named,
        distance=distance,
        estimates=tuple(estimates),
        n_obs=result.n_obs,
        r2=r2,
        r2_kind=kind,
        agrees=tuple(agrees),
    )


def _mean_square(values: Sequence[float]) -> float:
    return float(np.mean(np.square(values)))


def _notes(printed: Printed, terms: Sequence[str]) -> tuple[str, ...]:
    parts = ["b in printed standard errors", "the statistic relative to itself"]
    parts += ["N in tenths"] if printed.n_obs is not None else []
    parts += ["R2 in tenths of one, the nearest of r2, within, overall and adjusted"] if printed.r2 else []
    return (
        f"distance: root mean square of {'; '.join(parts)}; over {', '.join(terms)}",
        "nearness found by search is no evidence of what the authors did: the more is tried, the nearer one comes",
    )
