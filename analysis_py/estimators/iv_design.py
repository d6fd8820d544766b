"""The columns of an instrumental-variables regression, free of fixed effects, of unit scale and of full rank.

The order in which columns are judged is exogenous regressors, instruments, endogenous variables: a column that depends
on earlier ones goes (an exogenous regressor or an instrument, with its reason) or is an error (an endogenous variable).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.absorption import demean, independent_columns, rank
from analysis_py.estimators.factors import find_singletons
from analysis_py.estimators.iv_conventions import IvConvention, too_few
from analysis_py.estimators.least_squares import ABSORBED_SHARE, COLLINEAR_SHARE
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.estimators.sample import Sample, draw_sample


@dataclass(frozen=True)
class Columns:
    """Named columns within the fixed effects. ``values`` (n, p) are of unit scale; a column in the units of the data
    is ``values * scale`` and has the weighted mean ``mean``."""

    names: tuple[str, ...]
    values: np.ndarray
    scale: np.ndarray
    mean: np.ndarray

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True)
class IvDesign:
    """y on ``endogenous`` (instrumented by ``instruments``) and ``exogenous``; ``dropped`` holds (term, reason).

    ``silent`` are exogenous columns that are not reported (initial-conditions controls).
    """

    sample: Sample
    outcome: Columns
    endogenous: Columns
    exogenous: Columns
    instruments: Columns
    silent: frozenset[str]
    dropped: tuple[tuple[str, str], ...]
    tss: float
    messages: tuple[str, ...]

    @property
    def weights(self) -> np.ndarray:
        return self.sample.weights

    @cached_property
    def _exogenous_root(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.qr(np.sqrt(self.weights)[:, None] * self.exogenous.values)

    def exogenous_coefficients(self, values: np.ndarray) -> np.ndarray:
        """Weighted least squares of columns (n, p) on the exogenous ones; shape (k2, p)."""
        if not len(self.exogenous):
            return np.empty((0, values.shape[1]))
        q, r = self._exogenous_root
        return np.linalg.solve(r, q.T @ (np.sqrt(self.weights)[:, None] * values))

    def partial_out(self, values: np.ndarray) -> np.ndarray:
        """Columns (n, p) free of the exogenous ones."""
        if not len(self.exogenous):
            return values
        return values - self.exogenous.values @ self.exogenous_coefficients(values)

    @cached_property
    def y(self) -> np.ndarray:
        """(n,) outcome free of fixed effects and exogenous regressors, unit scale."""
        return self.partial_out(self.outcome.values)[:, 0]

    @cached_property
    def x(self) -> np.ndarray:
        """(n, k1) endogenous variables, likewise."""
        return self.partial_out(self.endogenous.values)

    @cached_property
    def z(self) -> np.ndarray:
        """(n, l1) instruments, likewise, made orthonormal: z'Wz = 1. Tests do not depend on which basis this is."""
        root = np.sqrt(self.weights)[:, None]
        q, _ = np.linalg.qr(root * self.partial_out(self.instruments.values))
        return np.asarray(q / root)

    @cached_property
    def slopes(self) -> np.ndarray:
        """(l1, k1) first-stage coefficients on the orthonormal instruments."""
        return self.z.T @ (self.weights[:, None] * self.x)

    @cached_property
    def reduced(self) -> np.ndarray:
        """(l1,) reduced-form coefficients on the orthonormal instruments."""
        return self.z.T @ (self.weights * self.y)


def draw_design(
    frame: pd.DataFrame,
    *,
    outcome: str,
    endogenous: Sequence[str],
    instruments: Sequence[str],
    exogenous: Sequence[str],
    silent: Sequence[str] = (),
    fixed_effects: Sequence[str],
    spec: CovarianceSpec,
    rules: IvConvention,
    unit: str | None,
    time: str | None,
    weights: str | None,
) -> IvDesign:
    """Cut the sample and prepare its columns.

    Raises
    ------
    CarbonpanelError
        The errors of :func:`analysis_py.estimators.sample.draw_sample`; ``CP-EST-SPEC`` where a variable stands on two
        sides, ``CP-EST-CONSTANT`` for an outcome that does not vary, ``CP-EST-ENDOGENOUS`` for an endogenous variable
        that does not vary or that instruments and controls determine, ``CP-EST-UNDERIDENTIFIED`` where fewer
        independent instruments than endogenous variables are left, with the reason of each that went.
    """
    endogenous = tuple(dict.fromkeys(endogenous))
    if not endogenous or not instruments:
        raise CarbonpanelError(
            "CP-EST-SPEC",
            f"no {'endogenous variable' if not endogenous else 'instrument'} is named",
            remedy="name endogenous: [AI] and instruments: [L.AI]",
        )
    for name in endogenous:
        other = "instrument" if name in instruments else "control" if name in (*exogenous, *silent) else ""
        if other:
            raise CarbonpanelError(
                "CP-EST-SPEC",
                f"'{name}' is both endogenous and {'its own ' if other == 'instrument' else 'a '}{other}",
                remedy=f"take it out of one of the two: an endogenous variable cannot be its {other}"
                if other == "instrument"
                else "name it once",
            )
    controls = tuple(dict.fromkeys((*exogenous, *silent)))
    excluded = tuple(z for z in dict.fromkeys(instruments) if z not in controls)
    dropped = [
        (z, "also a control, so it is no excluded instrument") for z in dict.fromkeys(instruments) if z in controls
    ]
    sample = _sample(
        frame,
        outcome=outcome,
        columns=(*controls, *excluded, *endogenous),
        fixed_effects=fixed_effects,
        spec=spec,
        rules=rules,
        unit=unit,
        time=time,
        weights=weights,
    )
    raw = np.column_stack([sample.y, sample.x])
    within, scale, mean = _standardise(raw, sample)
    n = len(sample.y)
    squares = np.einsum("i,ij,ij->j", sample.weights, within, within)
    if scale[0] == 0.0 or not squares[0] > 1e-20 * n:
        inside = " within the fixed effects" if scale[0] else " in the sample"
        raise CarbonpanelError(
            "CP-EST-CONSTANT",
            f"the outcome '{outcome}' does not vary{inside}",
            remedy="choose another outcome, a wider sample or fewer fixed effects",
        )
    names = (*controls, *excluded, *endogenous)
    norms = np.sqrt(squares / n)
    varies = (scale > 0) & (squares > ABSORBED_SHARE * n)
    varies[0] = True
    unit_scale = within / np.where(varies, norms, 1.0)
    candidates = 1 + np.flatnonzero(varies[1:])
    gram = (unit_scale[:, candidates] * sample.weights[:, None]).T @ unit_scale[:, candidates]
    chosen = candidates[independent_columns(gram, np.diag(gram), COLLINEAR_SHARE)]

    def take(wanted: Sequence[str], noun: str) -> Columns:
        kept = [j for j in chosen if names[j - 1] in wanted]
        for j, name in enumerate(names, start=1):
            if name not in wanted or j in kept:
                continue
            if scale[j] == 0.0:
                reason = "constant in the sample"
            elif not varies[j]:
                reason = "absorbed by the fixed effects"
            else:
                reason = f"collinear with {noun}"
            dropped.append((name, reason))
        return Columns(
            tuple(names[j - 1] for j in kept),
            np.ascontiguousarray(unit_scale[:, kept]),
            scale[kept] * norms[kept],
            mean[kept],
        )

    controls_kept = take(controls, "the controls before it")
    instruments_kept = take(excluded, "the controls and the instruments before it")
    before = len(dropped)
    endogenous_kept = take(endogenous, "the controls, the instruments and the endogenous variables before it")
    if len(dropped) > before:
        name, reason = dropped[before]
        used = len(controls_kept) + len(instruments_kept) + rank(sample.fixed_effects)[0]
        if "collinear" in reason and used >= n:
            raise too_few(n, used, len(instruments_kept), len(controls_kept))
        raise CarbonpanelError(
            "CP-EST-ENDOGENOUS",
            f"the endogenous variable '{name}' is {reason}",
            remedy="an instrument that contains it explains it fully: use another"
            if "collinear" in reason
            else "use a variable that varies within the fixed effects, or fewer fixed effects",
        )
    if len(instruments_kept) < len(endogenous):
        gone = "; ".join(f"'{t}' is {r}" for t, r in dropped if t in instruments)
        raise CarbonpanelError(
            "CP-EST-UNDERIDENTIFIED",
            f"{len(instruments_kept)} usable instrument(s) for {len(endogenous)} endogenous variable(s)"
            + (f": {gone}" if gone else ""),
            remedy="name at least as many independent instruments as endogenous variables"
            + (
                "; a value that is constant within units varies only if it is multiplied by something that moves"
                if "absorbed by the fixed effects" in gone
                else ""
            ),
        )
    return IvDesign(
        sample=sample,
        outcome=Columns((outcome,), unit_scale[:, :1], scale[:1] * norms[:1], mean[:1]),
        endogenous=endogenous_kept,
        exogenous=controls_kept,
        instruments=instruments_kept,
        silent=frozenset(silent),
        dropped=tuple((term, reason) for term, reason in dropped if term not in silent),
        tss=n * float(scale[0]) ** 2,
        messages=(*sample.messages, *_say([d for d in dropped if d[0] not in silent], instruments)),
    )


def _say(dropped: Sequence[tuple[str, str]], instruments: Sequence[str]) -> list[str]:
    return [f"{'instrument ' if term in instruments else ''}'{term}' dropped: {reason}" for term, reason in dropped]


def _sample(
    frame: pd.DataFrame,
    *,
    outcome: str,
    columns: Sequence[str],
    fixed_effects: Sequence[str],
    spec: CovarianceSpec,
    rules: IvConvention,
    unit: str | None,
    time: str | None,
    weights: str | None,
) -> Sample:
    effects = list(fixed_effects)
    if rules.effects == "first_absorbed" and unit in effects:
        effects = [unit, *(e for e in effects if e != unit)]
    sample = draw_sample(
        frame,
        outcome=outcome,
        regressors=columns,
        fixed_effects=effects,
        spec=spec,
        convention=rules.sample_rules(),
        unit=unit,
        time=time,
        weights=weights,
    )
    if rules.drops_singletons != "first" or not sample.fixed_effects:
        return sample
    alone = np.array([row for row, _ in find_singletons(sample.fixed_effects[:1])], dtype=np.int64)
    if not alone.size:
        return sample
    if len(alone) == len(sample.y):
        raise CarbonpanelError(
            "CP-EST-EMPTY",
            f"every row is alone in its '{sample.fixed_effects[0].name}'",
            remedy="use fewer fixed effects, or a convention that keeps singletons",
        )
    return without_rows(sample, alone, f"singleton {sample.fixed_effects[0].name}")


def without_rows(sample: Sample, rows: np.ndarray, reason: str) -> Sample:
    """A sample less some of its rows (positions in the sample), counted as singletons."""
    keep = np.setdiff1d(np.arange(len(sample.y)), rows)
    weight = sample.weights[keep]
    kept_messages = [m for m in sample.messages if "singletons of the fixed effects" not in m]
    return replace(
        sample,
        used_rows=sample.used_rows[keep],
        y=sample.y[keep],
        x=sample.x[keep],
        weights=weight / weight.mean(),
        fixed_effects=tuple(f.take(keep) for f in sample.fixed_effects),
        clusters=tuple(f.take(keep) for f in sample.clusters),
        unit=None if sample.unit is None else sample.unit.take(keep),
        time=None if sample.time is None else sample.time.take(keep),
        periods=None if sample.periods is None else sample.periods.take(keep),
        coordinates=None if sample.coordinates is None else sample.coordinates[keep],
        dropped_rows=tuple(sorted([*sample.dropped_rows, *((int(r), reason) for r in sample.used_rows[rows])])),
        singletons_dropped=len(rows),
        messages=(*kept_messages, f"singletons of the fixed effects dropped: {len(rows)}"),
    )


def _standardise(raw: np.ndarray, sample: Sample) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Columns less their means over their standard deviations, free of the fixed effects; deviations and means."""
    w = sample.weights
    mean = np.average(raw, axis=0, weights=w)
    largest = np.abs(raw).max(axis=0)
    deviations = (raw - mean) / np.where(largest > 0, largest, 1.0)
    scale = np.sqrt(np.average(deviations**2, axis=0, weights=w)) * largest
    scale[np.ptp(raw, axis=0) <= 1e-13 * largest] = 0.0
    standard = np.where(scale > 0, (raw - mean) / np.where(scale > 0, scale, 1.0), 0.0)
    return demean(standard, sample.fixed_effects, w), scale, mean
