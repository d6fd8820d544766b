"""Numbers and counts as people write them."""

from __future__ import annotations

import math
from collections.abc import Sequence

#: Between what is said of one column and of the next in a message about several.
BETWEEN_COLUMNS = " | "

_SINGULAR = {
    "cities": "city",
    "city-years": "city-year",
    "province-years": "province-year",
    "years": "year",
    "cells": "cell",
    "rows": "row",
    "columns": "column",
    "files": "file",
    "firm-years": "firm-year",
    "items": "item",
    "links": "link",
    "areas": "area",
    "places": "place",
    "values": "value",
}


def show_number(value: float) -> str:
    """Six significant digits, thousands separated: ``4910000 -> 4,910,000``; ``0.25 -> 0.25``."""
    if math.isnan(value) or math.isinf(value):
        return str(value)
    if value == 0:
        return "0"
    digits = max(0, 5 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def count_noun(n: int, noun: str) -> str:
    """``count_noun(1, 'cities')`` -> ``1 city``; nouns are given in the plural."""
    return f"{n:,} {_SINGULAR.get(noun, noun) if n == 1 else noun}"


def list_values(values: Sequence[object], most: int = 8) -> str:
    """Values separated by commas, cut after ``most`` with how many more there are."""
    shown = ", ".join(str(v) for v in values[:most])
    return f"{shown}, and {len(values) - most:,} more" if len(values) > most else shown
