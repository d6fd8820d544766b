"""How numbers are printed in tables, and their stars."""

from __future__ import annotations

#: p-value below which a coefficient gets so many stars.
STARS = ((0.01, "***"), (0.05, "**"), (0.1, "*"))


def number(value: float | None) -> str:
    """Three decimals; small numbers keep three significant digits, very large ones six."""
    if value is None or value != value:
        return ""
    if value == 0 or 0.01 <= abs(value) < 1e5:
        return f"{value:.3f}"
    return f"{value:.6g}" if abs(value) >= 1e5 else f"{value:#.3g}"


def stars(p_value: float | None) -> str:
    """``***`` below 0.01, ``**`` below 0.05, ``*`` below 0.1."""
    if p_value is None or p_value != p_value:
        return ""
    return next((mark for limit, mark in STARS if p_value < limit), "")
