"""The matcher finds what a naive one finds, and its first pass loses nothing, whatever the text."""

from __future__ import annotations

import unicodedata

import pyarrow as pa
import pyarrow.compute as pc
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis_py.records.keywords import firm_keywords, make_keyword
from analysis_py.records.matcher import KeywordMatcher
from analysis_py.records.plain_text import folding, plain_text
from tests.unit.records_case import naive_exact, naive_plain, naive_tolerant

FIRMS = KeywordMatcher(firm_keywords())
#: Signs that fold to parts of the words below in several ways, separators, marks that join, and others.
SIGNS = (
    "人工智能机器学习物联网的、，aAＡIＩeéÉ\u0301\u0327ﬁflif2㎡m⼈⼯ﾊﾞハバ\u3099ﾞ"
    "가각각 　-－—·・_\u200b\ufeff\u00ad\ufe0f\U000e0100①1Ⅱ½℡TEL"
)
WORDS = ["人工智能", "机器学习", "物联网", "AI", "é", "fil", "m2", "バ人", "가각", "TEL", "人工"]
MIXED = KeywordMatcher([make_keyword(str(at), word) for at, word in enumerate(WORDS)])
PIECES = [
    *SIGNS,
    *WORDS,
    *(word[:at] + sep + word[at:] for word in WORDS[:3] for at in (1, 2) for sep in (" ", "x", "、-", "xy")),
]


def check(matcher: KeywordMatcher, text: str) -> None:
    hits = {hit.keyword: hit.is_exact for hit in matcher.find(text)}
    for at, keyword in enumerate(matcher.keywords):
        is_exact = any(naive_exact(text, form) for form in keyword.forms)
        is_tolerant = any(naive_tolerant(text, form) for form in keyword.forms)
        assert hits.get(at) == (True if is_exact else False if is_tolerant else None), (text, keyword)
    if hits:
        assert pc.match_substring_regex(pa.array([text]), matcher.candidates)[0].as_py(), text


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
def test_mixed_words(text: str) -> None:
    check(MIXED, text)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from([*(f for k in firm_keywords() for f in k.forms), *"智能识别、， -的化"]), max_size=6).map(
        "".join
    )
)
def test_the_40_keywords(text: str) -> None:
    check(FIRMS, text)


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=30), st.text(min_size=1, max_size=4))
def test_any_text_and_any_word(text: str, word: str) -> None:
    assert plain_text(text) == naive_plain(text)
    if plain_text(word):
        check(KeywordMatcher([make_keyword("1", word)]), f"{text}{word[:1]} {word[1:]}{text}")
        check(KeywordMatcher([make_keyword("1", word)]), text + unicodedata.normalize("NFD", word))


def test_every_code_point_that_folds_to_a_sign_of_a_keyword_is_found() -> None:
    table = folding()
    signs = sorted({sign for keyword in FIRMS.keywords for form in keyword.forms for sign in form})
    others = [(sign, chr(code)) for sign in signs for code in table.single.get(sign, ())]
    assert others, "compatibility ideographs fold to some of them"
    for sign, other in others:
        keyword = next(k for k in FIRMS.keywords for form in k.forms if sign in form)
        form = next(form for form in keyword.forms if sign in form)
        check(FIRMS, form.replace(sign, other))
