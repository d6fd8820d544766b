"""One BLAS thread while a number is computed.

The last digits of a matrix product depend on how many threads share it, and on small matrices contending threads are
many times slower than one. The environment variables that pin the number are read once, when numpy loads; this works
at any time, on the OpenBLAS that comes with the wheels of numpy and scipy. Under another BLAS it does nothing.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy

_Switch = tuple[Callable[[], int], Callable[[int], None]]


@lru_cache(maxsize=1)
def _switches() -> tuple[_Switch, ...]:
    """Reader and setter of the number of threads, one pair for each OpenBLAS that is loaded."""
    found: list[_Switch] = []
    for package in (np, scipy):
        package_file = package.__file__
        if package_file is None:
            continue
        folder = Path(package_file).parent
        places = [folder.parent / f"{folder.name}.libs", folder / ".dylibs", folder / ".libs"]
        for path in sorted(p for place in places for p in place.glob("*openblas*")):
            try:
                library = ctypes.CDLL(str(path))
            except OSError:
                continue
            for suffix in ("64_", "", "_64"):
                for prefix in ("scipy_openblas", "openblas"):
                    reader = getattr(library, f"{prefix}_get_num_threads{suffix}", None)
                    setter = getattr(library, f"{prefix}_set_num_threads{suffix}", None)
                    if reader is not None and setter is not None:
                        found.append((reader, setter))
                        break
                else:
                    continue
                break
    return tuple(found)


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Run the body with one BLAS thread, then restore the number there was."""
    before = [(setter, int(reader())) for reader, setter in _switches()]
    for setter, _ in before:
        setter(1)
    try:
        yield
    finally:
        for setter, threads in before:
            setter(threads)
