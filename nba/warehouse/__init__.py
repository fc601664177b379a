"""The one door of the command line to any warehouse: which target, how to read it, how to write it.

`connect` opens a target of profiles.yml for writing, `reading` for reading; both give a `Warehouse` (nba/warehouse/door.py), one class
per engine. Nothing else of this package opens a database.
"""

from __future__ import annotations

from nba.warehouse.door import Relation, StoredTable, Warehouse, connect, reading
from nba.warehouse.duckdb_file import open_file
from nba.warehouse.names import one_file, quoted
from nba.warehouse.target import Target, find_profiles, resolve_target

__all__ = [
    "Relation",
    "StoredTable",
    "Target",
    "Warehouse",
    "connect",
    "find_profiles",
    "one_file",
    "open_file",
    "quoted",
    "reading",
    "resolve_target",
]
