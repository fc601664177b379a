"""A stand-in for a Snowflake account on this machine, for tests: the fakesnow server with a thin layer over it.

Emulated, never "tested on Snowflake": docs/snowflake_live.md lists what only a live account can show.
"""
