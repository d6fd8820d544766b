"""What our own expectations look for, as pure functions from a dataframe to a ``Finding``.

Nothing here knows Great Expectations; ``expectations.custom`` wraps each function in an expectation class. All are
vectorised: a city panel of 7,000 rows takes a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable

from expectations.checks.finding import Finding
from expectations.checks.relations import (
    find_equal_pairs,
    find_fill_mismatches,
    find_group_gaps,
    find_ratio_outliers,
    find_scope_copies,
    find_scope_excess,
    find_sum_gaps,
)
from expectations.checks.rows import (
    find_double_keys,
    find_empty_cells,
    find_excesses,
    find_fractions,
    find_out_of_range,
    find_repeated_rows,
    find_unknown_values,
)
from expectations.checks.series import (
    find_far_values,
    find_growth_mismatches,
    find_jumps,
    find_repeats,
    find_shares,
    find_spikes,
    find_stock_deficits,
    find_stock_misfits,
)
from expectations.checks.tables import (
    find_columns_out_of_range,
    find_conflicting_duplicates,
    find_empty_columns,
    find_grid_gaps,
    find_sparse_columns,
    find_text_cells,
    find_unbalanced_years,
    find_wrong_kinds,
)

CHECKS: dict[str, Callable[..., Finding]] = {
    f.__name__: f
    for f in (
        find_empty_cells,
        find_double_keys,
        find_repeated_rows,
        find_unknown_values,
        find_out_of_range,
        find_fractions,
        find_excesses,
        find_jumps,
        find_spikes,
        find_repeats,
        find_shares,
        find_far_values,
        find_growth_mismatches,
        find_stock_deficits,
        find_stock_misfits,
        find_ratio_outliers,
        find_sum_gaps,
        find_group_gaps,
        find_equal_pairs,
        find_scope_excess,
        find_scope_copies,
        find_fill_mismatches,
        find_unbalanced_years,
        find_grid_gaps,
        find_text_cells,
        find_conflicting_duplicates,
        find_empty_columns,
        find_sparse_columns,
        find_columns_out_of_range,
        find_wrong_kinds,
    )
}

__all__ = ["CHECKS", "Finding"]
