"""``python -m benchmarks [--markdown] [ENTRY ...]``"""

from __future__ import annotations

import importlib
import sys

from analysis_py.settings import quiet_environment

ENTRIES = (
    "fixed_effects",
    "instruments_and_counts",
    "specifications",
    "wild_bootstrap",
    "permutation",
    "threshold",
    "efficiency",
    "ingest_large",
    "records",
)


def main(arguments: list[str]) -> int:
    """Run the named entries, or all of them; 2 for an unknown name."""
    is_markdown = "--markdown" in arguments
    chosen = [name for name in arguments if name != "--markdown"] or list(ENTRIES)
    unknown = [name for name in chosen if name not in ENTRIES]
    if unknown:
        print(f"unknown benchmark '{unknown[0]}'; there are: {', '.join(ENTRIES)}", file=sys.stderr)
        return 2
    quiet_environment()
    from benchmarks.measurement import format_comparisons, format_markdown

    for name in chosen:
        found = importlib.import_module(f"benchmarks.{name}").measure()
        if is_markdown:
            print(f"### {name}\n\n{format_markdown(found)}\n")
        else:
            print(f"# {name} (one run; a peer's time also as a multiple of ours)")
            print(format_comparisons(found), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
