"""Thresholds scored against the demo world's: found where there is one, none where there is none."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from analysis_py.simulate.recover import BIASED, RECOVERED, UNEXPECTED, Recovery, render_recovery
from analysis_py.simulate.recover_thresholds import recover_thresholds

STUDY = "carbon_productivity"
SHIPPED = {(STUDY, "M"): "hash"}
VERDICTS = (RECOVERED, BIASED, UNEXPECTED)


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("create schema truth; create schema results")
    connection.execute(
        "create table truth.truth_parameter (study varchar, analysis_id varchar, term varchar, parameter varchar,"
        " value varchar)"
    )
    connection.execute(
        "create table results.latest_model (run_id varchar, study varchar, analysis_id varchar, id varchar,"
        " variant_of varchar, status varchar, is_simulated boolean)"
    )
    connection.execute("create table results.run (run_id varchar, inputs varchar, study_hash varchar)")
    connection.execute(
        "create table results.coefficient (run_id varchar, study varchar, id varchar, term varchar, regime varchar,"
        " estimate double)"
    )
    connection.execute(
        'create table results.threshold (run_id varchar, study varchar, id varchar, "order" integer, variable varchar,'
        " value double, ci_low double, ci_high double, p_value double)"
    )
    connection.execute("create table results.curve (run_id varchar, id varchar, curve varchar, x double)")
    yield connection
    connection.close()


def put(
    con: duckdb.DuckDBPyConnection,
    location: float | None,
    p_value: float | None,
    *,
    term: str = "AI",
    interval: tuple[float, float] = (2.0, 2.1),
    inputs: str = "demo",
    study_hash: str = "hash",
    variant_of: str | None = None,
) -> None:
    """A world with a threshold of Fin at ``location`` and a model that found one at 2.05; candidates every 0.1."""
    rows = [("coefficient", "0" if location is None else "0.03"), ("location", "" if location is None else location)]
    for parameter, value in rows:
        con.execute(
            "insert into truth.truth_parameter values (?, 'world', 'threshold:Fin', ?, ?)", [STUDY, parameter, value]
        )
    con.execute("insert into results.latest_model values ('r', ?, 'M', 'M', ?, 'ok', true)", [STUDY, variant_of])
    con.execute("insert into results.run values ('r', ?, ?)", [inputs, study_hash])
    for regime, estimate in (("<= 2.05", 0.1), ("> 2.05", 0.14)):
        con.execute("insert into results.coefficient values ('r', ?, 'M', ?, ?, ?)", [STUDY, term, regime, estimate])
    con.execute(
        "insert into results.threshold values ('r', ?, 'M', 1, 'Fin', 2.05, ?, ?, ?)", [STUDY, *interval, p_value]
    )
    for step in range(15, 30):
        con.execute("insert into results.curve values ('r', 'M', 'threshold_lr_1', ?)", [step / 10])


@pytest.mark.parametrize(
    ("location", "p_value", "term", "verdict"),
    [
        (2.05, 0.0, "AI", RECOVERED),
        (2.15, 0.0, "AI", RECOVERED),  # between the interval and the next candidate nothing was searched
        (1.85, 0.0, "AI", UNEXPECTED),
        (2.25, 0.0, "AI", UNEXPECTED),
        (None, 0.4, "AI", RECOVERED),
        (None, 0.02, "AI", RECOVERED),
        (None, 0.0, "AI", UNEXPECTED),
        (None, 0.0, "Fin", BIASED),
        (None, None, "AI", RECOVERED),
    ],
)
def test_verdicts(
    con: duckdb.DuckDBPyConnection, location: float | None, p_value: float | None, term: str, verdict: str
) -> None:
    put(con, location, p_value, term=term)
    (row,) = recover_thresholds(con, SHIPPED, VERDICTS)
    assert row.verdict == verdict
    assert row.jump == pytest.approx(0.04)
    assert row.truth == location and row.true_jump == (0.0 if location is None else 0.03)
    page = render_recovery(Recovery((), (), (row,)))
    assert verdict in page and ("none" in page) == (location is None)


@pytest.mark.parametrize("change", [{"inputs": "mixed"}, {"study_hash": "edited"}, {"variant_of": "T8r1"}])
def test_what_has_no_known_truth_is_left_out(con: duckdb.DuckDBPyConnection, change: dict[str, str]) -> None:
    put(con, 2.05, 0.0, **change)  # type: ignore[arg-type]
    assert recover_thresholds(con, SHIPPED, VERDICTS) == []


def test_without_a_truth_about_thresholds_nothing_is_asked(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("drop table results.threshold")
    assert recover_thresholds(con, SHIPPED, VERDICTS) == []
