"""``python -m analysis_py.simulate [--seed N] [--out DIR] [--without-defects]``: draw the demo world again.

The same seed gives the same bytes.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from analysis_py.settings import DEFAULT_SEED, SIMULATED_NOTICE, paths, quiet_environment


def main(arguments: list[str] | None = None) -> int:
    """Write ``raw/*.csv`` and ``truth/*.csv`` under the seeds folder (or ``--out``)."""
    quiet_environment()
    from analysis_py.errors import CarbonpanelError
    from analysis_py.simulate.writer import draw_tables, write_tables

    seeds = paths().seeds
    parser = argparse.ArgumentParser(prog="python -m analysis_py.simulate", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=DEFAULT_SEED, help="number of the world (default: the shipped one)")
    parser.add_argument("--out", type=Path, default=seeds, help="folder that receives raw/ and truth/ (default: seeds)")
    parser.add_argument("--reference", type=Path, default=seeds / "reference", help="folder of the reference tables")
    parser.add_argument(
        "--without-defects", action="store_true", help="print the city and province tables complete and right"
    )
    options = parser.parse_args(arguments)
    try:
        tables = draw_tables(options.seed, options.reference, spoilt=not options.without_defects)
        files = [file for folder in sorted(tables) for file in write_tables(tables[folder], options.out / folder)]
    except CarbonpanelError as problem:
        print(problem, file=sys.stderr)
        return 1
    print(SIMULATED_NOTICE)
    for file in files:
        print(f"  {file} ({file.stat().st_size:,} bytes)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
