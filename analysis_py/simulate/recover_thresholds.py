"""Scoring thresholds on the demo world: where one was put, where it was found, and where there was none to find.

A threshold is recovered where its interval, widened to the next candidates of the grid (nothing was searched between),
holds the true location. Where there is none the test should not find one; with a threshold variable that is the
treatment itself it is expected to, because what moves the treatment moves the outcome.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Probability below which a threshold where there is none counts as found.
FOUND = 0.001


@dataclass(frozen=True)
class ThresholdRecovery:
    """One threshold of one model; ``truth`` is None where the world has none in this variable.

    ``jump`` is the change of the treatment's slope above the threshold, true and as estimated.
    """

    study: str
    analysis_id: str
    id: str
    variable: str
    truth: float | None
    value: float
    ci_low: float | None
    ci_high: float | None
    p_value: float | None
    true_jump: float
    jump: float | None
    verdict: str
    text: str


_TRUTHS = """
select study, split_part(term, ':', 2) as variable,
    max(try_cast(value as double)) filter (where parameter = 'location') as location,
    max(try_cast(value as double)) filter (where parameter = 'coefficient') as jump
from truth.truth_parameter
where analysis_id = 'world' and starts_with(term, 'threshold:')
group by all
order by study, variable
"""

_FOUND = """
select models.study, models.analysis_id, models.id, found.variable, found.value, found.ci_low, found.ci_high,
    found.p_value, runs.inputs, runs.study_hash, coalesce(found.variable = any(slopes.terms), false) as is_own,
    slopes.below, slopes.above,
    (select max(x) from results.curve as c
        where c.run_id = models.run_id and c.id = models.id and c.curve = 'threshold_lr_1' and c.x < found.ci_low),
    (select min(x) from results.curve as c
        where c.run_id = models.run_id and c.id = models.id and c.curve = 'threshold_lr_1' and c.x > found.ci_high)
from results.latest_model as models
inner join results.run as runs on models.run_id = runs.run_id
inner join results.threshold as found
    on models.run_id = found.run_id and models.study = found.study and models.id = found.id
left join (
    select run_id, study, id, list(distinct term order by term) as terms,
        max(estimate) filter (where starts_with(regime, '<=')) as below,
        max(estimate) filter (where starts_with(regime, '> ')) as above
    from results.coefficient
    where regime is not null
    group by all
) as slopes
    on models.run_id = slopes.run_id and models.study = slopes.study and models.id = slopes.id
where models.is_simulated and models.status in ('ok', 'warned') and models.variant_of is null and found."order" = 1
order by models.study, models.id
"""


def recover_thresholds(
    con: duckdb.DuckDBPyConnection, shipped: Mapping[tuple[str, str], str], verdicts: tuple[str, str, str]
) -> list[ThresholdRecovery]:
    """Truth beside estimate for the first threshold of every shipped model whose variable the world says something of.

    Parameters
    ----------
    shipped : SHA-256 of the shipped study file behind each (study, model id); models from other files are left out.
    verdicts : the words for recovered, biased as expected, unexpected.
    """
    truths = {
        (study, variable): (location, jump) for study, variable, location, jump in con.execute(_TRUTHS).fetchall()
    }
    if not truths:
        return []
    rows = []
    for row in con.execute(_FOUND).fetchall():
        study, analysis_id, key, variable, value, low, high, p_value, inputs, study_hash, is_own = row[:11]
        if (study, variable) not in truths or inputs != "demo" or shipped.get((study, key)) != study_hash:
            continue
        location, true_jump = truths[study, variable]
        below, above, next_low, next_high = row[11:]
        verdict, text = _judge(location, low, high, next_low, next_high, p_value, is_own, verdicts)
        rows.append(
            ThresholdRecovery(
                study=study,
                analysis_id=analysis_id,
                id=key,
                variable=variable,
                truth=location,
                value=value,
                ci_low=low,
                ci_high=high,
                p_value=p_value,
                true_jump=true_jump or 0.0,
                jump=None if below is None or above is None else above - below,
                verdict=verdict,
                text=text,
            )
        )
    return rows


def _judge(
    truth: float | None,
    low: float | None,
    high: float | None,
    next_low: float | None,
    next_high: float | None,
    p_value: float | None,
    is_own: bool,
    verdicts: tuple[str, str, str],
) -> tuple[str, str]:
    recovered, biased, unexpected = verdicts
    shown = "not tested" if p_value is None else f"p {p_value:.3g}"
    if truth is None:
        if p_value is None or p_value >= FOUND:
            return recovered, f"none there, none found ({shown})"
        if is_own:
            return biased, f"found where there is none ({shown}), as expected: the treatment is endogenous"
        return unexpected, f"found where there is none ({shown})"
    bottom = next_low if next_low is not None else low
    top = next_high if next_high is not None else high
    if bottom is not None and top is not None and bottom <= truth <= top:
        return recovered, f"within the interval and the next candidates ({shown})"
    return unexpected, f"the interval misses the true location ({shown})"


def render_thresholds(rows: Sequence[ThresholdRecovery]) -> str:
    """The rows as text."""
    from analysis_py.display import render_rows

    def short(value: float | None) -> float | None:
        return None if value is None else float(f"{value:.4g}")

    columns = ["model", "threshold in", "truth", "found", "low", "high", "jump", "found jump", "verdict", "remark"]
    table: list[list[object]] = []
    for r in rows:
        truth = "none" if r.truth is None else short(r.truth)
        numbers = [truth, *map(short, (r.value, r.ci_low, r.ci_high, r.true_jump, r.jump))]
        table.append([r.id, r.variable, *numbers, r.verdict, r.text])
    return render_rows(columns, table)
