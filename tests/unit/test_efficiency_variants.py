"""The page of variants: its table is what the code computes, its commands are commands, its claims hold."""

from __future__ import annotations

import re

import numpy as np
import pytest

from analysis_py.efficiency.index_choice import check_index
from analysis_py.efficiency.variants import (
    PAGE,
    VARIANTS,
    compute,
    insert_table,
    render_table,
    simulate_panel,
    table_rows,
)
from analysis_py.errors import CarbonpanelError
from analysis_py.settings import SIMULATED_NOTICE, project_root

DOCS = project_root() / "docs"
PANEL = simulate_panel()


def test_the_table_in_the_page_is_current() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == insert_table(page, render_table(PANEL)), "run: python -m analysis_py.efficiency.variants --write"
    assert SIMULATED_NOTICE in page


def test_a_page_without_marks_is_refused() -> None:
    with pytest.raises(CarbonpanelError, match="marks"):
        insert_table("no table here", "x")


def test_what_the_page_claims() -> None:
    rows = {row[0]: row for row in table_rows(PANEL)}
    means = {title: float(row[1]) for title, row in rows.items()}
    assert min(means.values()) < 1.06
    assert max(means.values()) > 1.4
    gml = [row for title, row in rows.items() if "GML" in title]
    assert min(float(row[4]) for row in gml) >= 0.85
    lost = {title: int(row[5].rstrip("%")) for title, row in rows.items()}
    assert 20 <= lost["SBM-DDF halves, ML, CRS"] <= 50
    assert 0 < lost["radial DDF (0, y, -b), weak, ML, CRS"] <= 12
    assert int(rows["SBM-DDF halves, ML, CRS"][3]) < PANEL.n_units
    assert int(rows["SBM-DDF halves, ML, CRS, fallback gml"][3]) == PANEL.n_units


def test_sbm_ddf_and_nddf_with_thirds_are_one_programme() -> None:
    thirds = next(v for v in VARIANTS if v.title == "SBM-DDF thirds, GML, CRS")
    other = type(thirds)("", type(thirds.spec)("nddf"), "gml")
    np.testing.assert_allclose(compute(thirds, PANEL).cumulative, compute(other, PANEL).cumulative, rtol=1e-9)


def test_every_variant_is_allowed() -> None:
    for variant in VARIANTS:
        check_index(variant.index, variant.spec, None, variant.fallback)


@pytest.mark.parametrize(
    "page", ["explanation/efficiency-variants.md", "how-to/from-maxdea.md", "reference/efficiency.md"]
)
def test_options_named_in_the_pages_exist(page: str) -> None:
    import typer.main

    import cli

    group = typer.main.get_command(cli.app)
    known = {o for p in group.commands["efficiency"].params for o in (*p.opts, *p.secondary_opts)}  # type: ignore[attr-defined]
    known |= {"--write"}  # of the module that makes the table
    text = (DOCS / page).read_text(encoding="utf-8")
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert named
    assert named <= known, named - known
