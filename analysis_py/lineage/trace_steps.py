"""The steps of a trace, and how they are printed."""

from __future__ import annotations

from dataclasses import dataclass

from analysis_py.lineage.raw_cells import RawCell


@dataclass(frozen=True)
class TraceStep:
    """One step back: a value and what it was made of.

    kind : ``column`` (of a table), ``indicator`` (filled value of a raw series), ``cell`` (of a file), ``rejected`` (a
    cell not chosen) or ``series`` (the years of a chain or a sum; its children are the years).
    """

    kind: str
    label: str
    value: object = None
    unit: str | None = None
    fill: str | None = None
    formula: str | None = None
    notes: tuple[str, ...] = ()
    children: tuple[TraceStep, ...] = ()
    cell: RawCell | None = None


def number_text(value: object) -> str:
    """A value as people read it: up to 10 significant digits, ``missing`` for NULL."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def render_trace(tree: TraceStep) -> str:
    """The tree as indented text, one line a step and its notes under it; a series shows one line a year."""
    lines: list[str] = []
    _render(tree, "", "", lines)
    return "\n".join(lines)


def _render(step: TraceStep, lead: str, below: str, lines: list[str]) -> None:
    lines.append(lead + _headline(step))
    inner = below + ("│ " if step.children else "  ")
    if step.formula:
        lines.append(f"{inner}  = {step.formula}")
    lines.extend(f"{inner}  {note}" for note in step.notes)
    if step.kind == "series":
        lines.extend(f"{below}   {_brief(child)}" for child in step.children)
        return
    for position, child in enumerate(step.children):
        last = position == len(step.children) - 1
        _render(child, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "), lines)


def _headline(step: TraceStep) -> str:
    if step.kind == "series":
        return step.label
    if step.kind in {"cell", "rejected"}:
        unit = f" {step.unit}" if step.unit else ""
        return f"{'cell' if step.kind == 'cell' else 'not used'}: {step.label}: '{step.value}'{unit}"
    unit = f" {step.unit}" if step.unit and step.value is not None else ""
    fill = f" ({step.fill})" if step.fill and not (step.value is None and step.fill == "missing") else ""
    return f"{step.label}: {number_text(step.value)}{unit}{fill}"


def _brief(step: TraceStep) -> str:
    """One line for a year of a series: its value, and the cells it comes from."""
    cells = [leaf for leaf in _leaves(step) if leaf.kind == "cell" or (leaf.kind == "column" and leaf.notes)]
    places = "; ".join(f"{leaf.label}: '{leaf.value}'" if leaf.kind == "cell" else leaf.notes[0] for leaf in cells)
    return _headline(step).rpartition(", ")[2] + (f"  <- {places}" if places else "")


def _leaves(step: TraceStep) -> list[TraceStep]:
    if not step.children:
        return [step]
    return [leaf for child in step.children for leaf in _leaves(child)]
