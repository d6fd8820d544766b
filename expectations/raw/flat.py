"""Suites of the flat sources: robots and employment by industry, accounts, asset items and partners of listed firms.

One function builds the suites of all of them: what a source has is read from its contract (``flat_sources.yml``), what
holds for one of them alone stands in :func:`_expect_of_source`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis_py.ingest.contract import PANEL_FIRST_YEAR, PANEL_LAST_YEAR
from expectations import custom
from expectations.parameters import EARLIEST_YEAR, LATEST_YEAR, Parameters
from expectations.raw.flat_frames import MANUFACTURING, NATIONS, FlatRaw, Industries
from expectations.suites import (
    STOP,
    WARN,
    Bounds,
    Checked,
    expect_between,
    expect_columns,
    expect_in_set,
    expect_not_larger,
    expect_ranges,
    expect_true,
    words,
)

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

NOUNS = {
    "industry_robots": "rows",
    "industry_employment": "rows",
    "listed_firms": "firm-years",
    "listed_firm_assets": "items",
    "listed_firm_links": "links",
}
#: Years a robot serves by the rule of the IFR: the stock is what was installed in as many.
SERVICE_YEARS = 12
#: Amounts of firms whose series are looked at.
_AMOUNTS = ("total_assets_yuan", "revenue_yuan")
_AGAIN = "correct the original file or its mapping and ingest it again"
_RESTORE = "draw the demo world again with 'make simulate'"


def build_checks(raw: FlatRaw, parameters: Parameters, industries: Industries) -> list[Checked]:
    """Suites of the source with the frames they are held against."""
    name = raw.source.name
    advice = _AGAIN if raw.kind == "user" else _RESTORE
    schema = Checked(raw.table, raw.schema, f"{name}.schema")
    schema.add(*expect_columns(dict(raw.required), advice))
    if raw.rows is None:
        return [schema]
    checked = Checked(raw.table, raw.rows, f"{name}.rows")
    checked.add(
        *_expect_keys(raw, parameters, advice),
        *_expect_codes(raw, parameters, industries, advice),
        *_expect_numbers(raw, parameters),
        *_expect_of_source(raw, parameters, industries),
    )
    return [schema, checked]


def _expect_keys(raw: FlatRaw, parameters: Parameters, advice: str) -> list[Expectation]:
    assert raw.rows is not None
    noun, key = NOUNS[raw.source.name], list(raw.source.key)
    numbers = list(raw.source.numbers)
    told = ", ".join(key)
    found: list[Expectation] = [
        custom.ExpectKeyColumnsToBeFilled(
            columns=key, noun=noun, severity=STOP, meta=words(advice=advice, expected="never empty")
        ),
        *(
            custom.ExpectRowsNotToRepeat(
                keys=["dataset", *key],
                columns=numbers,
                contradicting=contradicting,
                noun=noun,
                severity=STOP if contradicting else WARN,
                meta=words(
                    advice="keep one of the rows: two numbers for one thing cannot both be right"
                    if contradicting
                    else "the first of them counts",
                    expected=f"one {told}",
                    column=told,
                ),
            )
            for contradicting in (True, False)
        ),
        expect_between("year", EARLIEST_YEAR, LATEST_YEAR, noun=noun, severity=STOP, advice=advice),
    ]
    if raw.rows["dataset"].nunique() > 1:
        found.append(
            custom.ExpectRowsNotToRepeat(
                keys=key,
                columns=numbers,
                contradicting=True,
                tolerance=parameters.tolerances.identity,
                noun=noun,
                severity=WARN,
                meta=words(advice="remove the data set you trust less", expected="one number a row", column=told),
            )
        )
    if "firm_code" in raw.rows:
        advice = "years outside the panel are not used"
        found.append(expect_between("year", PANEL_FIRST_YEAR, PANEL_LAST_YEAR, noun=noun, advice=advice))
    return found


def _expect_codes(raw: FlatRaw, parameters: Parameters, industries: Industries, advice: str) -> list[Expectation]:
    """Every code is one that is known: countries, areas, industries, classes; firms by the form of their codes."""
    assert raw.rows is not None
    noun = NOUNS[raw.source.name]
    allowed = {
        "country": NATIONS,
        "area": (*parameters.places["province"], *NATIONS),
        "ifr": industries.codes,
    }
    found = []
    for name, column in raw.source.columns.items():
        known = allowed.get(column.kind) or tuple(dict.fromkeys((column.classes or {}).values()))
        if known:
            found.append(expect_in_set(name, known, noun=noun, advice=advice))
    for helper, what in (("is_code", "firm_code"), ("is_partner_code", "partner_code")):
        if helper in raw.rows:
            found.append(
                expect_true(helper, f"whose {what} is no code of a firm", noun=noun, severity=STOP, advice=advice)
            )
    return found


def _expect_numbers(raw: FlatRaw, parameters: Parameters) -> list[Expectation]:
    """Ranges of the contract, and counts that are whole."""
    assert raw.rows is not None
    noun, share = NOUNS[raw.source.name], parameters.tolerances.stop_share
    bounds = {n: Bounds(i.min_value, i.max_value, i.unit) for n, i in raw.source.numbers.items()}
    events = [n for n, column in raw.source.columns.items() if column.kind == "event_year"]
    counts = [n for n, i in raw.source.numbers.items() if parameters.is_count(i)]
    found: list[Expectation] = [
        *expect_ranges(
            bounds | {name: Bounds(EARLIEST_YEAR, LATEST_YEAR) for name in events},
            noun=noun,
            advice="such numbers count as missing; correct them in the original if you can",
            expected="the ranges of flat_sources.yml",
        ),
        custom.ExpectColumnsMostlyInRange(
            ranges={name: [bound.low, bound.high] for name, bound in bounds.items()},
            share=share,
            severity=STOP,
            meta=words(
                advice="too many to be slips: the unit or the column is probably the wrong one",
                expected=f"at most {share:.0%} outside the plausible range",
            ),
        ),
    ]
    if counts:
        found.append(
            custom.ExpectColumnsToBeWhole(
                columns=counts,
                noun=noun,
                severity=WARN,
                meta=words(advice="a count has been averaged, interpolated or rescaled", expected="whole numbers"),
            )
        )
    if "is_number" in raw.rows:
        found.append(
            expect_true("is_number", "with text where a number belongs", noun=noun, severity=WARN, advice=_RESTORE)
        )
    return found


def _expect_of_source(raw: FlatRaw, parameters: Parameters, industries: Industries) -> list[Expectation]:
    return {
        "industry_robots": _expect_robots,
        "industry_employment": _expect_workers,
        "listed_firms": _expect_firms,
        "listed_firm_assets": lambda _parameters, _industries: [],
        "listed_firm_links": _expect_links,
    }[raw.source.name](parameters, industries)


def _expect_sum(
    column: str, member: str, whole: str, parts: tuple[str, ...], keys: list[str], share: float
) -> Expectation:
    return custom.ExpectGroupsToAddUp(
        column=column,
        member=member,
        whole=whole,
        parts=list(parts),
        keys=keys,
        tolerance=share,
        severity=WARN,
        meta=words(
            advice="one of the parts or the whole has a wrong unit, or a part is there twice",
            expected=f"equal within {share:.0%}",
        ),
    )


def _expect_robots(parameters: Parameters, industries: Industries) -> list[Expectation]:
    tolerances = parameters.tolerances
    return [
        *expect_not_larger(
            [("robots_installed", "robots_stock")],
            noun="rows",
            advice="what was installed in the year is in the stock at its end: the columns may be exchanged",
        ),
        custom.ExpectStockToBeRecentAdditions(
            stock="robots_stock",
            added="robots_installed",
            life=SERVICE_YEARS,
            tolerance=tolerances.identity,
            least=tolerances.jump_floor_count,
            severity=WARN,
            meta=words(
                advice="installations or stocks were revised, or one of them is of other industries",
                expected=f"installations of {SERVICE_YEARS} years within {tolerances.identity:.0%}",
                column="robots_stock",
            ),
        ),
        *(
            _expect_sum(
                column,
                "ifr_code",
                MANUFACTURING,
                industries.divisions,
                ["dataset", "country", "year"],
                tolerances.identity,
            )
            for column in ("robots_installed", "robots_stock")
        ),
    ]


def _expect_workers(parameters: Parameters, industries: Industries) -> list[Expectation]:
    tolerances = parameters.tolerances
    advice = "the unit of a cell may be mixed up, or the area's other industries are missing"
    return [
        expect_between("employment_share", None, tolerances.industry_share, noun="rows", advice=advice),
        _expect_sum(
            "employees_persons",
            "ifr_code",
            MANUFACTURING,
            industries.divisions,
            ["dataset", "area_code", "year"],
            tolerances.identity,
        ),
        _expect_sum(
            "employees_persons",
            "area_code",
            NATIONS[0],
            tuple(parameters.places["province"]),
            ["dataset", "ifr_code", "year"],
            tolerances.identity,
        ),
    ]


def _expect_firms(parameters: Parameters, _industries: Industries) -> list[Expectation]:
    tolerances, noun = parameters.tolerances, "firm-years"
    return [
        expect_true(
            "is_placed",
            "of a city that no code or name resolves",
            noun=noun,
            severity=WARN,
            advice="they count in no city; add the name or code to seed_city_alias",
        ),
        expect_true(
            "is_name_agreeing",
            "whose city's name belongs to another city than its code",
            noun=noun,
            severity=WARN,
            advice="they count in no city; look which of the two is right",
        ),
        expect_true(
            "is_industry_known",
            "of an industry that the classification of 2012 does not have",
            noun=noun,
            severity=WARN,
            advice="their industry is unknown; bring codes of the 2012 classification, such as C39",
        ),
        custom.ExpectColumnsNotToJump(
            columns=list(_AMOUNTS),
            factor=tolerances.jump,
            noun=noun,
            severity=WARN,
            meta=words(
                advice="compare with the source: mergers look like this, and mixed-up units",
                expected=f"1/{tolerances.jump:g} to {tolerances.jump:g} times",
            ),
        ),
        custom.ExpectColumnsNearTheirMedian(
            columns=list(_AMOUNTS),
            factor=tolerances.firm_size,
            noun=noun,
            severity=WARN,
            meta=words(
                advice="probably in another unit; such numbers count as missing",
                expected=f"within {tolerances.firm_size:g} times of the firm's median",
            ),
        ),
    ]


def _expect_links(_parameters: Parameters, _industries: Industries) -> list[Expectation]:
    return [
        expect_true(
            "is_other_firm",
            "that name the firm itself as its partner",
            noun="links",
            severity=WARN,
            advice="they count for nothing",
        )
    ]
