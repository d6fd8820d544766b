"""Green patents by the IPC symbols of the WIPO Green Inventory (``seed_wipo_green_ipc``).

A symbol is green when it begins with a listed one (``C10L5/40`` takes in ``C10L5/402``; ``C10L9/`` takes in the whole
main group). The longest listed one that it begins with says its section and flow. Where that one is listed in both
flows, and where a patent has symbols of both, the flow that goes first decides, so that upstream, end-of-pipe and other
add up to all green patents. Our own division: waste management is end-of-pipe, administrative aspects are other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.contract import read_reference

END_OF_PIPE, UPSTREAM, OTHER = "end_of_pipe", "upstream", "other"
#: Order in which a flow decides, by what goes first.
PRIORITIES = {END_OF_PIPE: (END_OF_PIPE, UPSTREAM, OTHER), UPSTREAM: (UPSTREAM, END_OF_PIPE, OTHER)}
_SYMBOL = re.compile(r"([A-H][0-9]{2}[A-Z])(?:\s*0*([0-9]{1,4})\s*/\s*([0-9]{2,6}))?")
_MOST_KNOWN = 200_000


@dataclass(frozen=True)
class GreenClass:
    """What a patent is by its symbols: its one flow, the sections of its symbols, and whether a choice was made.

    ``is_contested``: symbols, or listings of one symbol, speak for both flows; ``is_broad``: green by very broad
    symbols (``G06Q``, ``H02J``, ...) alone.
    """

    flow: str
    sections: tuple[str, ...]
    is_contested: bool
    is_broad: bool


@dataclass(frozen=True)
class _Listing:
    flows: frozenset[str]
    sections: tuple[str, ...]
    is_broad: bool


class GreenClasses:
    """The inventory, with ``priority`` as the flow that goes first; ``sections`` maps their codes to Chinese names."""

    def __init__(self, priority: str = END_OF_PIPE, *, without_broad: bool = False) -> None:
        if priority not in PRIORITIES:
            raise CarbonpanelError(
                "CP-RECORDS-OPTION",
                f"--flow-priority: '{priority}' is neither end_of_pipe nor upstream",
                remedy="use end_of_pipe or upstream",
            )
        self._order = PRIORITIES[priority]
        rows = [
            row for row in read_reference("seed_wipo_green_ipc") if not (without_broad and row["broad_code"] == "1")
        ]
        self.sections = {row["section_code"]: row["section_zh"] for row in rows}
        self._listed: dict[str, _Listing] = {}
        for row in rows:
            known = self._listed.get(row["ipc_prefix"])
            self._listed[row["ipc_prefix"]] = _Listing(
                frozenset({row["flow"], *(known.flows if known else ())}),
                tuple(dict.fromkeys([*(known.sections if known else ()), row["section_code"]])),
                row["broad_code"] == "1" and (known is None or known.is_broad),
            )
        self._lengths = sorted({len(prefix) for prefix in self._listed}, reverse=True)
        self._symbols: dict[str, _Listing | None] = {}
        self._texts: dict[str, GreenClass | None] = {}
        #: RE2: matches every text with a symbol of a listed subclass, and some more.
        self.candidates = "(?i)" + "|".join(sorted({prefix[:4] for prefix in self._listed}))

    def find(self, text: str) -> GreenClass | None:
        """The class of a patent with these symbols, however separated; ``None`` when it is not green."""
        if text not in self._texts:
            if len(self._texts) >= _MOST_KNOWN:
                self._texts.clear()
            self._texts[text] = self._classify(
                listing for symbol in read_symbols(text) if (listing := self._listing(symbol)) is not None
            )
        return self._texts[text]

    def _classify(self, found: Iterable[_Listing]) -> GreenClass | None:
        listings = list(found)
        if not listings:
            return None
        flows = frozenset(flow for listing in listings for flow in listing.flows)
        return GreenClass(
            flow=next(flow for flow in self._order if flow in flows),
            sections=tuple(dict.fromkeys(section for listing in listings for section in listing.sections)),
            is_contested={END_OF_PIPE, UPSTREAM} <= flows,
            is_broad=all(listing.is_broad for listing in listings),
        )

    def _listing(self, symbol: str) -> _Listing | None:
        if symbol not in self._symbols:
            if len(self._symbols) >= _MOST_KNOWN:
                self._symbols.clear()
            prefixes = (symbol[:length] for length in self._lengths if length <= len(symbol))
            self._symbols[symbol] = next((self._listed[p] for p in prefixes if p in self._listed), None)
        return self._symbols[symbol]


def read_symbols(text: str) -> list[str]:
    """The IPC symbols in a text, without blanks, leading zeros and editions: ``C10L5/40``, ``F03D`` (no group said)."""
    return [
        f"{subclass}{group}/{subgroup}" if group else subclass
        for subclass, group, subgroup in _SYMBOL.findall(text.upper())
    ]
