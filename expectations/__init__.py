"""Suites as code: one module for each boundary table, in the order in which people read results.

A module has TABLE, `facts(sides)` (what is known about the table in this run beside the last good one) and `expected(limits)` (what must
hold of these facts). nba/gates/running.py hands both to Great Expectations.
"""
