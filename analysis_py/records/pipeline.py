"""Reading, scanning and counting at the same time, in the order of the rows.

One thread reads batches, a few scan them for candidates (both outside Python's lock), and the caller's thread counts;
the counts are those of one thread that does it all.
"""

from __future__ import annotations

import os
import queue
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from analysis_py.interrupts import stop_if_interrupted
from analysis_py.progress import ProgressCallback
from analysis_py.records.streams import RecordBatch, RecordFile

_Scan = TypeVar("_Scan")
_AHEAD = 3
_MOST_SCANNERS = 4


def scan_file(
    file: RecordFile,
    scan: Callable[[RecordBatch], _Scan],
    *,
    progress: ProgressCallback | None = None,
    threads: int | None = None,
) -> Iterator[tuple[RecordBatch, _Scan]]:
    """Every batch of a file with what ``scan`` finds in it, in file order; ``scan`` must be safe to run in threads."""
    scanners = threads or min(os.cpu_count() or 1, _MOST_SCANNERS)
    with ThreadPoolExecutor(scanners, thread_name_prefix="scan") as pool:
        waiting: deque[tuple[RecordBatch, Future[_Scan]]] = deque()
        batches = _read_ahead(file)
        try:
            for batch in batches:
                stop_if_interrupted()
                if not len(batch):
                    continue
                waiting.append((batch, pool.submit(scan, batch)))
                if progress is not None:
                    done, total = file.position()
                    progress(done, total, f"{batch.first + len(batch):,} rows")
                if len(waiting) > scanners:
                    ready, future = waiting.popleft()
                    yield ready, future.result()
            while waiting:
                stop_if_interrupted()
                ready, future = waiting.popleft()
                yield ready, future.result()
        finally:
            batches.close()
            for _, future in waiting:
                future.cancel()


def _read_ahead(file: RecordFile) -> Generator[RecordBatch]:
    """The batches of a file, read by a thread of its own a few ahead of their use."""
    ready: queue.Queue[RecordBatch | BaseException | None] = queue.Queue(_AHEAD)
    is_over = threading.Event()

    def put(item: RecordBatch | BaseException | None) -> bool:
        while not is_over.is_set():
            try:
                ready.put(item, timeout=0.1)
                return True
            except queue.Full:
                continue
        return False

    def read() -> None:
        try:
            for batch in file.batches:
                if not put(batch):
                    return
            put(None)
        except BaseException as error:  # handed to the thread that counts, which raises it
            put(error)
        finally:
            if hasattr(file.batches, "close"):
                file.batches.close()

    reader = threading.Thread(target=read, name="read", daemon=True)
    reader.start()
    try:
        while True:
            try:
                item = ready.get(timeout=0.2)
            except queue.Empty:
                stop_if_interrupted()
                continue
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        is_over.set()
        reader.join()
