"""The cross section of 1984: fixed telephones and natural science researchers, larger where cities are large today.

What was built up by then still shows: the researchers of 1984 lift the level of AI applications (``patents``).
"""

from __future__ import annotations

import numpy as np

from analysis_py.simulate.effects import Ground


def draw_history(ground: Ground) -> dict[str, np.ndarray]:
    """(N,) telephones (count) and researchers (persons) of 1984, complete."""
    draw = ground.streams.stream("history")
    places = ground.places
    old = 0.9 * places.is_capital + 0.35 * (places.region4 == "northeast")
    lines = 8.4 + 0.75 * ground.size + 0.4 * ground.income + old + draw.normal(0.0, 0.45, places.count)
    staff = 6.2 + 0.7 * ground.size + 0.25 * ground.income + 1.5 * old + draw.normal(0.0, 0.75, places.count)
    return {
        "fixed_telephones": np.maximum(np.round(np.exp(lines)), 1.0),
        "natural_science_researchers": np.round(np.exp(staff)),
    }
