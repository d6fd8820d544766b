"""The same number from two files: how far they agree, and where they differ most."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.ingest.contract import load_contract
from analysis_py.ingest.inputs import datasets
from analysis_py.ingest.places import place_index

SUMMARY_COLUMNS = (
    *("source", "indicator", "area_scope", "vintage", "first", "second", "both", "equal", "within_1_pct"),
    *("p05", "p25", "median", "p75", "p95", "least", "largest"),
)
WORST_COLUMNS = (
    *("indicator", "place", "year", "first", "value_first", "second", "value_second", "unit", "ratio"),
    *("row_first", "row_second"),
)
#: Values closer than this share of each other are the same number printed with other digits.
_EQUAL = 1e-6
_KEY = ["indicator", "area_scope", "vintage", "city_code", "year"]


@dataclass(frozen=True)
class Overlap:
    """``summary`` has a row per indicator and pair of datasets, ``worst`` the cells furthest apart.

    Ratios are the first dataset's value over the second's, in the canonical unit.
    """

    summary: list[tuple[Any, ...]]
    worst: list[tuple[Any, ...]]


def compare_datasets(data_dir: str | Path, indicator: str | None = None, *, count: int = 10) -> Overlap:
    """Compare all pairs of datasets of each source on the cells both bring.

    ``indicator`` keeps one indicator. ``count`` cells per indicator and pair are listed, those furthest apart first.
    Raises ``CP-INDICATOR-UNKNOWN`` naming the nearest one.
    """
    contract = load_contract()
    known = sorted({name for _, name in contract.indicators})
    if indicator is not None and indicator not in known:
        raise CarbonpanelError(
            "CP-INDICATOR-UNKNOWN", f"'{indicator}' is not an indicator", remedy=did_you_mean(indicator, known)
        )
    summary: list[tuple[Any, ...]] = []
    worst: list[tuple[Any, ...]] = []
    for source, files in datasets(data_dir).items():
        if source in contract.flat:
            continue
        if len(files) < 2:
            continue
        frames = {path.stem: _read(path, source, indicator) for path in files}
        for first, second in combinations(sorted(frames), 2):
            both = frames[first].merge(frames[second], on=_KEY, suffixes=("_first", "_second"))
            for (name, area, vintage), cells in both.groupby(_KEY[:3], sort=True):
                row, furthest = _compare(cells, count)
                summary.append((source, name, area, vintage, first, second, *row))
                unit = contract.indicators[(source, str(name))].unit
                label = place_index(contract.level(source)).label
                worst += [
                    (
                        *(name, label(cell["city_code"]), cell["year"], first, cell["canonical_first"]),
                        *(second, cell["canonical_second"], unit, cell["ratio"]),
                        *(cell["source_row_first"], cell["source_row_second"]),
                    )
                    for cell in furthest.to_dict("records")
                ]
    return Overlap(summary, worst)


def _read(path: Path, source: str, indicator: str | None) -> pd.DataFrame:
    """Cells of a dataset with their canonical value; empty where it cannot be read."""
    names = [*_KEY, "value", "unit", "source_row"]
    try:
        table = pq.read_table(path, columns=names, partitioning=None)
    except (pa.ArrowException, OSError):
        return pd.DataFrame(columns=[*_KEY, "canonical", "source_row"])
    frame = table.to_pandas()
    contract = load_contract()
    indicators = contract.of_source(source)
    frame = frame[frame["indicator"].isin([indicator] if indicator is not None else list(indicators))]
    parts = []
    for (name, unit), part in frame.groupby(["indicator", "unit"], sort=True):
        values = [contract.to_canonical(value, str(unit), indicators[str(name)]) for value in part["value"]]
        parts.append(part.assign(canonical=values))
    whole = pd.concat(parts) if parts else frame.assign(canonical=np.nan)
    return whole[[*_KEY, "canonical", "source_row"]]


def _compare(cells: pd.DataFrame, count: int) -> tuple[tuple[Any, ...], pd.DataFrame]:
    first, second = cells["canonical_first"].to_numpy(float), cells["canonical_second"].to_numpy(float)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(first == second, 1.0, first / second)
    distance = np.array([_distance(value) for value in ratio.tolist()])
    usable = np.sort(ratio[np.isfinite(distance)])
    equal = int((distance <= _EQUAL).sum())
    near = int((distance <= math.log(1.01)).sum())
    spread: list[float | None] = [None] * 7
    if len(usable):
        spread = [float(np.quantile(usable, share)) for share in (0.05, 0.25, 0.5, 0.75, 0.95, 0.0, 1.0)]
    told = cells.assign(ratio=ratio, distance=distance)
    told = told[told["distance"] > _EQUAL].sort_values(["distance", "city_code", "year"], ascending=[False, True, True])
    return (len(cells), equal, near, *spread), told.head(count)


def _distance(ratio: float) -> float:
    """How far a ratio is from 1, in logs; infinite for numbers of unlike sign and where only one is zero."""
    return abs(math.log(ratio)) if math.isfinite(ratio) and ratio > 0 else math.inf
