"""From events to the long table: counted, zero, or missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analysis_py.ingest.contract import read_reference
from analysis_py.ingest.places import PlaceKey
from analysis_py.records.ledger import Coverage, Ledger
from analysis_py.records.options import EXACT, RecordOptions
from analysis_py.records.outcome import COUNTED, MISSING, STATED_ZERO, ZERO, CountRow, KeywordTotal
from analysis_py.records.tally import ANY, Count, Tally


@dataclass(frozen=True)
class Measure:
    """Something counted by city and year: its name, the records that cover it, its labels by keyword id in order.

    ``can_be_zero`` is False where the files cannot show that there is none (no patent of that kind at all in them).
    """

    name: str
    covered: Mapping[tuple[str, int], Coverage]
    labels: Mapping[str, str]
    can_be_zero: bool = True


def build_counts(
    tally: Tally, ledger: Ledger, measures: Sequence[Measure], options: RecordOptions
) -> tuple[list[CountRow], tuple[int, int] | None]:
    """The long table and its span of years: every measure for every city with a record, from first year to last.

    A city and year without a find is zero where the files have a record of it (or the user vouches for the years),
    else missing. Rows of single keywords exist only where they are not zero.
    """
    names = {row["city_code"]: row["city_name_zh"] for row in read_reference("seed_city")}
    covered = {at for measure in measures for at in measure.covered}
    cities = {city for city, _ in covered} | {city for _, _, city, _ in tally.counts}
    years = {year for _, year in covered} | {year for *_, year in tally.counts}
    if options.complete is not None:
        cities |= set(names)
        years |= set(options.complete)
    if not years:
        return [], None
    span = min(years), max(years)
    places = [(city, year) for city in sorted(cities) for year in range(span[0], span[1] + 1)]
    by_keyword: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for measure_name, keyword, city, year in tally.counts:
        by_keyword.setdefault((measure_name, keyword), []).append((city, year))
    rows = []
    for measure in measures:
        for city, year in places:
            rows.append(_any_row(measure, (city, year), names[city], tally, ledger, options))
        for keyword, label in measure.labels.items():
            for city, year in sorted(by_keyword.get((measure.name, keyword), [])):
                count = tally.counts[(measure.name, keyword, city, year)]
                records = _records(measure, (city, year))
                rows.append(_row((city, year), names[city], measure.name, keyword, label, count, records, options))
    return rows, span


def _any_row(
    measure: Measure, at: tuple[str, int], name: str, tally: Tally, ledger: Ledger, options: RecordOptions
) -> CountRow:
    count = tally.counts.get((measure.name, ANY, *at))
    covered = measure.covered.get(at)
    if count is not None:
        return _row(at, name, measure.name, ANY, "", count, _records(measure, at), options)
    if covered is not None and measure.can_be_zero:
        return CountRow(*(at[0], name, at[1], measure.name, ANY, "", 0, 0, 0, covered.rows, ZERO), *covered.first)
    years = options.complete
    if years is not None and years[0] <= at[1] <= years[1]:
        exists = ledger.regions.index.resolve(PlaceKey(code=at[0]), at[1]).code is not None
        if exists:
            return CountRow(at[0], name, at[1], measure.name, ANY, "", 0, 0, 0, _records(measure, at), STATED_ZERO)
    return CountRow(at[0], name, at[1], measure.name, ANY, "", None, None, None, _records(measure, at), MISSING)


def _row(
    at: tuple[str, int],
    name: str,
    measure: str,
    keyword: str,
    label: str,
    count: Count,
    records: int,
    options: RecordOptions,
) -> CountRow:
    value = count.exact if options.match == EXACT else count.tolerant
    numbers = (value, count.exact, count.tolerant)
    return CountRow(at[0], name, at[1], measure, keyword, label, *numbers, records, COUNTED, *count.first)


def _records(measure: Measure, at: tuple[str, int]) -> int:
    covered = measure.covered.get(at)
    return covered.rows if covered is not None else 0


def add_totals(tally: Tally, measures: Sequence[Measure]) -> list[KeywordTotal]:
    """Sums over cities and years of every measure: any keyword first, then each one, also those never found."""
    sums: dict[tuple[str, str], list[int]] = {}
    for (measure_name, keyword, _, _), count in tally.counts.items():
        total = sums.setdefault((measure_name, keyword), [0, 0])
        total[0] += count.exact
        total[1] += count.tolerant
    return [
        KeywordTotal(measure.name, keyword, label, *sums.get((measure.name, keyword), [0, 0]))
        for measure in measures
        for keyword, label in {ANY: "", **measure.labels}.items()
    ]
