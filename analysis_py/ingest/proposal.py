"""A mapping drafted from one table: what its headings, the name of its sheet and the lines above it say.

Only what is recognised exactly is taken; what cannot be known - a unit that is not said, whose CO2 inventory it is - is
asked for (:mod:`analysis_py.ingest.answers`), never assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from analysis_py.errors import CarbonpanelError
from analysis_py.ingest.answers import LEAVE, Answers
from analysis_py.ingest.body import is_note
from analysis_py.ingest.cells import parse_year, plain
from analysis_py.ingest.contract import INVENTORIES
from analysis_py.ingest.headings import Heading
from analysis_py.ingest.layout import Binding, SheetSays, bind, check_duplicates, no_place, no_year
from analysis_py.ingest.mapping import Mapping, Rule, Setting
from analysis_py.ingest.place_words import NATION_NAME
from analysis_py.ingest.places import PlaceIndex, PlaceKey
from analysis_py.ingest.settling import settle_proposed
from analysis_py.ingest.table_search import FoundTable, infer_structure, place_headings
from analysis_py.ingest.titles import read_titles, title_name
from analysis_py.ingest.units import Dictionary, HeaderReading, fold

_UNIT_ENDINGS = ("_unit", " unit", "单位", "_units")
_MOST_LABELS = 2_000


@dataclass(frozen=True)
class Draft:
    """A proposal bound to its sheet, remarks for the report, and why columns are left alone (heading -> reason)."""

    binding: Binding
    remarks: tuple[str, ...]
    ignored: dict[str, str]
    #: Names in a column of indicators that were left alone.
    unknown_labels: tuple[str, ...] = ()


def draft_mapping(found: FoundTable, source: str, dictionary: Dictionary, index: PlaceIndex, answers: Answers) -> Draft:
    """Draft the mapping of a table that was found.

    Raises ``CP-YEAR-MISSING``, ``CP-PLACE-MISSING``, ``CP-INDICATOR-NONE``, ``CP-UNIT-UNKNOWN``,
    ``CP-COLUMN-AMBIGUOUS``, ``CP-COLUMN-DUPLICATED``, and those of :mod:`analysis_py.ingest.answers`.
    """
    return _Proposal(found, source, dictionary, index, answers).draft()


class _Proposal:
    def __init__(
        self, found: FoundTable, source: str, dictionary: Dictionary, index: PlaceIndex, answers: Answers
    ) -> None:
        self.found = found
        self.sheet, self.header, self.headings = found.sheet, found.header, found.headings
        self.says = found.says
        self.source = source
        self.dictionary = dictionary
        self.index = index
        self.answers = answers
        answers.open(self.header.names)
        self.indicators = dictionary.contract.of_source(source)
        self.level = dictionary.contract.level(source)
        self.remarks: list[str] = []
        self.ignored: dict[str, str] = {}
        self.unknown_labels: list[str] = []
        self.where = self.sheet.place(self.header.row)
        self.titles = read_titles(found.above, index)
        self.roles: dict[str, str] = {}
        self.role_positions: set[int] = set()
        self._find_roles()

    def _find_roles(self) -> None:
        known = [(position, heading) for position, heading in enumerate(self.headings) if heading.role is not None]
        for position, heading in sorted(known, key=lambda item: self.dictionary.role_rank(item[1].text)):
            assert heading.role is not None
            if heading.role not in self.roles:
                self.roles[heading.role] = self.header.names[position]
                self.role_positions.add(position)
        for role, position in infer_structure(self.found, self.index).items():
            if role in ("name", "code") and self.level != "city":
                role = "province" if role == "name" else "province_code"
            self.roles[role] = self.header.reference(position)
            self.role_positions.add(position)
            what = "years" if role == "year" else "codes of places" if "code" in role else "names of places"
            self.remarks.append(f"column {self.header.title(position)} is taken for {what}, which it holds")

    def draft(self) -> Draft:
        used = [
            position
            for position, heading in enumerate(self.headings)
            if position in self.role_positions or heading.reading is not None
        ]
        check_duplicates(self.sheet, self.header, used)
        for position, heading in enumerate(self.headings):
            if heading.reason:
                self.ignored[self.header.title(position)] = heading.reason
        across = self._places_across()
        code, place, province = self._place_columns(bool(across))
        mapping = self._lay_out(code, place, province, across)
        mapping = settle_proposed(mapping, self.sheet, self.header, self.answers)
        binding = bind(mapping, self.sheet, self.header, self._said(mapping), across)
        return Draft(binding, tuple(self.remarks), self.ignored, tuple(self.unknown_labels))

    def _said(self, mapping: Mapping) -> SheetSays:
        """What of the sheet's name the mapping uses."""
        return self.says.only(mapping.sheet_says)

    def _lay_out(
        self, code: str | None, place: str | None, province: str | None, across: dict[int, PlaceKey]
    ) -> Mapping:
        year_column = self.roles.get("year")
        bare_years = [at for at, heading in enumerate(self.headings) if heading.year and heading.reading is None]
        label, value = self.roles.get("indicator"), self.roles.get("value")
        sheet_says = []
        fixed_place = fixed_year = None
        if not (code or place or across):
            if self.says.place is not None:
                sheet_says.append("place")
            elif self.level == "national":
                fixed_place = NATION_NAME
                self.remarks.append("no column says a place: the numbers are taken for those of the nation")
            else:
                fixed_place = self.titles.place
                self.remarks.append(f"the place is that of row {self.titles.place_row}: {fixed_place}")
        elif self.says.province and not province and self.level == "city":
            sheet_says.append("province")
        dated = [heading for heading in self.headings if heading.reading is not None and heading.year]
        has_year = bool(year_column or bare_years or dated)
        if not has_year and self.says.year:
            sheet_says.append("year")
            has_year = True
        if not has_year and self.titles.year:
            fixed_year = self.titles.year
            self.remarks.append(f"the year is that of the title in row {self.titles.year_row}: {fixed_year}")
            has_year = True
        base_years = {indicator.base_year for indicator in self.indicators.values()}
        if not has_year and len(base_years) == 1 and None not in base_years:
            fixed_year = str(base_years.pop())
            self.remarks.append(f"the year is {fixed_year}, of which all numbers of {self.source} are")
            has_year = True
        if not has_year:
            raise self._no_indicator() if self.ignored else no_year(self.sheet, self.header)
        base = Mapping(
            name="proposed",
            source=self.source,
            origin="proposed",
            header_rows=self.header.last_row - self.header.row + 1,
            sheet_says=tuple(sheet_says),
            code=code,
            place=place,
            province=province,
            fixed_place=fixed_place,
            fixed_year=fixed_year,
            area_scope=Setting("whole_city", self.roles.get("area_scope"), is_said="area_scope" in self.roles),
            vintage=Setting("first", self.roles.get("vintage"), is_said="vintage" in self.roles),
        )
        years_across = bool(bare_years) and not year_column
        if label is not None and (value is not None or years_across):
            is_long = value is not None and not (years_across and not year_column)
            return replace(
                base,
                layout="long" if is_long else "years_across",
                year=year_column if is_long else None,
                indicator=label,
                labels=self._labels(label),
                value=value if is_long else None,
                unit=self.roles.get("unit"),
            )
        rules = self._rules()
        year_known = year_column or self.says.year or fixed_year
        if rules and (year_known or all(rule.year is not None for _, rule in rules)):
            lacking = any(rule.unit is None and rule.unit_column is None for _, rule in rules)
            unit = self.roles.get("unit") if lacking else None
            return replace(base, layout="columns", year=year_column, unit=unit, columns=tuple(rules))
        if not rules and (years_across or across):
            layout = "places_across" if across else "years_across"
            named = self._indicator_of_table()
            if named is not None:
                year = year_column if across else None
                return self._of_table(replace(base, layout=layout, year=year, unit=self.roles.get("unit")), *named)
        raise self._no_indicator()

    def _of_table(self, base: Mapping, rule: Rule, text: str, is_sheet: bool) -> Mapping:
        """The mapping of a table that is of one indicator, which its sheet's name or a title says."""
        if is_sheet:
            return replace(base, sheet_says=(*base.sheet_says, "indicator"), labels=((text, rule),))
        return replace(base, table=rule)

    def _indicator_of_table(self) -> tuple[Rule, str, bool] | None:
        """Rule of the indicator that the sheet's name or a title names, the text, whether it is the sheet's name."""
        has_unit = "unit" in self.roles
        if self.says.label:
            rule = self._rule(self.says.label, self._reading(self.says.label), None, has_row_unit=has_unit)
            return None if rule is None else (rule, self.says.label, True)
        for number, cells in reversed(self.found.above):
            held = [cell for cell in cells if cell.strip()]
            for text in (title_name(cell) for cell in held):
                reading = self._reading(text)
                rule = self._rule(text, reading, None, has_row_unit=has_unit) if reading is not None else None
                if rule is not None:
                    self.remarks.append(f"the indicator is that of the title in row {number}: {text}")
                    return rule, text, False
        return None

    def _reading(self, text: str) -> HeaderReading | None:
        return self.dictionary.read_header(text, self.source)

    def _places_across(self) -> dict[int, PlaceKey]:
        """Columns whose heading is a place, where nothing else says it and there are years to go with them."""
        structural = {"code", "name", "province_code", "province"} & set(self.roles)
        if structural or not ("year" in self.roles or self.says.year or self.titles.year):
            return {}
        if any(heading.reading is not None for heading in self.headings):
            return {}
        found = place_headings(self.header, self.headings, self.index)
        if len(found) < 2:
            return {}
        for position, heading in enumerate(self.headings):
            name = self.header.names[position]
            if name and position not in found and heading.role is None:
                reason = self.index.resolve(PlaceKey(name=plain(name))).reason
                self.ignored[name] = reason or "name not recognised"
        return found

    def _place_columns(self, has_across: bool) -> tuple[str | None, str | None, str | None]:
        if self.level != "city":
            code = self.roles.get("province_code") or self.roles.get("code")
            place = self.roles.get("province") or self.roles.get("name")
            found: tuple[str | None, str | None, str | None] = (code, place, None)
        else:
            found = (self.roles.get("code"), self.roles.get("name"), self.roles.get("province"))
        says_place = has_across or self.says.place is not None or self.titles.place or self.level == "national"
        if not found[0] and not found[1] and not says_place:
            raise no_place(self.sheet, self.header, self.level)
        return found

    def _rules(self) -> list[tuple[str, Rule]]:
        rules: list[tuple[str, Rule]] = []
        first: dict[tuple[str | int | None, ...], str] = {}
        for position, heading in enumerate(self.headings):
            name = self.header.names[position]
            if heading.reading is None or position in self.role_positions:
                continue
            rule = self._rule(name, heading.reading, self._unit_column(name), "unit" in self.roles, heading)
            if rule is None:
                continue
            year = parse_year(heading.year) if heading.year else None
            key = (rule.indicator, rule.area_scope, rule.population_basis, rule.vintage, year)
            if key in first:
                raise CarbonpanelError(
                    "CP-COLUMN-AMBIGUOUS",
                    f"two columns are both {rule.indicator}: '{first[key]}' and '{name}'",
                    where=self.sheet.place(self.header.row, name),
                    remedy="remove one of them, or say in a mapping which one to take",
                )
            first[key] = name
            rules.append((self.header.reference(position), replace(rule, year=heading.year or None)))
        undated = [name for name, rule in rules if rule.year is None]
        if len(undated) < len(rules) and undated and "year" not in self.roles and not self.says.year:
            for name in undated:
                self.ignored[name] = "its heading names no year, as the others do"
            rules = [(name, rule) for name, rule in rules if rule.year is not None]
        return rules

    def _unit_column(self, name: str) -> str | None:
        for ending in _UNIT_ENDINGS:
            position = self.header.exact.get(name + ending)
            if position is not None:
                return self.header.names[position]
        return None

    def _rule(
        self,
        text: str,
        reading: HeaderReading | None,
        unit_column: str | None,
        has_row_unit: bool = False,
        heading: Heading | None = None,
    ) -> Rule | None:
        """The rule of a heading or label; ``None`` when it is left alone (the reason is noted)."""
        if reading is None:
            return None
        where = self.sheet.place(self.header.row, text)
        name = self._indicator(reading, text)
        if name is None:
            return None
        indicator = self.indicators[name]
        unit = self.answers.unit(text, indicator, reading.unit, where)
        if unit == LEAVE:
            self.ignored[text] = "left out, as you said"
            return None
        if reading.problem and (unit is None or not reading.is_fatal):
            if not reading.is_fatal:
                self.ignored[text] = reading.problem
                return None
            part = reading.problem.split("'")[1]
            raise CarbonpanelError(
                "CP-UNIT-UNKNOWN", f"in '{text}' {reading.problem}", where=where,
                remedy=self.dictionary.unit_remedy(part, indicator),
            )  # fmt: skip
        unit = unit or reading.unit
        if unit is None and unit_column is None and not has_row_unit:
            unit = self._unit_of(text, name, reading, where)
            if unit is None:
                return None
        return Rule(
            indicator=name,
            unit=unit,
            unit_column=unit_column,
            area_scope=reading.area_scope,
            population_basis=reading.population_basis,
            vintage=reading.vintage,
        )

    def _unit_of(self, text: str, name: str, reading: HeaderReading, where: object) -> str | None:
        """The unit of a heading that states none; ``None`` when the column is to be left out."""
        indicator = self.indicators[name]
        possible = self.dictionary.contract.units_for(indicator)
        dimension = self.dictionary.contract.units[indicator.unit].dimension
        if len(possible) == 1 or (dimension == "count" and indicator.kind == "flow"):
            # Events (patents, firms, words) are counted one by one; what stands somewhere may be printed in 万.
            return indicator.unit
        for_table = {self.dictionary.unit(unit, indicator) for unit in self.titles.units} - {None}
        if len(for_table) == 1:
            unit = str(next(iter(for_table)))
            self.remarks.append(f"'{text}' is in {unit}, the unit that row {self.titles.units_row} gives for the table")
            return unit
        if reading.is_contract_name:
            self.remarks.append(f"'{text}' states no unit; taken in the contract's own, {indicator.unit}")
            return indicator.unit
        unit = self.answers.ask_unit(text, indicator, self.sheet.place(self.header.row, text))
        if unit == LEAVE:
            self.ignored[text] = "left out, as you said"
            return None
        return unit

    def _indicator(self, reading: HeaderReading, text: str) -> str | None:
        """The indicator a header names; ``None`` when it is left out for want of knowing which."""
        where = self.sheet.place(self.header.row, text)
        if reading.needs_inventory:
            return self._if_known(text, INVENTORIES[self.answers.inventory(text, where)])
        if reading.needs_basis:
            basis = self.answers.population_basis(text, where)
            if basis == LEAVE:
                self.ignored[text] = "left out, as you said"
                return None
            return self._if_known(text, f"population_{basis}")
        return reading.indicator

    def _if_known(self, text: str, name: str) -> str | None:
        """The indicator an answer leads to, where the source has it."""
        if name in self.indicators:
            return name
        self.ignored[text] = f"it is {name}, which {self.source} does not hold"
        return None

    def _labels(self, column: str) -> tuple[tuple[str, Rule], ...]:
        """Rules by the texts of the indicator column, from one pass over it."""
        position = self.header.find(column)
        assert position is not None
        texts: dict[str, None] = {}
        for number, cells in self.sheet.rows():
            if number <= self.header.last_row or len(cells) <= position or is_note(cells[position]):
                continue
            if cells[position].strip():
                texts.setdefault(cells[position])
                if len(texts) >= _MOST_LABELS:
                    self.remarks.append(f"only the first {_MOST_LABELS:,} names of column '{column}' were looked at")
                    break
        found = []
        unknown = self.unknown_labels
        taken: dict[str, str] = {}
        for text in texts:
            rule = self._rule(text, self._reading(text), None, has_row_unit="unit" in self.roles)
            if rule is None:
                unknown.append(text.strip())
            elif fold(text) not in taken:
                taken[fold(text)] = text
                found.append((text, rule))
        if not found:
            raise self._no_indicator(unknown)
        if unknown:
            shown = ", ".join(unknown[:20]) + (", ..." if len(unknown) > 20 else "")
            self.remarks.append(f"{len(unknown)} indicators of column '{column}' are left alone: {shown}")
        return tuple(found)

    def _no_indicator(self, seen: list[str] | None = None) -> CarbonpanelError:
        names = seen if seen is not None else [name for name in self.header.names if name]
        shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
        why = "".join(f" ('{name}': {reason})" for name, reason in list(self.ignored.items())[:1])
        return CarbonpanelError(
            "CP-INDICATOR-NONE",
            f"nothing of {self.source} is recognised among: {shown}{why}",
            where=self.where,
            remedy=f"known indicators: {', '.join(self.indicators)}; or say in a mapping what the columns are",
        )
