"""Counts of events by measure, keyword, city and year; a record that is there twice counts once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from analysis_py.records.ledger import Cell

#: Keyword of an event that is any of them.
ANY = ""
_MASK = (1 << 64) - 1
_ODD = 0x9E3779B97F4A7C15


class Event(NamedTuple):
    """Something counted: a record (``identity`` is a hash of what makes it one) in a measure, by a keyword or any."""

    measure: str
    keyword: str
    city: str
    year: int
    is_exact: bool
    identity: int
    cell: Cell


@dataclass
class Count:
    """``exact`` and ``tolerant`` numbers of records (the tolerant ones include the exact), and the first of them."""

    exact: int
    tolerant: int
    first: Cell


def identify(*parts: str) -> int:
    """A 64-bit hash of the texts that make a record the one it is."""
    return int.from_bytes(blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")


class Tally:
    """Adds events batch by batch. ``repeated`` counts records that were there before, over all measures."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str, str, int], Count] = {}
        self.repeated = 0
        self._seen = SeenKeys()
        self._codes: dict[tuple[str, str, bool], int] = {}

    def add(self, events: Sequence[Event]) -> None:
        """Count the events of a batch, in its order."""
        both = [(event, is_exact) for event in events for is_exact in ((False, True) if event.is_exact else (False,))]
        keys = np.array([self._key(event, is_exact) for event, is_exact in both], np.uint64)
        for (event, is_exact), is_new in zip(both, self._seen.add(keys).tolist(), strict=True):
            if not is_new:
                self.repeated += event.keyword == ANY and not is_exact
                continue
            at = (event.measure, event.keyword, event.city, event.year)
            count = self.counts.get(at)
            if count is None:
                count = self.counts[at] = Count(0, 0, event.cell)
            if is_exact:
                count.exact += 1
            else:
                count.tolerant += 1

    def _key(self, event: Event, is_exact: bool) -> int:
        """The identity of a record mixed with what it is counted in: it counts once in each."""
        code = self._codes.setdefault((event.measure, event.keyword, is_exact), len(self._codes) + 1)
        return (event.identity ^ (code * _ODD)) & _MASK


class SeenKeys:
    """A set of 64-bit keys in sorted blocks, eight bytes a key."""

    def __init__(self) -> None:
        self._blocks: list[npt.NDArray[np.uint64]] = []

    def add(self, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Add keys; which of them were not there, a key that comes twice being new once."""
        distinct, first = np.unique(keys, return_index=True)
        is_new = np.ones(len(distinct), bool)
        for block in self._blocks:
            at = np.searchsorted(block, distinct)
            inside = at < len(block)
            is_new[inside] &= block[at[inside]] != distinct[inside]
        added = distinct[is_new]
        if len(added):
            self._blocks.append(added)
        while len(self._blocks) > 1 and len(self._blocks[-1]) * 2 > len(self._blocks[-2]):
            last = self._blocks.pop()
            self._blocks[-1] = np.sort(np.concatenate([self._blocks[-1], last]))
        found = np.zeros(len(keys), bool)
        found[first[is_new]] = True
        return found
