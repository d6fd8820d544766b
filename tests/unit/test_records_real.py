"""The real registry file, in place: counted quickly, and as a naive matcher counts it. Skipped where it is absent."""

from __future__ import annotations

import csv
import gzip
import time

import pytest

from analysis_py.records.counting import count_records
from analysis_py.records.keywords import firm_keywords
from analysis_py.records.matcher import KeywordMatcher
from analysis_py.records.options import RecordOptions
from tests.conftest import SHARED
from tests.unit.records_case import naive_exact, naive_tolerant

REAL = SHARED / "real" / "raw" / "firm_registry_2019_jan_apr.csv.gz"

KEYWORDS = KeywordMatcher(firm_keywords())

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not REAL.exists(), reason=f"{REAL.name} is not beside the project"),
]


def test_counts_and_time() -> None:
    # Processor time: the machine may be busy with other tests.
    start = time.process_time()
    outcome = count_records("firms", [REAL], RecordOptions(firm_keywords()))
    assert time.process_time() - start < 8
    assert (outcome.rows["read"], outcome.rows["placed"], outcome.rows["unplaced"]) == (164_587, 153_377, 11_210)
    assert (outcome.totals[0].exact, outcome.totals[0].tolerant) == (1_746, 1_760)
    (cohort,) = outcome.cohorts
    assert (cohort.year, cohort.finds, cohort.by_name) == (2019, 1_850, 152)


def test_every_keyword_as_a_naive_matcher_finds_it() -> None:
    with gzip.open(REAL, "rt", encoding="utf-8", newline="") as handle:
        scopes = [row["经营范围"] for row in csv.DictReader(handle)]
    found = [scope for scope in scopes[::16] if KEYWORDS.find(scope)]
    for scope in [*scopes[::1600], *found]:
        hits = {hit.keyword: hit.is_exact for hit in KEYWORDS.find(scope)}
        for at, keyword in enumerate(KEYWORDS.keywords):
            is_exact = any(naive_exact(scope, form) for form in keyword.forms)
            is_tolerant = any(naive_tolerant(scope, form) for form in keyword.forms)
            assert hits.get(at) == (True if is_exact else False if is_tolerant else None), (scope, keyword.word)
