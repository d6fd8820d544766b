"""Results as people paste them: regression tables and our columns beside the published ones."""
