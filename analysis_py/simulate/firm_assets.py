"""Items in the notes to the firms' fixed and intangible assets: names as firms write them, amounts that add up.

Every firm keeps to its own wording. Some wordings are traps that real notes hold: full-width letters, blanks between
characters, and rows that only add up the others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis_py.simulate.firms import FIRM_YEARS, Firms, lag
from analysis_py.simulate.streams import Streams

#: First year with notes item by item (the accounting standards of 2007).
FIRST_NOTES = 2007
#: Names of rows that add up the others; a firm that prints one uses the same every year.
SUBTOTALS = ("合计", "小 计", "总计")
SUBTOTAL_CHANCE = 0.3


@dataclass(frozen=True)
class Slot:
    """A kind of item: its wordings, the part of its class it typically makes, and how many firms have it since when."""

    asset_class: str
    names: tuple[str, ...]
    weight: float
    chance: float
    is_digital: bool = False
    since: int = FIRST_NOTES


SLOTS = (
    Slot("fixed", ("房屋及建筑物", "房屋、建筑物", "房屋建筑物"), 42.0, 1.0),
    Slot("fixed", ("机器设备", "专用设备", "生产设备", "机械设备"), 38.0, 1.0),
    Slot("fixed", ("运输工具", "运输设备", "车辆"), 3.0, 0.95),
    Slot("fixed", ("办公设备及其他", "其他设备", "家具器具"), 2.5, 0.9),
    Slot("fixed", ("固定资产装修", "仪器仪表", "动力设备"), 3.0, 0.3),
    Slot("fixed", ("工业机器人", "自动化生产线"), 3.0, 0.08, since=2012),
    Slot("fixed", ("电子设备", "电子设备及其他", "电 子 设 备", "办公电子设备"), 4.0, 0.85, is_digital=True),
    Slot("fixed", ("计算机设备", "计算机及外围设备", "计算机硬件"), 1.6, 0.22, is_digital=True),
    Slot("fixed", ("通信网络设备", "通信网络及配套设施"), 2.0, 0.08, is_digital=True),
    Slot("fixed", ("数据中心机房设备", "大数据服务器", "数据存储设备"), 2.4, 0.09, is_digital=True, since=2011),
    Slot("fixed", ("5G基站设备", "５Ｇ基站设备", "5g通信设备"), 1.8, 0.06, is_digital=True, since=2019),
    Slot("intangible", ("土地使用权",), 62.0, 0.93),
    Slot("intangible", ("专利权", "专利技术", "专利权及专有技术"), 9.0, 0.5),
    Slot("intangible", ("非专利技术", "专有技术"), 7.0, 0.4),
    Slot("intangible", ("商标权", "商标使用权"), 4.0, 0.22),
    Slot("intangible", ("特许经营权", "采矿权", "排污权"), 14.0, 0.2),
    Slot("intangible", ("软件", "计算机软件", "办公软件", "软件使用权", "ＥＲＰ软件"), 6.0, 0.82, is_digital=True),
    Slot("intangible", ("信息平台", "信息平台系统", "供应链信息平台"), 4.0, 0.08, is_digital=True, since=2012),
    Slot("intangible", ("数据资源", "数据库"), 3.0, 0.05, is_digital=True, since=2021),
)
ASSET_CLASSES = ("fixed", "intangible")


@dataclass(frozen=True)
class AssetItems:
    """Rows of the notes, by firm, year, class and printed order: positions of firm and year, item name, amount in yuan.

    ``name_of`` holds the different names; ``name`` (R,) points into it. ``is_subtotal`` marks rows that add others up,
    ``is_digital`` the items a reader should count.
    """

    firm: np.ndarray
    year: np.ndarray
    asset_class: np.ndarray  # (R,) 0 fixed, 1 intangible
    name: np.ndarray
    name_of: tuple[str, ...]
    amount: np.ndarray
    is_digital: np.ndarray
    is_subtotal: np.ndarray


def draw_asset_items(seed: int, firms: Firms) -> AssetItems:
    """Draw the notes. Digital items grow with the AI of the city and with the firm's own AI patents."""
    draw = Streams(seed).stream("firm_assets")
    f = len(firms.code)
    names = [name for slot in SLOTS for name in slot.names] + list(SUBTOTALS)
    first = np.cumsum([0] + [len(slot.names) for slot in SLOTS])
    assets = firms.quantity["total_assets_yuan"]
    noted: np.ndarray = firms.active & (FIRM_YEARS >= FIRST_NOTES)
    share = {"fixed": draw.uniform(0.12, 0.42, f), "intangible": draw.uniform(0.02, 0.09, f)}
    lean = 0.04 * (FIRM_YEARS - 2014.0)[None, :] + 0.25 * firms.city_ai
    lean = lean + 0.12 * np.log1p(lag(firms.quantity["ai_patents"]))
    subtotal_name = draw.integers(0, len(SUBTOTALS), f) + first[-1]
    prints_subtotal = draw.uniform(size=f) < SUBTOTAL_CHANCE
    blocks: list[tuple[np.ndarray, ...]] = []
    for kind, asset_class in enumerate(ASSET_CLASSES):
        chosen = [k for k, slot in enumerate(SLOTS) if slot.asset_class == asset_class]
        parts, wording = [], []
        for k in chosen:
            slot = SLOTS[k]
            has = (draw.uniform(size=f) < slot.chance)[:, None] & noted & (slot.since <= FIRM_YEARS)
            size = np.exp(draw.normal(0.0, 0.5, f))[:, None] * np.exp(lean if slot.is_digital else 0.0 * lean)
            parts.append(np.where(has, slot.weight * size, 0.0))
            wording.append(first[k] + draw.integers(0, len(slot.names), f))
        weight = np.stack(parts)
        total = weight.sum(axis=0)
        volume = share[asset_class][:, None] * assets
        amount = np.round(np.divide(weight * volume, total, out=np.zeros_like(weight), where=total > 0), 2)
        for position, k in enumerate(chosen):
            i, y = np.nonzero(amount[position] > 0)
            flag = np.full(len(i), SLOTS[k].is_digital)
            rows = (amount[position][i, y], flag, np.zeros(len(i), dtype=bool))
            blocks.append((i, y, np.full(len(i), kind), np.full(len(i), position), wording[position][i], *rows))
        i, y = np.nonzero((total > 0) & prints_subtotal[:, None])
        added = (np.round(amount.sum(axis=0)[i, y], 2), np.zeros(len(i), dtype=bool), np.ones(len(i), dtype=bool))
        blocks.append((i, y, np.full(len(i), kind), np.full(len(i), len(chosen)), subtotal_name[i], *added))
    firm, year, kinds, order, name, amounts, digital, subtotal = (
        np.concatenate([block[c] for block in blocks]) for c in range(8)
    )
    rank = np.lexsort((order, kinds, year, firm))
    return AssetItems(
        firm[rank], year[rank], kinds[rank], name[rank], tuple(names), amounts[rank], digital[rank], subtotal[rank]
    )
