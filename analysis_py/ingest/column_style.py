"""How a whole column writes its numbers, where one cell alone can be read in two ways.

``1,5`` is one and a half only where the column writes decimal commas throughout; ``1.2万`` under a heading in 万元 is
12,000 of them or 1.2, as the other numbers of the column decide. A column that does not decide leaves it undecided.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass, field

from analysis_py.ingest.cells import is_missing
from analysis_py.ingest.layout import Cell, Observation
from analysis_py.ingest.numerals import Numeral, read_number

_MOST_MAGNITUDES = 2_000
_FEWEST = 3
#: Decades between a number and the middle of its column that are usual among cities, and by how much the better reading
#: must be nearer.
_NEAR = 2.0
_CLEARLY = 1.5

Key = tuple[str, str, str]


@dataclass
class ColumnStyle:
    """Counts of one column (or of one indicator, where its numbers stand in several columns)."""

    comma_only: int = 0
    against_comma: int = 0
    magnitudes: list[float] = field(default_factory=list)

    def add(self, read: Numeral) -> None:
        if read.comma_only:
            self.comma_only += 1
        elif read.has_point or ("thousands" in read.kinds and read.comma is None):
            self.against_comma += 1
        plain = read.scale == 1.0 and not read.comma_only and not read.unit and math.isfinite(read.value)
        if plain and read.value and len(self.magnitudes) < _MOST_MAGNITUDES:
            self.magnitudes.append(math.log10(abs(read.value)))

    @property
    def has_decimal_commas(self) -> bool:
        """Whether all its commas are decimal ones: at least two cannot be read otherwise, and nothing disagrees."""
        return self.comma_only >= 2 and not self.against_comma

    def nearer(self, first: float, second: float) -> float | None:
        """Which of two readings of a number is like the others of the column; ``None`` when that is not clear."""
        if len(self.magnitudes) < _FEWEST:
            return None
        middle = statistics.median(self.magnitudes)
        distances = sorted((abs(math.log10(abs(value)) - middle), value) for value in (first, second))
        (near, value), (far, _) = distances
        return value if near <= _NEAR and far - near >= _CLEARLY else None


def style_key(layout: str, cell: Cell) -> Key:
    """What shares a style: a column, or an indicator where its numbers stand in several."""
    return (cell.column if layout == "columns" else "", cell.rule.indicator, cell.label)


def survey_styles(observations: Iterable[Observation], missing: frozenset[str]) -> dict[Key, ColumnStyle]:
    """The style of every column of numbers, from one pass over them."""
    styles: dict[Key, ColumnStyle] = {}
    for seen in observations:
        layout = seen.binding.mapping.layout
        for cell in seen.cells:
            if is_missing(cell.text, missing):
                continue
            read = read_number(cell.text)
            if read is not None:
                styles.setdefault(style_key(layout, cell), ColumnStyle()).add(read)
    return styles
