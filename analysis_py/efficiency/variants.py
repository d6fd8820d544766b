"""How far the variants of one index differ: one simulated panel through all of them.

``python -m analysis_py.efficiency.variants`` prints the table of docs/explanation/efficiency-variants.md;
with ``--write`` it is put into the page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis_py.efficiency.indices import ProductivityResult, productivity_indices
from analysis_py.efficiency.panel_scores import EfficiencyPanel, make_panel
from analysis_py.efficiency.reference_sets import parse_reference
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError
from analysis_py.files import read_text, write_text
from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE, project_root

PAGE = project_root() / "docs" / "explanation" / "efficiency-variants.md"
_BEGIN, _END = "<!-- variants: begin -->", "<!-- variants: end -->"


@dataclass(frozen=True)
class Variant:
    """One way to the index: its words, and the choices behind them."""

    title: str
    spec: ModelSpec
    index: str
    reference: str | None = None
    fallback: str | None = None
    has_bads: bool = True


VARIANTS = (
    Variant("SBM-DDF halves, GML, CRS", ModelSpec("sbm-ddf"), "gml"),
    Variant("SBM-DDF halves, GML, VRS", ModelSpec("sbm-ddf", returns="vrs"), "gml"),
    Variant("SBM-DDF thirds, GML, CRS", ModelSpec("sbm-ddf", weights="thirds"), "gml"),
    Variant("SBM-DDF thirds, GML, VRS", ModelSpec("sbm-ddf", returns="vrs", weights="thirds"), "gml"),
    Variant("SBM ratio, GML, CRS", ModelSpec("sbm"), "gml"),
    Variant("SBM ratio, GML, VRS", ModelSpec("sbm", returns="vrs"), "gml"),
    Variant("super-SBM ratio, GML, CRS", ModelSpec("super-sbm"), "gml"),
    Variant("radial DDF (0, y, -b), weak, GML, CRS", ModelSpec("ddf"), "gml"),
    Variant("radial DDF (x, y, -b), weak, GML, CRS", ModelSpec("ddf", direction_inputs=True), "gml"),
    Variant("SBM-DDF halves, ML, CRS", ModelSpec("sbm-ddf"), "ml"),
    Variant("SBM-DDF halves, ML, CRS, fallback sequential", ModelSpec("sbm-ddf"), "ml", fallback="sequential"),
    Variant("SBM-DDF halves, ML, CRS, fallback gml", ModelSpec("sbm-ddf"), "ml", fallback="gml"),
    Variant("SBM-DDF halves, ML, CRS, biennial frontier", ModelSpec("sbm-ddf"), "ml", "biennial"),
    Variant("radial DDF (0, y, -b), weak, ML, CRS", ModelSpec("ddf"), "ml"),
    Variant("SBM-DDF halves, Luenberger, global, CRS", ModelSpec("sbm-ddf"), "luenberger", "global"),
    Variant("CCR without the bad output, global Malmquist", ModelSpec("ccr"), "malmquist", "global", has_bads=False),
)


def simulate_panel(seed: int = DEFAULT_SEED, *, n: int = 40, periods: int = 10) -> EfficiencyPanel:
    """Cities with capital, labour and energy, GDP and CO2, drawn from ``seed``: the frontier moves 2% a year, units
    catch up or fall behind, and abatement improves faster in some than in others.
    """
    rng = np.random.default_rng(seed)
    size = rng.lognormal(0, 0.8, n)
    level, trend = np.abs(rng.normal(0, 0.35, n)), rng.normal(-0.01, 0.02, n)
    dirt, cleaning = rng.lognormal(0, 0.4, n), rng.normal(0.03, 0.015, n)
    units, years, x, y, b = [], [], [], [], []
    for t in range(periods):
        labour = 50 * size * rng.lognormal(0, 0.05, n)
        capital = 900 * size**1.05 * 1.07**t * rng.lognormal(0, 0.08, n)
        energy = 120 * size * 1.02**t * rng.lognormal(0, 0.15, n)
        gap = np.abs(level + trend * t + rng.normal(0, 0.03, n))
        best = 1.02**t * capital**0.45 * labour**0.35 * energy**0.2
        units += [f"city {i + 1:02d}" for i in range(n)]
        years += [2011 + t] * n
        x.append(np.column_stack([capital, labour, energy]))
        y.append(best * np.exp(-gap))
        b.append(2.2 * energy * dirt * np.exp(-cleaning * t) * rng.lognormal(0, 0.05, n))
    return make_panel(units, years, np.vstack(x), np.concatenate(y), np.concatenate(b))


def compute(variant: Variant, panel: EfficiencyPanel) -> ProductivityResult:
    """The index of one variant on the panel."""
    if not variant.has_bads:
        panel = make_panel(panel.units, panel.periods, panel.inputs, panel.goods)
    reference = parse_reference(variant.reference) if variant.reference else None
    return productivity_indices(
        panel, variant.spec, index=variant.index, reference=reference, fallback=variant.fallback
    )


def table_rows(panel: EfficiencyPanel) -> list[tuple[str, ...]]:
    """(variant, mean and range of the last year's cumulative index, units left, rank correlation, lost) as text."""
    rows: list[tuple[str, ...]] = []
    first: np.ndarray | None = None
    for variant in VARIANTS:
        result = compute(variant, panel)
        last = result.cumulative[panel.period_codes == panel.n_periods - 1]
        first = last if first is None else first
        known = np.isfinite(last)
        share = 100 * result.n_lost / len(result.transitions)
        mean, low, high = last[known].mean(), last[known].min(), last[known].max()
        rank = _rank_correlation(first[known], last[known])
        numbers = (f"{mean:.3f}", f"{low:.2f} to {high:.2f}", f"{int(known.sum())}", f"{rank:.2f}", f"{share:.0f}%")
        rows.append((variant.title, *numbers))
    return rows


def _rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Spearman's, ties ranked by their order (there are none but by chance)."""
    return float(np.corrcoef(a.argsort().argsort(), b.argsort().argsort())[0, 1])


def render_table(panel: EfficiencyPanel | None = None) -> str:
    """The table as Markdown, with the notice that it is simulated."""
    panel = panel or simulate_panel()
    head = ("variant", "mean", "range", "units", "rank corr.", "lost")
    lines = [
        f"**{SIMULATED_NOTICE}.** {panel.n_units} cities, {panel.n_periods} years, seed {DEFAULT_SEED}; made by "
        "`python -m analysis_py.efficiency.variants`.",
        "",
        "| " + " | ".join(head) + " |",
        "|---|---:|---:|---:|---:|---:|",
        *("| " + " | ".join(row) + " |" for row in table_rows(panel)),
    ]
    return "\n".join(lines)


def insert_table(page: str, table: str) -> str:
    """The page with its table replaced."""
    before, begin, rest = page.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise CarbonpanelError(
            "CP-DOCS-MARKERS", "the page has lost the marks its table stands between", where=str(PAGE)
        )
    return f"{before}{_BEGIN}\n{table}\n{_END}{after}"


def main(arguments: Sequence[str]) -> None:
    """Print the table, or put it into the page."""
    table = render_table()
    if "--write" in arguments:
        write_text(PAGE, insert_table(read_text(PAGE), table))
    else:
        print(table)


if __name__ == "__main__":
    main(sys.argv[1:])
