"""A million registry rows counted by city, year and keyword, from Parquet and compressed CSV; ten million's memory.

The registry is made here: scopes put together from common phrases, one in about seventy with a keyword, a few of these
written apart (``人工 智能``). Beside it DuckDB's ``regexp_matches`` of the same keywords on the same file, which is the
inner step alone: no text folding, no second match, no keyword told, no dates or places read.
"""

from __future__ import annotations

import gzip
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from analysis_py.settings import DEFAULT_SEED, project_root
from benchmarks.measurement import Comparison

ROWS = 1_000_000
LARGE_ROWS = 10_000_000
#: Promised for a million rows on two free cores, seconds; told beside the time, since a busy machine proves nothing.
MOST_SECONDS = {"Parquet": 3.0, "CSV, gzip-compressed": 8.0}
#: What counting may hold in memory at most, MB, however many rows.
MOST_MEMORY = 1_000
_GROUP = 100_000
_HEADER = ("企业名称", "经营范围", "成立日期", "注销日期", "所属省份", "所属城市")
_PHRASES = (
    *("园林绿化工程", "建筑装修装饰建设工程专业施工", "市政公用建设工程施工", "环保建设工程专业施工", "保洁服务"),
    *(
        "企业管理咨询",
        "商务信息咨询",
        "设计、制作、代理各类广告",
        "会务会展服务",
        "从事货物及技术的进出口业务",
        "餐饮服务",
    ),
    *(
        "厨房设备、机械设备及配件销售",
        "电气科技领域内的技术开发、技术服务、技术咨询、技术转让",
        "计算机软硬件及辅助设备销售",
    ),
    *(
        "道路普通货物运输",
        "房地产经纪",
        "预包装食品兼散装食品批发兼零售",
        "服装、鞋帽、日用百货批发零售",
        "智能设备安装",
    ),
    *(
        "网络科技",
        "农作物种植及销售",
        "化工产品（不含危险化学品）销售",
        "【依法须经批准的项目，经相关部门批准后方可开展经营活动】",
    ),
)

_OURS = """
import json, resource, sys, time
from pathlib import Path
start = time.perf_counter()
from analysis_py.records.counting import count_records
from analysis_py.records.keywords import firm_keywords
from analysis_py.records.options import RecordOptions
told = []
outcome = count_records("firms", [Path(sys.argv[1])], RecordOptions(firm_keywords()),
                        progress=lambda *call: told.append(call))
print(json.dumps({
    "seconds": time.perf_counter() - start, "rows": outcome.rows["read"], "finds": outcome.finds["any_hit"],
    "exact": sum(cohort.finds for cohort in outcome.cohorts), "progress": len(told),
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""
_PEER = """
import json, resource, sys, time
start = time.perf_counter()
import duckdb
from analysis_py.records.keywords import firm_keywords
pattern = "|".join(form for keyword in firm_keywords() for form in keyword.forms)
con = duckdb.connect(config={"threads": 2})
source = "read_parquet(?)" if sys.argv[1].endswith("parquet") else "read_csv(?, all_varchar = true, header = true)"
rows = con.execute(f'''
    select "所属城市", left("成立日期", 4) as year, count(*) from {source}
    where regexp_matches("企业名称", '{pattern}') or regexp_matches("经营范围", '{pattern}') group by all
''', [sys.argv[1]]).fetchall()
print(json.dumps({
    "seconds": time.perf_counter() - start, "exact": sum(row[-1] for row in rows),
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def draw_rows(count: int, seed: int = DEFAULT_SEED) -> list[tuple[str, ...]]:
    """``count`` registrations of 2000-2023 in all cities; the same for the same seed."""
    from analysis_py.ingest.contract import read_reference
    from analysis_py.records.keywords import firm_keywords

    draw = random.Random(seed)
    cities = [(row["province_name_zh"], row["city_name_zh"]) for row in read_reference("seed_city")]
    words = [form for keyword in firm_keywords() for form in keyword.forms]
    rows = []
    for number in range(count):
        province, city = draw.choice(cities)
        phrases = draw.choices(_PHRASES, k=draw.randrange(4, 14))
        if draw.random() < 1 / 70:
            word = draw.choice(words)
            is_apart = draw.random() < 1 / 20
            phrases.insert(draw.randrange(len(phrases)), f"{word[:2]} {word[2:]}" if is_apart else f"{word}技术研发")
        year = draw.randrange(2000, 2024)
        day = f"-{draw.randrange(1, 13):02d}-{draw.randrange(1, 28):02d}"
        cancelled = f"{min(2023, year + draw.randrange(8))}-12-28" if draw.random() < 0.2 else ""
        rows.append(
            (
                f"{city}第{number}号{draw.choice('甲乙丙丁')}有限公司",
                "；".join(phrases),
                f"{year}{day}",
                cancelled,
                province,
                city,
            )
        )
    return rows


def write_parquet(path: Path, count: int) -> None:
    """A registry of ``count`` rows; beyond a million the first million is repeated."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = zip(*draw_rows(min(count, ROWS)), strict=True)
    table = pa.table({name: list(column) for name, column in zip(_HEADER, columns, strict=True)})
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for _ in range(0, count, ROWS):
            writer.write_table(table, row_group_size=_GROUP)


def write_csv(path: Path, parquet: Path) -> None:
    """The rows of a Parquet file as a compressed CSV."""
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    plain = path.with_suffix("")
    pacsv.write_csv(pq.read_table(parquet), plain)
    with plain.open("rb") as source, gzip.open(path, "wb", compresslevel=6) as target:
        shutil.copyfileobj(source, target, 1 << 20)
    plain.unlink()


_MAKE = """
import sys
from pathlib import Path
from benchmarks.records import write_csv, write_parquet
write_parquet(Path(sys.argv[1]), int(sys.argv[2]))
if len(sys.argv) > 3:
    write_csv(Path(sys.argv[3]), Path(sys.argv[1]))
"""


def _make(path: Path, rows: int, *more: Path) -> None:
    """Write the files in a process of its own: a small parent starts processes whose peak memory is their own."""
    subprocess.run([sys.executable, "-c", _MAKE, str(path), str(rows), *map(str, more)], cwd=project_root(), check=True)


def _run(script: str, path: Path) -> dict[str, float]:
    """What a script prints as JSON, run in a process of its own so that time and memory are its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=project_root(), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(rows: int = ROWS, large_rows: int = LARGE_ROWS, repeats: int = 3) -> list[Comparison]:
    """Best of ``repeats`` runs, ours and the peer's in turns; ``RuntimeError`` where memory is not as promised."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _make(folder / "registry.parquet", rows, folder / "registry.csv.gz")
        files = {"Parquet": folder / "registry.parquet", "CSV, gzip-compressed": folder / "registry.csv.gz"}
        for form, path in files.items():
            runs = [(_run(_OURS, path), _run(_PEER, path)) for _ in range(repeats)]
            ours, peer = (min((run[at] for run in runs), key=lambda run: run["seconds"]) for at in (0, 1))
            _keep_promise(ours, rows)
            note = (
                f"promised: {MOST_SECONDS[form]:g} s a million rows on two free cores; "
                f"{ours['exact']:,.0f} exact finds, {ours['exact'] - peer['exact']:,.0f} of them written apart and not "
                f"found by the peer; peak memory {ours['memory']:.0f} MB, the peer's {peer['memory']:.0f} MB"
            )
            seconds = {"carbonpanel records": ours["seconds"], "DuckDB regexp_matches": peer["seconds"]}
            found.append(Comparison(f"{rows:,} registry rows from {form}", seconds, note))
        if large_rows:
            for path in files.values():
                path.unlink()
            _make(folder / "large.parquet", large_rows)
            large = _run(_OURS, folder / "large.parquet")
            _keep_promise(large, large_rows)
            note = f"peak memory {large['memory']:.0f} MB; progress told {large['progress']:,.0f} times"
            seconds = {"carbonpanel records": large["seconds"]}
            found.append(Comparison(f"{large_rows:,} registry rows from Parquet", seconds, note))
    return found


def _keep_promise(ours: dict[str, float], rows: int) -> None:
    if ours["rows"] != rows or ours["memory"] > MOST_MEMORY:
        raise RuntimeError(f"{rows:,} rows were written; counting them gave {ours}")
