"""Which columns of a file were taken, as what, and how many numbers of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from analysis_py.ingest.contract import Indicator
from analysis_py.ingest.layout import Binding
from analysis_py.ingest.plausibility import Tally
from analysis_py.ingest.report import UsedColumn


def list_used(
    tallies: Mapping[tuple[str, str, str, str, str], Tally],
    bindings: Sequence[Binding],
    indicators: Mapping[str, Indicator],
) -> tuple[UsedColumn, ...]:
    """A line per column (or label), indicator, unit, scope and vintage; columns without a number last.

    ``tallies`` are by (column, indicator, unit, area, vintage), in the order of the file.
    """
    taken = [
        UsedColumn(label, indicator, unit, area, tally.population_basis, vintage, tally.written)
        for (label, indicator, unit, area, vintage), tally in tallies.items()
    ]
    seen = {used.column for used in taken}
    for mapping, column in ((one.mapping, column) for one in bindings for column in one.values):
        rule = column.rule
        name = column.key or column.name
        if rule is not None and mapping.layout == "columns" and name not in seen:
            seen.add(name)
            area = rule.area_scope or mapping.area_scope.value or "whole_city"
            vintage = rule.vintage or mapping.vintage.value or "first"
            basis = rule.population_basis or indicators[rule.indicator].population_basis
            taken.append(UsedColumn(name, rule.indicator, rule.unit or "-", area, basis, vintage, 0))
    return tuple(taken)
