"""Which index goes with which model and frontier, and how its scores become efficiencies."""

from __future__ import annotations

import numpy as np

from analysis_py.efficiency.reference_sets import CONTEMPORANEOUS, GLOBAL, ReferenceSet
from analysis_py.efficiency.specification import DIRECTIONAL_MODELS, ModelSpec
from analysis_py.errors import CarbonpanelError, did_you_mean

INDICES = ("gml", "ml", "malmquist", "luenberger")
FALLBACKS = ("sequential", "gml")

#: Models whose score is a ratio; the directional ones report an inefficiency D.
RATIO_MODELS = ("ccr", "bcc", "sbm", "super-sbm")


def check_index(index: str, spec: ModelSpec, reference: ReferenceSet | None, fallback: str | None) -> ReferenceSet:
    """The reference of an index, its default filled in.

    Raises ``CP-EFFICIENCY-INDEX`` for an unknown index or one that the model's score or the reference does not allow,
    ``CP-EFFICIENCY-FALLBACK`` for an unknown fallback.
    """
    if index not in INDICES:
        raise CarbonpanelError(
            "CP-EFFICIENCY-INDEX", f"there is no index '{index}'", where="--index", remedy=did_you_mean(index, INDICES)
        )
    if spec.model not in (*RATIO_MODELS, *DIRECTIONAL_MODELS):
        raise CarbonpanelError(
            "CP-EFFICIENCY-INDEX",
            f"scores of model '{spec.model}' make no index: they are sums of slacks in the units of the data",
            where="--index",
            remedy="use sbm, sbm-ddf, ddf or ccr",
        )
    if index == "luenberger" and spec.model not in DIRECTIONAL_MODELS:
        raise CarbonpanelError(
            "CP-EFFICIENCY-INDEX",
            f"a Luenberger indicator is a difference of inefficiencies; model '{spec.model}' reports a ratio",
            where="--index",
            remedy="use --model ddf, nddf or sbm-ddf, or --index malmquist",
        )
    if index == "malmquist" and spec.model not in RATIO_MODELS:
        raise CarbonpanelError(
            "CP-EFFICIENCY-INDEX",
            f"a Malmquist index is a ratio of efficiencies; model '{spec.model}' reports an inefficiency",
            where="--index",
            remedy="use --index ml, gml or luenberger, or --model ccr",
        )
    if fallback is not None and fallback not in FALLBACKS:
        raise CarbonpanelError(
            "CP-EFFICIENCY-FALLBACK",
            f"there is no fallback '{fallback}'",
            where="--fallback",
            remedy=did_you_mean(fallback, FALLBACKS),
        )
    if reference is None:
        return GLOBAL if index == "gml" else CONTEMPORANEOUS
    if index == "gml" and reference.kind not in ("global", "contemporaneous"):
        raise CarbonpanelError(
            "CP-EFFICIENCY-INDEX",
            f"gml is the index of the global frontier; with a {reference.name} frontier it is another index",
            where="--reference",
            remedy=f"write --index ml --reference {reference.name}",
        )
    return reference


def to_efficiency(spec: ModelSpec, score: np.ndarray) -> np.ndarray:
    """E, larger being better, of the scores of a model; NaN where D <= -1, which has no ratio form."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if spec.model in DIRECTIONAL_MODELS:
            return np.where(score > -1, 1 / (1 + score), np.nan)
        if spec.model in ("ccr", "bcc") and spec.orientation == "output":
            return np.where(score > 0, 1 / score, np.nan)
        return np.where(score > 0, score, np.nan)
