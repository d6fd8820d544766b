"""Timing and the table it is printed in."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

#: Seconds, and repeats, after which a task has been timed often enough.
ENOUGH, MOST_REPEATS = 3.0, 40


@dataclass(frozen=True)
class Comparison:
    """One task done by several implementations.

    ``seconds`` maps an implementation to its fewest seconds, ours first; ``note`` says what was compared and how far
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
    """Fewest seconds of each task after one warm-up: what else the machine does only ever adds to them.

    The tasks take turns, so that disturbances hit all alike; quick ones are repeated until :data:`ENOUGH` seconds.
    """
    samples: dict[str, list[float]] = {name: [] for name in tasks}
    for task in tasks.values():
        task()
    for _ in range(repeats):
        for name, task in tasks.items():
            gc.collect()
            start = time.perf_counter()
            task()
            samples[name].append(time.perf_counter() - start)
    for name, task in tasks.items():
        while repeats > 1 and sum(samples[name]) < ENOUGH and len(samples[name]) < MOST_REPEATS:
            start = time.perf_counter()
            task()
            samples[name].append(time.perf_counter() - start)
    return {name: min(values) for name, values in samples.items()}


def format_comparisons(comparisons: list[Comparison]) -> str:
    """A plain table: task, our milliseconds, and each peer's milliseconds, also as a multiple of ours."""
    lines = []
    for comparison in comparisons:
        ours, *_ = comparison.seconds.items()
        lines.append(f"{comparison.task}: {ours[0]} {1000 * ours[1]:.1f} ms")
        lines += [
            f"    {name:<44} {1000 * comparison.seconds[name]:12.1f} ms {ratio:8.1f} x"
            for name, ratio in comparison.ratios().items()
        ]
        if comparison.note:
            lines.append(f"    ({comparison.note})")
    return "\n".join(lines)


def format_markdown(comparisons: list[Comparison]) -> str:
    """The same as a Markdown table: task, who, seconds, multiple of ours."""
    lines = ["| task | by | seconds | as a multiple of ours |", "|---|---|---:|---:|"]
    for comparison in comparisons:
        ratios = comparison.ratios()
        for number, (name, seconds) in enumerate(comparison.seconds.items()):
            task = comparison.task if number == 0 else ""
            shown = f"{seconds:.4f}" if seconds < 0.1 else f"{seconds:.3f}" if seconds < 10 else f"{seconds:,.0f}"
            lines.append(f"| {task} | {name} | {shown} | {'' if number == 0 else f'{ratios[name]:,.1f}'} |")
        if comparison.note:
            lines.append(f"| | *{comparison.note}* | | |")
    return "\n".join(lines)
