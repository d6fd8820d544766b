"""Transforms in place that a study may write, and what to know about them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from analysis_py.errors import CarbonpanelError, nearest

#: A lag by calendar time.
LAG = re.compile(r"lag\(\s*(-?\d+)\s*\)")
#: Words a study may write, and the function of a term each is.
IN_PLACE = {"log": "ln", "ln": "ln", "log1p": "log1p", "asinh": "asinh"}

#: Transforms in place, as a study may write them.
TRANSFORMS = (*IN_PLACE, "standardise", "lag(1)")


def zeros_warning(label: str) -> str:
    """What to know about a log of counts with zeros."""
    return (
        f"{label} was taken of zeros too: its coefficient depends on the unit of the count"
        " (Chen & Roth 2024, QJE 139:891-936); compare a Poisson or an extensive-margin model"
    )


def unknown_transform(name: str, word: str, names: Sequence[str], where: str) -> CarbonpanelError:
    """``CP-STUDY-COLUMN`` for a word that is neither a transform nor a column, naming the nearest."""
    near = nearest(word, [*TRANSFORMS, *names])
    return CarbonpanelError(
        "CP-STUDY-COLUMN",
        f"'{word}' is neither a transform nor a column",
        where=where,
        remedy=(f"did you mean '{near[0]}'? " if near else "")
        + f"Transforms are {', '.join(TRANSFORMS)}; anything else is SQL under a name of its own,"
        f" for example: {{new_{name}: {word}({name})}}",
    )


def is_expression(text: str) -> bool:
    """Whether a transform is SQL under a name of its own."""
    return text not in IN_PLACE and text != "standardise" and LAG.fullmatch(text) is None
