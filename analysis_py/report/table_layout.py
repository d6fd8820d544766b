"""A table of texts laid out as aligned text, Markdown, CSV or LaTeX."""

from __future__ import annotations

import csv
import io
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from wcwidth import wcswidth

FORMATS = ("text", "md", "csv", "tex")

#: Characters below which the text form does not break a column's heading.
_NARROWEST = 14

_PARENTHESISED = re.compile(r"\([0-9.]+(e[+-]?\d+)?\)")

_TEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
}


@dataclass(frozen=True)
class Table:
    """Rows of texts, the first cell of each a label. ``notice`` stands before the title and after the notes.

    ``numbering`` (``Table 3.``) stands before the title except in LaTeX, which numbers tables itself and refers to them
    by ``label`` (made from the title where it is empty).
    """

    title: str
    notice: str | None
    header: list[list[str]]
    sections: list[list[list[str]]]
    notes: list[str]
    numbering: str = ""
    label: str = ""

    @property
    def heading(self) -> str:
        """Number and title."""
        return f"{self.numbering} {self.title}".strip()


def lay_out(table: Table, format: str) -> str:
    """The table in one of :data:`FORMATS`, without a final newline."""
    return {"text": _text, "md": _markdown, "csv": _csv, "tex": _latex}[format](table)


def _rows(table: Table) -> list[list[str]]:
    return [*table.header, *(row for section in table.sections for row in section)]


def _width(text: str) -> int:
    width = wcswidth(text)
    return width if width >= 0 else len(text)


def _wrapped(row: Sequence[str], widths: Sequence[int]) -> list[list[str]]:
    """A header row whose cells are broken over several rows where they are much wider than what stands below."""
    parts = [_broken(cell, max(width, _NARROWEST)) for cell, width in zip(row, widths, strict=True)]
    height = max(len(p) for p in parts)
    return [[p[i] if i < len(p) else "" for p in parts] for i in range(height)]


def _broken(text: str, width: int) -> list[str]:
    """Lines of at most ``width`` characters where spaces and underscores allow it."""
    lines = textwrap.wrap(text.replace("_", "_ "), width, break_long_words=False)
    return [line.replace("_ ", "_") for line in lines] or [""]


def _text(table: Table) -> str:
    body = [row for section in table.sections for row in section]
    below = [max([_width(row[i]) for row in body if i < len(row)], default=0) for i in range(len(table.header[0]))]
    header = [line for row in table.header for line in _wrapped(row, below)]
    rows = [*header, *body]
    count = max(len(row) for row in rows)
    widths = [max(_width(row[i]) for row in rows if i < len(row)) for i in range(count)]
    total = sum(widths) + 2 * (count - 1)

    def line(row: Sequence[str]) -> str:
        cells = [row[0] + " " * (widths[0] - _width(row[0]))]
        for width, cell in zip(widths[1:], row[1:], strict=False):
            gap = width - _width(cell)
            cells.append(" " * gap + cell)
        return "  ".join(cells).rstrip()

    lines = [table.notice] if table.notice else []
    lines += [table.heading, "=" * total]
    lines += [line(row) for row in header]
    for section in table.sections:
        lines.append("-" * total)
        lines += [line(row) for row in section]
    lines.append("=" * total)
    for note in table.notes:
        lines += textwrap.wrap(note, max(total, 72), subsequent_indent="  ", break_long_words=False) or [""]
    if table.notice:
        lines.append(table.notice)
    return "\n".join(lines)


def _markdown(table: Table) -> str:
    def line(row: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|").replace("*", "\\*") for cell in row) + " |"

    first, *others = table.header
    blocks = [f"**{table.notice}**\n"] if table.notice else []
    blocks.append(f"**{table.heading}**\n")
    blocks.append(line(first))
    blocks.append("|" + "|".join([":---", *(["---:"] * (len(first) - 1))]) + "|")
    blocks += [line(row) for row in (*others, *(r for s in table.sections for r in s))]
    blocks.append("")
    blocks += [note.replace("*", "\\*") + "  " for note in table.notes]
    if table.notice:
        blocks.append(f"**{table.notice}**")
    return "\n".join(blocks).rstrip()


def _csv(table: Table) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n")
    if table.notice:
        writer.writerow([table.notice])
    writer.writerow([table.heading])
    writer.writerows([_csv_cell(cell) for cell in row] for row in _rows(table))
    for note in table.notes:
        writer.writerow([note])
    if table.notice:
        writer.writerow([table.notice])
    return sink.getvalue().rstrip("\n")


def _csv_cell(cell: str) -> str:
    """A number in parentheses as ``="(0.019)"``, as esttab writes it: a spreadsheet would read it as -0.019."""
    return f'="{cell}"' if _PARENTHESISED.fullmatch(cell) else cell


def _latex(table: Table) -> str:
    count = max(len(row) for row in _rows(table))

    def line(row: Sequence[str]) -> str:
        padded = [*row, *([""] * (count - len(row)))]
        return " & ".join([_tex(padded[0]), *(_tex_number(cell) for cell in padded[1:])]) + r" \\"

    lines = [f"% {table.notice}"] if table.notice else []
    lines += [
        "% needs \\usepackage{booktabs}; wide tables also \\usepackage{graphicx} and \\resizebox",
        "% Chinese text needs XeLaTeX with \\usepackage{ctex} or \\usepackage{xeCJK}",
        r"\begin{table}[htbp]",
        r"\centering",
        rf"\caption{{{_tex(table.title)}}}",
        rf"\label{{tab:{_key(table.label or table.title)}}}",
        rf"\begin{{tabular}}{{l*{{{count - 1}}}{{c}}}}",
        r"\toprule",
    ]
    lines += [line(row) for row in table.header]
    for section in table.sections:
        lines.append(r"\midrule")
        lines += [line(row) for row in section]
    lines += [r"\bottomrule", r"\end{tabular}", "", r"\begin{minipage}{\linewidth}\footnotesize"]
    lines += [_tex(note) + r"\par" for note in table.notes]
    if table.notice:
        lines.append(rf"\textbf{{{_tex(table.notice)}}}\par")
    return "\n".join([*lines, r"\end{minipage}", r"\end{table}"])


def _key(text: str) -> str:
    """A text as the key of a LaTeX label: letters, digits, underscores and hyphens."""
    return re.sub(r"[^\w-]+", "-", text).strip("-")


def _tex(text: str) -> str:
    return "".join(_TEX.get(character, character) for character in text)


def _tex_number(cell: str) -> str:
    """A cell in which a number has a true minus and raised stars; any other text is escaped."""
    bare = cell.rstrip("*")
    marks = cell[len(bare) :]
    inner = bare.strip("()[]")
    try:
        float(inner)
    except ValueError:
        return _tex(cell)
    opening, closing = bare[: len(bare) - len(bare.lstrip("(["))], bare[len(bare.rstrip(")]")) :]
    signed = f"$-${inner[1:]}" if inner.startswith("-") else inner
    # a bracket at the start of a row would be read as the length of the line break before it
    guarded = "{[}" if opening == "[" else opening
    return guarded + signed + closing + (f"$^{{{marks}}}$" if marks else "")
