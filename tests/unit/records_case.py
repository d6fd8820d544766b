"""Small record files, and a naive count of them to compare with."""

from __future__ import annotations

import csv
import gzip
import io
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from analysis_py.records.counting import count_records
from analysis_py.records.keywords import firm_keywords, patent_keywords
from analysis_py.records.options import RecordOptions
from analysis_py.records.outcome import RecordsOutcome
from analysis_py.records.tally import ANY

HEADER = ("企业名称", "经营范围", "成立日期", "注销日期", "登记状态", "所属省份", "所属城市", "统一社会信用代码")
PATENT_HEADER = ("标题", "摘要", "申请号", "申请日", "专利类型", "IPC分类号", "申请人地址")

#: name, scope, founded, cancelled, status, province, city, number
FIRMS = (
    (
        "合肥甲人工智能有限公司",
        "软件开发；人工智能硬件销售；机器学习",
        "2018-03-01",
        "",
        "存续",
        "安徽省",
        "合肥市",
        "A0001",
    ),
    ("合肥乙科技有限公司", "物联网技术服务", "2018-05-01", "2020-02-03", "注销", "安徽省", "合肥市", "A0002"),
    ("合肥丙餐饮店", "餐饮服务", "2019-05-01", "", "存续", "安徽省", "合肥市", "A0003"),
    ("芜湖丁机电有限公司", "智能化家居安装", "2018年6月1日", "-", "存续", "安徽", "芜湖", "A0004"),
    ("芜湖戊机电有限公司", "钢材", "20200101", "", "在业", "安徽", "芜湖", "A0005"),
    ("深圳己智能有限公司", "人 工－智·能", "2020/7/1", "", "吊销", "广东", "深圳", "A0006"),
    ("大理庚科技", "人工智能", "2020-01-01", "", "存续", "云南", "大理白族自治州", "A0007"),
    ("合肥辛科技", "语音识别", "not a date", "", "存续", "安徽省", "合肥市", "A0008"),
)


def render(rows: Sequence[Sequence[str]], header: Sequence[str] = HEADER, separator: str = ",") -> str:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\n")
    writer.writerows([header, *rows])
    return buffer.getvalue()


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    """Write ``text``; a name ending in .gz is compressed."""
    content = text.encode(encoding)
    path.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
    return path


def firms(path: Path, rows: Sequence[Sequence[str]] = FIRMS, **options: Any) -> RecordsOutcome:
    return count_records("firms", [write(path, render(rows))], RecordOptions(firm_keywords(), **options))


def patents(path: Path, rows: Sequence[Sequence[str]], **options: Any) -> RecordsOutcome:
    file = write(path, render(rows, PATENT_HEADER))
    return count_records("patents", [file], RecordOptions(patent_keywords(), **options))


def values(outcome: RecordsOutcome, indicator: str, keyword: str = ANY) -> dict[tuple[str, int], int | None]:
    """(city, year) -> value of one indicator."""
    return {
        (row.city_code, row.year): row.value
        for row in outcome.counts
        if (row.indicator, row.keyword_id) == (indicator, keyword)
    }


def naive_plain(text: str) -> str:
    """NFKC without separators, character by character."""
    also = "·•‧∙⋅・−\u034f\u115f\u1160\u17b4\u17b5"
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKC", text)
        if unicodedata.category(sign) not in ("Cc", "Cf", "Zs", "Zl", "Zp", "Pd", "Pc")
        and sign not in also
        and not 0xFE00 <= ord(sign) <= 0xFE0F
        and not 0xE0100 <= ord(sign) <= 0xE01EF
    )


def naive_exact(text: str, form: str) -> bool:
    return form in naive_plain(text)


def naive_tolerant(text: str, form: str) -> bool:
    """Exactly, or with one character taken out of the inside of some piece of the text."""
    plain = naive_plain(text)
    pieces = (plain[at : at + len(form) + 1] for at in range(len(plain) - len(form)))
    return form in plain or any(
        piece[:gap] + piece[gap + 1 :] == form for piece in pieces for gap in range(1, len(form))
    )
