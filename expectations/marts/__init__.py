"""Suites for the marts: what must hold after a build."""
