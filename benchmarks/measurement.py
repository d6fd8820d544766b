"""Timing and the table it is printed in."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """One task done by several implementations.

    ``seconds`` maps an implementation to its median seconds, ours first; ``note`` says what was compared and how far
    the results agree.
    """

    task: str
    seconds: Mapping[str, float]
    note: str = ""

    def ratios(self) -> dict[str, float]:
        """Seconds of each peer divided by ours: above one, ours is faster."""
        ours = next(iter(self.seconds.values()))
        return {name: value / ours for name, value in list(self.seconds.items())[1:]}


def time_together(tasks: Mapping[str, Callable[[], object]], repeats: int = 7) -> dict[str, float]:
    """Median seconds of each task after one warm-up, the tasks taking turns so that disturbances hit all alike."""
    samples: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(repeats):
        for name, task in tasks.items():
            gc.collect()
            start = time.perf_counter()
            task()
            samples[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in samples.items()}


def format_comparisons(comparisons: list[Comparison]) -> str:
    """A plain table: task, our milliseconds, and each peer's time as a multiple of ours."""
    lines = []
    for comparison in comparisons:
        ours, *_ = comparison.seconds.items()
        lines.append(f"{comparison.task}: {ours[0]} {1000 * ours[1]:.1f} ms")
        lines += [f"    {name:<34} {ratio:8.1f} x" for name, ratio in comparison.ratios().items()]
        if comparison.note:
            lines.append(f"    ({comparison.note})")
    return "\n".join(lines)
