"""Directions in which a unit is moved, and weights with which its slacks are counted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analysis_py.efficiency.frontier import Array, Frontier
from analysis_py.efficiency.specification import ModelSpec
from analysis_py.errors import CarbonpanelError


def resolve_direction(frontier: Frontier, spec: ModelSpec) -> Array:
    """Magnitudes g of the direction, (n, k), at least zero, in the units of the data.

    CCR and BCC move what their orientation names along the unit's own values. Goods of zero do not move.
    """
    n, k = frontier.values.shape
    if spec.model in ("ccr", "bcc"):
        moving = {"input": 0, "output": 1, "bad": 2}[str(spec.orientation)]
        direction = np.zeros((n, k))
        direction[:, frontier.parts[moving]] = frontier.values[:, frontier.parts[moving]]
        return direction
    if isinstance(spec.direction, np.ndarray):
        if spec.direction.shape not in ((k,), (n, k)):
            raise CarbonpanelError(
                "CP-EFFICIENCY-SPEC",
                f"the direction has shape {spec.direction.shape}, and there are {k} variables and {n} evaluated units",
                remedy="give one magnitude a variable (inputs, goods, bads), or one such row a unit",
            )
        direction = np.array(np.broadcast_to(spec.direction, (n, k)))
    elif spec.direction == "own":
        direction = frontier.values.copy()
    elif spec.direction == "mean":
        direction = np.array(np.broadcast_to(frontier.values.mean(axis=0), (n, k)))
    else:
        direction = np.ones((n, k))
    moves = (spec.direction_inputs, spec.direction_goods, spec.direction_bads)
    for part, is_moving in zip(frontier.parts, moves, strict=True):
        if not is_moving:
            direction[:, part] = 0.0
    return np.where(frontier.values > 0, direction, 0.0)


def slack_weights(frontier: Frontier, spec: ModelSpec) -> Array:
    """Weights c (n, k) of the slacks S, which are shares of the unit's own values, in the model's objective."""
    used = frontier.values > 0
    if spec.model == "additive":
        return _additive_weights(frontier, spec) * used
    if spec.model in ("nddf", "sbm-ddf"):
        direction = resolve_direction(frontier, spec)
        moving = direction > 0
        if not np.all(moving.any(axis=1)):
            unit = frontier.units[int(np.flatnonzero(~moving.any(axis=1))[0])]
            raise CarbonpanelError(
                "CP-EFFICIENCY-SPEC",
                f"nothing of unit '{unit}' moves in this direction",
                remedy="let inputs, goods or bads move",
            )
        weights = _direction_weights(frontier, spec, moving)
        return weights * np.divide(frontier.values, direction, out=np.zeros_like(direction), where=moving)
    return _share_weights(frontier, spec, used)


def part_weights(frontier: Frontier, numbers: tuple[float, ...]) -> Array:
    """Numbers of a spec as one weight a variable, (k,): one each, or one a part, shared equally within it."""
    k = frontier.values.shape[1]
    if len(numbers) == k:
        return np.array(numbers)
    filled = [part for part in frontier.parts if part.stop > part.start]
    if len(numbers) == 3 or len(numbers) == len(filled):
        parts = frontier.parts if len(numbers) == 3 else filled
        weights = np.zeros(k)
        for part, number in zip(parts, numbers, strict=True):
            if part.stop > part.start:
                weights[part] = number / (part.stop - part.start)
        return weights
    raise CarbonpanelError(
        "CP-EFFICIENCY-SPEC",
        f"there are {len(numbers)} weights and {k} variables",
        remedy="give one weight a variable (inputs, goods, bads), or one a part",
    )


def _additive_weights(frontier: Frontier, spec: ModelSpec) -> Array:
    """Weights of the slacks in the data's units, times own values: classic ones, or unit-invariant ones by name.

    ``own`` is the measure of inefficiency proportions, ``ranges`` the range-adjusted measure (Cooper, Park and Pastor
    1999), ``deviations`` the normalised weighted additive model (Lovell and Pastor 1995).
    """
    if isinstance(spec.weights, tuple):
        return frontier.values * part_weights(frontier, spec.weights)
    if spec.weights == "own":
        return np.ones_like(frontier.values)
    if spec.weights == "ones":
        return frontier.values.copy()
    reference = frontier.reference
    if spec.weights == "ranges":
        spread = np.ptp(reference, axis=0) * reference.shape[1]
    else:
        spread = reference.std(axis=0, ddof=1) if len(reference) > 1 else np.zeros(reference.shape[1])
    return frontier.values * np.divide(1.0, spread, out=np.zeros_like(spread), where=spread > 0)


def _direction_weights(frontier: Frontier, spec: ModelSpec, moving: NDArray[np.bool_]) -> Array:
    """Weights of s / g: halves are 1/2 over inputs and 1/2 over all outputs, thirds a third each of the three parts.

    A part that does not move gives its share to those that do.
    """
    if isinstance(spec.weights, tuple):
        return part_weights(frontier, spec.weights) * moving
    inputs, goods, bads = frontier.parts
    groups = [inputs, slice(goods.start, bads.stop)] if spec.weights == "halves" else [inputs, goods, bads]
    counts = [moving[:, group].sum(axis=1) for group in groups]
    n_groups = sum((count > 0).astype(float) for count in counts)
    weights = np.zeros(moving.shape)
    for group, count in zip(groups, counts, strict=True):
        share = 1.0 / (n_groups * np.maximum(count, 1))
        weights[:, group] = moving[:, group] * share[:, None]
    return weights


def _share_weights(frontier: Frontier, spec: ModelSpec, used: NDArray[np.bool_]) -> Array:
    """SBM: slacks of inputs averaged over inputs, of goods and bads together over both; only the sides that count."""
    inputs, goods, bads = frontier.parts
    given = part_weights(frontier, spec.weights) if isinstance(spec.weights, tuple) else np.ones(used.shape[1])
    counted = np.where(used, given, 0.0)
    if spec.orientation == "bad":
        if not frontier.n_bads:
            raise CarbonpanelError(
                "CP-EFFICIENCY-SPEC", "orientation 'bad' needs a bad output", remedy="choose input, output or none"
            )
        counted[:, : bads.start] = 0.0
    elif spec.orientation == "input":
        counted[:, goods.start :] = 0.0
    elif spec.orientation == "output":
        counted[:, inputs] = 0.0
    for group in (inputs, slice(goods.start, bads.stop)):
        total = counted[:, group].sum(axis=1, keepdims=True)
        counted[:, group] = np.divide(counted[:, group], total, out=np.zeros_like(counted[:, group]), where=total > 0)
    if not np.all(counted.any(axis=1)):
        raise CarbonpanelError("CP-EFFICIENCY-SPEC", "no slack counts with these weights", remedy="raise a weight")
    return counted
