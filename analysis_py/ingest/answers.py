"""What a file does not say and only its user can know: area, population, vintage, a unit, whose inventory.

Each is settled in this order: a flag of the command, an answer remembered for a file with the same column names,
a question on the terminal. Where nobody can be asked, what nothing in the file calls into doubt is assumed and said;
the rest is a refusal that names the flag.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.answer_store import AnswerStore, Remembered, fingerprint
from analysis_py.ingest.contract import (
    AREA_SCOPES,
    INVENTORIES,
    POPULATION_BASES,
    VINTAGES,
    Indicator,
    load_contract,
)
from analysis_py.ingest.units import Dictionary, fold

#: Said instead of a unit or a population: the column is not taken.
LEAVE = "leave"
#: Stands for an answer still to be given in a mapping that is only drafted.
OPEN = "?"

#: Sources whose numbers are printed for the whole city and for its urban districts.
SCOPED_SOURCES = ("city_yearbook", "city_energy", "city_construction", "city_digital")

#: Kind of question -> its flag, the answers there are, and the one taken when nothing speaks against it.
_KINDS: dict[str, tuple[str, tuple[str, ...], str | None]] = {
    "area_scope": ("--area-scope", AREA_SCOPES, "whole_city"),
    "population_basis": ("--population-basis", (*POPULATION_BASES, LEAVE), None),
    "vintage": ("--vintage", VINTAGES, "first"),
    "inventory": ("--inventory", tuple(INVENTORIES), None),
}
_LABELS = {
    "whole_city": "the whole city (全市)",
    "urban_districts": "its urban districts (市辖区)",
    "registered": "registered persons (户籍)",
    "resident": "residents (常住)",
    "first": "as first published",
    "revised": "as revised later (修订)",
    "ceads": "CEADs",
    "edgar": "EDGAR",
    LEAVE: "leave the column out",
}
#: Words of a title, sheet or file name that call the default into doubt. Short words such as 市区 also stand in others
#: (省市区) and are no hint.
_HINTS: dict[str, dict[str, tuple[str, ...]]] = {
    "area_scope": {"urban_districts": ("市辖区", "urban district", "urban_district"), "whole_city": ("全市",)},
    "vintage": {"revised": ("修订", "revised"), "first": ("初步核算", "快报")},
}


@dataclass(frozen=True)
class Choice:
    """A possible answer and how it is shown."""

    value: str
    label: str


@dataclass(frozen=True)
class Question:
    """What is asked of a person. ``flag`` is how a script answers it; ``default`` is offered, never assumed."""

    kind: str
    subject: str
    text: str
    choices: tuple[Choice, ...]
    flag: str
    default: str | None = None


#: Asks a person; the value of a choice, or None when nobody answers.
Asker = Callable[[Question], str | None]


@dataclass(frozen=True)
class Given:
    """Answers given with the command. ``units`` is by column as the user wrote it."""

    area_scope: str | None = None
    population_basis: str | None = None
    vintage: str | None = None
    inventory: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)


def check_given(given: Given, dictionary: Dictionary) -> Given:
    """The flags with their values in the contract's own words (``市辖区`` -> ``urban_districts``).

    Raises ``CP-INVENTORY-UNKNOWN`` or ``CP-ANSWER-VALUE`` naming the nearest value.
    """
    settled: dict[str, str | None] = {}
    for kind, (flag, values, _) in _KINDS.items():
        said = getattr(given, kind)
        value = said if said is None or said in values else dictionary.scope(said, kind)
        if said is not None and value not in values:
            is_inventory = kind == "inventory"
            raise CarbonpanelError(
                "CP-INVENTORY-UNKNOWN" if is_inventory else "CP-ANSWER-VALUE",
                f"'{said}' is not {'an inventory' if is_inventory else f'a value of {flag}'}"
                f" (known: {', '.join(values)})",
                remedy=did_you_mean(said, values),
            )
        settled[kind] = value
    return Given(**settled, units=dict(given.units))


def read_unit_flags(flags: Iterable[str]) -> dict[str, str]:
    """``COLUMN=unit`` pairs; the last ``=`` parts them, since names of columns may hold one (上年=100)."""
    units = {}
    for flag in flags:
        column, equals, unit = flag.rpartition("=")
        if not equals or not column.strip() or not unit.strip():
            raise CarbonpanelError(
                "CP-ANSWER-VALUE",
                f"--unit '{flag}' does not say which column is in which unit",
                remedy="write --unit 'COLUMN=UNIT', e.g. --unit '地区生产总值=万元'",
            )
        units[column.strip()] = unit.strip()
    return units


class Answers:
    """The answers for one file. :meth:`open` it with the column names, then ask; the attributes are the account."""

    def __init__(
        self,
        source: str,
        dictionary: Dictionary,
        given: Given | None = None,
        *,
        store: AnswerStore | None = None,
        ask: Asker | None = None,
        is_drafting: bool = False,
    ) -> None:
        self.source = source
        self.dictionary = dictionary
        self.given = check_given(given or Given(), dictionary)
        self.store = store
        self.ask = ask
        self.is_drafting = is_drafting
        #: (kind, subject) -> value of everything that was answered rather than read.
        self.settled: dict[tuple[str, str], str] = {}
        #: Said in the report.
        self.remarks: list[str] = []
        #: (kind, subject) -> possible answers, of questions a draft leaves open.
        self.open_questions: dict[tuple[str, str], tuple[str, ...]] = {}
        self._columns: tuple[str, ...] = ()
        self._subjects: dict[str, str] = {}
        self._remembered: Remembered | None = None
        self._used_units: set[str] = set()

    # ------------------------------------------------------------ the file

    def open(self, columns: Sequence[str]) -> None:
        """Say which column names the file has; looks up what was answered for them before."""
        self._columns = tuple(name for name in columns if name)
        for name in self._columns:
            self._subjects.setdefault(fold(name), name)
        if self.store is not None:
            self._remembered = self.store.find(fingerprint(self.source, self._columns))

    def remember(self, file: str) -> None:
        """Keep what was answered for files with the same column names."""
        if self.store is None or not self._columns:
            return
        kept = dict(self._remembered.answers) if self._remembered is not None else {}
        kept.update(self.settled)
        if kept and (self._remembered is None or kept != self._remembered.answers):
            print_ = fingerprint(self.source, self._columns)
            self.store.keep(Remembered(print_, self.source, file, self._columns, kept))

    def check_used(self, where: Place) -> None:
        """Refuse a ``--unit`` for a column the file does not have or does not need (``CP-ANSWER-UNUSED``)."""
        for column in self.given.units:
            if fold(column) not in self._used_units:
                known = list(self._subjects.values())
                is_there = fold(column) in self._subjects
                what = "is not a column of numbers that is taken" if is_there else "is no column of the file"
                raise CarbonpanelError(
                    "CP-ANSWER-UNUSED",
                    f"--unit names '{column}', which {what}",
                    where=where,
                    remedy="leave it out, or say in a mapping what it is" if is_there else did_you_mean(column, known),
                )

    # ------------------------------------------------------------ questions

    def unit(self, text: str, indicator: Indicator, said: str | None, where: Place) -> str | None:
        """The unit a user gave for a column or label: a unit's name, ``LEAVE``, or None when none was given.

        ``said`` is the unit the header itself states; another one is refused (``CP-ANSWER-CONTRADICTS``).
        """
        self._subjects.setdefault(fold(text), text)
        wanted = next((unit for column, unit in self.given.units.items() if fold(column) == fold(text)), None)
        if wanted is not None:
            self._used_units.add(fold(text))
            unit = LEAVE if wanted == LEAVE else self.dictionary.unit(wanted, indicator)
            if unit is None:
                raise CarbonpanelError(
                    "CP-UNIT-UNKNOWN",
                    f"--unit gives '{text}' the unit '{wanted}', which {indicator.name} cannot have",
                    where=where,
                    remedy=self.dictionary.unit_remedy(wanted, indicator),
                )
            if said is not None and unit not in (said, LEAVE):
                raise CarbonpanelError(
                    "CP-ANSWER-CONTRADICTS",
                    f"'{text}' says {said} and --unit says {unit}",
                    where=where,
                    remedy="if the heading is wrong, say so in a mapping: that is then part of the account",
                )
            return self._settle("unit", text, unit, "--unit")
        if said is not None or self._remembered is None:
            return None
        known = self._remembered.answers.get(("unit", text))
        if known is None or (known != LEAVE and not self._fits(known, indicator)):
            return None
        return self._settle("unit", text, known, "answered before")

    def ask_unit(self, text: str, indicator: Indicator, where: Place) -> str:
        """The unit of a column that states none, from a person; ``CP-UNIT-MISSING`` where there is none to ask."""
        units = [self.dictionary.contract.units[name] for name in self.dictionary.contract.units_for(indicator)]
        choices = [Choice(unit.name, f"{unit.label_zh} ({unit.name})") for unit in units]
        question = Question(
            "unit",
            text,
            f"In which unit is '{text}' ({indicator.label_en})?",
            (*choices, Choice(LEAVE, _LABELS[LEAVE])),
            f"--unit '{text}=UNIT'",
        )
        answer = self._ask(question)
        if answer is not None:
            return answer
        label = self.dictionary.contract.units[indicator.unit].label_zh
        raise CarbonpanelError(
            "CP-UNIT-MISSING",
            f"'{text}' is {indicator.name}, but its unit is not said",
            where=where,
            remedy=f"write it in the header: '{text}({label})', or give {question.flag} (UNIT one of "
            f"{', '.join(unit.label_zh for unit in units)})"
            + ("" if self.source in load_contract().flat else ", or use a mapping"),
        )

    def inventory(self, text: str, where: Place) -> str:
        """Whose CO2 a column is; ``CP-INVENTORY-MISSING`` where nobody can say."""
        answer = self._known("inventory") or self._ask(
            self._question("inventory", text, f"Whose inventory is the CO2 of '{text}'?")
        )
        if answer is None:
            raise CarbonpanelError(
                "CP-INVENTORY-MISSING",
                f"'{text}' is CO2, but whose inventory it is cannot be known from the file",
                where=where,
                remedy=f"give --inventory {' or '.join(INVENTORIES)}, or name the column "
                f"{' or '.join(INVENTORIES.values())} with its unit, or use a mapping",
            )
        return answer

    def population_basis(self, text: str, where: Place) -> str:
        """Whom a column counts that only says population, or ``LEAVE``; ``CP-BASIS-MISSING`` where nobody can say."""
        answer = self._known("population_basis") or self._ask(
            self._question("population_basis", text, f"Whom does '{text}' count?")
        )
        if answer is None:
            raise CarbonpanelError(
                "CP-BASIS-MISSING",
                f"'{text}' does not say whether it counts registered persons (户籍) or residents (常住)",
                where=where,
                remedy="give --population-basis registered or resident, or leave (the column is then not taken), "
                "or use a mapping",
            )
        return answer

    def area_scope(self, silent: Sequence[str], said: Sequence[str], titles: Sequence[str], where: Place) -> str:
        """Which area the columns ``silent`` are of; ``said`` is what the others say, ``titles`` all text around.

        Raises ``CP-SCOPE-MISSING`` where the file itself calls the default into doubt and nobody can be asked.
        """
        hint = _hint("area_scope", titles)
        if not silent or self.source not in SCOPED_SOURCES:
            return self._known("area_scope") or "whole_city"
        doubt = ""
        if "whole_city" in said:
            doubt = f"other columns say 全市, '{silent[0]}' does not say which area it is of"
        elif hint is not None and hint[0] != "whole_city":
            doubt = f"'{hint[1]}' speaks of urban districts (市辖区), the columns do not say which area they are of"
        told = "Of which area are the numbers that do not say so?"
        return self._choose("area_scope", told, hint, doubt, where, f"taken as {_LABELS['whole_city']}")

    def vintage(self, silent: Sequence[str], titles: Sequence[str], where: Place) -> str:
        """Whether figures of GDP are as first published; as :meth:`area_scope`, with ``CP-VINTAGE-MISSING``."""
        if not silent:
            return self._known("vintage") or "first"
        hint = _hint("vintage", titles)
        doubt = ""
        if hint is not None and hint[0] != "first":
            doubt = f"'{hint[1]}' speaks of revised figures, '{silent[0]}' does not say whether it is one"
        told = f"Are the figures of '{silent[0]}' as first published or as revised?"
        return self._choose("vintage", told, hint, doubt, where, "GDP taken as first published")

    # ------------------------------------------------------------ inside

    def _choose(
        self, kind: str, told: str, hint: tuple[str, str] | None, doubt: str, where: Place, assumed: str
    ) -> str:
        flag, values, usual = _KINDS[kind]
        known = self._known(kind)
        if known is not None:
            return known
        question = self._question(kind, "", told, hint[0] if hint is not None else usual)
        if self.ask is not None or (doubt and self.is_drafting):
            answer = self._ask(question)
            if answer is not None:
                return answer
        if doubt:
            raise CarbonpanelError(
                "CP-SCOPE-MISSING" if kind == "area_scope" else "CP-VINTAGE-MISSING",
                doubt,
                where=where,
                remedy=f"give {flag} {' or '.join(values)}, or say so in a mapping",
            )
        assert usual is not None
        if hint is not None:
            self.remarks.append(f"{assumed}: '{hint[1]}' says so")
        else:
            other = next(value for value in values if value != usual)
            self.remarks.append(f"{assumed}; say otherwise with {flag} {other}")
        return usual

    def _question(self, kind: str, subject: str, text: str, default: str | None = None) -> Question:
        flag, values, _ = _KINDS[kind]
        choices = tuple(Choice(value, _LABELS[value]) for value in values)
        return Question(kind, subject, text, choices, f"{flag} {'|'.join(values)}", default)

    def _known(self, kind: str) -> str | None:
        value = getattr(self.given, kind)
        if value is not None:
            return self._settle(kind, "", value, _KINDS[kind][0])
        if self._remembered is not None:
            value = self._remembered.answers.get((kind, ""))
            if value in _KINDS[kind][1]:
                return self._settle(kind, "", str(value), "answered before")
        return None

    def _ask(self, question: Question) -> str | None:
        if self.is_drafting:
            values = tuple(choice.value for choice in question.choices if choice.value != LEAVE)
            self.open_questions[(question.kind, question.subject)] = values
            return OPEN if question.kind == "unit" else values[0]
        if self.ask is None:
            return None
        answer = self.ask(question)
        if answer is None:
            return None
        subject = question.subject if question.kind == "unit" else ""
        return self._settle(question.kind, subject, answer, "your answer")

    def _settle(self, kind: str, subject: str, value: str, origin: str) -> str:
        if (kind, subject) not in self.settled:
            self.settled[(kind, subject)] = value
            of = f" of '{subject}'" if subject else ""
            self.remarks.append(f"{kind.replace('_', ' ')}{of}: {value} ({origin})")
        return value

    def _fits(self, unit: str, indicator: Indicator) -> bool:
        contract = self.dictionary.contract
        return unit in contract.units and contract.accepts(indicator, unit)


def _hint(kind: str, titles: Sequence[str]) -> tuple[str, str] | None:
    """The value that titles speak of and the title that does; None when none does or they speak of both."""
    found: dict[str, str] = {}
    for value, words in _HINTS[kind].items():
        for title in titles:
            if any(word in title.lower() for word in words):
                found.setdefault(value, title)
    return next(iter(found.items())) if len(found) == 1 else None
