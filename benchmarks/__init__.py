"""Speed beside peers, measured in one run on one machine: ratios, never bare times.

``python -m benchmarks`` prints every entry; ``python -m benchmarks fixed_effects`` one of them. An entry is a module
of this package with a function ``measure() -> list[Comparison]``.
"""
