"""Scripts and data that redo a model's numbers in Stata or R."""
