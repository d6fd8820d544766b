"""Spellings of Stata that people bring along, and what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAME = r"[^\W\d]\w*"


def advise_on_term(text: str) -> str:
    """What to write instead of a term in Stata's spelling; '' where it is none."""
    text = text.strip()
    for pattern, advice in _TERM_RULES:
        hit = pattern.fullmatch(text)
        if hit:
            return advice(hit)
    return ""


def advise_on_column(text: str) -> str:
    """What to write instead of a fixed effect or cluster in Stata's spelling; '' where it is none."""
    text = text.strip()
    parts = [p.strip() for p in re.split(r"##|#|\*", text)]
    if not all(re.fullmatch(rf"(?:(?:i|ib\d*|c)\.)?{_NAME}", p) for p in parts):
        return ""
    bare = [p.split(".")[-1] for p in parts]
    slopes = [p.removeprefix("c.") for p in parts if p.startswith("c.")]
    if slopes and len(parts) > 1:
        dummies = [f"i.{b}" for b, p in zip(bare, parts, strict=True) if not p.startswith("c.")]
        return f"slopes by group are a term, not a fixed effect: controls: [{'*'.join([*dummies, *slopes])}]"
    written = "^".join(bare)
    return f"write {written}, without i. or #: a^b is the interaction of a and b" if written != text else ""


def _lag(hit: re.Match[str]) -> str:
    return f"write {hit[1].upper()}{hit[2]}.{hit[3]}, with a capital {hit[1].upper()}"


def _several_lags(hit: re.Match[str]) -> str:
    first, last = int(hit[2]), int(hit[3])
    if last - first not in range(1, 12):
        return f"write each lag as a term of its own: {hit[1].upper()}.{hit[4]}"
    letter = hit[1].upper()
    listed = [f"{letter}{k}.{hit[4]}" if k else hit[4] for k in range(first, last + 1)]
    return f"write each as a term of its own: {', '.join(listed)}"


def _difference(hit: re.Match[str]) -> str:
    return (
        f"there are no differences ({hit[1]}.) and no SQL like '{hit[2]} - L.{hit[2]}'; enter {hit[2]} and L.{hit[2]}"
        " as two terms, or bring the difference as a column of the panel"
    )


def _product(hit: re.Match[str]) -> str:
    text = hit[0]
    parts = [re.sub(r"^c\.", "", p.strip()) for p in re.split("##|#", text)]
    product = "*".join(parts)
    if "##" in text:
        return f"write the terms one by one: {', '.join([*parts, product])} (or use estimator: moderation)"
    return f"write {product}"


_TERM_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"[^#]+(?:##?[^#]+)+", re.DOTALL), _product),
    (re.compile(r"([LFlf])\((\d+)/(\d+)\)\.(.+)", re.DOTALL), _several_lags),
    (re.compile(r"([lf])(\d*)\.(.+)", re.DOTALL), _lag),
    (re.compile(r"([DdSs]\d*)\.(.+)", re.DOTALL), _difference),
    (re.compile(r"c\.(.+)", re.DOTALL), lambda hit: f"write {hit[1]}, without c."),
    (
        re.compile(r"ib\w*\.(.+)", re.DOTALL),
        lambda hit: f"write i.{hit[1]}: the lowest level is left out",
    ),
)
