"""A county-and-city table of 200 MB ingested: seconds, peak memory, how often progress was told.

The table is made here: a number a row, 44 indicators, some 3,600 places and seventy years, as a portal gives it. Nearly
all of it is left out (counties, other indicators, early years), which is what such files are. Beside it pandas only
reads the same file into a frame.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from itertools import chain
from pathlib import Path

from analysis_py.settings import project_root
from benchmarks.measurement import Comparison

MEGABYTES = 200
#: What ingesting may hold in memory at most, MB.
MOST_MEMORY = 600

_OURS = """
import json, resource, sys, tempfile, time
from pathlib import Path
from analysis_py.ingest.ingest import ingest_file
told = []
start = time.perf_counter()
with tempfile.TemporaryDirectory() as folder:
    report = ingest_file(Path(sys.argv[1]), "city_yearbook", data_dir=folder, progress=lambda *call: told.append(call))
print(json.dumps({
    "seconds": time.perf_counter() - start, "rows": report.rows_read, "taken": report.cells_written,
    "progress": len(told), "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""
_PEER = """
import json, resource, sys, time
import pandas as pd
start = time.perf_counter()
frame = pd.read_csv(sys.argv[1])
print(json.dumps({
    "seconds": time.perf_counter() - start, "rows": len(frame),
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
}))
"""


def write_large(path: Path, megabytes: float) -> int:
    """Write a long table of about this size and return its rows."""
    from analysis_py.ingest.contract import read_reference

    cities = [(row["city_code"], row["city_name_zh"]) for row in read_reference("seed_city")]
    counties = [(f"{code[:4]}{unit:02d}", f"{name[:2]}{unit}县") for code, name in cities for unit in range(1, 12)]
    wanted = [("年末户籍人口", "万人", 300.0), ("行政区域土地面积", "平方公里", 10_000.0)]
    indicators = [*wanted, *((f"其他指标{number}", "亿元", 1_000.0) for number in range(42))]
    rows = size = 0
    with path.open("w", encoding="utf-8", newline="") as handle:
        handle.write("行政区划代码,地区,年份,指标,单位,数值,来源\n")
        for year in chain(range(2000, 2024), range(1950, 2000)):
            for name, unit, level in indicators:
                lines = [
                    f"{code},{place},{year}年,{name},{unit},{level + int(code) % 97},中国城市统计年鉴{year + 1}\n"
                    for code, place in chain(cities, counties)
                ]
                block = "".join(lines)
                handle.write(block)
                rows += len(lines)
                size += len(block.encode())
                if size > megabytes * 1_000_000:
                    return rows
    return rows


def _run(script: str, path: Path) -> dict[str, float]:
    """What a script prints as JSON, run in a process of its own so that its memory is its own."""
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], cwd=project_root(), capture_output=True, text=True, check=True
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


def measure(megabytes: float = MEGABYTES) -> list[Comparison]:
    """One run of each; raises ``RuntimeError`` where memory was not bounded or progress not told."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "large.csv"
        rows = write_large(path, megabytes)
        ours, peer = _run(_OURS, path), _run(_PEER, path)
    if ours["rows"] != rows or ours["memory"] > MOST_MEMORY or ours["progress"] < rows / 10_000:
        raise RuntimeError(f"{rows:,} rows were written; ingesting them gave {ours}")
    note = (
        f"{rows:,} rows, {ours['taken']:,.0f} numbers taken; peak memory {ours['memory']:.0f} MB, pandas "
        f"{peer['memory']:.0f} MB; progress told {ours['progress']:,.0f} times; pandas only reads"
    )
    seconds = {"carbonpanel ingest": ours["seconds"], "pandas read_csv": peer["seconds"]}
    return [Comparison(f"ingest of a CSV of {megabytes:g} MB", seconds, note)]
