"""Ctrl-C that cannot get lost.

Python raises KeyboardInterrupt wherever it happens to be; inside a finaliser or a library's callback the exception is
swallowed and the work goes on. So the wish is also remembered, and long work asks for it at its steps.
"""

from __future__ import annotations

import contextlib
import signal
from types import FrameType

_wished = False


def listen() -> None:
    """Remember SIGINT besides raising it; only the main thread can listen, elsewhere this does nothing."""
    with contextlib.suppress(ValueError):
        signal.signal(signal.SIGINT, _remember)


def _remember(number: int, frame: FrameType | None) -> None:
    global _wished
    _wished = True
    raise KeyboardInterrupt


def stop_if_interrupted() -> None:
    """Raise KeyboardInterrupt when Ctrl-C was pressed and got lost on the way."""
    if _wished:
        raise KeyboardInterrupt
