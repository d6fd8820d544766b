"""Reference cases of fixed-effects least squares: where they are, and how numbers are compared.

Small cases stand in ``tests/reference/data`` with their sources in ``expected.json``; larger ones are read beside the
project and skipped where they are absent.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from analysis_py.settings import project_root
from tests.reference.parity import record

DATA = Path(__file__).parent / "data"
SHARED_CASES = project_root().parent / "shared" / "reference_cases"

#: Numbers computed by another program to full precision agree to this; printed ones to their last digit.
COMPUTED = 1e-6


def expected(case: str) -> dict[str, Any]:
    """Expected numbers of a case kept in the project."""
    return json.loads((DATA / case / "expected.json").read_text(encoding="utf-8"))["expected"]


def shared_case(*parts: str) -> Path:
    """A file of the cases beside the project; the test is skipped where it is absent."""
    path = SHARED_CASES.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"reference case {'/'.join(parts)} is not beside the project")
    return path


def shared_frame(*parts: str) -> pd.DataFrame:
    return pd.read_csv(shared_case(*parts))


def cluster(*by: str) -> dict[str, object]:
    return {"type": "cluster", "by": list(by)}


def agree(found: float | None, wanted: float, rtol: float = COMPUTED) -> None:
    assert found is not None
    record(found, wanted)
    np.testing.assert_allclose(found, wanted, rtol=rtol, atol=0.0)


def agree_as_printed(found: float | None, printed: str) -> None:
    """Equal to a printed number, half a unit of its last digit either way."""
    assert found is not None
    record(found, printed)
    digits = printed.lstrip("-").lower()
    mantissa, _, exponent = digits.partition("e")
    decimals = len(mantissa.partition(".")[2])
    unit = 10.0 ** (int(exponent or 0) - decimals)
    assert abs(found - float(printed)) <= 0.5000001 * unit, f"{found!r} is not {printed}"
