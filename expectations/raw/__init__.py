"""Suites for the raw sources: what must hold before a file is loaded."""
