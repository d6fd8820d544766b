"""``python -m benchmarks [ENTRY ...]``"""

from __future__ import annotations

import importlib
import sys

from analysis_py.settings import quiet_environment

ENTRIES = ("fixed_effects", "wild_bootstrap", "threshold", "efficiency", "ingest_large", "records", "permutation")


def main(arguments: list[str]) -> int:
    """Run the named entries, or all of them; 2 for an unknown name."""
    chosen = arguments or list(ENTRIES)
    unknown = [name for name in chosen if name not in ENTRIES]
    if unknown:
        print(f"unknown benchmark '{unknown[0]}'; there are: {', '.join(ENTRIES)}", file=sys.stderr)
        return 2
    quiet_environment()
    from benchmarks.measurement import format_comparisons

    for name in chosen:
        print(f"# {name} (a peer's time as a multiple of ours, medians of one run)")
        print(format_comparisons(importlib.import_module(f"benchmarks.{name}").measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
