"""On PostgreSQL too the descriptions of tables, views and columns lie in the database, and no serving file is made there."""

from __future__ import annotations

import pytest
from serving_house import build_serving_house

DATABASE = "comments"
TABLES = """
select n.nspname, c.relname, obj_description(c.oid, 'pg_class')
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace
where n.nspname in ('memory', 'published') and c.relkind in ('r', 'v')
"""
# made before the first model: docs/audit.md describes them
OURS = {"publications", "audit_log", "content_hashes"}
COLUMNS = """
select n.nspname, c.relname, a.attname, col_description(c.oid, a.attnum)
from pg_class as c inner join pg_namespace as n on n.oid = c.relnamespace inner join pg_attribute as a on a.attrelid = c.oid
where n.nspname in ('memory', 'published') and c.relkind in ('r', 'v') and a.attnum > 0 and not a.attisdropped
"""


def test_tables_views_and_columns_carry_their_descriptions(tmp_path_factory, postgres, monkeypatch: pytest.MonkeyPatch):
    house = build_serving_house(tmp_path_factory.mktemp("house"))
    postgres.create_database(DATABASE)
    for name, value in postgres.env(DATABASE).items():
        monkeypatch.setenv(name, value)
    built = house.dbt("build", "--target", "postgres")
    assert built.success, [(result.node.name, result.message) for result in built.result if result.status in ("error", "fail")]
    manifest = house.dbt("parse", "--target", "postgres").result
    nodes = [node for node in manifest.nodes.values() if node.resource_type == "model" and node.schema in ("memory", "published")]
    assert "serving_file" not in {node.name for node in nodes}
    assert len(nodes) > 30
    tables = {(schema, name): comment for schema, name, comment in postgres.run_sql(DATABASE, TABLES) if name not in OURS}
    assert tables == {(node.schema, node.alias): node.description for node in nodes}
    columns = {(schema, name, column): comment for schema, name, column, comment in postgres.run_sql(DATABASE, COLUMNS) if name not in OURS}
    assert columns == {(node.schema, node.alias, name): column.description for node in nodes for name, column in node.columns.items()}
    assert all(text.strip() for text in [*tables.values(), *columns.values()])
