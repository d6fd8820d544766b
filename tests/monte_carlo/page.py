"""docs/monte-carlo.md: what the trials found, as a table an estimator."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

from analysis_py.settings import SIMULATED_NOTICE
from tests.monte_carlo.study import ALPHA, SEED, Line

_HEAD = f"""# Known truths: bias, coverage, size and power

Made by `make montecarlo` from the trials in `tests/monte_carlo`: panels with the shapes of the studies are drawn from
worlds whose truth is known, seed {SEED}, and fitted by the same functions that `estimate` calls.

**{SIMULATED_NOTICE}.**

- bias: mean of estimate less truth, in units of its own Monte Carlo error; a right estimator stays under
  3.29 in 999 trials of 1,000.
- coverage, size, power: percent of intervals that hold the truth, of tests at 5% that reject a true null, of tests that
  reject a false one.
- band: what a method is held to: the exact binomial band that a right share leaves with probability {100 * ALPHA:g}%.
  Where a method is known to err, its claimed range is widened by the same band and the reason stands beside it; it is
  a statement about the method in that world, not a tolerance.
- **must leave**: a method that is wrong in that world, and is held to being seen as wrong.

Cities and provinces lie where they lie in fact; errors, effects and regressors are drawn. "Errors correlated in time":
autoregressions within cities."""

_COLUMNS = ("world", "truth", "method", "panels", "bias", "coverage", "size", "power", "band", "why")


def render_page(lines: Sequence[Line]) -> str:
    """The page as text; lines in the order given, one section an estimator."""
    parts = [_HEAD]
    for estimator, found in groupby(lines, key=lambda line: line.estimator):
        parts.append(f"\n## {estimator}\n")
        parts.append(f"| {' | '.join(_COLUMNS)} |")
        parts.append("|---|---|---|---:|---:|---:|---:|---:|---|---|")
        parts += [_row(line) for line in found]
    return "\n".join(parts) + "\n"


def _row(line: Line) -> str:
    cells = (
        line.world,
        line.truth,
        line.method,
        f"{line.draws:,}",
        "" if math.isnan(line.bias) else f"{line.bias:.1f}".replace("-0.0", "0.0"),
        *("" if math.isnan(v) else f"{100 * v:.1f}" for v in (line.coverage, line.size, line.power)),
        line.band.replace("must leave", "**must leave**"),
        line.why,
    )
    return f"| {' | '.join(cells)} |"
