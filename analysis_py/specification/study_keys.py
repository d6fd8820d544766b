"""The keys of a study file: which there are, what each may hold, and which estimator each belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.result import CLUSTER_TYPES, CovarianceSpec
from analysis_py.estimators.threshold_grid import RESAMPLES, ThresholdSpec
from analysis_py.specification.foreign_spellings import advise_on_covariance
from analysis_py.specification.iv_keys import read_iv
from analysis_py.specification.mechanism_keys import read_margins, read_mechanism
from analysis_py.specification.study_file import (
    At,
    Document,
    Reader,
    read_choice,
    read_choices,
    read_list_of,
    read_mapping,
    read_names,
    read_number,
    read_text,
    read_texts,
    read_whole,
)

ESTIMATORS = (
    "twfe",
    "poisson",
    "moderation",
    "descriptive",
    "heterogeneity",
    "mechanism",
    "iv",
    "threshold",
    "spatial",
    "did",
)
CONVENTIONS = (
    "xtreg",
    "areg",
    "reghdfe",
    "fixest",
    "ivreg2",
    "xtivreg2",
    "ivreghdfe",
    "ivregress",
    "xthreg",
    "hansen",
    "plain",
)
SPLIT_TESTS = ("permutation", "interaction", "chow", "suest")
CORRECTIONS = ("romano_wolf", "benjamini_hochberg")
SPLIT_RULES = ("median", "median_by_year", "median_base_year")
DID_METHODS = ("twfe", "sun_abraham", "did2s", "callaway_santanna")

#: What ``conventions`` may list: the two readings, a convention alone, or a covariance that needs only its name.
VARIANT_NAMES: Mapping[str, tuple[str, ...]] = {
    "reading": ("published", "clustered"),
    "convention": CONVENTIONS,
    "covariance": ("iid", "hc1", "hc2", "hc3", "cr2", "cr3", "wild", "driscoll_kraay"),
}

#: Keys an estimator cannot do without.
NEEDED_KEYS: Mapping[str, tuple[str, ...]] = {
    "twfe": ("outcome",),
    "poisson": ("outcome",),
    "moderation": ("outcome", "treatment", "moderator"),
    "descriptive": (),
    "heterogeneity": ("outcome", "treatment", "split"),
    "mechanism": ("outcome", "treatment", "mechanism"),
    "iv": ("outcome", "endogenous", "instruments"),
    "threshold": ("outcome", "threshold"),
    "spatial": ("outcome", "treatment", "spatial"),
    "did": ("outcome", "did"),
}

#: ``options``: keys handed on as they are; ``used_by``: keys that only some estimators understand.
ESTIMATOR_KEYS: Mapping[str, Any] = {
    "options": ("mechanism", "margins", "endogenous", "instruments", "iv", "threshold", "spatial", "did"),
    "used_by": {
        "endogenous": ("iv",),
        "instruments": ("iv",),
        "iv": ("iv",),
        "threshold": ("threshold",),
        "spatial": ("spatial",),
        "did": ("did",),
        "split": ("heterogeneity",),
        "moderator": ("moderation",),
        "centre": ("moderation",),
        "margins": ("moderation",),
        "mechanism": ("mechanism",),
        "columns": ("descriptive",),
    },
}


def _read_covariance(doc: Document, at: At, value: Any) -> CovarianceSpec | None:
    if value is None:
        return None
    given = value
    bare_cluster = isinstance(value, str) and value in CLUSTER_TYPES
    if bare_cluster:
        given = {"type": value}
    if isinstance(given, dict) and given.get("type") in CLUSTER_TYPES and not given.get("by"):
        # the unit of the study is filled in when the model is resolved
        given = given | {"by": "\0"}
    try:
        spec = CovarianceSpec.parse(given)
    except CarbonpanelError as error:
        raise doc.error("CP-STUDY-VALUE", error.what, at, advise_on_covariance(given) or error.remedy) from None
    lag = spec.option("lag")
    if lag is not None and (isinstance(lag, bool) or not isinstance(lag, int) or lag < 0):
        raise doc.error("CP-STUDY-VALUE", "'lag' must be a whole number of at least 0", (*at, "lag"), "lag: 2")
    return CovarianceSpec(spec.type, (), spec.options) if spec.by == ("\0",) else spec


def _read_limits(doc: Document, at: At, value: Any) -> tuple[float, float]:
    numbers = read_list_of(read_number)(doc, at, value)
    if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1] <= 100:
        raise doc.error("CP-STUDY-VALUE", "'limits' must be two rising percentiles between 0 and 100", at, "[1, 99]")
    if numbers[1] <= 1:
        what = f"'limits' [{numbers[0]:g}, {numbers[1]:g}] look like shares of one; they are percentiles"
        raise doc.error("CP-STUDY-VALUE", what, at, "write them in percent, for example [1, 99]")
    return numbers[0], numbers[1]


def _read_transforms(doc: Document, at: At, value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise doc.error("CP-STUDY-TYPE", "'transforms' must be a mapping of columns", at, "for example: {AI: log1p}")
    found = {}
    for name in value:
        text = read_text(doc, (*at, name), value[name])
        if text is None:
            raise doc.error("CP-STUDY-TYPE", f"the transform of '{name}' is empty", (*at, name))
        found[name] = text
    return found


def _read_split_at(doc: Document, at: At, value: Any) -> str | float | tuple[float, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return read_choice(SPLIT_RULES)(doc, at, value)
    if not isinstance(value, list):
        return read_number(doc, at, value)
    cuts = read_list_of(read_number)(doc, at, value)
    if not cuts or list(cuts) != sorted(set(cuts)) or not all(0 < c < 1 for c in cuts):
        raise doc.error("CP-STUDY-VALUE", "a list 'at' holds rising quantiles between 0 and 1", at, "[0.33, 0.67]")
    return tuple(cuts)


def _read_grid(doc: Document, at: At, value: Any) -> Any:
    if value == "all":
        return "all"
    if isinstance(value, str):
        raise doc.error("CP-STUDY-TYPE", f"'grid' must be a whole number or all, not '{value}'", at, "grid: 400")
    return read_whole(2)(doc, at, value)


def _read_weights_matrix(doc: Document, at: At, value: Any) -> Any:
    if isinstance(value, dict):
        return read_mapping({"file": read_text}, required=("file",))(doc, at, value)
    return read_text(doc, at, value)


_threshold = read_mapping(
    {
        "variable": read_text,
        "regime_terms": read_names,
        "count": read_whole(1),
        "grid": read_list_of(_read_grid),
        "trim": read_list_of(read_number),
        "gap": read_list_of(read_number),
        "bootstrap": read_list_of(read_whole(0)),
        "seed": read_whole(0),
        "points": read_choice(("unique", "observations")),
        "resample": read_choice(RESAMPLES),
        "given": read_list_of(read_number),
    },
    required=("variable",),
)


def _read_threshold(doc: Document, at: At, value: Any) -> dict[str, Any]:
    found: dict[str, Any] = _threshold(doc, at, value)
    try:
        ThresholdSpec.parse(found)
    except CarbonpanelError as error:
        raise doc.error("CP-STUDY-VALUE", error.what, at, error.remedy) from None
    return found


_split = read_mapping(
    {
        "by": read_text,
        "at": _read_split_at,
        "tests": read_choices(SPLIT_TESTS),
        "interact": read_choice(("all", "treatment")),
        "permute": read_choice(("units", "rows")),
        "draws": read_whole(1),
        "seed": read_whole(0),
        "multiple_testing": read_choices(CORRECTIONS),
    },
    required=("by",),
)
_spatial = read_mapping({"model": read_choice(("sdm", "sar", "sem", "slx")), "weights": _read_weights_matrix})
_did = read_mapping(
    {"method": read_choice(DID_METHODS), "first_treated": read_text, "control": read_choice(("never", "not_yet"))},
    required=("method", "first_treated"),
)
_winsor = read_mapping(
    {"columns": read_names, "limits": _read_limits, "scope": read_choice(("universe", "study", "subsample"))},
    required=("columns", "limits"),
)


def _optional(reader: Reader) -> Reader:
    def read(doc: Document, at: At, value: Any) -> Any:
        return None if value is None else reader(doc, at, value)

    return read


#: Keys of ``defaults`` and of each model.
MODEL_KEYS: Mapping[str, Reader] = {
    "estimator": _optional(read_choice(ESTIMATORS)),
    "outcome": read_text,
    "treatment": read_names,
    "controls": read_names,
    "fixed_effects": read_names,
    "covariance": _read_covariance,
    "convention": _optional(read_choice(CONVENTIONS)),
    "conventions": _optional(read_choices([n for names in VARIANT_NAMES.values() for n in names])),
    "published": _optional(
        read_mapping({"convention": _optional(read_choice(CONVENTIONS)), "covariance": _read_covariance})
    ),
    "weights": read_text,
    "sample": read_text,
    "fill": _optional(read_choice(("filled", "observed"))),
    "transforms": _read_transforms,
    "winsor": _optional(_winsor),
    "moderator": read_names,
    "centre": _optional(read_choice(("none", "mean"))),
    "columns": read_names,
    "endogenous": read_names,
    "instruments": read_names,
    "iv": read_iv,
    "threshold": _optional(_read_threshold),
    "split": _optional(_split),
    "mechanism": _optional(read_mechanism),
    "margins": _optional(read_margins),
    "spatial": _optional(_spatial),
    "did": _optional(_did),
}

_model = read_mapping(
    {
        "id": read_text,
        "analysis_id": read_text,
        "variant_of": read_text,
        "title": read_texts,
        "note": read_texts,
        **MODEL_KEYS,
    },
    required=("id",),
)

#: The whole file.
STUDY_KEYS: Reader = read_mapping(
    {
        "study": read_text,
        "table": read_text,
        "title": read_texts,
        "note": read_texts,
        "panel": read_text,
        "unit": read_text,
        "time": read_text,
        "defaults": _optional(read_mapping(MODEL_KEYS)),
        "models": _optional(read_list_of(_model)),
    }
)
