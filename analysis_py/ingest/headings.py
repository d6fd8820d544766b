"""Column names, in one row or several: merged cells spread out, years, units and areas in rows of their own.

A :class:`Header` is what stands above the data; a :class:`Heading` what the dictionary makes of one column of it:
``2020年`` over ``GDP`` over ``亿元`` is the GDP of 2020 in 10^8 yuan. A part that nobody understands makes the whole
column unknown: what stands under ``农村`` is not the number of the city.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from analysis_py.ingest.cells import parse_year, plain
from analysis_py.ingest.sheets import CellSheet, Merge, Row
from analysis_py.ingest.units import Dictionary, HeaderReading, fold
from analysis_py.ingest.xlsx_parts import column_index

#: Rows in which a header is looked for, and rows it may take.
HEADER_DEPTH = 20
MOST_HEADER_ROWS = 4

_LETTERS = re.compile(r"@([A-Za-z]{1,3})\Z")
_NAMED_YEAR = re.compile(r"(?:y|yr|year|_)_?([0-9]{4})\Z", re.I)
_YEAR_INSIDE = re.compile(r"(?<![0-9])((?:19|20)[0-9]{2})(?![0-9])\s*(?:年度?|年末)?")
#: English words beside a Chinese name that say more than it does.
_NARROWING = re.compile(
    r"\b(?:per|capita|urban|rural|districts?|downtown|count(?:y|ies)|ind(?:ex|ices)|growth|rate|real|constant|share|"
    r"proportion|percent(?:age)?|previous|preceding|average|revised|registered|resident|permanent)\b",
    re.I,
)
_EMPTY_BRACKETS = re.compile(r"[(\[（【]\s*[)\]）】]")


def clean_name(text: str) -> str:
    """A column name without surrounding spaces, line breaks or invisible marks."""
    return " ".join(text.replace("\ufeff", "").replace("\u200b", "").split())


@dataclass(frozen=True)
class Header:
    """The names of the columns: ``row`` to ``last_row`` of the sheet, data below.

    ``names`` joins the ``parts`` of each column from top to bottom with `` / ``; ``labels`` are descriptions kept
    beside the names.
    """

    row: int
    last_row: int
    names: tuple[str, ...]
    parts: tuple[tuple[str, ...], ...] = field(repr=False)
    labels: tuple[str, ...] = ()

    @cached_property
    def exact(self) -> dict[str, int]:
        """The first position of each name."""
        return {name: position for position, name in reversed(list(enumerate(self.names))) if name}

    @cached_property
    def folded(self) -> dict[str, int]:
        """The first position of each name in its folded form."""
        return {fold(name): position for position, name in reversed(list(enumerate(self.names))) if name}

    @cached_property
    def by_part(self) -> dict[str, int]:
        """The position of each part that only one column has, in its folded form."""
        seen: dict[str, set[int]] = {}
        for position, parts in enumerate(self.parts):
            for part in parts:
                seen.setdefault(fold(part), set()).add(position)
        return {part: min(positions) for part, positions in seen.items() if part and len(positions) == 1}

    def find(self, name: str) -> int | None:
        """0-based position of a column: by its letter (``@C``), its exact or folded name, or a part only it has."""
        letters = _LETTERS.match(name)
        if letters is not None:
            position = column_index(letters.group(1))
            return position if position < len(self.names) else None
        for table, key in (("exact", clean_name(name)), ("folded", fold(name)), ("by_part", fold(name))):
            known: dict[str, int] = getattr(self, table)
            if key in known:
                return known[key]
        return None

    def reference(self, position: int) -> str:
        """What a mapping calls the column: its name, or its letter where it has none or shares it."""
        name = self.names[position]
        return name if name and self.names.count(name) == 1 else column_letters(position)

    def title(self, position: int) -> str:
        """What a message calls the column."""
        return self.names[position] or column_letters(position)


def column_letters(position: int) -> str:
    """``@A`` for 0, ``@AA`` for 26."""
    letters = ""
    position += 1
    while position:
        position, rest = divmod(position - 1, 26)
        letters = chr(65 + rest) + letters
    return f"@{letters}"


def make_header(row: int, cells: Sequence[str], labels: Sequence[str] = ()) -> Header:
    """The header of one row; ``labels`` are descriptions kept beside the names."""
    return _index(row, row, [[clean_name(cell)] for cell in cells], labels)


def make_block(rows: Sequence[Row], merges: Sequence[Merge] = ()) -> Header:
    """The header of several rows: merged cells stand over all their columns, and so does a cell of a row without any
    merged one over the empty cells to its right, where names stand below."""
    width = max(len(cells) for _, cells in rows)
    grid = [[clean_name(cell) for cell in cells] + [""] * (width - len(cells)) for _, cells in rows]
    numbers = [number for number, _ in rows]
    spread = set()
    for merge in merges:
        if merge.first_row not in numbers:
            continue
        at = numbers.index(merge.first_row)
        text = grid[at][merge.first_column] if merge.first_column < width else ""
        for line, number in enumerate(numbers):
            if merge.first_row <= number <= merge.last_row:
                spread.add(line)
                for column in range(merge.first_column, min(merge.last_column, width - 1) + 1):
                    grid[line][column] = text
    for line in range(len(grid) - 1):
        if line not in spread:
            _spread_right(grid, line)
    columns = [[grid[line][column] for line in range(len(grid))] for column in range(width)]
    return _index(numbers[0], numbers[-1], columns)


def _spread_right(grid: list[list[str]], line: int) -> None:
    """Let a name stand over the empty cells to its right, where it and they have names below."""
    below = [any(lower[column] for lower in grid[line + 1 :]) for column in range(len(grid[line]))]
    owner = ""
    for column, text in enumerate(grid[line]):
        if text:
            owner = text if below[column] else ""
        elif owner and below[column]:
            grid[line][column] = owner
        else:
            owner = ""


def _index(first: int, last: int, columns: Sequence[Sequence[str]], labels: Sequence[str] = ()) -> Header:
    parts = tuple(tuple(dict.fromkeys(filter(None, column))) for column in columns)
    told = tuple(clean_name(label) for label in labels) if any(labels) else ()
    return Header(first, last, tuple(" / ".join(column) for column in parts), parts, told)


@dataclass(frozen=True)
class Heading:
    """What one column's name says. ``text`` is the name, area and unit put into one, as the dictionary reads it.

    ``role`` is that of a structural column; ``year`` the text that names the year of all its cells; ``reason`` tells
    why a name that looks known was not taken.
    """

    role: str | None = None
    year: str = ""
    text: str = ""
    reading: HeaderReading | None = None
    reason: str = ""
    is_number: bool = False


def header_year(text: str) -> str:
    """The text of a year if a heading is one (``2019年``, ``y2019``), else ''."""
    if parse_year(text) is not None:
        return text
    named = _NAMED_YEAR.match(plain(text))
    return named.group(1) if named is not None and parse_year(named.group(1)) is not None else ""


def split_year(text: str) -> tuple[str, str]:
    """The one year inside a text, and the rest: ``2019年GDP(亿元)`` -> (``2019``, ``GDP(亿元)``); else ('', text)."""
    found = _YEAR_INSIDE.findall(text)
    if len(found) != 1:
        return "", text
    rest = _EMPTY_BRACKETS.sub("", _YEAR_INSIDE.sub("", text)).strip(" _-.:：,，、")
    return (found[0], rest) if rest else ("", text)


class HeadingReader:
    """Reads the headings of one source, each distinct one once."""

    def __init__(self, dictionary: Dictionary, source: str) -> None:
        self.dictionary = dictionary
        self.source = source
        self._known: dict[tuple[tuple[str, ...], str], Heading] = {}

    def read(self, header: Header, position: int) -> Heading:
        """What the column at a position is."""
        label = header.labels[position] if position < len(header.labels) else ""
        key = (header.parts[position], label)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read_described(*key) if label else self.read_parts(key[0])
        return found

    def read_all(self, header: Header) -> list[Heading]:
        return [self.read(header, position) for position in range(len(header.names))]

    def _read_described(self, parts: tuple[str, ...], label: str) -> Heading:
        """A name with a description beside it: the description may say the unit, or what a short name stands for."""
        own, described = self.read_parts(parts), self.read_parts((label,))
        if own.role is not None or own.is_number:
            return own
        if own.reading is None:
            return described if described.role is not None or described.reading is not None else own
        both = self.read_parts((*parts, label))
        if both.reading is not None:
            return both
        return replace(own, reading=None, reason=f"its description '{label}' is not understood, or says something else")

    def read_parts(self, parts: tuple[str, ...]) -> Heading:
        """What a heading of these parts, from top to bottom, says."""
        if not parts:
            return Heading()
        if len(parts) == 1:
            return self._read_one(parts[0])
        years: list[str] = []
        rest: list[str] = []
        groups: list[str] = []
        beside: list[str] = []
        numbers = 0
        for part in parts:
            year = header_year(part)
            inner = plain(part).strip("()[]【】 ")
            if year:
                years.append(year)
            elif self._is_number(part):
                numbers += 1
            elif self._stands_beside(part, inner):
                beside.append(inner)
            else:
                (groups if self.dictionary.is_neutral(part) else rest).append(part)
        return self._combine(years, rest or groups, beside, numbers)

    def _stands_beside(self, part: str, inner: str) -> bool:
        is_unit = self.dictionary.is_unit(inner) and self.dictionary.role(part) is None
        return is_unit or self.dictionary.is_qualifier(inner)

    def _is_number(self, text: str) -> bool:
        digits = plain(text)
        return bool(digits) and not any(sign.isalpha() for sign in digits) and any("0" <= c <= "9" for c in digits)

    def _read_one(self, text: str) -> Heading:
        year = header_year(text)
        if year:
            return Heading(year=year)
        if self._is_number(text):
            return Heading(is_number=True)
        role = self.dictionary.role(text)
        reading = self.dictionary.read_header(text, self.source)
        if role is not None or reading is not None:
            return Heading(role=role, text=text, reading=reading)
        chinese = self._read_bilingual(text)
        if chinese is not None:
            return chinese
        year, rest = split_year(plain(text))
        if year:
            reading = self.dictionary.read_header(rest, self.source)
            if reading is not None and not reading.problem:
                return Heading(year=year, text=rest, reading=reading)
        return Heading()

    def _read_bilingual(self, text: str) -> Heading | None:
        """A Chinese name with its English one in the same cell (``年份 Year``), read by the Chinese one.

        English words that may narrow what is meant (``urban``, ``per capita``) count unless they say the same.
        """
        words = plain(text).split()
        chinese = " ".join(word for word in words if not word.isascii())
        english = " ".join(word for word in words if word.isascii())
        if not chinese or not english or not any(sign.isalpha() for sign in english):
            return None
        role, reading = self.dictionary.role(chinese), self.dictionary.read_header(chinese, self.source)
        if role is not None:
            return Heading(role=role, text=chinese)
        if reading is None:
            return None
        if _NARROWING.search(english):
            same = self.dictionary.read_header(english, self.source)
            if same is None or same.indicator != reading.indicator:
                return Heading(reason=f"'{english}' is not understood")
        return Heading(text=chinese, reading=reading)

    def _combine(self, years: list[str], rest: list[str], beside: list[str], numbers: int) -> Heading:
        year = years[0] if len({parse_year(text) for text in years}) == 1 else ""
        if len(years) > 0 and not year:
            return Heading(reason="it stands under two different years")
        if numbers:
            return Heading(is_number=True)
        if not rest:
            return Heading(year=year)
        roles = [self.dictionary.role(part) for part in rest]
        if all(roles) and not year:
            return Heading(role=roles[-1], text=rest[-1])
        ones = [self._read_one(part) for part in rest]
        inside = [one.year for one in ones if one.year]
        if inside and not year and len({parse_year(text) for text in inside}) == 1:
            year = inside[0]
            rest = [one.text or part for one, part in zip(ones, rest, strict=True)]
            ones = [self._read_one(part) for part in rest]
        known = [one.reading for one in ones if one.reading is not None]
        if len(known) == len(rest) and len({reading.indicator for reading in known}) == 1:
            # Names of the same thing, such as the Chinese above the English one: the one that says most.
            best = max(range(len(rest)), key=lambda at: (known[at].unit is not None, -at))
            return self._with_rest(rest[best], known[best], beside, year)
        for joined in ("".join(rest), " ".join(rest)):
            reading = self.dictionary.read_header(joined, self.source)
            if reading is not None:
                return self._with_rest(joined, reading, beside, year)
        told = next((part for part, one in zip(rest, ones, strict=True) if one.reading is None), "")
        if known and told:
            return Heading(reason=f"'{told}' is not understood")
        return Heading(reason="its parts name different things" if known else "")

    def _with_rest(self, base: str, alone: HeaderReading, beside: list[str], year: str) -> Heading:
        """The heading of a name with units and areas that stand in other rows."""
        text = base + "".join(f"({part})" for part in dict.fromkeys(beside))
        reading = self.dictionary.read_header(text, self.source)
        if reading is None:
            return Heading(reason="its parts do not fit together")
        units = {reading.unit for part in beside if self.dictionary.is_unit(part)} | {alone.unit}
        if len(units - {None}) > 1:
            return Heading(reason="it names two units")
        return Heading(year=year, text=text, reading=reading)


def sheet_header(sheet: CellSheet, rows: Sequence[Row], first: int, count: int) -> Header | None:
    """The header of ``count`` rows from the ``first`` of the given ones, ``None`` where they are not there."""
    chosen = list(rows[first : first + count])
    if len(chosen) < count or chosen[-1][0] - chosen[0][0] > 2 * count:
        return None
    if count == 1:
        return make_header(*chosen[0], labels=sheet.labels if first == 0 else ())
    return make_block(chosen, sheet.merges())
