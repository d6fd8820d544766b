"""Keyword lists: the project's own two, or a user's file."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place
from analysis_py.ingest.contract import read_reference
from analysis_py.records.plain_text import plain_text

#: More of them is not a list of keywords.
MOST_KEYWORDS = 2_000
_LONGEST = 100
_KEYWORD_NAMES = ("keyword_zh", "keyword", "关键词", "关键字", "词")
_VARIANT_NAMES = ("variant_zh", "variant", "variants", "同义词", "变体", "别名")
_ID_NAMES = ("keyword_id", "id", "序号", "编号")
_BETWEEN = re.compile(r"[;；|]")


@dataclass(frozen=True)
class Keyword:
    """One keyword: its id in the list, the word as listed, and every form (plain text) by which it is found."""

    keyword_id: str
    word: str
    forms: tuple[str, ...]


def firm_keywords() -> tuple[Keyword, ...]:
    """The 40 keywords of AI firms (``seed_ai_keyword``) with their variants."""
    rows = read_reference("seed_ai_keyword")
    return tuple(make_keyword(row["keyword_id"], row["keyword_zh"], row["variant_zh"]) for row in rows)


def patent_keywords() -> tuple[Keyword, ...]:
    """The 14 keywords of AI patents (``seed_patent_keyword``)."""
    return tuple(make_keyword(row["keyword_id"], row["keyword_zh"]) for row in read_reference("seed_patent_keyword"))


def make_keyword(keyword_id: str, word: str, variants: str = "") -> Keyword:
    """A keyword from its cells; ``variants`` are separated by semicolons or bars."""
    forms = (plain_text(form) for form in (word, *_BETWEEN.split(variants)))
    return Keyword(keyword_id, word.strip(), tuple(dict.fromkeys(form for form in forms if form)))


def read_keywords(path: Path) -> tuple[Keyword, ...]:
    """A user's list: a table with a column ``keyword`` (关键词), perhaps ``keyword_id``, ``variant``; or a word a line.

    Raises ``CP-KEYWORDS`` for a list that is empty, too long, or holds a word twice or a cell that is no word.
    """
    from analysis_py.ingest.readers import read_cells

    rows = read_cells(path)
    if not rows:
        raise _refuse(path, None, "the list of keywords is empty")
    header = [cell.strip().lower() for cell in rows[0][1]]
    at = _find(header, _KEYWORD_NAMES)
    if at is None and any(len([cell for cell in cells if cell.strip()]) > 1 for _, cells in rows):
        raise _refuse(path, rows[0][0], f"no column 'keyword' or '关键词' among: {', '.join(rows[0][1])}")
    id_at, variant_at = _find(header, _ID_NAMES), _find(header, _VARIANT_NAMES)
    found: list[Keyword] = []
    taken: dict[str, str] = {}
    for row, cells in rows if at is None else rows[1:]:
        word = _cell(cells, at or 0)
        if not word:
            continue
        keyword = make_keyword(_cell(cells, id_at) or str(len(found) + 1), word, _cell(cells, variant_at))
        if not plain_text(word) or any(len(form) > _LONGEST for form in keyword.forms):
            raise _refuse(path, row, f"'{word[:40]}' is not a keyword")
        for form in keyword.forms:
            if form in taken:
                raise _refuse(path, row, f"'{form}' is there twice: also as '{taken[form]}'")
            taken[form] = word
        if any(keyword.keyword_id == other.keyword_id for other in found):
            raise _refuse(path, row, f"the id '{keyword.keyword_id}' is given twice")
        found.append(keyword)
    if not 0 < len(found) <= MOST_KEYWORDS:
        raise _refuse(path, None, f"there are {len(found):,} keywords in it (1 to {MOST_KEYWORDS:,} are taken)")
    return tuple(found)


def _find(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _cell(cells: list[str], at: int | None) -> str:
    return cells[at].strip() if at is not None and at < len(cells) else ""


def _refuse(path: Path, row: int | None, what: str) -> CarbonpanelError:
    return CarbonpanelError(
        "CP-KEYWORDS",
        what,
        where=Place(file=path, row=row),
        remedy="give a word a line, or a table with a column 'keyword' (and 'variant', words separated by ';')",
    )
