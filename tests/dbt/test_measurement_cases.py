"""The measurement macros give the numbers of the reference cases: their own SQL, rendered and run by dbt in a small
project whose models read the cases.

Cases (``../shared/reference_cases/econometrics``): ``entropy_hospital`` (11 departments, 9 indicators),
``pim_grunfeld`` (two firms, 20 years), ``winsor_nlsw88`` (Stata's winsor2 on 2,246 wages).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from analysis_py.settings import project_root

CASES = project_root().parent / "shared" / "reference_cases" / "econometrics"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not CASES.is_dir(), reason="the reference cases are not beside the project"),
]

_PROJECT = """
name: cases
version: "1.0"
config-version: 2
profile: cases
model-paths: [models]
macro-paths: ['{macros}']
models: {{+materialized: table}}
"""
_PROFILE = """
cases:
  target: main
  outputs:
    main: {{type: duckdb, path: '{folder}/cases.duckdb', threads: 1}}
"""
#: Departments as units and indicators as components; the case has no time.
_HOSPITAL = """
with wide as (
    select column0 as unit_code, * exclude (column0) from read_csv('{{ var("cases") }}/entropy_hospital/scores.csv')
),
components as (
    select 'hospital' as index_name, unit_code, 0 as year, component, 1 as sign, value, 'observed' as fill
    from (unpivot wide on columns(* exclude (unit_code)) into name component value value)
),
weights as ({{ entropy_weights('components', by=['index_name']) }})
"""
_MODELS = {
    "entropy_weight": _HOSPITAL + "select * from weights",
    "entropy_value": _HOSPITAL + "{{ entropy_index('components', 'weights', by=['index_name']) }}".join(
        (", index_values as (", ") select * from index_values")
    ),
    "capital": """
with rules as (
    select 'tenth' as initial_rule, cast(null as integer) as growth_years
    union all select 'steady_state', 19
),
flows as (
    select
        initial_rule as rule, initial_rule, firm, year, cast(inv as double) as investment, 'observed' as fill,
        0.096 as depreciation_rate, 1935 as base_year, growth_years
    from read_csv('{{ var("cases") }}/pim_grunfeld/grunfeld.csv') cross join rules
)
select * from ({{ perpetual_inventory('flows', by=['rule', 'firm'], flow='investment', fill='fill') }})
""",
    "wage": """
with wages as (select idcode, cast(wage as double) as wage from read_csv('{{ var("cases") }}/winsor_nlsw88/nlsw88.csv'))
select * from ({{ winsorise('wages', 'wage') }})
""",
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """The models of the small project, run once by dbt with the macros of this one."""
    folder = tmp_path_factory.mktemp("cases")
    (folder / "models").mkdir()
    macros = project_root() / "dbt_project" / "macros"
    (folder / "dbt_project.yml").write_text(_PROJECT.format(macros=macros.as_posix()), encoding="utf-8")
    (folder / "profiles.yml").write_text(_PROFILE.format(folder=folder.as_posix()), encoding="utf-8")
    for name, sql in _MODELS.items():
        (folder / "models" / f"{name}.sql").write_text(sql, encoding="utf-8")
    result = subprocess.run(
        [
            str(Path(sys.executable).with_name("dbt")), "--no-use-colors", "run", "--project-dir", str(folder),
            "--profiles-dir", str(folder), "--vars", json.dumps({"cases": CASES.as_posix()}),
        ],
        cwd=folder,
        env={**os.environ, "DO_NOT_TRACK": "1", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stdout[-3000:]
    return duckdb.connect(str(folder / "cases.duckdb"), read_only=True)


def expected(case: str) -> dict[str, object]:
    return dict(json.loads((CASES / case / "expected.json").read_text(encoding="utf-8"))["expected"])


def column(con: duckdb.DuckDBPyConnection, query: str) -> list[float]:
    return [row[0] for row in con.execute(query).fetchall()]


def test_entropy_weights_and_index_of_the_hospital(built: duckdb.DuckDBPyConnection) -> None:
    case = expected("entropy_hospital")["minmax"]
    assert isinstance(case, dict)
    entropy = column(built, "select entropy from entropy_weight order by component")
    weights = column(built, "select weight from entropy_weight order by component")
    index = column(built, "select value from entropy_value order by unit_code")
    assert entropy == pytest.approx(case["entropy"], rel=1e-10)
    assert weights == pytest.approx(case["weights"], rel=1e-10)
    assert index == pytest.approx(case["score_minmax"], rel=1e-10)
    assert math.fsum(weights) == pytest.approx(1, abs=1e-14)
    assert built.execute("select distinct n, fill from entropy_weight cross join entropy_value").fetchall() == [
        (11, "observed")
    ]


@pytest.mark.parametrize("firm", [1, 2])
def test_perpetual_inventory_of_grunfeld(built: duckdb.DuckDBPyConnection, firm: int) -> None:
    case = expected("pim_grunfeld")[f"firm{firm}"]
    assert isinstance(case, dict)
    stocks = "select stock from capital where rule = '{}' and firm = {} order by year"
    assert column(built, stocks.format("tenth", firm)) == pytest.approx(case["K0_I0_over_10pct_ZhangJun"], rel=1e-10)
    assert column(built, stocks.format("steady_state", firm)) == pytest.approx(
        case["K0_I0_over_g_plus_delta"], rel=1e-10
    )
    (growth,) = column(
        built, f"select distinct growth_rate from capital where growth_rate is not null and firm = {firm}"
    )
    assert growth == pytest.approx(case["g"], rel=1e-10)


def test_stocks_and_investment_satisfy_the_identity(built: duckdb.DuckDBPyConnection) -> None:
    """Bit for bit: the recursion is run, not a closed form of it."""
    broken = built.execute(
        "select count(*), count(*) filter (where here.stock <> (1 - 0.096::double) * before.stock + here.investment) "
        "from capital as here inner join capital as before "
        "on here.rule = before.rule and here.firm = before.firm and here.year = before.year + 1"
    ).fetchone()
    assert broken == (2 * 10 * 19, 0)


def test_winsorising_follows_stata(built: duckdb.DuckDBPyConnection) -> None:
    case = expected("winsor_nlsw88")
    n, low, high, mean, sd, raw_mean = built.execute(
        "select count(*), min(wage_winsorised), max(wage_winsorised), avg(wage_winsorised), stddev(wage_winsorised), "
        "avg(wage) from wage"
    ).fetchone()
    assert n == case["n"]
    assert (low, high) == pytest.approx((case["p1"], case["p99"]), rel=1e-6)
    assert (mean, sd, raw_mean) == pytest.approx((case["mean"], case["sd"], case["raw_mean"]), rel=1e-6)
