"""The specification of one model, resolved: what is estimated, on which rows, under which convention."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from analysis_py.estimators.result import CLUSTER_TYPES, CovarianceSpec
from analysis_py.specification.study_file import At
from analysis_py.specification.study_keys import VARIANT_NAMES


@dataclass(frozen=True)
class Winsor:
    """Values beyond two percentiles (0-100, Stata's rule) are replaced by them.

    The limits are taken on ``scope``: every row of the panel (``universe``), the rows of the defaults' sample
    (``study``) or those of the model's sample (``subsample``).
    """

    columns: tuple[str, ...]
    low: float
    high: float
    scope: str


@dataclass(frozen=True)
class Published:
    """The convention and errors a paper seems to use."""

    convention: str | None
    covariance: CovarianceSpec | None


@dataclass(frozen=True)
class Split:
    """Groups of a heterogeneity model: the values of ``by``, or cuts of it ``at`` a rule (text), a value (number) or
    quantiles (tuple). ``interact`` says what differs between groups in the interaction test: ``all`` slopes and effects
    or the ``treatment`` alone; ``multiple_testing`` names the corrections over the splits of the study."""

    by: str
    at: str | float | tuple[float, ...] | None
    tests: tuple[str, ...]
    permute: str
    draws: int
    seed: int | None
    interact: str = "all"
    multiple_testing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Model:
    """One model, resolved. Terms keep their spelling in the YAML. ``variant`` is ``main`` or the name after the colon
    of ``id``; ``defaults_chosen`` holds (key, value) filled in because the study did not say it."""

    study: str
    id: str
    analysis_id: str
    table: str | None
    panel: str | None
    unit: str | None
    time: str | None
    estimator: str
    outcome: str | None
    treatment: tuple[str, ...]
    controls: tuple[str, ...]
    fixed_effects: tuple[str, ...]
    covariance: CovarianceSpec
    convention: str
    weights: str | None = None
    sample: str | None = None
    study_sample: str | None = None
    fill: str = "filled"
    transforms: tuple[tuple[str, str], ...] = ()
    winsor: Winsor | None = None
    moderator: tuple[str, ...] = ()
    centre: str = "none"
    columns: tuple[str, ...] = ()
    split: Split | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    conventions: tuple[str, ...] = ()
    published: Published | None = None
    title: Mapping[str, str] | None = None
    note: Mapping[str, str] | None = None
    variant: str = "main"
    variant_of: str | None = None
    defaults_chosen: tuple[tuple[str, str], ...] = ()
    places: Mapping[str, At] = field(default_factory=dict)

    @property
    def is_regression(self) -> bool:
        return self.estimator != "descriptive"

    def spec(self) -> dict[str, Any]:
        """The specification as plain data: all that decides the numbers, nothing that only names them."""
        covariance: dict[str, Any] = {"type": self.covariance.type, "by": list(self.covariance.by)}
        covariance |= dict(self.covariance.options)
        described: dict[str, Any] = {
            "panel": self.panel,
            "unit": self.unit,
            "time": self.time,
            "estimator": self.estimator,
            "sample": self.sample,
            "fill": self.fill,
            "transforms": dict(self.transforms),
            "winsor": None if self.winsor is None else _plain_record(self.winsor),
        }
        if self.winsor is not None and self.winsor.scope == "study":
            described["study_sample"] = self.study_sample
        if self.estimator == "descriptive":
            return described | {"columns": list(self.columns), "weights": None}
        described |= {
            "outcome": self.outcome,
            "treatment": list(self.treatment),
            "controls": list(self.controls),
            "fixed_effects": list(self.fixed_effects),
            "covariance": covariance,
            "convention": self.convention,
            "weights": self.weights,
        }
        if self.moderator:
            described |= {"moderator": list(self.moderator), "centre": self.centre}
        if self.split is not None:
            described["split"] = _plain_record(self.split)
        return described | {k: self.options[k] for k in sorted(self.options)}

    def spec_hash(self) -> str:
        """SHA-256 of :meth:`spec` in canonical JSON (sorted keys, no spaces)."""
        return hashlib.sha256(canonical_json(self.spec()).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """JSON that is the same for the same content: sorted keys, no spaces, Unicode kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _plain_record(record: Winsor | Split) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in sorted(vars(record).items())}


def expand_conventions(model: Model) -> list[Model]:
    """The rows a model asks for: itself, or one for each of ``conventions``, the first under the model's own id.

    ``published`` takes the study's ``published:`` convention and errors, ``clustered`` the same convention with errors
    clustered by unit; a convention or covariance name changes that alone. Where the study names no convention but the
    list does, errors are changed under the first of the list.
    """
    if not model.conventions:
        return [model]
    named = next((n for n in model.conventions if n in VARIANT_NAMES["convention"]), None)
    if named is not None and "convention" in dict(model.defaults_chosen):
        chosen = tuple((k, v) for k, v in model.defaults_chosen if k != "convention")
        model = replace(model, convention=named, defaults_chosen=chosen)
    rows = []
    for position, name in enumerate(model.conventions):
        row = _under(model, name)
        if position:
            row = replace(row, id=f"{model.id}:{name}", variant=name, variant_of=model.id)
        rows.append(row)
    return rows


def _under(model: Model, name: str) -> Model:
    """The model under one entry of its ``conventions``; what a default chose and the entry replaces is forgotten."""
    published = model.published or Published(None, None)
    convention, covariance = published.convention, published.covariance
    if name == "clustered":
        covariance = CovarianceSpec("cluster", (str(model.unit),))
    elif name in VARIANT_NAMES["covariance"]:
        covariance = _named_covariance(model, name)
    elif name in VARIANT_NAMES["convention"]:
        convention = name
    replaced = {"convention": convention, "covariance": covariance}
    return replace(
        model,
        convention=convention or model.convention,
        covariance=covariance or model.covariance,
        defaults_chosen=tuple((k, v) for k, v in model.defaults_chosen if replaced.get(k) is None),
    )


def _named_covariance(model: Model, name: str) -> CovarianceSpec:
    """A covariance by its name alone; clusters are those of the model (its first for CR2 and CR3), else the unit."""
    if name not in CLUSTER_TYPES:
        return CovarianceSpec.parse(name)
    by = model.covariance.by or (str(model.unit),)
    return CovarianceSpec.parse({"type": name, "by": list(by[:1] if name in ("cr2", "cr3") else by)})


def is_convention_variant(own: str, variant: str, variant_of: str | None) -> bool:
    """Whether a row repeats its main model under another convention or on other cells (``T3c6:clustered``)."""
    return variant_of is not None and own == f"{variant_of}:{variant}"
