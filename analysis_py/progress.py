"""Progress on standard error: a bar where a person watches, one plain line a step where nobody does."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TextIO

from analysis_py.interrupts import stop_if_interrupted

#: ``callback(done, total, label)``; what long-running functions take as ``progress``.
ProgressCallback = Callable[[int, int, str], None]

_watcher: ContextVar[ProgressCallback | None] = ContextVar("watcher", default=None)


@contextmanager
def watch_steps(callback: ProgressCallback) -> Iterator[None]:
    """While the body runs, ``callback(done, total, what)`` hears the steps of long work inside it."""
    token = _watcher.set(callback)
    try:
        yield
    finally:
        _watcher.reset(token)


def report_step(done: int, total: int, what: str) -> None:
    """Say that ``done`` of ``total`` steps of ``what`` are made, to whoever watches; a lost Ctrl-C is heard here."""
    stop_if_interrupted()
    callback = _watcher.get()
    if callback is not None:
        callback(done, total, what)


class Progress:
    """A progress bar named ``title``; call it with ``(done, total, label)`` as work goes on.

    On a terminal it is a bar (plain when NO_COLOR or a dumb terminal says so); elsewhere it prints the title once.
    """

    def __init__(self, title: str, *, stream: TextIO | None = None, quiet: bool = False) -> None:
        self.title = title
        self.stream = stream or sys.stderr
        self.quiet = quiet
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Progress:
        if self.quiet:
            return self
        if self.stream.isatty() and os.environ.get("TERM", "") != "dumb":
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as RichProgress

            self._bar = RichProgress(
                TextColumn("{task.fields[title]}"),
                BarColumn(bar_width=30),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}", markup=False),
                console=Console(file=self.stream),
                transient=True,
            )
            self._bar.start()
            self._task = self._bar.add_task("", total=None, title=self.title)
        else:
            print(f"{self.title} ...", file=self.stream, flush=True)
        return self

    def __call__(self, done: int, total: int, label: str = "") -> None:
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total or None, description=label[:60])

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None
