"""Names of variables that Stata and R both take, made from whatever a column or a term is called."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

#: The longest name Stata takes.
LONGEST = 32

_STATA = (
    "_all _b _coef _cons _n _N _pi _pred _rc _se _skip alias byte double float if in int long strL using with e r s c"
)
_R = "if else repeat while function for next break TRUE FALSE NULL Inf NaN NA NA_integer_ NA_real_ NA_character_ in T F"
#: Words that mean something else to one of the two, in small letters.
RESERVED = frozenset(word.lower() for word in f"{_STATA} {_R}".split())

_SPELLED = (
    ("*", "_x_"),
    ("^", "_by_"),
    ("%", "_pct"),
    ("=", "_"),
)
_STRING_TYPE = re.compile(r"str\d+")


def plain_name(label: str) -> str:
    """``L.AI`` as ``L_AI``, ``AI*ER`` as ``AI_x_ER``, ``i.region=east`` as ``region_east``; empty where nothing is
    left (a name all in Chinese)."""
    text = unicodedata.normalize("NFKD", label.replace("`", ""))
    text = re.sub(r"(^|[*(])i\.", r"\1", text)
    for sign, word in _SPELLED:
        text = text.replace(sign, word)
    text = re.sub(r"[^A-Za-z0-9_]+", "_", text.encode("ascii", "ignore").decode()) if _has_letters(text) else ""
    return re.sub(r"__+", "_", text).strip("_")


def _has_letters(text: str) -> bool:
    return any(c.isascii() and c.isalnum() for c in text)


def is_allowed(name: str) -> bool:
    """Whether both programs take the name."""
    return (
        re.fullmatch(rf"[A-Za-z][A-Za-z0-9_]{{0,{LONGEST - 1}}}", name) is not None
        and name.lower() not in RESERVED
        and _STRING_TYPE.fullmatch(name) is None
    )


class Names:
    """Gives each label one name and no name twice, whatever the case of its letters."""

    def __init__(self, labels: Iterable[str] = ()) -> None:
        self._of: dict[str, str] = {}
        self._taken: set[str] = set()
        for label in labels:
            self.add(label)

    def __getitem__(self, label: str) -> str:
        return self._of[label]

    def __contains__(self, label: str) -> bool:
        return label in self._of

    @property
    def mapping(self) -> Mapping[str, str]:
        """Label to name, in the order they were added."""
        return dict(self._of)

    def add(self, label: str) -> str:
        """The name of a label, a new one where it has none yet."""
        if label not in self._of:
            self._of[label] = self.fresh(plain_name(label))
        return self._of[label]

    def give(self, label: str, wanted: str) -> str:
        """As :meth:`add`, with a name to aim at."""
        if label not in self._of:
            self._of[label] = self.fresh(wanted)
        return self._of[label]

    def fresh(self, wanted: str) -> str:
        """A name nobody has, as near as possible to the one wanted, and taken from now on."""
        base = wanted if wanted[:1].isalpha() else f"v_{wanted}".rstrip("_")
        base = base[:LONGEST].rstrip("_")
        if not is_allowed(base):
            base = f"{base[: LONGEST - 2]}_v"
        name, number = base, 1
        while name.lower() in self._taken:
            number += 1
            ending = f"_{number}"
            name = f"{base[: LONGEST - len(ending)].rstrip('_')}{ending}"
        self._taken.add(name.lower())
        return name
