"""The runner: raw sources before they are loaded, marts after they are built.

>>> report = validate_raw({"city_yearbook": "demo"}, seeds_dir=..., user_raw_dir=...)    # doctest: +SKIP
>>> report.success, report.n_stop, report.n_warn                                         # doctest: +SKIP

A failed ``stop`` expectation makes ``report.success`` false and keeps the old database in place; a failed ``warn``
is told and no more. Great Expectations is loaded here, inside the functions, in an ephemeral context: it writes no
files, sends nothing and draws no progress bars.
"""

from __future__ import annotations

import datetime as dt
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analysis_py.progress import ProgressCallback
from analysis_py.settings import paths, quiet_environment
from expectations.report import ExpectationOutcome, ValidationReport, read_reports, render_report, write_report

if TYPE_CHECKING:
    import duckdb

    from expectations.suites import Checked

__all__ = [
    "ExpectationOutcome",
    "ValidationReport",
    "read_reports",
    "render_report",
    "validate_marts",
    "validate_raw",
    "write_report",
]


def validate_raw(
    inputs: Mapping[str, str],
    *,
    seeds_dir: Path,
    user_raw_dir: Path,
    demo_dir: Path | None = None,
    progress: ProgressCallback | None = None,
) -> ValidationReport:
    """Hold the raw sources against their suites, before anything is loaded.

    Parameters
    ----------
    inputs : source -> ``demo`` (CSV under ``seeds_dir/raw``, or Parquet under ``demo_dir``), ``user`` (Parquet under
        ``user_raw_dir/<source>``) or ``none`` (nothing to check).
    seeds_dir : the project's ``seeds``; ranges, units and places come from its ``reference`` folder.
    demo_dir : where the demo world's listed firms are, drawn first where they are not; the folder of the build by
        default.
    progress : called with (done, total, label) before each suite.

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING``, ``CP-FILE-UNREADABLE``, ``CP-FILE-EMPTY``, ``CP-SOURCE-UNKNOWN``,
    ``CP-OPTION``.
    """
    started = dt.datetime.now(dt.UTC)
    from expectations.parameters import load_parameters
    from expectations.raw.flat_frames import read_flat, read_industries
    from expectations.raw.frames import check_inputs, read_source

    parameters = load_parameters(Path(seeds_dir))
    check_inputs(inputs, parameters)
    folders = {"seeds_dir": Path(seeds_dir), "user_raw_dir": Path(user_raw_dir)}
    demo = paths().demo if demo_dir is None else Path(demo_dir)
    wanted = [s for s in parameters.contract.all_sources if inputs.get(s, "none") != "none"]
    sources, flat = {}, {}
    for done, source in enumerate(wanted):
        _tell(progress, done, len(wanted), f"reading {source}")
        if source in parameters.contract.flat:
            flat[source] = read_flat(source, inputs[source], parameters, demo_dir=demo, **folders)
        else:
            sources[source] = read_source(source, inputs[source], parameters, **folders)
    with _quiet():
        from expectations.raw import cross_source
        from expectations.raw import flat as flat_suites
        from expectations.raw.registry import SUITES

        checks = [check for name, raw in sources.items() for check in SUITES[name](raw, parameters)]
        checks += cross_source.build_checks(sources, parameters)
        if flat:
            industries = read_industries(Path(seeds_dir))
            checks += [c for one in flat.values() for c in flat_suites.build_checks(one, parameters, industries)]
        results = tuple(_run(checks, "raw", progress))
    return _report("raw", started, dict(inputs), results)


def validate_marts(con: duckdb.DuckDBPyConnection, *, progress: ProgressCallback | None = None) -> ValidationReport:
    """Hold the marts of a built warehouse against their suites. Reads only.

    Raises
    ------
    CarbonpanelError ``CP-MART-MISSING`` naming a mart that has not been built.
    """
    started = dt.datetime.now(dt.UTC)
    with _quiet():
        from expectations.marts.frames import read_marts
        from expectations.marts.registry import build_checks

        _tell(progress, 0, 1, "reading the marts")
        marts = read_marts(con)
        checks = [check for mart in marts.tables.values() for check in build_checks(mart, marts)]
        results = tuple(_run(checks, "mart", progress))
    return _report("mart", started, marts.inputs, results)


def _run(checks: list[Checked], stage: str, progress: ProgressCallback | None) -> Iterator[ExpectationOutcome]:
    """Validate each frame as a pandas batch of one ephemeral context; outcomes in the order of the suites."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import DataContextConfig, InMemoryStoreBackendDefaults
    from great_expectations.validator.v1_validator import Validator

    from expectations.messages import RESULT_FORMAT, outcome_of

    # the default ephemeral context makes a temporary folder for pages; ours keeps everything in memory
    config = DataContextConfig(store_backend_defaults=InMemoryStoreBackendDefaults())
    context = gx.get_context(project_config=config, mode="ephemeral")
    context.variables.progress_bars = {"globally": False, "metric_calculations": False}  # type: ignore[assignment]
    # one asset for all frames: the context writes its whole configuration anew for every asset that is added
    asset = context.data_sources.add_pandas("frames").add_dataframe_asset("frame")
    definition = asset.add_batch_definition_whole_dataframe("whole")
    for done, check in enumerate(checks):
        _tell(progress, done, len(checks), check.name)
        validator = Validator(definition, RESULT_FORMAT, batch_parameters={"dataframe": check.frame})
        results = validator.validate_expectation_suite(check.suite()).results
        outcomes = [outcome_of(r, stage=stage, suite=check.name, table=check.table) for r in results]
        yield from sorted(outcomes, key=lambda o: o.position)
    _tell(progress, len(checks), len(checks), "done")


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings and no log lines of Great Expectations and what it uses; telemetry off before it is imported."""
    quiet_environment()
    logger = logging.getLogger("great_expectations")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def _report(
    stage: str, started: dt.datetime, inputs: Mapping[str, str], results: tuple[ExpectationOutcome, ...]
) -> ValidationReport:
    return ValidationReport(
        validation_id=f"{stage}-{started:%Y%m%dT%H%M%S.%f}",
        stage=stage,
        started_at=started,
        finished_at=dt.datetime.now(dt.UTC),
        inputs=dict(sorted(inputs.items())),
        results=results,
    )


def _tell(progress: ProgressCallback | None, done: int, total: int, label: str) -> None:
    if progress is not None:
        progress(done, total, label)
