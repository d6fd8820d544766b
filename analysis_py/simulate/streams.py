"""Random streams: one independent generator for each named part of the world.

A part that draws more or fewer numbers than before does not move any other part, and nothing depends on the order in
which parts are drawn.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Streams:
    """Source of the generators of one world; ``seed`` names the world."""

    seed: int

    def stream(self, name: str) -> np.random.Generator:
        """The generator of part ``name``: PCG64 seeded by the world's seed and a stable hash of the name."""
        key = zlib.crc32(name.encode("utf-8"))
        return np.random.Generator(np.random.PCG64(np.random.SeedSequence(self.seed, spawn_key=(key,))))
