"""Studies: what a YAML file asks to be estimated, checked and resolved into one full specification a model.

The keys are those of docs/reference/study_file.md. A model starts from the study's ``defaults``; a key it gives itself
replaces the default whole. Loading needs no data: whether the columns exist is checked by the runner against the panel.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis_py.errors import CarbonpanelError, did_you_mean
from analysis_py.estimators.result import CLUSTER_TYPES, CovarianceSpec
from analysis_py.specification.model_spec import Model, Published, Split, Winsor, canonical_json, expand_conventions
from analysis_py.specification.study_file import At, Document, read_document
from analysis_py.specification.study_keys import CORRECTIONS, ESTIMATOR_KEYS, NEEDED_KEYS, STUDY_KEYS

__all__ = [
    "Model",
    "Published",
    "Split",
    "Study",
    "Winsor",
    "canonical_json",
    "expand_conventions",
    "load_studies",
    "load_study",
]


@dataclass(frozen=True)
class Study:
    """One study file: one table."""

    path: Path
    study: str
    table: str | None
    title: Mapping[str, str] | None
    note: Mapping[str, str] | None
    panel: str | None
    unit: str | None
    time: str | None
    models: tuple[Model, ...]
    file_hash: str
    document: Document

    @property
    def name(self) -> str:
        """File name without its ending, e.g. ``t03_baseline``."""
        return self.path.stem

    def where(self, model: Model, key: str, item: int | None = None) -> str:
        """``file, line n`` of a model's key (or of one item of its list), also when it came from the defaults."""
        at = model.places.get(key, ("models",))
        return self.document.where(at if item is None else (*at, item))


def load_study(path: Path | str) -> Study:
    """Read and check one study file.

    Raises :class:`CarbonpanelError` naming file and line: ``CP-FILE-MISSING``, ``CP-STUDY-YAML``, ``CP-STUDY-KEY``
    (unknown key, with the nearest), ``CP-STUDY-VALUE``, ``CP-STUDY-TYPE``, ``CP-STUDY-INCOMPLETE``, ``CP-STUDY-ID``.
    """
    doc = read_document(Path(path))
    checked = STUDY_KEYS(doc, (), doc.data)
    name = checked.get("study") or doc.path.stem
    defaults = checked.get("defaults") or {}
    entries = checked.get("models") or ()
    if not entries:
        raise doc.error(
            "CP-STUDY-INCOMPLETE", "the study has no models", ("models",), "add models:, for example - {id: M1}"
        )
    models = tuple(_resolve(doc, checked, name, defaults, entry, i) for i, entry in enumerate(entries))
    _require_unique(doc, models)
    return Study(
        path=doc.path,
        study=name,
        table=checked.get("table"),
        title=checked.get("title"),
        note=checked.get("note"),
        panel=checked.get("panel"),
        unit=checked.get("unit"),
        time=checked.get("time"),
        models=models,
        file_hash=hashlib.sha256(doc.raw).hexdigest(),
        document=doc,
    )


def load_studies(directory: Path | str, names: Sequence[str] | None = None) -> list[Study]:
    """Every study file under ``directory`` in the order of study and file name, or those named.

    A name is a study (``carbon_productivity``), a file (``t03_baseline``), or a study with a file or a published table
    (``carbon_productivity/3``).
    Raises ``CP-STUDY-UNKNOWN`` with the nearest name, and ``CP-STUDY-ID`` where two files of a study share a model id.
    """
    root = Path(directory)
    studies = [load_study(p) for p in sorted(root.rglob("*.yml")) if p.is_file()]
    studies.sort(key=lambda s: (s.study, s.name))
    owners: dict[tuple[str, str], Study] = {}
    for study in studies:
        for model in study.models:
            other = owners.setdefault((study.study, model.id), study)
            if other is not study:
                raise CarbonpanelError(
                    "CP-STUDY-ID",
                    f"model id '{model.id}' of study '{study.study}' is already used in {other.path.name}",
                    where=study.where(model, "id"),
                    remedy="ids are unique within a study",
                )
    if not names:
        return studies
    chosen: list[Study] = []
    for wanted in names:
        hits = [s for s in studies if wanted in (s.study, s.name, f"{s.study}/{s.name}", f"{s.study}/{s.table}")]
        if not hits:
            known = [n for s in studies for n in (s.study, s.name, f"{s.study}/{s.name}")]
            raise CarbonpanelError(
                "CP-STUDY-UNKNOWN", f"there is no study '{wanted}'", where=str(root), remedy=did_you_mean(wanted, known)
            )
        chosen += [s for s in hits if s not in chosen]
    return chosen


def _listed(terms: object) -> str:
    return f"[{', '.join(map(str, terms))}]" if isinstance(terms, list | tuple) else str(terms)


def _resolve(
    doc: Document,
    study: Mapping[str, Any],
    name: str,
    defaults: Mapping[str, Any],
    entry: Mapping[str, Any],
    position: int,
) -> Model:
    here: At = ("models", position)
    merged = dict(defaults) | dict(entry)
    places = {k: (("defaults", k) if k not in entry else (*here, k)) for k in merged}
    places["id"] = (*here, "id")
    places["variant_of"] = (*here, "variant_of")
    estimator = merged.get("estimator") or "twfe"
    _refuse_idle_keys(doc, here, entry, estimator)
    for key in NEEDED_KEYS[estimator]:
        if not merged.get(key):
            remedy = f"add '{key}:'"
            if key == "endogenous" and merged.get("treatment"):
                remedy += f"; is it the treatment, endogenous: {_listed(merged['treatment'])}?"
            raise doc.error("CP-STUDY-INCOMPLETE", f"model '{entry['id']}' ({estimator}) needs '{key}'", here, remedy)
    unit, time = study.get("unit"), study.get("time")
    chosen: dict[str, str] = {}
    if "estimator" not in merged:
        chosen["estimator"] = "twfe"
    if "fixed_effects" in merged:
        fixed_effects = merged["fixed_effects"]
    else:
        fixed_effects = tuple(k for k in (unit, time) if k)
        chosen["fixed_effects"] = ", ".join(fixed_effects) or "none"
    convention = merged.get("convention")
    if estimator == "iv":
        if convention is None:
            convention = "ivreghdfe" if fixed_effects else "ivreg2"
            chosen["convention"] = convention
    elif convention is None or (not fixed_effects and "convention" not in entry):
        usual = "xthreg" if estimator == "threshold" else "reghdfe"
        convention = usual if fixed_effects else "plain"
        chosen["convention"] = convention
    covariance = merged.get("covariance")
    if covariance is None:
        covariance = CovarianceSpec("cluster", (unit,)) if unit else CovarianceSpec("hc1")
        chosen["covariance"] = covariance.label
    elif covariance.type in CLUSTER_TYPES and not covariance.by:
        if not unit:
            raise doc.error(
                "CP-STUDY-INCOMPLETE",
                "clusters need 'by': the study names no unit",
                places["covariance"],
                "add by: [..]",
            )
        covariance = replace(covariance, by=(unit,))
        chosen["covariance"] = covariance.label
    other = entry.get("variant_of")
    model = Model(
        study=name,
        id=entry["id"],
        analysis_id=entry.get("analysis_id") or other or entry["id"],
        table=study.get("table"),
        panel=study.get("panel"),
        unit=unit,
        time=time,
        estimator=estimator,
        outcome=merged.get("outcome"),
        treatment=merged.get("treatment") or (),
        controls=merged.get("controls") or (),
        fixed_effects=fixed_effects,
        covariance=covariance,
        convention=convention,
        weights=merged.get("weights"),
        sample=merged.get("sample"),
        study_sample=defaults.get("sample"),
        fill=merged.get("fill") or "filled",
        transforms=tuple((merged.get("transforms") or {}).items()),
        winsor=_winsor(merged.get("winsor")),
        moderator=merged.get("moderator") or (),
        centre=merged.get("centre") or "none",
        columns=_columns(merged),
        split=_split(merged.get("split")),
        options={k: merged[k] for k in ESTIMATOR_KEYS["options"] if merged.get(k)},
        conventions=merged.get("conventions") or () if estimator != "descriptive" else (),
        published=_published(merged.get("published")),
        title=entry.get("title"),
        note=entry.get("note"),
        variant=_variant_name(entry["id"], other) if other else "main",
        variant_of=other,
        defaults_chosen=tuple(chosen.items()) if estimator != "descriptive" else (),
        places=places,
    )
    _check_model(doc, model)
    return model


def _check_model(doc: Document, model: Model) -> None:
    here = model.places["id"][:-1]
    if model.estimator in ("twfe", "poisson") and not (model.treatment or model.controls):
        raise doc.error("CP-STUDY-INCOMPLETE", f"model '{model.id}' has no regressors", here, "add 'treatment:'")
    if model.estimator == "descriptive" and not model.columns:
        raise doc.error("CP-STUDY-INCOMPLETE", f"model '{model.id}' names no columns", here, "add 'columns:'")
    seen: dict[str, str] = {}
    for key in ("treatment", "moderator", "controls"):
        for item, term in enumerate(getattr(model, key)):
            if term in seen or term == model.outcome:
                other = seen.get(term, "outcome")
                raise doc.error(
                    "CP-STUDY-TWICE",
                    f"'{term}' of model '{model.id}' stands in both '{other}' and '{key}'",
                    (*model.places[key], item),
                    "name it once",
                )
            seen[term] = key
    _check_mediators(doc, model, seen)
    for name in model.conventions:
        if (
            name in ("clustered", *CLUSTER_TYPES)
            and not model.unit
            and not (name != "clustered" and model.covariance.by)
        ):
            raise doc.error(
                "CP-STUDY-INCOMPLETE", f"'{name}' needs the study's unit", model.places["conventions"], "add 'unit:'"
            )


def _check_mediators(doc: Document, model: Model, seen: Mapping[str, str]) -> None:
    """A mediator is neither outcome, treatment nor control, and is named once."""
    listed: dict[str, str] = dict(seen)
    for item, term in enumerate((model.options.get("mechanism") or {}).get("mediators", ())):
        if term in listed or term == model.outcome:
            raise doc.error(
                "CP-STUDY-TWICE",
                f"the mediator '{term}' of model '{model.id}' is also {_role(listed.get(term, 'outcome'))}",
                (*model.places["mechanism"], "mediators", item),
                "a mediator lies between treatment and outcome: name another, or take it out of the other list",
            )
        listed[term] = "mediators"


def _role(key: str) -> str:
    return {"treatment": "the treatment", "controls": "a control", "outcome": "the outcome"}.get(key, "named before")


def _refuse_idle_keys(doc: Document, here: At, entry: Mapping[str, Any], estimator: str) -> None:
    for key in entry:
        users = ESTIMATOR_KEYS["used_by"].get(key)
        if users is not None and estimator not in users and entry[key]:
            raise doc.error(
                "CP-STUDY-KEY",
                f"'{key}' means nothing to estimator '{estimator}'",
                (*here, key),
                f"set estimator: {' or '.join(users)}, or remove the key",
            )


def _require_unique(doc: Document, models: Sequence[Model]) -> None:
    seen: dict[str, Model] = {}
    for model in models:
        for row in expand_conventions(model):
            first = seen.setdefault(row.id, model)
            if first is not model:
                raise doc.error(
                    "CP-STUDY-ID",
                    f"the id '{row.id}' is used twice; first on line {doc.line(first.places['id'])}",
                    model.places["id"],
                    "ids are unique within a study",
                )
    main = [m.id for m in models]
    for model in models:
        if model.variant_of is not None and model.variant_of not in main:
            raise doc.error(
                "CP-STUDY-ID",
                f"'{model.id}' is a variant of '{model.variant_of}', which is not a model of this file",
                model.places["variant_of"],
                did_you_mean(model.variant_of, main),
            )


def _variant_name(own: str, other: str) -> str:
    """What is left of an id after the one it varies: ``province_year`` of ``T4c5_province_year``."""
    return own.removeprefix(other).lstrip("_:-. ") or own


def _columns(merged: Mapping[str, Any]) -> tuple[str, ...]:
    if merged.get("columns"):
        return tuple(merged["columns"])
    named = (merged.get("outcome"), *(merged.get("treatment") or ()), *(merged.get("controls") or ()))
    return tuple(dict.fromkeys(n for n in named if n))


def _winsor(given: Mapping[str, Any] | None) -> Winsor | None:
    if not given:
        return None
    low, high = given["limits"]
    return Winsor(given["columns"], low, high, given.get("scope") or "study")


def _split(given: Mapping[str, Any] | None) -> Split | None:
    if not given:
        return None
    return Split(
        by=given["by"],
        at=given.get("at"),
        tests=given.get("tests", ("interaction",)),
        permute=given.get("permute") or "units",
        draws=given.get("draws") or 1000,
        seed=given.get("seed"),
        interact=given.get("interact") or "all",
        multiple_testing=given.get("multiple_testing", CORRECTIONS),
    )


def _published(given: Mapping[str, Any] | None) -> Published | None:
    return Published(given.get("convention"), given.get("covariance")) if given else None
