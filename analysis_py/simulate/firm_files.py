"""The listed firms as Parquet files: too many rows for seeds, so they are drawn when a warehouse is built.

The same bytes on every run: one row group, fixed order, fixed compression, no time stamps. When they are drawn, and
where they go, is the business of :mod:`analysis_py.simulate.drawn_files`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.simulate.firm_assets import ASSET_CLASSES, draw_asset_items
from analysis_py.simulate.firms import EFFECTS, FIRM_YEARS, PARTNERS, Firms, draw_firms, firm_effects
from analysis_py.simulate.places import YEARS
from analysis_py.simulate.streams import Streams
from analysis_py.simulate.world import World, draw_world

#: A row of the accounts is spoilt in one way at most: kind -> number of rows.
DEFECTS = {"repeated": 14, "unit_mixup": 18, "negative": 12, "no_code": 25, "code_and_name": 10}
_AMOUNTS = ("total_assets_yuan", "revenue_yuan")
_DEFECT_TEXT = {
    "repeated": "the row of the year stands in the file twice",
    "unit_mixup": "total assets and revenue in 10 thousand yuan",
    "negative": "employees with a minus sign",
    "no_code": "no code of the city, its name alone",
    "code_and_name": "code of one city, name of another",
}


@dataclass(frozen=True)
class AccountRows:
    """Rows of the accounts in file order: positions of firm and year, and what was done to the row ('' = nothing)."""

    firm: np.ndarray
    year: np.ndarray
    defect: np.ndarray


def draw_files(seed: int, reference: Path) -> dict[str, bytes]:
    """Source -> content of its Parquet file, for the firms of world ``seed``.

    Raises
    ------
    CarbonpanelError ``CP-FILE-MISSING`` where a reference table is not there.
    """
    world = draw_world(seed, reference)
    firms = draw_firms(world, reference)
    tables = {
        "listed_firms": accounts_table(world, firms),
        "listed_firm_assets": assets_table(seed, firms),
        "listed_firm_links": links_table(seed, firms),
    }
    files = {}
    for source, table in tables.items():
        sink = pa.BufferOutputStream()
        pq.write_table(table, sink, row_group_size=max(table.num_rows, 1), compression="zstd", store_schema=False)
        files[source] = sink.getvalue().to_pybytes()
    return files


def firm_tables(world: World, reference: Path) -> dict[str, dict[str, pd.DataFrame]]:
    """Truths of the firms as tables: their effects, and the rows of the accounts that were spoilt."""
    firms = draw_firms(world, reference)
    rows = spoil_rows(world.seed, firms)
    spoilt = np.flatnonzero(rows.defect != "")
    defects = pd.DataFrame(
        {
            "defect_id": "",
            "kind": [f"firm_{rows.defect[k]}" for k in spoilt],
            "source": "listed_firms",
            "city_code": [world.places.code[firms.city[rows.firm[k]]] for k in spoilt],
            "year": [int(FIRM_YEARS[rows.year[k]]) for k in spoilt],
            "indicator": "",
            "description": [f"{firms.code[rows.firm[k]]}: {_DEFECT_TEXT[rows.defect[k]]}" for k in spoilt],
        }
    )
    effects = pd.DataFrame(
        [
            (name.split(":")[0], name.split(":")[1], f"{value:g}", "zero" if value == 0 else _agreement(name, value))
            for name, value in firm_effects(world.seed).items()
        ],
        columns=["outcome", "term", "value", "status"],
    )
    return {"truth": {"truth_firm_effect": effects, "truth_defect": defects}}


def _agreement(name: str, value: float) -> str:
    return "expected" if value * EFFECTS[name] > 0 else "reversed"


def spoil_rows(seed: int, firms: Firms) -> AccountRows:
    """The rows of the accounts by firm and year, with the defects planted; a repeated row follows its first."""
    draw = Streams(seed).stream("firm_defects")
    i, t = np.nonzero(firms.active)
    defect = np.full(len(i), "", dtype=object)
    picked = draw.choice(len(i), sum(DEFECTS.values()), replace=False)
    start = 0
    for kind, number in DEFECTS.items():
        defect[picked[start : start + number]] = kind
        start += number
    # a firm with a single year has no level of its own to tell a wrong unit by
    alone = firms.active.sum(axis=1)[i] < 3
    defect[alone & (defect == "unit_mixup")] = "negative"
    again = np.flatnonzero(defect == "repeated")
    defect[again] = ""
    order = np.sort(np.concatenate([np.arange(len(i)), again]), kind="stable")
    second = np.concatenate([[False], order[1:] == order[:-1]])
    return AccountRows(i[order], t[order], np.where(second, "repeated", defect[order]))


def accounts_table(world: World, firms: Firms) -> pa.Table:
    """``listed_firms``: one row a firm and year, the city under the code and name of that time."""
    rows = spoil_rows(world.seed, firms)
    i, t, defect = rows.firm, rows.year, rows.defect
    places, at = world.places, np.flatnonzero(np.isin(YEARS, FIRM_YEARS))
    code: np.ndarray = places.former_code[firms.city[i], at[t]]
    name = places.former_name[firms.city[i], at[t]]
    astray = defect == "code_and_name"
    code[astray] = places.code[(firms.city[i][astray] + 1) % places.count]
    code[defect == "no_code"] = None
    scale = np.where(defect == "unit_mixup", 1e-4, 1.0)
    sign = np.where(defect == "negative", -1.0, 1.0)
    columns: dict[str, pa.Array] = {
        "firm_code": _text(firms.code[i]),
        "firm_name": _text(firms.name[i]),
        "year": pa.array(FIRM_YEARS[t].astype(np.int32)),
        "city_code": _text(code),
        "city_name": _text(name),
        "industry_code": _text(firms.industry[i]),
        "industry_name": _text(firms.industry_name[i]),
    }
    for column, values in firms.quantity.items():
        cells = values[i, t] * (scale if column in _AMOUNTS else sign if column == "employees_persons" else 1.0)
        columns[column] = pa.array(np.round(cells, 2), mask=np.isnan(cells))
    pilot = firms.pilot_year[i]
    columns["smart_manufacturing_pilot_year"] = pa.array(pilot.astype(np.int32), mask=pilot == 0)
    return pa.table(columns)


def assets_table(seed: int, firms: Firms) -> pa.Table:
    """``listed_firm_assets``: one row an item of the notes to a firm's fixed or intangible assets of a year."""
    items = draw_asset_items(seed, firms)
    return pa.table(
        {
            "firm_code": _text(firms.code[items.firm]),
            "year": pa.array(FIRM_YEARS[items.year].astype(np.int32)),
            "asset_class": _text(np.array(ASSET_CLASSES, dtype=object)[items.asset_class]),
            "item_name": _text(np.array(items.name_of, dtype=object)[items.name]),
            "amount_yuan": pa.array(items.amount),
        }
    )


def links_table(seed: int, firms: Firms) -> pa.Table:
    """``listed_firm_links``: customers and suppliers by firm and year; codes that begin with UN are not listed."""
    draw = Streams(seed).stream("firm_link_amounts")
    i, k, t = (np.asarray(index) for index in np.nonzero(firms.deals))
    role = np.where(firms.is_supplier[i, k], "supplier", "customer").astype(object)
    partner = firms.code[firms.partner[i, k]]
    unlisted = np.argwhere(firms.active & (FIRM_YEARS >= 2008) & (draw.uniform(size=firms.active.shape) < 0.6))
    strangers = np.array([f"UN{n:06d}" for n in draw.integers(1, 30000, len(unlisted))], dtype=object)
    stranger_role = np.where(draw.uniform(size=len(unlisted)) < 0.5, "supplier", "customer").astype(object)
    firm = np.concatenate([i, unlisted[:, 0]])
    year = np.concatenate([t, unlisted[:, 1]])
    place = np.concatenate([k, np.full(len(unlisted), PARTNERS)])
    amount = np.round(firms.quantity["revenue_yuan"][firm, year] * draw.beta(1.2, 20.0, len(firm)), 2)
    order = np.lexsort((place, year, firm))
    return pa.table(
        {
            "firm_code": _text(firms.code[firm[order]]),
            "year": pa.array(FIRM_YEARS[year[order]].astype(np.int32)),
            "partner_code": _text(np.concatenate([partner, strangers])[order]),
            "role": _text(np.concatenate([role, stranger_role])[order]),
            "amount_yuan": pa.array(amount[order]),
        }
    )


def _text(values: np.ndarray) -> pa.Array:
    return pa.array(values, type=pa.string(), from_pandas=True)
