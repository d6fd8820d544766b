"""Our own expectations as Great Expectations classes: one metric, and one small class per check.

Each class names a function of ``expectations.checks`` and hands it its own fields. One that asks the same of several
columns is one expectation, whose message names the columns that are not as expected: Great Expectations' cost is by
expectation, the checks' own is small. The single metric
``carbonpanel.finding`` runs that function on the batch's dataframe and returns a ``Finding``; the class turns the
finding into a validation result. Written as batch expectations because the questions are about series (a year
against the year before), grids and several columns, which map expectations do not see.

Importing this module loads Great Expectations; only ``expectations.validation`` and the suites do, and only when run.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from great_expectations.core.metric_domain_types import MetricDomainTypes
from great_expectations.execution_engine import PandasExecutionEngine
from great_expectations.expectations.expectation import BatchExpectation
from great_expectations.expectations.expectation_configuration import parse_result_format
from great_expectations.expectations.metrics.metric_provider import metric_value
from great_expectations.expectations.metrics.table_metric_provider import TableMetricProvider
from great_expectations.validator.metric_configuration import MetricConfiguration
from great_expectations.validator.validator import ValidationDependencies

from expectations.checks import CHECKS, Finding

_METRIC = "carbonpanel.finding"


class FindingMetric(TableMetricProvider):
    """Runs the named check on the dataframe of the batch."""

    metric_name = _METRIC
    value_keys = ("check", "arguments")

    @metric_value(engine=PandasExecutionEngine)
    def _pandas(
        cls,
        execution_engine: PandasExecutionEngine,
        metric_domain_kwargs: dict,
        metric_value_kwargs: dict,
        metrics: dict[str, Any],
        runtime_configuration: dict,
    ) -> Finding:
        frame, _, _ = execution_engine.get_compute_domain(metric_domain_kwargs, domain_type=MetricDomainTypes.TABLE)
        return CHECKS[metric_value_kwargs["check"]](frame, **json.loads(metric_value_kwargs["arguments"]))


class FindingExpectation(BatchExpectation):
    """A batch expectation whose question is answered by one check; its own fields are the check's arguments."""

    check: ClassVar[str]

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments of the check, JSON-serialisable: the fields the class itself declares."""
        return {name: getattr(self, name) for name in type(self).__annotations__ if name != "check"}

    def get_validation_dependencies(
        self, execution_engine: Any = None, runtime_configuration: dict | None = None
    ) -> ValidationDependencies:
        """Ask for the finding as the only metric.

        The inherited method rebuilds the expectation's configuration some twenty times for what is known here; left
        out, a finding costs a third.
        """
        metric = MetricConfiguration(
            metric_name=_METRIC,
            metric_domain_kwargs={"batch_id": self.batch_id},
            metric_value_kwargs={"check": self.check, "arguments": json.dumps(self.arguments())},
        )
        chosen = (runtime_configuration or {}).get("result_format", self.result_format)
        return ValidationDependencies(
            metric_configurations={_METRIC: metric}, result_format=parse_result_format(chosen)
        )

    def _validate(self, metrics: dict, runtime_configuration: Any = None, execution_engine: Any = None) -> dict:
        finding: Finding = metrics[_METRIC]
        return {
            "success": finding.success,
            "result": {
                "element_count": finding.element_count,
                "unexpected_count": finding.unexpected_count,
                "observed_value": finding.observed,
                "details": {
                    "problem": finding.problem,
                    "examples": list(finding.examples),
                    "advice": finding.advice,
                    "names_columns": finding.names_columns,
                },
            },
        }


class ExpectColumnsNotToJump(FindingExpectation):
    """No value is ``factor`` times the year before's, or its inverse, within a series."""

    check: ClassVar[str] = "find_jumps"
    columns: list[str]
    series: str = "series"
    time: str = "year"
    factor: float
    floor: float = 0.0
    has_unit: bool = True
    noun: str = "city-years"


class ExpectColumnsNearTheirMedian(FindingExpectation):
    """No value is ``factor`` times the median of its series, or its inverse."""

    check: ClassVar[str] = "find_far_values"
    columns: list[str]
    series: str = "series"
    factor: float
    noun: str = "rows"


class ExpectColumnsNotToSpike(FindingExpectation):
    """No single year stands out from both its neighbours by ``factor`` (steps beyond ``jump`` are jumps)."""

    check: ClassVar[str] = "find_spikes"
    columns: list[str]
    series: str = "series"
    time: str = "year"
    factor: float
    jump: float
    noun: str = "city-years"


class ExpectColumnsNotToRepeat(FindingExpectation):
    """No long number repeats the year before's to the last digit."""

    check: ClassVar[str] = "find_repeats"
    columns: list[str]
    series: str = "series"
    time: str = "year"
    noun: str = "city-years"


class ExpectPercentsNotToBeShares(FindingExpectation):
    """No percent is about a hundredth of both its neighbours."""

    check: ClassVar[str] = "find_shares"
    columns: list[str]
    series: str = "series"
    time: str = "year"
    factor: float
    noun: str = "city-years"


class ExpectYearsToBeBalanced(FindingExpectation):
    """Every year has about as many rows as the median year."""

    check: ClassVar[str] = "find_unbalanced_years"
    time: str = "year"
    tolerance: float
    only: str | None = None
    rows: str = "rows"


class ExpectCellsToBeNumbers(FindingExpectation):
    """At most ``share`` of the cells of any indicator hold text."""

    check: ClassVar[str] = "find_text_cells"
    share: float = 0.0


class ExpectDatasetsToAgree(FindingExpectation):
    """A cell brought by two data sets has one value."""

    check: ClassVar[str] = "find_conflicting_duplicates"
    tolerance: float


class ExpectRatioToBeBetween(FindingExpectation):
    """``scale * numerator / product(denominators)`` lies in [low, high] where all are there."""

    check: ClassVar[str] = "find_ratio_outliers"
    numerator: str
    denominators: list[str]
    low: float
    high: float
    scale: float = 1.0
    noun: str = "city-years"


class ExpectPartsToAddUp(FindingExpectation):
    """The parts add up to the whole within ``tolerance`` (relative) where all are there."""

    check: ClassVar[str] = "find_sum_gaps"
    parts: list[str]
    whole: str
    tolerance: float
    noun: str = "city-years"


class ExpectGroupsToAddUp(FindingExpectation):
    """Rows of the parts of ``column`` add up to the row of their whole, by ``keys``."""

    check: ClassVar[str] = "find_group_gaps"
    column: str
    member: str
    whole: str
    parts: list[str]
    keys: list[str]
    tolerance: float
    noun: str = "rows"


class ExpectStockNotToBeNegative(FindingExpectation):
    """What was removed so far is no more than what was added."""

    check: ClassVar[str] = "find_stock_deficits"
    added: str
    removed: str
    series: str = "series"
    time: str = "year"
    noun: str = "city-years"


class ExpectStockToBeRecentAdditions(FindingExpectation):
    """A stock is what was added in the last ``life`` years, within ``tolerance`` (relative)."""

    check: ClassVar[str] = "find_stock_misfits"
    stock: str
    added: str
    life: int
    tolerance: float
    least: float
    series: str = "series"
    time: str = "year"
    noun: str = "rows"


class ExpectGrowthToAgreeWithIndex(FindingExpectation):
    """Nominal growth over the volume index is a believable deflator."""

    check: ClassVar[str] = "find_growth_mismatches"
    level: str
    index: str
    series: str = "series"
    time: str = "year"
    low: float
    high: float
    noun: str = "city-years"


class ExpectPartNotToExceedWhole(FindingExpectation):
    """Urban districts have no more of ``column`` than the whole city of the same year and data set."""

    check: ClassVar[str] = "find_scope_excess"
    column: str
    scope: str = "area_scope"
    part: str
    whole: str
    keys: list[str]


class ExpectWholeNotToCopyPart(FindingExpectation):
    """No cell of the whole city repeats its urban districts' number while the rest of the row differs."""

    check: ClassVar[str] = "find_scope_copies"
    columns: list[str]
    scope: str = "area_scope"
    part: str
    whole: str
    keys: list[str]


class ExpectColumnsToDiffer(FindingExpectation):
    """Two columns that measure different things do not hold the same number."""

    check: ClassVar[str] = "find_equal_pairs"
    column: str
    other: str
    noun: str = "city-years"


class ExpectColumnsNotToExceed(FindingExpectation):
    """Of each pair (part, whole) the part is at most the whole where both are there."""

    check: ClassVar[str] = "find_excesses"
    pairs: list[list[str]]
    noun: str = "city-years"


class ExpectColumnsToBeInRange(FindingExpectation):
    """Values of each column lie in its [low, high] (None leaves an end open); ``spans`` says the range in words."""

    check: ClassVar[str] = "find_out_of_range"
    ranges: dict[str, list]
    spans: dict[str, str]
    noun: str = "rows"


class ExpectColumnsToBeWhole(FindingExpectation):
    """Counts are whole numbers."""

    check: ClassVar[str] = "find_fractions"
    columns: list[str]
    noun: str = "rows"


class ExpectColumnToBeAmong(FindingExpectation):
    """Values of a column are among those ``allowed``; ``phrase`` says what another one means."""

    check: ClassVar[str] = "find_unknown_values"
    column: str
    allowed: list
    phrase: str
    noun: str = "rows"


class ExpectKeyColumnsToBeFilled(FindingExpectation):
    """No row lacks one of the columns."""

    check: ClassVar[str] = "find_empty_cells"
    columns: list[str]
    noun: str = "rows"


class ExpectKeyToBeUnique(FindingExpectation):
    """No two rows share the values of ``columns``."""

    check: ClassVar[str] = "find_double_keys"
    columns: list[str]
    noun: str = "rows"


class ExpectRowsNotToRepeat(FindingExpectation):
    """No key stands in a data set twice, with other numbers (``contradicting``) or with the same."""

    check: ClassVar[str] = "find_repeated_rows"
    keys: list[str]
    columns: list[str]
    contradicting: bool
    tolerance: float = 0.0
    noun: str = "rows"


class ExpectFillToBeConsistent(FindingExpectation):
    """``x``, ``x_reported`` and ``x_fill`` of every column say the same; the fill code is one of ``codes``."""

    check: ClassVar[str] = "find_fill_mismatches"
    columns: list[str]
    codes: list[str]
    missing: str = "missing"
    observed: str = "observed"


class ExpectGridToBeComplete(FindingExpectation):
    """Every unit has every year."""

    check: ClassVar[str] = "find_grid_gaps"
    unit: str
    time: str = "year"


class ExpectColumnsToBeFilled(FindingExpectation):
    """At least the share ``least`` of the rows (of those where ``only`` is true) has a value in every column."""

    check: ClassVar[str] = "find_sparse_columns"
    columns: list[str]
    least: float
    only: str | None = None
    noun: str = "city-years"


class ExpectColumnsMostlyInRange(FindingExpectation):
    """No more than ``share`` of the values of any column lie outside its [low, high]."""

    check: ClassVar[str] = "find_columns_out_of_range"
    ranges: dict[str, list]
    share: float


class ExpectColumnsToHaveValues(FindingExpectation):
    """No column of the list is wholly empty."""

    check: ClassVar[str] = "find_empty_columns"
    columns: list[str]


class ExpectColumnsToHaveKinds(FindingExpectation):
    """In a schema frame (a row a file, cells name types) every column is of its kind in every file."""

    check: ClassVar[str] = "find_wrong_kinds"
    kinds: dict[str, str]
