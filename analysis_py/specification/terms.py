"""Terms of a model, as a study spells them, and their values on a panel.

Grammar (names of the panel's own columns win over every rule, so a column really called ``L.AI`` is that column)::

    term    = factor { "*" factor }                 product; main effects are not added
    factor  = ("L" | "F") [digits] "." factor       value of an earlier / later calendar time of the same unit
            | "i." factor                           one 0/1 column a level, the lowest level left out
            | ("ln" | "log" | "log1p" | "asinh") "(" term ")"
            | column | "`any column`"

``ln`` of zero or less is missing, never a number; ``log1p(x) = ln(1 + x)`` is missing for x <= -1.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.specification.foreign_spellings import advise_on_term

#: More levels than this belong into fixed effects.
MOST_LEVELS = 200

_SHIFT = re.compile(r"([LF])(\d*)\.(?=.)", re.DOTALL)
_CALL = re.compile(r"([A-Za-z_]\w*)\((.*)\)", re.DOTALL)


def _log(values: np.ndarray) -> np.ndarray:
    return np.log(values, where=values > 0, out=np.full(values.shape, np.nan))


def _log1p(values: np.ndarray) -> np.ndarray:
    return np.log1p(values, where=values > -1, out=np.full(values.shape, np.nan))


#: Functions a term may call.
FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "ln": _log,
    "log": _log,
    "log1p": _log1p,
    "asinh": np.arcsinh,
}


@dataclass(frozen=True)
class Column:
    """A column of the panel, or one the study derives."""

    name: str


@dataclass(frozen=True)
class Shift:
    """The value ``periods`` before (negative: after) by calendar time."""

    inner: Term
    periods: int


@dataclass(frozen=True)
class Call:
    """A function of a term."""

    function: str
    inner: Term


@dataclass(frozen=True)
class Dummies:
    """One 0/1 column a level."""

    inner: Column
    spelling: str


@dataclass(frozen=True)
class Product:
    """Factors multiplied."""

    factors: tuple[Term, ...]
    spellings: tuple[str, ...]


Term = Column | Shift | Call | Dummies | Product


class Values(Protocol):
    """What a panel offers to a term; all arrays have one entry a row of the whole panel."""

    def numbers(self, column: str) -> np.ndarray:
        """A column as float64, NaN where missing; raises for text."""

    def shifted(self, values: np.ndarray, periods: int) -> np.ndarray:
        """Values ``periods`` earlier of the same unit, NaN where that time is not there."""

    def levels(self, column: Column) -> np.ndarray:
        """A column as objects (None where missing), for dummies."""

    def level_rows(self) -> np.ndarray:
        """Boolean rows on which the levels of dummies are found (the model's sample)."""


def parse_term(text: str, columns: Collection[str], where: str = "") -> Term:
    """Read one term, given the names that are columns.

    Raises
    ------
    CarbonpanelError
        ``CP-STUDY-COLUMN`` for a name that is no column (with the nearest) or ``CP-STUDY-TERM`` for a bad form.
    """
    text = text.strip()
    if text in columns:
        return Column(text)
    factors = _split_product(text)
    if len(factors) > 1:
        if any(re.fullmatch(r"[\d.]+", f.strip()) and f.strip() not in columns for f in factors):
            raise unknown_column(text, columns, where, advise_on_term(text))
        if not all(f.strip() for f in factors):
            raise CarbonpanelError(
                "CP-STUDY-TERM",
                f"the product '{text}' lacks a factor",
                where=where,
                remedy=advise_on_term(text) or "write a*b",
            )
        return Product(tuple(parse_term(f, columns, where) for f in factors), tuple(f.strip() for f in factors))
    if text.startswith("`") and text.endswith("`") and len(text) > 2:
        if text[1:-1] not in columns:
            raise unknown_column(text[1:-1], columns, where)
        return Column(text[1:-1])
    if "#" in text and not any(c in text for c in columns if "#" in c):
        raise unknown_column(text, columns, where, advise_on_term(text))
    shift = _SHIFT.match(text)
    if shift:
        periods = int(shift[2] or 1) * (1 if shift[1] == "L" else -1)
        return Shift(parse_term(text[shift.end() :], columns, where), periods)
    if text.startswith("i.") and len(text) > 2:
        inner = parse_term(text[2:], columns, where)
        if not isinstance(inner, Column):
            raise CarbonpanelError(
                "CP-STUDY-TERM", f"'{text}': dummies are made of a column", where=where, remedy="for example: i.region4"
            )
        return Dummies(inner, text)
    call = _CALL.fullmatch(text)
    if call is not None:
        if call[1] not in FUNCTIONS:
            raise CarbonpanelError(
                "CP-STUDY-TERM",
                f"'{text}' is neither a column nor a known function",
                where=where,
                remedy=advise_on_term(text) or did_you_mean(call[1], FUNCTIONS),
            )
        return Call(call[1], parse_term(call[2], columns, where))
    raise unknown_column(text, columns, where, advise_on_term(text))


def unknown_column(name: str, columns: Collection[str], where: str, advice: str = "") -> CarbonpanelError:
    """The error about a name that is no column, with ``advice`` or else the nearest one."""
    return CarbonpanelError(
        "CP-STUDY-COLUMN", f"there is no column '{name}'", where=where, remedy=advice or did_you_mean(name, columns)
    )


def _split_product(text: str) -> list[str]:
    """Split at ``*`` outside parentheses and backquotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, character in enumerate(text):
        if character == "`":
            quoted = not quoted
        elif quoted:
            continue
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        elif character == "*" and depth == 0:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def leaves(term: Term, shift: int = 0) -> Iterator[tuple[str, int]]:
    """The (column, lag) cells a term is made of, in order."""
    if isinstance(term, Column):
        yield term.name, shift
    elif isinstance(term, Shift):
        yield from leaves(term.inner, shift + term.periods)
    elif isinstance(term, Call | Dummies):
        yield from leaves(term.inner, shift)
    else:
        for factor in term.factors:
            yield from leaves(factor, shift)


def number_columns(term: Term) -> Iterator[str]:
    """Columns that a term reads as numbers: all but those it makes dummies of."""
    for part in _walk(term, into_dummies=False):
        if isinstance(part, Column):
            yield part.name


def has_dummies(term: Term) -> bool:
    """Whether a term is, or contains, dummies."""
    return any(isinstance(part, Dummies) for part in _walk(term))


def calls(term: Term) -> Iterator[tuple[str, Term]]:
    """The (function, inner term) pairs inside a term."""
    if isinstance(term, Call):
        yield term.function, term.inner
        yield from calls(term.inner)
    elif isinstance(term, Shift | Dummies):
        yield from calls(term.inner)
    elif isinstance(term, Product):
        for factor in term.factors:
            yield from calls(factor)


def uses_time(term: Term) -> bool:
    """Whether a term needs a calendar (lags or leads)."""
    return any(shift != 0 for _, shift in leaves(term))


def evaluate(term: Term, spelling: str, values: Values, where: str = "") -> list[tuple[str, np.ndarray]]:
    """The columns of a term: (label, float64 values), one unless it has dummies.

    The label is the spelling in the study; a dummy of ``i.x`` is labelled ``i.x=level``, also inside a product.
    """
    if isinstance(term, Column):
        return [(spelling, values.numbers(term.name))]
    if isinstance(term, Shift):
        return [(spelling, values.shifted(_single(term.inner, values, where), term.periods))]
    if isinstance(term, Call):
        return [(spelling, FUNCTIONS[term.function](_single(term.inner, values, where)))]
    if isinstance(term, Dummies):
        return _dummies(term, values, where)
    columns: list[tuple[tuple[str, ...], np.ndarray]] = [((), np.ones(1))]
    expanded = False
    for factor, text in zip(term.factors, term.spellings, strict=True):
        found = evaluate(factor, text, values, where)
        expanded = expanded or len(found) > 1 or found[0][0] != text
        columns = [((*labels, label), left * right) for labels, left in columns for label, right in found]
    return [("*".join(labels) if expanded else spelling, v) for labels, v in columns]


def _single(term: Term, values: Values, where: str) -> np.ndarray:
    if has_dummies(term):
        raise CarbonpanelError(
            "CP-STUDY-TERM", "dummies cannot be lagged or transformed", where=where, remedy="write i.x outside"
        )
    return evaluate(term, "", values, where)[0][1]


def _walk(term: Term, *, into_dummies: bool = True) -> Iterator[Term]:
    yield term
    if isinstance(term, Shift | Call) or (isinstance(term, Dummies) and into_dummies):
        yield from _walk(term.inner, into_dummies=into_dummies)
    elif isinstance(term, Product):
        for factor in term.factors:
            yield from _walk(factor, into_dummies=into_dummies)


def _dummies(term: Dummies, values: Values, where: str) -> list[tuple[str, np.ndarray]]:
    raw = values.levels(term.inner)
    missing = np.array([v is None for v in raw], dtype=bool)
    levels = sorted(set(raw[values.level_rows() & ~missing]), key=lambda v: (isinstance(v, str), v))
    if len(levels) < 2:
        raise CarbonpanelError(
            "CP-STUDY-TERM",
            f"'{term.spelling}' has {len(levels)} level(s) in the sample; dummies need two or more",
            where=where,
            remedy="remove the term, or widen the sample",
        )
    if len(levels) > MOST_LEVELS:
        raise CarbonpanelError(
            "CP-STUDY-TERM",
            f"'{term.spelling}' has {len(levels)} levels, more than the {MOST_LEVELS} that dummies are made for",
            where=where,
            remedy=f"put {term.inner.name} into fixed_effects",
        )
    columns = []
    for level in levels[1:]:
        column = np.array([v == level for v in raw], dtype=float)
        column[missing] = np.nan
        columns.append((f"{term.spelling}={level_label(level)}", column))
    return columns


def level_label(level: object) -> str:
    """A level as people write it: 2 for 2.0, true for True."""
    if isinstance(level, bool | np.bool_):
        return "true" if level else "false"
    if isinstance(level, float) and level.is_integer():
        return str(int(level))
    return str(level)
