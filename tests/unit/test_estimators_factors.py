"""Coding of identifiers, interactions, nesting, connected groups and singletons."""

from __future__ import annotations

from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from analysis_py.errors import CarbonpanelError
from analysis_py.estimators.factors import (
    Factor,
    compress,
    connected_groups,
    encode,
    find_singletons,
    independent_factors,
    intersect,
    is_nested,
)


def factor(*codes: int) -> Factor:
    return compress("f", np.array(codes))


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (["b", "a", None, "b"], [1, 0, -1, 1]),
        ([2.5, 1.0, np.nan, 2.5], [1, 0, -1, 1]),
        (pd.array([3, 1, None, 3], dtype="Int64"), [1, 0, -1, 1]),
        (np.array(["2003-01-01", "2001-01-01", "NaT", "2003-01-01"], dtype="datetime64[ns]"), [1, 0, -1, 1]),
        (pd.Categorical(["low", "high", None, "low"], categories=["low", "high"]), [0, 1, -1, 0]),
        (["110000", 5, None, "110000"], [1, 0, -1, 1]),  # an integer and a text: sorted by type, then text
        ([True, False, None, True], [1, 0, -1, 1]),
    ],
    ids=["text", "float", "nullable", "date", "category", "mixed", "boolean"],
)
def test_any_type_is_an_identifier(values: object, codes: list[int]) -> None:
    coded = encode(pd.DataFrame({"id": values}), "id")
    assert coded.codes.tolist() == codes
    assert coded.levels == 2


def test_unused_categories_have_no_level() -> None:
    values = pd.Categorical(["b", "b"], categories=["a", "b", "c"])
    assert encode(pd.DataFrame({"id": values}), "id").levels == 1


def test_unhashable_values_are_refused() -> None:
    with pytest.raises(CarbonpanelError, match="CP-EST-COLUMN"):
        encode(pd.DataFrame({"id": [[1], [2]]}), "id")


def test_interactions() -> None:
    frame = pd.DataFrame({"p": ["x", "x", "y", None], "t": [2001, 2002, 2001, 2001], "a^b": [1, 1, 2, 3]})
    coded = encode(frame, "p^t")
    assert coded.codes.tolist() == [0, 1, 2, -1]
    assert (coded.name, coded.levels) == ("p^t", 3)
    assert encode(frame, "p ^ t").codes.tolist() == coded.codes.tolist()
    assert encode(frame, "a^b").levels == 3, "a column of that very name wins"
    with pytest.raises(CarbonpanelError, match="not an interaction"):
        encode(frame, "p^")
    with pytest.raises(CarbonpanelError, match="did you mean"):
        encode(frame.rename(columns={"p": "province"}), "provinc^t")


def test_intersection_of_many_levels_falls_back_to_sorting() -> None:
    rng = np.random.default_rng(1)
    a, b = Factor("a", rng.integers(0, 3000, 500), 3000), Factor("b", rng.integers(0, 3000, 500), 3000)
    both = intersect((a, b))
    pairs = sorted(set(zip(a.codes.tolist(), b.codes.tolist(), strict=True)))
    assert both.levels == len(pairs)
    assert [pairs[c] for c in both.codes] == list(zip(a.codes.tolist(), b.codes.tolist(), strict=True))


def test_nesting() -> None:
    city, province, year = factor(0, 0, 1, 1, 2, 2), factor(0, 0, 0, 0, 1, 1), factor(0, 1, 0, 1, 0, 1)
    assert is_nested(city, province)
    assert not is_nested(province, city)
    assert not is_nested(city, year)
    assert is_nested(city, city)
    assert independent_factors([city, year, province]) == [0, 1]
    assert independent_factors([province, city]) == [1]
    assert independent_factors([city, city]) == [0]


def test_connected_groups() -> None:
    assert connected_groups(factor(0, 0, 1, 1), factor(0, 1, 0, 1)) == 1
    assert connected_groups(factor(0, 0, 1, 1), factor(0, 1, 2, 3)) == 2


def test_singletons_are_found_to_the_end() -> None:
    # dropping the only row of firm 0 leaves year 0 with one row, and so on down the chain
    firm, year = factor(0, 1, 1, 2, 2, 3, 3, 3), factor(0, 0, 1, 1, 2, 3, 3, 4)
    found = find_singletons([firm, year])
    kept = np.delete(np.arange(8), [row for row, _ in found])
    for f in (firm, year):
        counts = np.bincount(f.codes[kept])
        assert (counts[counts > 0] > 1).all()
    assert sorted(row for row, _ in found) == [0, 1, 2, 3, 4, 7]
    assert found[0] == (0, 0)


def test_singletons_as_pyfixest() -> None:
    core = import_module("pyfixest.core.detect_singletons")
    rng = np.random.default_rng(3)
    for _ in range(20):
        codes = [rng.integers(0, 40, 120), rng.integers(0, 30, 120), rng.integers(0, 50, 120)]
        factors = [compress(str(i), c) for i, c in enumerate(codes)]
        theirs = core.detect_singletons(np.column_stack([f.codes for f in factors]).astype(np.uint32))
        assert sorted(row for row, _ in find_singletons(factors)) == np.flatnonzero(theirs).tolist()
