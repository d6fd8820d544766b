"""dim_city: one row per city with its place, class, policies and sample membership."""

from __future__ import annotations

from great_expectations import expectations as gxe

from expectations.marts.common import MODEL_FAULT, check_schema, expect_complete, has_columns
from expectations.marts.frames import Mart, Marts
from expectations.suites import STOP, WARN, Checked, expect_between, expect_in_set, expect_key, expect_rows, words

KINDS = {
    "city_code": "text",
    "city_name_zh": "text",
    "city_name_en": "text",
    "province_code": "text",
    "admin_level": "text",
    "longitude_deg": "number",
    "latitude_deg": "number",
    "is_municipality": "boolean",
    "is_resource_based": "boolean",
    "resource_type": "text",
    "size_class": "text",
    "region4": "text",
    "low_carbon_pilot_year": "integer",
    "ai_pilot_year": "integer",
}
SIZE_CLASSES = ("mega", "big", "small_medium")
REGIONS = ("east", "central", "west", "northeast")
#: A box around the mainland, Hainan's islands included, in degrees.
LONGITUDE, LATITUDE = (73.0, 136.0), (3.0, 54.0)


def build_checks(mart: Mart, marts: Marts) -> list[Checked]:
    """Suites of the mart with the frames they are held against."""
    if not has_columns(mart, KINDS):
        return [check_schema(mart, KINDS)]
    rows = mart.rows.assign(
        province_of_code=mart.rows["city_code"].str[:2] + "0000",
        is_resource_type_consistent=(mart.rows["resource_type"] != "none") == mart.rows["is_resource_based"],
    )
    rows["is_province_consistent"] = rows["province_of_code"] == rows["province_code"]
    checked = Checked("marts.dim_city", rows, "dim_city.rows")
    checked.add(
        expect_rows(1, "the table has no rows", MODEL_FAULT),
        *expect_key(["city_code"], "cities", MODEL_FAULT),
        gxe.ExpectColumnValuesToMatchRegex(
            column="city_code",
            regex=r"^\d{6}$",
            severity=STOP,
            meta=words(phrase="whose code is not six digits", noun="cities", advice=MODEL_FAULT, expected="six digits"),
        ),
        expect_complete(
            [
                *("city_name_zh", "city_name_en", "province_code", "region4", "resource_type"),
                *mart.columns_of("boolean"),
            ],
            "cities",
        ),
        gxe.ExpectColumnValuesToBeUnique(
            column="city_name_zh",
            severity=STOP,
            meta=words(phrase="that share their name", noun="cities", advice=MODEL_FAULT, expected="one city a name"),
        ),
        expect_in_set("size_class", SIZE_CLASSES, noun="cities", advice=MODEL_FAULT),
        expect_in_set("region4", REGIONS, noun="cities", advice=MODEL_FAULT),
        expect_in_set(
            "is_province_consistent",
            [True],
            noun="cities",
            phrase="in a province other than their code's",
            advice=MODEL_FAULT,
        ),
        expect_in_set(
            "is_resource_type_consistent",
            [True],
            noun="cities",
            phrase="whose resource type and flag contradict each other",
            advice=MODEL_FAULT,
        ),
        expect_between("longitude_deg", *LONGITUDE, noun="cities", unit="degrees east", advice="check the seed"),
        expect_between("latitude_deg", *LATITUDE, noun="cities", unit="degrees north", advice="check the seed"),
        expect_between("low_carbon_pilot_year", 2010, None, noun="cities", severity=WARN, advice="check the seed"),
        expect_between("ai_pilot_year", 2019, None, noun="cities", severity=WARN, advice="check the seed"),
    )
    return [check_schema(mart, KINDS), checked]
