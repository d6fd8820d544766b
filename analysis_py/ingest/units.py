"""Reading a column's header: which indicator, in which unit, of which area, population and vintage.

``地区生产总值(全市)(亿元)``, ``gdp_100m``, ``gdp [10k yuan]`` and ``GDP/万元`` all name the same indicator. A name is
recognised only when it is in ``dictionary.yml`` or in the labels of ``seed_indicator``; a unit only when it is in
``seed_unit`` or among the dictionary's other spellings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any

import yaml

from analysis_py.errors import nearest
from analysis_py.ingest.cells import plain
from analysis_py.ingest.contract import INVENTORIES, Contract, Indicator, load_contract

_BRACKETS = re.compile(r"[(\[【〔{<]([^()\[\]【】〔〕{}<>]*)[)\]】〕}>]")
_FOLDED_AWAY = re.compile(r"[\s_\-.,，、:：;/\\|=()\[\]【】〔〕{}<>'\"“”]+")
_SAID = ("index", "growth")
_ANY_INVENTORY = next(iter(INVENTORIES.values()))
_PRICE_OF_YEAR = re.compile(r"\d{4}年?(?:不变)?(?:价|价格|prices?)\Z")


def fold(text: str) -> str:
    """A header or unit without letter case, spaces, underscores, punctuation and full-width forms."""
    return _FOLDED_AWAY.sub("", plain(text).lower())


@dataclass(frozen=True)
class HeaderReading:
    """What a header says. ``unit`` is ``None`` when it says none; ``problem`` tells why the column cannot be taken.

    ``is_fatal`` marks a problem that must be answered (an unknown unit of a wanted indicator) rather than passed over.
    """

    indicator: str
    unit: str | None = None
    area_scope: str | None = None
    population_basis: str | None = None
    vintage: str | None = None
    problem: str = ""
    is_fatal: bool = False
    needs_inventory: bool = False
    needs_basis: bool = False
    is_contract_name: bool = False


@dataclass(frozen=True)
class Dictionary:
    """The spellings of ``dictionary.yml``, folded."""

    contract: Contract
    roles: dict[str, tuple[str, int]] = field(repr=False)
    names: dict[str, dict[str, tuple[str, str | None]]] = field(repr=False)
    unnamed_co2: frozenset[str] = field(repr=False)
    unnamed_population: frozenset[str] = field(repr=False)
    units: dict[str, tuple[str, ...]] = field(repr=False)
    own_units: dict[str, dict[str, str]] = field(repr=False)
    qualifiers: dict[str, tuple[str, str]] = field(repr=False)
    understood: frozenset[str] = field(repr=False)
    constant_prices: frozenset[str] = field(repr=False)
    neutral: frozenset[str] = field(repr=False)

    def role(self, header: str) -> str | None:
        """What a structural column is (code, name, province, year, indicator, value, unit, ...), if it is one."""
        found = self.roles.get(fold(header))
        return found[0] if found else None

    def role_rank(self, header: str) -> int:
        """How sure a header's role is: the place of its spelling in the dictionary's list, the surest first."""
        found = self.roles.get(fold(header))
        return found[1] if found else len(self.roles)

    def scope(self, text: str, kind: str) -> str | None:
        """``whole_city`` for ``全市`` and so on; ``kind`` is area_scope, population_basis or vintage."""
        found = self.qualifiers.get(fold(text))
        return found[1] if found is not None and found[0] == kind else None

    def unit(self, text: str, indicator: Indicator) -> str | None:
        """The unit a text names for an indicator, or ``None`` when it names none that the indicator can have."""
        own = self.own_units.get(indicator.name, {}).get(fold_unit(text))
        if own is not None:
            return own
        fitting = [u for u in self.units.get(fold_unit(text), ()) if self.contract.accepts(indicator, u)]
        return fitting[0] if len(fitting) == 1 else None

    def is_unit(self, text: str) -> bool:
        """Whether a text is a unit of anything at all."""
        return fold_unit(text) in self.units

    def is_qualifier(self, text: str) -> bool:
        """Whether a text says an area, a population, a vintage or a price basis, in a heading of several rows."""
        key = fold(text)
        is_price = key in self.constant_prices or _PRICE_OF_YEAR.search(plain(text)) is not None
        return key in self.qualifiers or key in self.understood or is_price

    def is_neutral(self, text: str) -> bool:
        """Whether a text only groups columns (``综合``, ``主要指标``) and changes nothing of what they are."""
        return fold(text) in self.neutral

    def unit_remedy(self, text: str, indicator: Indicator) -> str:
        """What to write instead of an unknown unit: the nearest label, and the list of those possible."""
        possible = [self.contract.units[name] for name in self.contract.units_for(indicator)]
        labels = [label for unit in possible for label in (unit.label_zh, unit.name)]
        near = nearest(text, labels)
        listed = ", ".join(f"{unit.label_zh} ({unit.name})" for unit in possible)
        return (f"did you mean '{near[0]}'? " if near else "") + f"units of {indicator.name}: {listed}"

    def read_header(self, header: str, source: str) -> HeaderReading | None:
        """What a header says for a source, or ``None`` when its name is not recognised."""
        names = self.names[source]
        text = " ".join(plain(header).split())
        brackets = [part.strip() for part in _BRACKETS.findall(text) if part.strip()]
        base = _BRACKETS.sub(" ", text).strip()
        for name, rest, from_brackets in _splits(text, base, brackets):
            key = fold(name)
            known = names.get(key)
            if known is not None:
                indicator = self.contract.indicators[(source, known[0])]
                reading = self._qualify(indicator, known[1], rest, from_brackets, key)
            elif key in self.unnamed_co2 and (source, _ANY_INVENTORY) in self.contract.indicators:
                indicator = self.contract.indicators[(source, _ANY_INVENTORY)]
                reading = self._qualify(indicator, None, rest, from_brackets, key, needs_inventory=True)
            elif key in self.unnamed_population and (source, "population_resident") in self.contract.indicators:
                indicator = self.contract.indicators[(source, "population_resident")]
                reading = self._qualify(indicator, None, rest, from_brackets, key)
                if reading is not None:
                    basis = reading.population_basis
                    name = f"population_{basis}" if basis else reading.indicator
                    reading = replace(reading, indicator=name, needs_basis=basis is None, is_contract_name=False)
            else:
                continue
            if reading is not None:
                return reading
        return None

    def _qualify(
        self,
        indicator: Indicator,
        own_unit: str | None,
        rest: list[str],
        from_brackets: bool,
        key: str,
        needs_inventory: bool = False,
    ) -> HeaderReading | None:
        said: dict[str, str] = {}
        for part in rest:
            qualifier = self.qualifiers.get(fold(part))
            unit = self.unit(part, indicator)
            if qualifier is not None:
                said[qualifier[0]] = qualifier[1]
            elif own_unit is not None and (unit == own_unit or fold_unit(part) in ("%", "percent", "pct")):
                continue
            elif unit is not None:
                said["unit"] = unit
            elif fold(part) in self.understood:
                continue
            elif not from_brackets:
                return None
            elif fold(part) in self.constant_prices or _PRICE_OF_YEAR.search(part):
                problem = f"'{part}': the raw contract holds {indicator.name} at current prices"
                return HeaderReading(indicator.name, problem=problem)
            else:
                known = self.is_unit(part)
                problem = f"'{part}' is not a unit of {indicator.name}" if known else f"'{part}' is not a known unit"
                return HeaderReading(indicator.name, problem=problem, is_fatal=True)
        return HeaderReading(
            indicator.name,
            unit=said.get("unit", own_unit),
            area_scope=said.get("area_scope"),
            population_basis=said.get("population_basis"),
            vintage=said.get("vintage"),
            needs_inventory=needs_inventory,
            is_contract_name=key == fold(indicator.name) and not needs_inventory,
        )


def _splits(text: str, base: str, brackets: list[str]) -> list[tuple[str, list[str], bool]]:
    """Ways to cut a header into a name and the rest, the longest name first; whether the rest stood in brackets."""
    ways: list[tuple[str, list[str], bool]] = [(text, [], True)]
    outer = text
    for count in range(1, len(brackets)):
        # The last brackets say more about a name that holds some itself: 工业烟(粉)尘排放量(吨).
        last = list(_BRACKETS.finditer(outer))[-1]
        outer = (outer[: last.start()] + " " + outer[last.end() :]).strip()
        ways.append((outer, brackets[-count:], True))
    ways.append((base, brackets, True))
    for position in range(len(base) - 1, 0, -1):
        if base[position] in "_/:,- " and base[:position].strip() and base[position + 1 :].strip():
            ways.append((base[:position], [base[position + 1 :], *brackets], False))
    return ways


def _compose(compositions: dict[str, Any]) -> dict[str, list[str]]:
    """Spellings by indicator of names that are put together of parts: a fuel and a sector in each of some forms."""
    found: dict[str, list[str]] = {}
    for pattern, content in compositions.items():
        parts: dict[str, dict[str, list[str]]] = content["parts"]
        for chosen in product(*(choices.items() for choices in parts.values())):
            keys = dict(zip(parts, (key for key, _ in chosen), strict=True))
            words = found.setdefault(pattern.format(**keys), [])
            for said in product(*(spellings for _, spellings in chosen)):
                one = dict(zip(parts, said, strict=True))
                if len({word.isascii() for word in said}) == 1:
                    forms = content["english"] if said[0].isascii() else content["chinese"]
                    words += [form.format(**one) for form in forms]
    return found


def fold_unit(text: str) -> str:
    """A unit without letter case, spaces and underscores; signs such as % and ^ are kept."""
    return re.sub(r"[\s_]+", "", plain(text).lower()).strip("()[]:,.")


@lru_cache(maxsize=4)
def load_dictionary(folder: Path | None = None) -> Dictionary:
    """Read ``dictionary.yml`` together with the labels of the contract (``folder``: reference seeds)."""
    contract = load_contract(folder)
    content: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("dictionary.yml").read_text(encoding="utf-8"))
    roles = {
        fold(spelling): (role, rank)
        for role, spellings in content["roles"].items()
        for rank, spelling in enumerate(spellings)
    }
    composed = _compose(content["compositions"])
    names: dict[str, dict[str, tuple[str, str | None]]] = {}
    for (source, name), indicator in contract.indicators.items():
        table = names.setdefault(source, {})
        table.setdefault(fold(name), (name, None))
        # The labels of an index say what it is relative to, those of a rate that it is one; others leave the unit open.
        own_unit = (
            indicator.unit if indicator.is_relative and contract.units[indicator.unit].dimension in _SAID else None
        )
        for label in (indicator.label_en, indicator.label_zh):
            table.setdefault(fold(label), (name, own_unit))
        for spelling in [*content["indicators"].get(name, []), *composed.get(name, [])]:
            entry = spelling if isinstance(spelling, dict) else {"name": spelling}
            growth = indicator.unit if contract.units[indicator.unit].dimension == "growth" else None
            table.setdefault(fold(entry["name"]), (name, entry.get("unit", growth)))
    units: dict[str, list[str]] = {}
    for unit in contract.units.values():
        for label in (unit.name, unit.column_suffix, unit.label_en, unit.label_zh):
            units.setdefault(fold_unit(label), [])
            if unit.name not in units[fold_unit(label)]:
                units[fold_unit(label)].append(unit.name)
    for spelling, targets in content["units"].items():
        known = units.setdefault(fold_unit(str(spelling)), [])
        known.extend(target for target in targets if target not in known)
    qualifiers = {
        fold(word): (kind, value)
        for kind, values in content["qualifiers"].items()
        for value, words in values.items()
        for word in (value, *words)
    }
    return Dictionary(
        contract=contract,
        roles=roles,
        names=names,
        unnamed_co2=frozenset(fold(word) for word in content["co2_of_unnamed_inventory"]),
        unnamed_population=frozenset(fold(word) for word in content["population_of_unnamed_basis"]),
        units={key: tuple(value) for key, value in units.items()},
        own_units={
            name: {fold_unit(str(text)): unit for text, unit in texts.items()}
            for name, texts in content["units_of"].items()
        },
        qualifiers=qualifiers,
        understood=frozenset(fold(word) for word in content["understood"]),
        constant_prices=frozenset(fold(word) for word in content["constant_prices"]),
        neutral=frozenset(fold(word) for word in content["groups_without_meaning"]),
    )
