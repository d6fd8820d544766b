"""Which numbers agree with what, and to how many digits: collected by the reference tests, written as docs/parity.md.

``make parity`` runs the tests and writes the page; other runs only compare.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass

_HEAD = """# Parity: which numbers agree with what

Made by `make parity` from the reference tests: each row is a test that compares our numbers with numbers somebody else
computed or printed. "Digits" is the smallest number of significant digits that agree among those compared in full
precision (15 is all a computer holds); printed numbers agree to their last printed digit. The tests name the sources.

| test | compared in full | digits | compared as printed |
|---|---:|---:|---:|
"""

_TAIL = """
## Not verified against another program

- `xtreg`: adjusted R2 with clusters. `reghdfe`: adjusted R2 with two-way clusters.
- `xthreg`: two and three thresholds (its printed ones are not among the cases), and the interval it prints for Hansen's
  data, which does not follow from its sums of squares. Hansen's own program agrees up to three thresholds.
- `cr2`, `cr3`, `wild`: against their definitions on dense matrices and by forming every bootstrap sample, not against
  `clubSandwich` or `boottest`. `poisson`: against `fepois` of pyfixest and generalised linear models; the factors of
  `ppmlhdfe` from memory, neither by its code nor by its output.
- `conley`: against explicit formulas only. `driscoll_kraay`: against linearmodels, not against Stata's `xtscc`.
- Instrumental variables: `xtivreg2` and `ivreghdfe` with clusters by their published code, not by their output; the
  effective F's critical values against printed ones with one instrument only; AKM errors and Rotemberg weights against
  their formulas; Anderson-Rubin sets point by point against the test; errors of `conley` and `driscoll_kraay`.
- `suest`, `chow`, `interaction_wald`: against sums of squares and stacked scores by hand, not against Stata's commands.
- `gelbach`: against its regressions and derivatives, not against `b1x2`; `indirect`: against a plain bootstrap.
- `romano_wolf`: by hand and by trials, not against `rwolf2`; `johnson_neyman_fdr`: against the steps of the R package.
- The marts' numbers: against the demo world's own truths (`carbonpanel recover`, `tests/dbt`), not another program.
"""


#: Numbers this small count as zero and are compared as they stand.
_ZERO = 1e-8


@dataclass
class Tally:
    """Numbers one test has compared so far."""

    full: int = 0
    printed: int = 0
    worst: float = 0.0


_tallies: dict[str, Tally] = {}


def record(found: float, wanted: float | str) -> None:
    """Note one comparison under the name of the running test."""
    test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0].partition("[")[0]
    tally = _tallies.setdefault(test, Tally())
    if isinstance(wanted, str):
        tally.printed += 1
    else:
        tally.full += 1
        # what is zero but for rounding has no significant digits to agree in
        scale = abs(wanted) if abs(wanted) > _ZERO else 1.0
        tally.worst = max(tally.worst, abs(found - wanted) / scale)


def tallies() -> Mapping[str, Tally]:
    return _tallies


def render_page(collected: Mapping[str, Tally]) -> str:
    """docs/parity.md as text, one row a test in the order of their names."""
    rows = []
    for name, tally in sorted(collected.items()):
        digits = "" if not tally.full else str(min(15, math.floor(-math.log10(max(tally.worst, 1e-15)))))
        title = name.rpartition("/")[2].replace(".py::", ": ").removeprefix("test_")
        rows.append(f"| {title} | {tally.full or ''} | {digits} | {tally.printed or ''} |")
    return _HEAD + "\n".join(rows) + "\n" + _TAIL
