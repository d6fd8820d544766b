"""What a search for conventions tries: errors and programs, log rules, winsorising, centring, samples, cells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis_py.estimators.conventions import CONVENTIONS
from analysis_py.estimators.iv_conventions import IV_CONVENTIONS
from analysis_py.estimators.result import CovarianceSpec
from analysis_py.panels.calendar_panel import CalendarPanel
from analysis_py.study import Model, Winsor

#: Winsor rules tried beside the model's own: (name, which columns, limits in percent).
WINSOR_RULES = (
    ("outcome 1/99", "outcome", (1.0, 99.0)),
    ("all 1/99", "all", (1.0, 99.0)),
    ("outcome 5/95", "outcome", (5.0, 95.0)),
    ("all 5/95", "all", (5.0, 95.0)),
)
_LOGS = ("log", "log1p", "asinh")
_LOG_CALL = re.compile(r"\b(ln|log|log1p|asinh)\(")


@dataclass(frozen=True)
class FrameChoice:
    """A way to make the frame: the model changed, and the names of the changes."""

    model: Model
    logs: str
    winsor: str
    centring: str
    sample: str
    cells: str


def regressor_texts(model: Model) -> tuple[str, ...]:
    """The regressors as the study spells them, in the order in which they enter."""
    return (*model.options.get("endogenous", ()), *model.treatment, *model.moderator, *model.controls)


def product_texts(model: Model) -> tuple[str, ...]:
    """The interactions of a moderation model."""
    return tuple(f"{t}*{m}" for t in model.treatment for m in model.moderator)


def convention_choices(model: Model, panel: CalendarPanel) -> Iterator[tuple[str, CovarianceSpec]]:
    """Programs and covariances, every pair once; the model's own covariance and the published one are among them."""
    instrumented = model.estimator == "iv"
    if instrumented:
        conventions = list(IV_CONVENTIONS)
    else:
        conventions = list(CONVENTIONS) if model.fixed_effects else ["plain"]
    covariances = [CovarianceSpec("iid"), CovarianceSpec("hc1")]
    covariances += [] if instrumented else [CovarianceSpec("hc3")]
    if model.unit:
        covariances.append(CovarianceSpec("cluster", (model.unit,)))
        if model.time:
            covariances.append(CovarianceSpec("cluster", (model.unit, model.time)))
        covariances += [] if instrumented else [CovarianceSpec("cr2", (model.unit,))]
    if model.time:
        covariances.append(CovarianceSpec("driscoll_kraay"))
    if "province_code" in panel.columns and model.unit != "province_code":
        covariances.append(CovarianceSpec("cluster", ("province_code",)))
    own = [model.covariance, *([model.published.covariance] if model.published and model.published.covariance else [])]
    covariances += [c for c in own if c not in covariances and c.type != "wild"]
    for convention in conventions:
        for covariance in dict.fromkeys(covariances):
            yield convention, covariance


def frame_choices(model: Model, panel: CalendarPanel, samples: Sequence[str]) -> Iterator[FrameChoice]:
    """The frames to try: the model's sample, all rows and ``samples``, each with every other choice."""
    conditions = dict.fromkeys([model.sample, None, *samples])
    fills = ["filled", "observed"] if panel.filled_columns else ["filled"]
    for sample in conditions:
        name = "all rows" if sample is None else sample
        for logs, of_logs in _log_choices(model):
            for winsor, rule in _winsor_choices(of_logs, panel):
                for centre in ("none", "mean") if model.moderator else (model.centre,):
                    for fill in fills:
                        changed = replace(of_logs, sample=sample, study_sample=sample, winsor=rule, fill=fill)
                        yield FrameChoice(replace(changed, centre=centre), logs, winsor, centre, name, fill)


def _log_choices(model: Model) -> Iterator[tuple[str, Model]]:
    """The model as written, then with every log it takes made ln, ln(1 + x) and asinh."""
    yield "as written", model
    texts = (model.outcome or "", *regressor_texts(model), *model.options.get("instruments", ()))
    has_calls = any(_LOG_CALL.search(t) for t in texts)
    if not has_calls and not any(text in _LOGS or text == "ln" for _, text in model.transforms):
        return
    for rule in _LOGS:
        spelled = "ln(" if rule == "log" else f"{rule}("

        def respell(text: str, spelled: str = spelled) -> str:
            return _LOG_CALL.sub(spelled, text)

        transforms = tuple((n, rule if t in (*_LOGS, "ln") else t) for n, t in model.transforms)
        named = {k: tuple(map(respell, model.options[k])) for k in ("endogenous", "instruments") if k in model.options}
        changed = replace(
            model,
            outcome=respell(model.outcome or ""),
            treatment=tuple(map(respell, model.treatment)),
            moderator=tuple(map(respell, model.moderator)),
            controls=tuple(map(respell, model.controls)),
            transforms=transforms,
            options={**model.options, **named},
        )
        if changed != model:
            yield rule, changed


def _winsor_choices(model: Model, panel: CalendarPanel) -> Iterator[tuple[str, Winsor | None]]:
    if model.winsor is not None:
        yield "as written", model.winsor
    yield "none", None
    known = {*panel.columns, *(n for n, _ in model.transforms)}
    columns = [n for n in dict.fromkeys((model.outcome or "", *regressor_texts(model))) if n in known]
    for name, which, (low, high) in WINSOR_RULES:
        chosen = columns[:1] if which == "outcome" else columns
        if which == "outcome" and model.outcome not in known:
            continue
        rule = Winsor(tuple(chosen), low, high, "study")
        if chosen and rule != model.winsor:
            yield name, rule
