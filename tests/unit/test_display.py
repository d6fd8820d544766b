"""Rows as people read or paste them."""

from __future__ import annotations

import csv
import io
import json
from decimal import Decimal

from analysis_py.display import render_rows

COLUMNS = ("city", "gdp", "flag")
ROWS = [("深圳市", 27670.123456789, True), ("A|b", None, False), ("x\ny", float("nan"), None)]


def test_table_is_aligned_by_display_width() -> None:
    lines = render_rows(COLUMNS, ROWS).splitlines()
    assert lines[0].startswith("city    ")
    assert lines[1] == "------  -------  -----"
    assert lines[2] == "深圳市  27670.1  true"
    assert len(lines) == 5  # a line break inside a cell does not break the row


def test_empty_table_has_a_header() -> None:
    assert render_rows(("a", "b"), []).splitlines() == ["a  b", "-  -"]


def test_markdown_escapes_bars_and_aligns_numbers() -> None:
    lines = render_rows(COLUMNS, ROWS, "md").splitlines()
    assert lines[1] == "|---|---:|---|"
    assert "A\\|b" in lines[3]


def test_csv_keeps_every_digit_and_quotes() -> None:
    rows = list(csv.reader(io.StringIO(render_rows(COLUMNS, ROWS, "csv"))))
    assert rows[1] == ["深圳市", "27670.123456789", "true"]
    assert rows[2] == ["A|b", "", "false"]
    assert rows[3][0] == "x\ny"


def test_json_has_null_for_what_json_cannot_say() -> None:
    records = json.loads(render_rows(COLUMNS, [*ROWS, ("d", Decimal("1.5"), [1, float("inf")])], "json"))
    assert records[0] == {"city": "深圳市", "gdp": 27670.123456789, "flag": True}
    assert records[2]["gdp"] is None
    assert records[3] == {"city": "d", "gdp": 1.5, "flag": [1, None]}
