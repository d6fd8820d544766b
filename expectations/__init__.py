"""What the data must look like: suites of Great Expectations for each raw source and each mart, and their runner.

``expectations.validation`` is the way in. Importing this package is cheap; Great Expectations (2-6 s) is loaded
when a validation runs.
"""
