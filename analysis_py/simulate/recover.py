"""Scoring the estimators on the demo world: what was true, what was found, and what was expected to go wrong.

Truth is read from schema ``truth``; estimates are the latest main results of each shipped model on the demo inputs
alone. What mixes in a user's numbers, or comes from an edited study, has no known truth and is named, not scored. A
distance is judged with errors clustered by city (the clustered variant of the model where the run has one, else the
reference error of the truth table), because the errors of the demo world are correlated within cities.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from scipy import stats

from analysis_py.errors import CarbonpanelError
from analysis_py.settings import SIMULATED_NOTICE
from analysis_py.simulate.recover_thresholds import ThresholdRecovery, recover_thresholds, render_thresholds

if TYPE_CHECKING:
    import duckdb

RECOVERED = "recovered"
BIASED = "biased as expected"
UNEXPECTED = "unexpected"
UNIDENTIFIED = "not identified"
#: Two-sided probability beyond which a distance is called too large; small, as a table holds some hundred of them.
TOLERATED_P = 0.001


@dataclass(frozen=True)
class RecoveryRow:
    """One term of one model. Distances are in standard errors (``std_error``, of the kind ``error_kind``)."""

    study: str
    analysis_id: str
    id: str
    term: str
    truth: float | None
    target: float | None
    estimate: float
    std_error: float
    error_kind: str
    distance_from_truth: float | None
    distance_from_target: float | None
    expectation: str
    verdict: str
    is_truth_within_noise: bool
    text: str


_TRUTH = """
select study, analysis_id, term, parameter, try_cast(value as double) as value, expectation, description
from truth.truth_parameter
where parameter in ('structural', 'target', 'reference_std_error')
order by study, analysis_id, term, parameter
"""

_ESTIMATES = """
select
    models.study, models.analysis_id, models.id, models.variant, models.variant_of, models.covariance,
    models.n_clusters, coefficients.term, coefficients."group", coefficients.regime, coefficients.position,
    coefficients.estimate, coefficients.std_error, runs.inputs, runs.study_hash
from results.latest_model as models
inner join results.run as runs on models.run_id = runs.run_id
inner join results.coefficient as coefficients
    on models.run_id = coefficients.run_id and models.study = coefficients.study and models.id = coefficients.id
where models.is_simulated and models.status in ('ok', 'warned')
order by models.study, models.analysis_id, models.id, coefficients.position
"""


@dataclass(frozen=True)
class Recovery(Sequence[RecoveryRow]):
    """The scored rows, read as a sequence of them; ``notes`` name the models that were left out, and why.

    ``thresholds`` are scored by their location.
    """

    rows: tuple[RecoveryRow, ...]
    notes: tuple[str, ...] = ()
    thresholds: tuple[ThresholdRecovery, ...] = ()

    @overload
    def __getitem__(self, index: int) -> RecoveryRow: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[RecoveryRow]: ...

    def __getitem__(self, index: int | slice) -> RecoveryRow | Sequence[RecoveryRow]:
        return self.rows[index]

    def __len__(self) -> int:
        return len(self.rows)


@dataclass(frozen=True)
class _Truth:
    structural: float | None
    target: float | None
    reference_error: float | None
    expectation: str
    description: str


@dataclass(frozen=True)
class _Estimate:
    study: str
    analysis_id: str
    id: str
    term: str
    estimate: float
    std_error: float
    covariance: str
    clusters: int | None
    position: int


@dataclass(frozen=True)
class _Found:
    """Main estimates by (study, analysis id, term), clustered twins by (study, main id, term), and what is not scored:
    for each reason the main ids by (study, analysis id, term)."""

    mains: dict[tuple[str, str, str], list[_Estimate]]
    clustered: dict[tuple[str, str, str], _Estimate]
    left_out: dict[str, dict[tuple[str, str, str], list[str]]]


def recover(con: duckdb.DuckDBPyConnection) -> Recovery:
    """Truth beside estimate for every term of every model that has both, by study, table, column and term.

    Parameters
    ----------
    con : an open connection to the warehouse.

    Raises
    ------
    CarbonpanelError
        ``CP-RECOVER-TRUTH`` where the warehouse has no truth tables, ``CP-RECOVER-NOTHING`` where no shipped model
        was estimated on the demo world alone; the remedy names those that were left out.
    """
    truths = _read_truths(con)
    shipped = _shipped_hashes()
    read = _read_estimates(con, shipped)
    thresholds = recover_thresholds(con, shipped, (RECOVERED, BIASED, UNEXPECTED))
    pairs = [(found, truth) for key, truth in truths.items() for found in read.mains.get(key, ())]
    pairs.sort(key=lambda pair: (pair[0].study, _by_number(pair[0].analysis_id), pair[0].id, pair[0].position))
    rows = [_judge(truth, found, read.clustered.get((found.study, found.id, found.term))) for found, truth in pairs]
    notes = _left_out_notes(read, truths)
    if not rows and not thresholds:
        raise CarbonpanelError(
            "CP-RECOVER-NOTHING",
            "no model with a known truth has been estimated on the demo world",
            remedy="; ".join(
                ["run 'carbonpanel run --inputs demo' first, which estimates the shipped studies", *notes]
            ),
        )
    return Recovery(tuple(rows), notes, tuple(thresholds))


def _shipped_hashes() -> dict[tuple[str, str], str]:
    """SHA-256 of the shipped study file behind each (study, model id)."""
    from analysis_py.settings import paths
    from analysis_py.study import load_studies

    return {(s.study, m.id): s.file_hash for s in load_studies(paths().studies) for m in s.models}


def _left_out_notes(read: _Found, truths: Mapping[tuple[str, str, str], _Truth]) -> tuple[str, ...]:
    """One sentence a reason with the ids of the models that a truth is known for, in the order of their numbers."""
    notes = []
    for reason, of_reason in sorted(read.left_out.items()):
        ids = dict.fromkeys(i for key, found in of_reason.items() if key in truths for i in found)
        if ids:
            notes.append(f"not scored, {reason}: {', '.join(sorted(ids, key=_by_number))}")
    return tuple(notes)


def _by_number(identifier: str) -> tuple[tuple[int, str], ...]:
    """Sort key that puts T3c2 before T10c1: digits compare as numbers."""
    return tuple((int(part), "") if part.isdigit() else (0, part) for part in re.findall(r"\d+|\D+", identifier))


def _read_truths(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str, str], _Truth]:
    import duckdb

    try:
        found = con.execute(_TRUTH).fetchall()
    except duckdb.CatalogException:
        raise CarbonpanelError(
            "CP-RECOVER-TRUTH",
            "the warehouse has no truth tables, so there is nothing to compare with",
            remedy="run 'carbonpanel refresh', which loads seeds/truth",
        ) from None
    values: dict[tuple[str, str, str], dict[str, float | None]] = {}
    texts: dict[tuple[str, str, str], tuple[str, str]] = {}
    for study, analysis_id, term, parameter, value, expectation, description in found:
        key = (study, analysis_id, term)
        values.setdefault(key, {})[parameter] = value
        if parameter == "structural":
            texts[key] = (expectation or "", description or "")
    return {
        key: _Truth(value.get("structural"), value.get("target"), value.get("reference_std_error"), *texts[key])
        for key, value in values.items()
        if key in texts
    }


def _read_estimates(con: duckdb.DuckDBPyConnection, shipped: Mapping[tuple[str, str], str]) -> _Found:
    """The latest estimates, those on demo inputs by a shipped study apart from the others."""
    import duckdb

    try:
        found = con.execute(_ESTIMATES).fetchall()
    except duckdb.CatalogException:
        raise CarbonpanelError(
            "CP-RECOVER-NOTHING",
            "the warehouse has no results tables",
            remedy="run 'carbonpanel run' first",
        ) from None
    read = _Found({}, {}, {})
    for row in found:
        study, analysis_id, key, variant, variant_of, covariance, clusters, term, group, regime = row[:10]
        estimate, error, inputs, study_hash = row[11:15]
        if group is not None or regime is not None or estimate is None or error is None or error <= 0:
            continue
        main = key if variant_of is None else variant_of
        reason = _why_not_scored(inputs, study_hash, shipped.get((study, key), shipped.get((study, main))))
        if reason is not None:
            if variant_of is None:
                read.left_out.setdefault(reason, {}).setdefault((study, analysis_id or key, term), []).append(key)
            continue
        first = str(clusters).split(",")[0].strip() if clusters else ""
        entry = _Estimate(
            study,
            analysis_id or key,
            key,
            term,
            estimate,
            error,
            covariance or "",
            int(first) if first else None,
            int(row[10]),
        )
        if variant_of is None:
            read.mains.setdefault((study, entry.analysis_id, term), []).append(entry)
            if entry.covariance.startswith("cluster"):
                read.clustered[study, key, term] = entry
        elif variant == "clustered":
            read.clustered[study, variant_of, term] = entry
    return read


def _why_not_scored(inputs: str, study_hash: str, shipped_hash: str | None) -> str | None:
    if inputs != "demo":
        return f"as its inputs are not the demo world alone ({inputs})"
    return "from an edited study" if study_hash != shipped_hash else None


def _judge(truth: _Truth, found: _Estimate, twin: _Estimate | None) -> RecoveryRow:
    if twin is not None:
        error, kind, clusters = twin.std_error, twin.covariance, twin.clusters
    elif truth.reference_error:
        error, kind, clusters = truth.reference_error, "clustered, from the truth table", None
    else:
        error, kind, clusters = found.std_error, found.covariance or "as reported", found.clusters
    limit = float(stats.t.isf(TOLERATED_P / 2.0, clusters - 1)) if clusters and clusters > 1 else 3.29
    from_truth = None if truth.structural is None else (found.estimate - truth.structural) / error
    from_target = None if truth.target is None else (found.estimate - truth.target) / error
    verdict, text = _decide(truth, from_truth, from_target, limit)
    return RecoveryRow(
        study=found.study,
        analysis_id=found.analysis_id,
        id=found.id,
        term=found.term,
        truth=truth.structural,
        target=truth.target,
        estimate=found.estimate,
        std_error=error,
        error_kind=kind,
        distance_from_truth=from_truth,
        distance_from_target=from_target,
        expectation=truth.expectation,
        verdict=verdict,
        is_truth_within_noise=from_truth is not None and abs(from_truth) <= limit,
        text=text,
    )


def _decide(truth: _Truth, from_truth: float | None, from_target: float | None, limit: float) -> tuple[str, str]:
    """Verdict and a sentence that claims no more than the distances show."""
    if truth.expectation == "not_identified" or from_truth is None:
        return UNIDENTIFIED, truth.description
    near_truth = abs(from_truth) <= limit
    near_target = from_target is not None and abs(from_target) <= limit
    if truth.expectation == "recovers":
        if near_truth:
            return RECOVERED, f"{abs(from_truth):.1f} standard errors from the truth"
        return UNEXPECTED, f"{abs(from_truth):.1f} standard errors from a truth that this column should find"
    if near_target:
        reason = truth.description.removeprefix("biased: ").split("; ")[0]
        if near_truth:
            return BIASED, f"at the biased value expected ({reason}), though the truth is within the noise too"
        return BIASED, f"{abs(from_truth):.1f} standard errors from the truth, as expected: {reason}"
    if near_truth:
        return UNEXPECTED, "near the truth where a bias was expected"
    return UNEXPECTED, (
        f"neither at the truth ({abs(from_truth):.1f} standard errors away) nor at the biased value expected"
    )


def count_verdicts(rows: Sequence[RecoveryRow]) -> dict[str, int]:
    """Number of rows by verdict, all four named."""
    return {v: sum(r.verdict == v for r in rows) for v in (RECOVERED, BIASED, UNEXPECTED, UNIDENTIFIED)}


def render_recovery(rows: Sequence[RecoveryRow]) -> str:
    """The rows as text, with the notice that everything in them is simulated."""
    from analysis_py.display import render_rows

    columns = ["model", "term", "truth", "expected", "estimate", "s.e.", "verdict", "remark"]
    shown = [r for r in rows if r.verdict != UNIDENTIFIED]
    table = [
        [r.id, r.term, _short(r.truth), _short(r.target), _short(r.estimate), _short(r.std_error), r.verdict, r.text]
        for r in shown
    ]
    return "\n".join(
        [
            SIMULATED_NOTICE,
            "Truth of the demo world beside the latest estimates. 'expected' is the value the column centres on, its",
            "biases included; distances are judged with errors clustered by city, at 0.1%.",
            render_rows(columns, table),
            _summary(rows),
            *(f"{note[0].upper()}{note[1:]}." for note in (rows.notes if isinstance(rows, Recovery) else ())),
            *(_thresholds(rows.thresholds) if isinstance(rows, Recovery) and rows.thresholds else ()),
        ]
    )


def _thresholds(rows: Sequence[ThresholdRecovery]) -> list[str]:
    return ["", "Thresholds: where the world has one, and where it was found.", render_thresholds(rows)]


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _summary(rows: Sequence[RecoveryRow]) -> str:
    counts = count_verdicts(rows)
    parts = [f"{number} {verdict}" for verdict, number in counts.items() if number]
    text = "; ".join(parts) + "."
    hidden = sum(r.verdict == BIASED and r.is_truth_within_noise for r in rows)
    if hidden:
        text += f" In {hidden} of the biased ones the truth is within the noise too."
    if counts[UNIDENTIFIED]:
        text += " Constants are left out of the table: with city and year effects they are not identified."
    return text
