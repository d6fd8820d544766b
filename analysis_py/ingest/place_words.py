"""Words for what stands among places and is none of the panel: totals, the nation, units below or beside cities."""

from __future__ import annotations

KINDS = {
    "autonomous_prefecture": "an autonomous prefecture (自治州)",
    "prefecture": "a prefecture (地区)",
    "league": "a league (盟)",
    "divided_prefecture": "a prefecture (地区) that was divided in 2002 and is not the city that shares its name",
    "county_level_city": "a county-level city",
    "county": "a county or a unit of that level",
}
TOTALS = frozenset(
    {"全国", "中国", "合计", "总计", "总和", "平均", "均值", "全省", "全区", "全部", "东部", "中部", "西部", "东北"}
    | {"china", "total", "sum", "mean", "average", "all"}
)
#: The nation, as tables of provinces write it in a row of their own; its codes.
NATION = "000000"
NATION_NAME = "全国"
#: Provinces that are cities themselves.
MUNICIPALITIES = frozenset({"110000", "120000", "310000", "500000"})
NATION_NAMES = frozenset(
    {
        "全国",
        "中国",
        "全国总计",
        "全国合计",
        "全国总和",
        "中华人民共和国",
        "china",
        "national",
        "nation",
        "prc",
        "chn",
        "wholecountry",
    }
)
NATION_CODES = frozenset({NATION, "100000"})
#: Romanised names of provinces besides the usual English ones.
ROMANISED = {"neimenggu": "150000", "nei mongol": "150000", "xizang": "540000", "shannxi": "610000"}
