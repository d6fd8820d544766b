"""Numbers as printed in a table: their value, their last digit, and the column of a paper they stand in."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from analysis_py.errors import CarbonpanelError


@dataclass(frozen=True)
class PrintedNumber:
    """A printed number and half a unit of its last digit."""

    value: float
    half_unit: float

    @classmethod
    def read(cls, text: str | None) -> PrintedNumber | None:
        """From text such as ``-0.042`` or ``1.2e-3``; None where it is no number."""
        try:
            number = Decimal((text or "").strip().replace("−", "-"))
        except InvalidOperation:
            return None
        exponent = number.as_tuple().exponent
        if not isinstance(exponent, int):
            return None
        return cls(float(number), 0.5 * 10.0**exponent)

    def equals(self, found: float) -> bool:
        """Whether a number rounds to the printed one (either way at a half)."""
        return abs(found - self.value) <= self.half_unit * (1.0 + 1e-9)


@dataclass(frozen=True)
class PrintedTerm:
    """One coefficient with its t (or, where ``is_error``, standard error).

    ``scale`` is the printed standard error, the size of the estimate where none can be had.
    """

    term: str
    estimate: PrintedNumber
    statistic: PrintedNumber | None
    is_error: bool

    @property
    def scale(self) -> float:
        b = abs(self.estimate.value)
        if self.statistic is None or self.statistic.value == 0:
            return max(b, self.estimate.half_unit)
        error = abs(self.statistic.value) if self.is_error else b / abs(self.statistic.value)
        return max(error, self.estimate.half_unit)


@dataclass(frozen=True)
class Printed:
    """A printed column: coefficients, N, R2; ``label`` says where it stands."""

    label: str
    terms: tuple[PrintedTerm, ...]
    n_obs: int | None
    r2: PrintedNumber | None


def read_published(folder: Path, study: str, analysis_id: str) -> Printed:
    """A column of the published tables by the analysis id of its model.

    Parameters
    ----------
    folder : with ``seed_published_coefficient.csv``, ``seed_published_model.csv`` and ``seed_analysis_row.csv``.

    Raises ``CP-RECONCILE-NOTHING`` where nothing is published under that id.
    """
    place = next(
        (
            (hit[1], hit[2])
            for row in _rows(folder / "seed_analysis_row.csv")
            if row["study"] == study and row["analysis_id"] == analysis_id
            if (hit := re.match(r"Table (\d+) column (\d+)\b", row["claim_or_table"] or ""))
        ),
        None,
    )
    if place is None and (hit := re.fullmatch(r"T(\d+)c(\d+)", analysis_id)):
        place = (hit[1], hit[2])

    def here(row: Mapping[str, str]) -> bool:
        return place is not None and (row["study"], row["table_no"], row["column_no"]) == (study, *place)

    column = next((r for r in _rows(folder / "seed_published_model.csv") if here(r)), None)
    terms = []
    for row in _rows(folder / "seed_published_coefficient.csv"):
        estimate = PrintedNumber.read(row["estimate"]) if here(row) else None
        if estimate is not None:
            kind = (row["statistic_kind"] or "").strip().lower()
            statistic = PrintedNumber.read(row["statistic"]) if kind in ("t", "z", "se") else None
            terms.append(PrintedTerm(row["term"], estimate, statistic, kind == "se"))
    if place is None or column is None or not terms:
        raise CarbonpanelError(
            "CP-RECONCILE-NOTHING",
            f"no published column of study '{study}' has the analysis id '{analysis_id}'",
            remedy="give the printed numbers: --estimate AI=0.111 --statistic AI=5.833 --n 5149 --r2 0.367",
        )
    n = PrintedNumber.read(column["n_obs"])
    return Printed(
        label=f"Table {place[0]} column {place[1]}",
        terms=tuple(terms),
        n_obs=None if n is None else int(n.value),
        r2=PrintedNumber.read(column["r2"]),
    )


def read_given(
    estimates: Sequence[str], statistics: Sequence[str], errors: Sequence[str], n_obs: int | None, r2: str | None
) -> Printed:
    """A column given as ``TERM=NUMBER`` texts; raises ``CP-OPTION`` where one cannot be read."""
    of_b, of_t, of_se = (dict(_pairs(texts)) for texts in (estimates, statistics, errors))
    for term in (*of_t, *of_se):
        if term not in of_b:
            raise CarbonpanelError(
                "CP-OPTION", f"'{term}' has a statistic and no estimate", remedy=f"add --estimate {term}=..."
            )
    terms = [PrintedTerm(t, b, of_t.get(t) or of_se.get(t), t in of_se and t not in of_t) for t, b in of_b.items()]
    fit = PrintedNumber.read(r2)
    if r2 is not None and fit is None:
        raise CarbonpanelError("CP-OPTION", f"'{r2}' is no number", where="--r2", remedy="for example --r2 0.367")
    return Printed("the column given", tuple(terms), n_obs, fit)


def _pairs(texts: Sequence[str]) -> Iterator[tuple[str, PrintedNumber]]:
    for text in texts:
        term, _, value = text.rpartition("=")
        number = PrintedNumber.read(value)
        if not term or number is None:
            raise CarbonpanelError(
                "CP-OPTION", f"'{text}' is not TERM=NUMBER", remedy="for example --estimate AI=0.111"
            )
        yield term.strip(), number


def _rows(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
