"""Columns of study ``carbon_productivity`` that the truth tables describe: outcome, regressors, cities.

The rules are those of the study files and of ``dim_city``; only designs stand here, no number of any paper.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.places import Places
from analysis_py.simulate.structure import CONTROLS

STUDY = "carbon_productivity"


@dataclass(frozen=True)
class StudyColumn:
    """One regression column: ``cities`` (N,) it keeps; ``moderator`` adds the moderator and its product with AI."""

    analysis_id: str
    outcome: str
    controls: tuple[str, ...]
    cities: np.ndarray
    moderator: str = ""
    winsorised: bool = False
    instrument: str = ""

    @property
    def terms(self) -> tuple[str, ...]:
        """Regressors in the order of the study files."""
        moderation = (self.moderator, f"AI*{self.moderator}") if self.moderator else ()
        return ("AI", *moderation, *self.controls)


def list_columns(places: Places) -> list[StudyColumn]:
    """Columns of Tables 3, 4, 5, 6, 7, 10, 11 and 12."""
    everyone = places.in_sample
    out = [StudyColumn(f"T3c{k + 1}", "CP", CONTROLS[:k], everyone) for k in range(len(CONTROLS) + 1)]
    out += [
        StudyColumn("T4c1", "CP", CONTROLS, everyone & ~places.is_municipality),
        StudyColumn("T4c2", "CP", CONTROLS, everyone & ~places.is_coal_province),
        StudyColumn("T4c3", "CP", CONTROLS, everyone & (places.region4 != "west")),
        StudyColumn("T4c4", "CP", CONTROLS, everyone, winsorised=True),
        StudyColumn("T4c5", "CP", CONTROLS, everyone),
        StudyColumn("T5c2", "CP", CONTROLS, everyone, instrument="L.AI"),
        StudyColumn("T6c1", "UIS", CONTROLS, everyone),
        StudyColumn("T6c2", "EnvrPat", CONTROLS, everyone),
        StudyColumn("T7c1", "CP", CONTROLS, everyone, moderator="ER"),
        StudyColumn("T7c2", "CP", CONTROLS, everyone, moderator="IP"),
        StudyColumn("T10c1", "CP", CONTROLS, everyone & places.is_resource),
        StudyColumn("T10c2", "CP", CONTROLS, everyone & ~places.is_resource),
    ]
    out += [
        StudyColumn(f"T10c{k}", "CP", CONTROLS, everyone & (places.size_class == size))
        for k, size in enumerate(("mega", "big", "small_medium"), start=3)
    ]
    out += [
        StudyColumn(f"T11c{k}", "CP", CONTROLS, everyone & (places.region4 == region))
        for k, region in enumerate(("east", "central", "west", "northeast"), start=1)
    ]
    out += [
        StudyColumn(f"T12c{k}", "CP", CONTROLS, everyone & places.agglomeration[cluster])
        for k, cluster in enumerate(("bth", "yrd", "prd", "mid_yangtze", "chengdu_chongqing"), start=1)
    ]
    return out
