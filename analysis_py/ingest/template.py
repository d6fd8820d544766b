"""An empty workbook for a source: the headers ``ingest`` knows, with their units, and a sheet of notes."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import zipfile
from pathlib import Path

from analysis_py.errors import CarbonpanelError, Place, did_you_mean
from analysis_py.ingest.contract import AREA_SCOPES, VINTAGES, Contract, Indicator, load_contract
from analysis_py.ingest.flat_contract import FlatColumn, flat_sources
from analysis_py.ingest.units import Dictionary, load_dictionary

LANGUAGES = ("zh", "en")
#: Said instead of a source: all sources of a level in one workbook, to be brought with ``--as auto``.
WHOLE_LEVELS = ("city", "province")

#: Headers of the columns that say place, year, area and vintage.
_ROLES = {
    "en": {"code": "city_code", "name": "city", "province_code": "province_code", "province": "province",
           "year": "year", "area_scope": "area_scope", "vintage": "vintage"},
    "zh": {"code": "城市代码", "name": "城市", "province_code": "省份代码", "province": "省份",
           "year": "年份", "area_scope": "统计口径", "vintage": "数据版本"},
}  # fmt: skip
#: Columns that say the place, by level; the nation needs none.
_PLACE_ROLES = {"city": ("code", "name"), "province": ("province_code", "province"), "national": ()}
_CHOICES = {
    "en": {"area_scope": AREA_SCOPES, "vintage": VINTAGES},
    "zh": {"area_scope": ("全市", "市辖区"), "vintage": ("初步核算", "修订")},
}
_SHEETS = {"en": ("data", "notes"), "zh": ("数据", "说明")}
_NOTE_COLUMNS = {
    "en": ("column", "what it is", "unit", "other units, if you change the header", "believed from", "to"),
    "zh": ("列", "含义", "单位", "可改用的单位（须同时改表头）", "可信下限", "可信上限"),
}
_ROLE_NOTES = {
    "en": {
        "code": "GB/T 2260, six digits; code or name is enough, what is given must agree",
        "name": "full name, e.g. 安庆市; former names and Pinyin are understood",
        "province_code": "GB/T 2260, six digits; code or name is enough",
        "province": "name of the province; with cities it may tell two of the same name apart",
        "year": "calendar year, {years}",
        "area_scope": "whole_city (also when empty) or urban_districts",
        "vintage": "first (also when empty) or revised",
    },
    "zh": {
        "code": "六位行政区划代码（GB/T 2260）；代码与名称填一项即可，同填须一致",
        "name": "全称，如 安庆市；曾用名与拼音亦可识别",
        "province_code": "六位行政区划代码（GB/T 2260）；代码与名称填一项即可",
        "province": "省份名称；城市重名时用以区分",
        "year": "公历年份，{years}",
        "area_scope": "全市（留空亦为全市）或 市辖区",
        "vintage": "初步核算（留空亦同）或 修订",
    },
}
_CLOSING = {
    "en": (
        "Fill in sheet 'data', one row {row}. A cell without a value stays empty.",
        "Columns that you do not need may be removed, their order may be changed.",
        "Then: carbonpanel ingest FILE.xlsx --as {source} --check",
    ),
    "zh": (
        "请在“数据”表中填写，每行为一条（{row}）；没有数值的单元格留空。",
        "不需要的列可以删除，列的顺序可以改变。",
        "然后运行：carbonpanel ingest 文件.xlsx --as {source} --check",
    ),
}
#: A workbook is the same bytes whenever it is made.
_EPOCH = dt.datetime(2000, 1, 1)


def template_headers(source: str, language: str) -> list[tuple[str, str]]:
    """(header, role or indicator) of a template's columns. Each header is one that ``ingest`` reads back as it.
    ``source`` may be one of WHOLE_LEVELS.

    Raises ``CP-SOURCE-UNKNOWN``, ``CP-OPTION`` for another language.
    """
    contract, dictionary = load_contract(), load_dictionary()
    if source not in WHOLE_LEVELS:
        contract.check_source(source)
    if language not in LANGUAGES:
        raise CarbonpanelError(
            "CP-OPTION", f"there is no template in '{language}'", remedy=did_you_mean(language, LANGUAGES)
        )
    if source in contract.flat:
        return [
            (_flat_header(column, source, language), name) for name, column in flat_sources()[source].columns.items()
        ]
    roles = [*_PLACE_ROLES[_level(source)], "year"]
    if source in ("city", "city_yearbook"):
        roles += ["area_scope", "vintage"]
    headers = [(_ROLES[language][role], role) for role in roles]
    for name, indicator in _indicators(source).items():
        headers.append((_header(indicator, language, contract, dictionary), name))
    return headers


def _level(source: str) -> str:
    return source if source in WHOLE_LEVELS else load_contract().level(source)


def _indicators(source: str) -> dict[str, Indicator]:
    """The indicators of a source, or of all sources of a level but those of a base year."""
    contract = load_contract()
    if source not in WHOLE_LEVELS:
        return contract.of_source(source)
    found: dict[str, Indicator] = {}
    for one in contract.sources_of(source):
        if len(contract.years(one)) > 1:
            found |= contract.of_source(one)
    return found


def _flat_header(column: FlatColumn, source: str, language: str) -> str:
    """The label of a column of a flat source, with the unit of a number."""
    label = column.label_zh if language == "zh" else column.label_en
    indicator = flat_sources()[source].numbers.get(column.name)
    if indicator is None:
        return label
    unit = load_contract().units[indicator.unit]
    return f"{label} ({unit.label_zh if language == 'zh' else unit.label_en})"


def _header(indicator: Indicator, language: str, contract: Contract, dictionary: Dictionary) -> str:
    """The indicator's label with its unit; another spelling where the dictionary would read that one differently."""
    unit = contract.units[indicator.unit]
    label, measure = (indicator.label_zh, unit.label_zh) if language == "zh" else (indicator.label_en, unit.label_en)
    for text in (label, f"{label} ({measure})", f"{label} ({unit.label_zh})", f"{indicator.name} ({indicator.unit})"):
        reading = dictionary.read_header(text, indicator.source)
        if reading is None or reading.problem or reading.needs_basis or reading.needs_inventory:
            continue
        if (reading.indicator, reading.unit) == (indicator.name, indicator.unit):
            return text
    raise ValueError(f"no header of {indicator.name} is read back")


def write_template(source: str, language: str = "en", target: str | Path | None = None) -> Path:
    """Write the workbook and return its path (``<source>_<language>.xlsx`` in the working folder by default).

    Raises ``CP-FILE-EXISTS`` rather than overwriting what may have been filled in, ``CP-FILE-UNKNOWN-KIND`` for a name
    that is not a workbook's, ``CP-FILE-UNWRITABLE``.
    """
    headers = template_headers(source, language)
    path = Path(target).expanduser() if target is not None else Path(f"{source}_{language}.xlsx")
    if path.suffix.lower() != ".xlsx":
        raise CarbonpanelError(
            "CP-FILE-UNKNOWN-KIND",
            "a template is an Excel workbook",
            where=Place(file=path),
            remedy=f"call it {path.stem or source}.xlsx",
        )
    if os.path.lexists(path):
        raise CarbonpanelError(
            "CP-FILE-EXISTS",
            "there is a file of this name already; a template does not overwrite it",
            where=Place(file=path),
            remedy="choose another name with --out, or remove the file first",
        )
    content = _workbook(source, language, headers)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise CarbonpanelError(
            "CP-FILE-UNWRITABLE", f"cannot be written: {error.strerror}", where=Place(file=path),
            remedy="choose another place with --out",
        ) from None  # fmt: skip
    return path


def _workbook(source: str, language: str, headers: list[tuple[str, str]]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    contract = load_contract()
    book = Workbook()
    sheet = book.active
    sheet.title, notes_title = _SHEETS[language]
    notes = book.create_sheet(notes_title)
    notes.append(_NOTE_COLUMNS[language])
    for position, (header, name) in enumerate(headers, start=1):
        cell = sheet.cell(row=1, column=position, value=header)
        cell.font, cell.alignment = Font(bold=True), Alignment(wrap_text=True, vertical="top")
        letter = get_column_letter(position)
        sheet.column_dimensions[letter].width = 16
        if name.endswith("code"):
            sheet.column_dimensions[letter].number_format = "@"
        choices = _CHOICES[language].get(name)
        if choices:
            rule = DataValidation(type="list", formula1=f'"{",".join(choices)}"', allow_blank=True)
            rule.add(f"{letter}2:{letter}100000")
            sheet.add_data_validation(rule)
        notes.append(_note(header, name, source, language, contract))
    notes.append(())
    for sentence in _CLOSING[language]:
        told = "auto" if source in WHOLE_LEVELS else source
        notes.append((sentence.format(source=told, row=_row_of(source, language)),))
    sheet.freeze_panes = "A2"
    for cell in notes[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDEF", (44, 60, 24, 44, 16, 16), strict=True):
        notes.column_dimensions[letter].width = width
    book.properties.created = book.properties.modified = _EPOCH
    book.properties.creator = "carbonpanel"
    buffer = io.BytesIO()
    book.save(buffer)
    return _without_time(buffer.getvalue())


def _row_of(source: str, language: str) -> str:
    """What one row of a source is."""
    flat = flat_sources().get(source)
    if flat is None:
        level = _level(source)
        return {"national": "年份"}.get(level, "地区-年份") if language == "zh" else "a place and year"
    return flat.row_zh if language == "zh" else flat.row


def _note(header: str, name: str, source: str, language: str, contract: Contract) -> tuple[object, ...]:
    flat = flat_sources().get(source)
    indicator = (flat.numbers if flat else _indicators(source)).get(name)
    if flat is not None and indicator is None:
        column = flat.columns[name]
        classes = ", ".join(dict.fromkeys((column.classes or {}).values()))
        return (header, ", ".join(filter(None, (column.label_zh if language == "zh" else column.label_en, classes))))
    if indicator is None:
        years = contract.years(contract.sources_of(source)[0] if source in WHOLE_LEVELS else source)
        span = f"{years[0]}-{years[-1]}" if len(years) > 1 else str(years[0])
        return (header, _ROLE_NOTES[language][name].format(years=span))
    label = indicator.label_zh if language == "zh" else indicator.label_en
    units = [contract.units[unit] for unit in contract.units_for(indicator)]
    names = [unit.label_zh if language == "zh" else unit.label_en for unit in units]
    own = contract.units[indicator.unit]
    others = [text for text, unit in zip(names, units, strict=True) if unit.name != indicator.unit]
    said = own.label_zh if language == "zh" else own.label_en
    return (header, label, said, ", ".join(others), indicator.min_value, indicator.max_value)


def _without_time(content: bytes) -> bytes:
    """The same package with one fixed time on every part and in its properties."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as package, zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as out:
        for entry in package.infolist():
            info = zipfile.ZipInfo(entry.filename, date_time=_EPOCH.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            part = package.read(entry)
            if entry.filename == "docProps/core.xml":
                part = _fixed_core(part)
            out.writestr(info, part)
    return buffer.getvalue()


def _fixed_core(part: bytes) -> bytes:
    import re

    stamp = f"{_EPOCH:%Y-%m-%dT%H:%M:%SZ}".encode()
    return re.sub(rb"(<dcterms:modified[^>]*>)[^<]*", rb"\g<1>" + stamp, part)
