"""Questions on a terminal: numbered answers, the usual one on Enter."""

from __future__ import annotations

import sys
from typing import TextIO

from analysis_py.ingest.answers import Asker, Question

#: Unintelligible replies after which a question counts as unanswered.
_TRIES = 5


def terminal_asker(answer: TextIO | None = None, show: TextIO | None = None) -> Asker | None:
    """An asker that reads from ``answer`` (standard input) and writes to ``show`` (standard error).

    None where either is no terminal: a script gives its answers as flags and is never kept waiting.
    """
    source, sink = answer or sys.stdin, show or sys.stderr
    if source is None or sink is None or not (source.isatty() and sink.isatty()):
        return None

    def ask(question: Question) -> str | None:
        return ask_on(question, source, sink)

    return ask


def ask_on(question: Question, source: TextIO, sink: TextIO) -> str | None:
    """Put one question; the value chosen, or None when the input ends or nothing intelligible is said."""
    sink.write(f"\n{question.text}\n")
    for number, choice in enumerate(question.choices, start=1):
        usual = "  [Enter]" if choice.value == question.default else ""
        sink.write(f"  {number}  {choice.label}{usual}\n")
    sink.write(f"(scripts: {question.flag})\n")
    values = [choice.value for choice in question.choices]
    for _ in range(_TRIES):
        sink.write(f"1-{len(values)}: ")
        sink.flush()
        line = source.readline()
        if not line:
            return None
        said = line.strip()
        if not said and question.default is not None:
            return question.default
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(values):
            return values[int(said) - 1]
        if said in values:
            return said
        sink.write("please type one of the numbers\n")
    return None
