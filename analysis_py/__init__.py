"""carbonpanel's Python rooms: reading users' files, estimation, inference, the demo world, results.

Importing this package is cheap: heavy libraries are imported by the modules that need them.
"""

__version__ = "0.1.0"
