"""Checks with real BI tools. They have environments of their own and are no part of `make test`."""
