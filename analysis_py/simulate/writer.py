"""Writing the demo world: CSV files with the same bytes on every machine (UTF-8, LF, key order)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from analysis_py.simulate.defects import defect_frame, plant_defects
from analysis_py.simulate.firm_files import firm_tables
from analysis_py.simulate.industries import industry_tables
from analysis_py.simulate.measures import derive_measures
from analysis_py.simulate.provinces import province_tables
from analysis_py.simulate.raw_tables import build_raw_tables, frames
from analysis_py.simulate.remeasure import measure_panel
from analysis_py.simulate.truth import city_year_frame, describe_columns, exposure_frames, parameter_frame
from analysis_py.simulate.world import draw_world

LAYOUT_KEY = ["source", "indicator", "year_from"]


def draw_tables(seed: int, reference: Path, spoilt: bool = True) -> dict[str, dict[str, pd.DataFrame]]:
    """The whole world of ``seed`` as tables: folder (``raw``, ``truth``) -> file stem -> table of printed text.

    Tables that are not ``spoilt`` are complete and right as printed: the same world, with former codes and names,
    changes of units, revisions and rows of urban districts, but without a planted defect in cities and provinces.
    """
    world = draw_world(seed, reference)
    raw = build_raw_tables(world)
    defects = plant_defects(raw, world, reference) if spoilt else []
    columns = describe_columns(world, measure_panel(raw, reference))
    truth = {
        "truth_parameter": parameter_frame(world, columns),
        "truth_city_year": city_year_frame(world, derive_measures(world, reference)),
        "truth_defect": defect_frame(defects),
        **exposure_frames(world),
    }
    tables = {"raw": frames(raw), "truth": truth}
    add_tables(tables, province_tables(world, reference, spoilt))
    add_tables(tables, industry_tables(world, reference))
    add_tables(tables, firm_tables(world, reference))
    return tables


def add_tables(tables: dict[str, dict[str, pd.DataFrame]], more: Mapping[str, Mapping[str, pd.DataFrame]]) -> None:
    """Put the tables of another part of the world beside these; rows of the layout and of the defects are joined."""
    for folder, added in more.items():
        for name, table in added.items():
            if name == "raw_layout":
                table = pd.concat([tables[folder][name], table]).sort_values(LAYOUT_KEY, kind="stable")
            elif name == "truth_defect":
                table = join_defects(tables[folder][name], table)
            tables[folder][name] = table


def join_defects(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Both lists in their common order, numbered anew."""
    order = ["kind", "source", "city_code", "year", "indicator"]
    rows = pd.concat([first, second], ignore_index=True).sort_values(order, kind="stable", ignore_index=True)
    return rows.assign(defect_id=[f"D{k:05d}" for k in range(1, len(rows) + 1)])


def write_tables(tables: Mapping[str, pd.DataFrame], folder: Path) -> list[Path]:
    """Write each table as ``<folder>/<name>.csv``, renamed into place whole; returns the files in name order."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name in sorted(tables):
        file = folder / f"{name}.csv"
        draft = folder / f".{name}.csv.part"
        draft.write_bytes(tables[name].to_csv(index=False, lineterminator="\n").encode("utf-8"))
        draft.replace(file)
        written.append(file)
    return written
