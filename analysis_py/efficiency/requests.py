"""A request for efficiency as a person writes it, in texts, turned into columns, a specification and a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from analysis_py.efficiency.direction_files import read_direction
from analysis_py.efficiency.frames import EfficiencyRun, Inference, run_efficiency
from analysis_py.efficiency.panel_columns import Columns
from analysis_py.efficiency.reference_sets import parse_reference
from analysis_py.efficiency.specification import DIRECTIONS, ModelSpec
from analysis_py.errors import CarbonpanelError
from analysis_py.panels.panel import FilePanel, PanelData, WarehousePanel
from analysis_py.progress import ProgressCallback
from analysis_py.settings import DEFAULT_SEED, paths


@dataclass(frozen=True)
class Request:
    """The options of the command as they were written; names of columns may be lists separated by commas."""

    file: Path | None
    panel: str | None
    sheet: str | None
    sample: str | None
    unit: str | None
    period: str | None
    inputs: tuple[str, ...]
    goods: tuple[str, ...]
    bads: tuple[str, ...]
    model: str
    returns: str | None
    orientation: str | None
    disposability: str | None
    abatement: str | None
    weights: str | None
    direction: str | None
    direction_inputs: bool | None
    direction_goods: bool | None
    direction_bads: bool | None
    zero: str | None
    reference: str | None
    index: str | None
    fallback: str | None
    scale_split: bool
    bootstrap: int | None
    seed: int | None
    explanatory: tuple[str, ...]
    algorithm: int
    smoothing: str


def fulfil(request: Request, *, progress: ProgressCallback | None = None) -> EfficiencyRun:
    """Read the data, check every choice, and compute; names are checked before anything is solved.

    Raises
    ------
    CarbonpanelError : for anything in the request or the data that cannot be used, naming the nearest valid choice.
    """
    check_choices(request)
    data = _sampled(_read(request), request.sample)
    known = [str(c) for c in data.frame.columns]
    columns = Columns(
        unit=request.unit,
        period=request.period,
        inputs=split_names(request.inputs, known),
        goods=split_names(request.goods, known),
        bads=split_names(request.bads, known),
    )
    return run_efficiency(
        data,
        columns,
        _with_direction(request, make_spec(request), data, columns),
        reference=request.reference,
        index=request.index,
        fallback=request.fallback,
        scale_split=request.scale_split,
        inference=Inference(
            draws=request.bootstrap or 0,
            seed=DEFAULT_SEED if request.seed is None else request.seed,
            explanatory=split_names(request.explanatory, known),
            algorithm=request.algorithm,
            smoothing=request.smoothing,
        ),
        progress=progress,
    )


def check_choices(request: Request) -> None:
    """Refuse what contradicts itself, before any file is opened."""
    if (request.file is None) == (request.panel is None):
        raise CarbonpanelError(
            "CP-OPTION",
            "give either a file or --panel",
            remedy="carbonpanel efficiency FILE ..., or carbonpanel efficiency --panel fct_city_year ...",
        )
    if request.index is None and (request.fallback is not None or request.scale_split):
        option = "--fallback" if request.fallback is not None else "--scale-split"
        raise CarbonpanelError(
            "CP-OPTION", f"{option} belongs to an index", where=option, remedy="add --index ml, or leave it out"
        )
    if request.seed is not None and request.seed < 0:
        raise CarbonpanelError("CP-OPTION", "a seed is at least 0", where="--seed", remedy="write --seed 1")
    if request.reference is not None:
        parse_reference(request.reference)
    make_spec(request)


def make_spec(request: Request) -> ModelSpec:
    """The specification without a direction file, which needs the data."""
    is_file = request.direction is not None and _is_file(request.direction)
    return ModelSpec(
        model=request.model,
        returns=request.returns,
        orientation=request.orientation,
        disposability=request.disposability,
        weights=_parse_weights(request.weights),
        direction="own" if is_file else request.direction,
        direction_inputs=request.direction_inputs,
        direction_goods=request.direction_goods,
        direction_bads=request.direction_bads,
        zero=request.zero or "refuse",
        abatement=request.abatement or "equality",
    )


def _is_file(text: str) -> bool:
    """Whether a direction names a file: it exists, or it looks like a path."""
    return text not in DIRECTIONS and (Path(text).exists() or bool(Path(text).suffix) or "/" in text)


def _with_direction(request: Request, spec: ModelSpec, data: PanelData, columns: Columns) -> ModelSpec:
    if request.direction is None or not _is_file(request.direction):
        return spec
    values = read_direction(Path(request.direction), data, columns)
    given = (request.direction_inputs, request.direction_goods, request.direction_bads)
    flags = [True if flag is None else flag for flag in given]
    return replace(spec, direction=values, direction_inputs=flags[0], direction_goods=flags[1], direction_bads=flags[2])


def _parse_weights(text: str | None) -> str | tuple[float, ...] | None:
    """``halves`` stays a name; ``1,0.5`` become numbers."""
    if text is None:
        return None
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError:
        return text.strip()


def split_names(texts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Column names out of ``a,b`` and repeated options; a name that itself holds a comma stays whole."""
    names: list[str] = []
    for text in texts:
        whole = text.strip()
        names += [whole] if whole in known else [part.strip() for part in whole.split(",") if part.strip()]
    return tuple(names)


def _read(request: Request) -> PanelData:
    if request.file is not None:
        return FilePanel(request.file, sheet=request.sheet).read(None, {}, "")
    keys = {k: option for k, option in ((request.unit, "--unit"), (request.period, "--period")) if k}
    return WarehousePanel(paths().database).read(request.panel, keys, "--panel")


def _sampled(data: PanelData, condition: str | None) -> PanelData:
    """The rows on which an SQL condition on the columns holds; rows keep their numbers in the file."""
    if condition is None:
        return data
    from analysis_py.specification.expressions import evaluate_condition, parse_expression

    expression = parse_expression(condition, [str(c) for c in data.frame.columns], "--sample")
    kept = evaluate_condition(expression, data.frame, "--sample")
    if not kept.any():
        raise CarbonpanelError(
            "CP-PANEL-EMPTY", f"no row meets the condition '{condition}'", where="--sample", remedy="widen it"
        )
    numbers = data.file_row if data.file_row is not None or data.data_file is None else np.arange(len(kept)) + 2
    return replace(
        data,
        frame=data.frame[kept].reset_index(drop=True),
        file_row=numbers[kept] if numbers is not None else None,
        name=f"{data.name} where {condition}",
    )
