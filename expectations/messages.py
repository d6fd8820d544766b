"""From a result of Great Expectations to one line a person can act on."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from expectations.report import ExpectationOutcome
from expectations.suites import SEVERITY
from expectations.wording import count_noun, list_values, show_number

#: Format of every result: counts, and the first three unexpected rows named by the column ``where``.
RESULT_FORMAT: dict[str, Any] = {
    "result_format": "SUMMARY",
    "partial_unexpected_count": 3,
    "unexpected_index_column_names": ["where"],
}


def outcome_of(result: Any, *, stage: str, suite: str, table: str) -> ExpectationOutcome:
    """Turn one ``ExpectationValidationResult`` into an outcome."""
    config = result.expectation_config
    meta: Mapping[str, Any] = config.meta or {}
    found: Mapping[str, Any] = result.result or {}
    about = str(meta.get("column") or config.kwargs.get("column") or "")
    columns = _columns(config.kwargs)
    success = bool(result.success)
    problem = _problem(config, meta, found, result.exception_info)
    details = found.get("details") or {}
    examples = tuple(details.get("examples") or ()) or _examples(found, config.kwargs)
    advice = details.get("advice") or meta.get("advice", "")
    if success:
        told = about or list_values(columns)
        message = f"{told}: as expected" if told else "as expected"
    else:
        named = not about or details.get("names_columns") or problem.startswith(about)
        message = problem if named else f"{about}: {problem}"
        message += f" (e.g. {'; '.join(examples)})" if examples else ""
        message += f"; {advice}" if advice else ""
    return ExpectationOutcome(
        stage=stage,
        suite=suite,
        table_name=table,
        position=int(meta.get("position", 0)),
        expectation=str(config.type),
        column_name=about or ", ".join(columns),
        severity=SEVERITY[_text(config.severity)],
        success=success,
        element_count=_whole(found.get("element_count")),
        unexpected_count=_whole(found.get("unexpected_count")),
        observed=_observed(found),
        expected=str(meta.get("expected", "")),
        message=" ".join(message.split()),
    )


def _columns(kwargs: Mapping[str, Any]) -> list[str]:
    """The columns an expectation of several looks at, each once, in its order."""
    pairs = [column for pair in kwargs.get("pairs") or () for column in pair]
    return list(dict.fromkeys([*(kwargs.get("columns") or ()), *(kwargs.get("ranges") or ()), *pairs]))


def _problem(config: Any, meta: Mapping[str, Any], found: Mapping[str, Any], exception: Any) -> str:
    details = found.get("details") or {}
    if details.get("problem"):
        return str(details["problem"])
    reason = _exception_text(exception)
    if reason:
        return f"could not be checked ({reason})"
    mismatched = details.get("mismatched")
    missing = mismatched.get("missing") if isinstance(mismatched, Mapping) else None
    if missing:
        quoted = [f"'{name}'" for name in missing]
        return f"{meta.get('sentence', 'without')} {list_values(quoted)}"
    if meta.get("sentence"):
        return str(meta["sentence"])
    noun, phrase = str(meta.get("noun", "rows")), str(meta.get("phrase", config.type))
    return f"{count_noun(int(found.get('unexpected_count') or 0), noun)} {phrase}"


def _examples(found: Mapping[str, Any], kwargs: Mapping[str, Any]) -> tuple[str, ...]:
    """``where: value`` of the first unexpected rows; only ``where`` for keys, which name the row already."""
    rows = found.get("partial_unexpected_index_list") or []
    names = [kwargs[k] for k in ("column", "column_B", "column_A") if k in kwargs]
    texts = []
    for row in rows:
        values = [row[name] for name in names if name in row]
        values = [v for v in values if not isinstance(v, bool) and not _is_missing(v)]
        told = [f"{v:.0f}" if names == ["year"] else _value(v) for v in values]
        texts.append(f"{row.get('where', '?')}" + (f": {' against '.join(told)}" if told else ""))
    return tuple(dict.fromkeys(texts))


def _observed(found: Mapping[str, Any]) -> str:
    seen = found.get("observed_value")
    if isinstance(seen, str):
        return seen
    if isinstance(seen, (int, float)) and not isinstance(seen, bool):
        return show_number(float(seen))
    if isinstance(seen, (list, tuple)):
        return list_values(list(seen))
    bad, all_of = found.get("unexpected_count"), found.get("element_count")
    if bad is None or all_of is None:
        return ""
    return f"{int(bad):,} of {int(all_of):,}"


def _exception_text(exception: Any) -> str:
    """The first message in Great Expectations' exception record, which is flat or keyed by metric."""
    if not isinstance(exception, Mapping):
        return ""
    if exception.get("raised_exception"):
        return str(exception.get("exception_message") or "").splitlines()[0][:160]
    for part in exception.values():
        text = _exception_text(part)
        if text:
            return text
    return ""


def _value(value: Any) -> str:
    if isinstance(value, (int, float)):
        return show_number(float(value))
    return str(value)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


def _whole(value: Any) -> int | None:
    return None if value is None else int(value)


def _text(value: Any) -> str:
    return str(getattr(value, "value", value))
