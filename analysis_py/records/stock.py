"""The stock of firms: registered so far minus deregistered so far, since the first year that is counted."""

from __future__ import annotations

from collections.abc import Sequence

from analysis_py.records.firms import DEREGISTERED, REGISTERED
from analysis_py.records.outcome import COUNTED, MISSING, CountRow
from analysis_py.records.tally import ANY

STOCK = "ai_firms_stock"
#: A stock some of whose years are missing: at least this many firms.
INCOMPLETE = "incomplete"


def add_stock(counts: Sequence[CountRow]) -> list[CountRow]:
    """Rows of :data:`STOCK` for every city and year of ``counts``, in their order.

    A year that is missing adds nothing and makes the stock ``incomplete`` from then on; before the first year with a
    count it is missing. Firms registered before the first year counted are not in it.
    """
    found: list[CountRow] = []
    gone = {(row.city_code, row.year): row for row in counts if row.indicator == DEREGISTERED and row.keyword_id == ANY}
    totals = [0, 0, 0]
    city, has_any, has_gap = "", False, False
    for row in counts:
        if row.indicator != REGISTERED or row.keyword_id != ANY:
            continue
        if row.city_code != city:
            city, totals, has_any, has_gap = row.city_code, [0, 0, 0], False, False
        has_gap |= row.coverage == MISSING
        has_any |= row.coverage != MISSING
        left = gone.get((row.city_code, row.year))
        for at, name in enumerate(("value", "exact", "tolerant")):
            totals[at] += (getattr(row, name) or 0) - ((getattr(left, name) or 0) if left is not None else 0)
        coverage = INCOMPLETE if has_gap and has_any else COUNTED if has_any else MISSING
        value, exact, tolerant = totals if has_any else (None, None, None)
        numbers = (value, exact, tolerant, row.records, coverage)
        found.append(CountRow(city, row.city_name_zh, row.year, STOCK, ANY, "", *numbers))
    return found
