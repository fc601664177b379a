"""The project on Snowflake: the package as a zip for a stage, Python models inside stored procedures, set-up, preflight, scale-out.

Tried against an emulated account only: docs/snowflake.md says how, docs/snowflake_live.md what only a live account can show.
"""
