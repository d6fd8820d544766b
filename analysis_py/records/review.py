"""Samples for checking by hand: some records a keyword, with the text around what was found.

Of all finds of a keyword those with the smallest hash of seed, keyword and record are kept: a random sample that is the
same whatever the order of the files, the threads or the number of rows.
"""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from analysis_py.records.matcher import Hit
from analysis_py.records.tally import identify
from analysis_py.settings import DEFAULT_SEED

#: Characters shown on each side of a find.
CONTEXT = 20
REVIEW_COLUMNS = (
    *("keyword_id", "keyword", "match", "field", "context", "name", "city", "year", "file", "row", "is_right"),
)


@dataclass(frozen=True, order=True)
class ReviewRow:
    """One find to be judged; ``context`` is plain text (NFKC, no separators) with the find in 【】."""

    keyword: int
    is_tolerant: bool
    hash: int
    field: str
    context: str
    name: str
    city: str
    year: int
    file: str
    row: int


class ReviewSample:
    """Keeps ``size`` exact and ``size`` tolerant finds a keyword."""

    def __init__(self, size: int, seed: int = DEFAULT_SEED) -> None:
        self.size = size
        self.seed = seed
        self._heaps: dict[tuple[int, bool], list[tuple[int, ReviewRow]]] = {}

    def offer(
        self, hit: Hit, text: str, field: str, record: Sequence[str], city: str, year: int, cell: tuple[str, int]
    ) -> None:
        """Consider a find in a plain ``text``; ``record`` is what tells it from others, its name first."""
        heap = self._heaps.setdefault((hit.keyword, hit.is_exact), [])
        number = identify(str(self.seed), str(hit.keyword), *record)
        if len(heap) == self.size and number >= -heap[0][0]:
            return
        if any(number == -held for held, _ in heap):
            return
        row = ReviewRow(hit.keyword, not hit.is_exact, number, field, show(text, hit), record[0], city, year, *cell)
        if len(heap) < self.size:
            heapq.heappush(heap, (-number, row))
        else:
            heapq.heapreplace(heap, (-number, row))

    def rows(self) -> list[ReviewRow]:
        """The sample by keyword, exact finds before tolerant ones."""
        return sorted(row for heap in self._heaps.values() for _, row in heap)


def show(text: str, hit: Hit) -> str:
    """``…研发；【人工智能】硬件销售…``."""
    before, after = text[max(0, hit.start - CONTEXT) : hit.start], text[hit.end : hit.end + CONTEXT]
    more_before, more_after = "…" * (hit.start > CONTEXT), "…" * (hit.end + CONTEXT < len(text))
    return f"{more_before}{before}【{text[hit.start : hit.end]}】{after}{more_after}"
