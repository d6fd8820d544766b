"""What suites need to know, read from the seeds: indicators with their plausible ranges, units, places and names.

Nothing here repeats a number of ``seeds/reference``: a range changed there changes the suites. Only the tolerances
of our own expectations (how large a jump is a jump) live in this module, each with its reason.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from analysis_py.ingest.contract import Contract, Indicator, load_contract, read_reference

FILL_CODES = ("observed", "linear", "carried", "ratio", "missing")
#: Statistics of the People's Republic begin in 1949; a year outside this span is mistyped.
EARLIEST_YEAR, LATEST_YEAR = 1949, 2049
#: The one place of national tables.
NATION = {"000000": "全国"}
#: Dimensions whose numbers are ratios already: a fivefold change says nothing about their unit.
RATIO_DIMENSIONS = ("ratio", "index", "growth")


@dataclass(frozen=True)
class Tolerances:
    """How far data may go before an expectation of ours fails.

    Attributes
    ----------
    jump : factor between two following years beyond which a value is a jump (and below its inverse). City
        aggregates never grow fivefold in a year; units mixed up are factors of 10 to 10^8.
    jump_count : the same factor for counts of events, which vary more.
    jump_floor_count : a count below this in both years is not a jump (3 firms after none is no news).
    spike : factor by which one year may stand out from both its neighbours in a smooth series.
    share : factor within which a hundred times a percent must be what both its neighbours are for the percent to be a
        share (0-1) printed in its place.
    balance : share by which the rows of a year may differ from the median year.
    cross_source : share by which the sum of cities may differ from their province.
    area_covered : least share of a province's area its cities must cover for a sum to be comparable from below
        (autonomous prefectures and leagues are no cities).
    stop_share : share of impossible cells (text, out of range) beyond which a column cannot be trusted at all.
    least_filled : least share of non-empty cells of an indicator.
    identity : relative difference allowed between a number and the one computed from its parts.
    industry_share : largest believable share of one industry in the workers of an area.
    firm_size : factor beyond which an amount of a firm is no longer told apart from another unit (the model
        ``int_firm_rows_resolve`` sets such amounts aside).
    deflator : range of the yearly change of the GDP deflator.
    population_ratio : range of residents per registered person of a city.
    """

    jump: float = 5.0
    jump_count: float = 10.0
    jump_floor_count: float = 100.0
    spike: float = 1.6
    share: float = 1.6
    balance: float = 0.10
    cross_source: float = 0.25
    area_covered: float = 0.85
    stop_share: float = 0.05
    least_filled: float = 0.5
    identity: float = 0.02
    industry_share: float = 0.95
    firm_size: float = 1000.0
    deflator: tuple[float, float] = (0.75, 1.35)
    population_ratio: tuple[float, float] = (0.5, 5.0)


@dataclass(frozen=True)
class Parameters:
    """Everything a suite is built from.

    Attributes
    ----------
    contract : indicators and units of the raw contract.
    places : canonical code -> Chinese name, per level (``city``, ``province``, ``national``).
    place_of_code, place_of_name : any code, any plain name a place ever had -> canonical code, per level.
    province_of_city, province_area_km2 : for sums over a province's cities.
    """

    contract: Contract
    places: Mapping[str, Mapping[str, str]]
    place_of_code: Mapping[str, Mapping[str, str]]
    place_of_name: Mapping[str, Mapping[str, str]]
    province_of_city: Mapping[str, str]
    province_area_km2: Mapping[str, float]
    tolerances: Tolerances = field(default_factory=Tolerances)

    def of(self, source: str) -> tuple[Indicator, ...]:
        """Indicators of a source, in the order of the seed."""
        return tuple(self.contract.of_source(source).values())

    def is_ratio(self, indicator: Indicator) -> bool:
        """Whether the indicator is a share, an index or a growth rate."""
        return self.contract.units[indicator.unit].dimension in RATIO_DIMENSIONS

    def is_count(self, indicator: Indicator) -> bool:
        """Whether the indicator counts events or things."""
        return self.contract.units[indicator.unit].dimension == "count"


def load_parameters(seeds_dir: Path) -> Parameters:
    """Read ``seeds/reference`` (indicators, units, cities, provinces, aliases).

    Raises
    ------
    CarbonpanelError ``CP-REFERENCE-MISSING`` naming the table that is absent.
    """
    folder = Path(seeds_dir) / "reference"
    cities = read_reference("seed_city", folder)
    provinces = read_reference("seed_province", folder)
    city_names = {row["city_code"]: row["city_name_zh"] for row in cities}
    province_names = {row["province_code"]: row["name_zh"] for row in provinces}
    codes = {code: code for code in city_names}
    names = {plain_name(name): code for code, name in city_names.items()}
    for row in cities:
        if row["alt_code"]:
            codes.setdefault(row["alt_code"], row["city_code"])
    for row in read_reference("seed_city_alias", folder, required=False):
        if row["alias"].isdigit():
            codes.setdefault(row["alias"], row["city_code"])
        else:
            names.setdefault(plain_name(row["alias"]), row["city_code"])
    return Parameters(
        contract=load_contract(folder),
        places={"city": city_names, "province": province_names, "national": NATION},
        place_of_code={
            "city": codes,
            "province": {code: code for code in province_names},
            "national": {code: code for code in NATION},
        },
        place_of_name={
            "city": names,
            "province": {plain_name(name): code for code, name in province_names.items()},
            "national": {plain_name(name): code for code, name in NATION.items()},
        },
        province_of_city={row["city_code"]: row["province_code"] for row in cities},
        province_area_km2={row["province_code"]: float(row["area_km2"]) for row in provinces if row["area_km2"]},
    )


_SUFFIX = re.compile(r"(?:市|地区|盟|省|壮族自治区|回族自治区|维吾尔自治区|自治区)$")


def plain_name(name: str) -> str:
    """A Chinese place name without blanks and without its administrative suffix: ``思茅地区`` -> ``思茅``."""
    bare = re.sub(r"\s+", "", str(name))
    return _SUFFIX.sub("", bare) or bare
