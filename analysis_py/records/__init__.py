"""Records to counts: registry and patent text, millions of rows of it, as counts by city, year and keyword."""
