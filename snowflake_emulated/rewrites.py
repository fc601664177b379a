"""Statements in the words that fakesnow understands, with the same effect on tables."""

from __future__ import annotations

import re
from typing import Any

# fakesnow's list of tables lacks the views
TABLES = (
    r"(select table_catalog, table_schema, table_name, table_type from \1.tables union all "
    r"select table_catalog, table_schema, table_name, 'VIEW' from \1.views) as all_tables"
)


def for_fakesnow(plain: str, verb: str, session: Any) -> str:
    """The statement without what fakesnow cannot do: TEMPORARY, TRANSIENT and policies of CREATE TABLE; views in the list of tables."""
    if "information_schema.tables" in plain.lower():
        return re.sub(r"((?:\w+\.)?information_schema)\.tables\b(?=\s*($|where\b|order\b|group\b|\)))", TABLES, plain, flags=re.IGNORECASE)
    if not re.match(r"create (or replace )?((local |global )?temp(orary)? |transient )?table", verb):
        return plain
    head, body = _split_head(plain)
    head = re.sub(r"\b(local\s+|global\s+)?(temporary|temp|transient)\s+(?=table\b)", "", head, count=1, flags=re.IGNORECASE)
    head = re.sub(r"\s+copy\s+grants\b|\s+copy\s+tags\b", " ", head, flags=re.IGNORECASE)
    head = re.sub(r"\s+with\s+row\s+access\s+policy\s+[\w.]+\s+on\s*\([^)]*\)", " ", head, flags=re.IGNORECASE)
    return head + body


def with_identifiers(body: dict[str, Any]) -> dict[str, Any]:
    """The request with every bound `identifier(?)` written out: fakesnow takes a quoted name of three parts for one."""
    bindings, sql = dict(body.get("bindings") or {}), body["sqlText"]
    while found := re.search(r"identifier\(\s*\?\s*\)", sql, re.IGNORECASE):
        place = sql[: found.start()].count("?") + 1
        sql = sql[: found.start()] + bindings.pop(str(place))["value"] + sql[found.end() :]
        bindings = {str(int(n) - (int(n) > place)): one for n, one in bindings.items()}
    return body | {"sqlText": sql, "bindings": bindings or None} if sql != body["sqlText"] else body


def _split_head(plain: str) -> tuple[str, str]:
    """CREATE TABLE up to the AS of its query, and the rest."""
    found = re.search(r"\bas\s*\(", plain, re.IGNORECASE)
    return (plain[: found.start()], plain[found.start() :]) if found else (plain, "")
