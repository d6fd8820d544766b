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

- `reghdfe`: adjusted R2 with two-way clusters. `xtreg`, `regress` and `ivregress` agree with Stata's own logs.
- `xthreg`: two and three thresholds (its printed ones are not among the cases), and the interval it prints for Hansen's
  data, which does not follow from its sums of squares. Hansen's own program agrees up to three thresholds.
- `cr2`, `cr3`: with weights that vary within clusters (clubSandwich takes the root of CR2 from another matrix) and CR3
  where clusters nest an effect (clubSandwich has no inverse there); else they agree with clubSandwich. `wild`: by
  forming every bootstrap sample, not against `boottest`.
- `poisson`: the factors of `ppmlhdfe` from memory, neither by its code nor by its output; sandwiches agree with R's
  `glm`, fits with `fepois` of pyfixest.
- `conley`: against explicit formulas only. `driscoll_kraay`: against plm, linearmodels and ivreg2, not Stata's `xtscc`.
- Instrumental variables: what `xtivreg2` and `ivreghdfe` count with clusters by their published code, not by their
  output (the formulas the counts enter agree with ivreg2's `dofminus` and `sdofminus`); the effective F's critical
  values against printed ones with one instrument only; AKM errors and Rotemberg weights against their formulas;
  Anderson-Rubin sets point by point against the test; errors of `conley`.
- `suest`, `chow`, `interaction_wald`: against R's sandwich and anova, not against Stata's commands.
- `gelbach`: against its regressions and derivatives, not against `b1x2`; `indirect`: against a plain bootstrap.
- `romano_wolf`: by hand and by trials, not against `rwolf2`; `johnson_neyman_fdr`: against the steps of the R package.
- Exported scripts: the do-files were never run in Stata, nor the `fixest` part of the R scripts in R (its formulas
  were, by pyfixest); their base R part is run.
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
