"""Does a real BI server read the published tables? Apache Superset reads them from PostgreSQL and draws a chart (`make check-superset`).

Without `--uri` a throwaway PostgreSQL is filled with the published tables of a DuckDB file, comments included.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bi.superset_server import Superset, SupersetError, running_superset

SCHEMA, TABLE = "published", "recommendations"
MEASURES = {"planned spend": "SUM(cost)", "planned impact": "SUM(plan_value)", "actions": "COUNT(*)"}
BY_SQL = f"select channel, {', '.join(MEASURES.values())} from {SCHEMA}.{TABLE} group by channel"
DESCRIBED = f"""
select attname, col_description(attrelid, attnum)
from pg_attribute
where attrelid = '{SCHEMA}.{TABLE}'::regclass and attnum > 0 and not attisdropped
"""
TYPES = {"VARCHAR": "text", "DOUBLE": "double precision", "HUGEINT": "numeric"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bi.superset_check", description=__doc__)
    parser.add_argument("--superset", type=Path, required=True, help="folder of the command `superset`")
    parser.add_argument("--uri", help="SQLAlchemy address of a PostgreSQL with schema published (default: a throwaway server)")
    parser.add_argument(
        "--from", dest="source", type=Path, default=Path("warehouse/nba_published.duckdb"), help="DuckDB file to fill it from"
    )
    args = parser.parse_args()
    with contextlib.ExitStack() as stack:
        uri = args.uri or stack.enter_context(throwaway_database(args.source))
        known = {row[0]: row[1:] for row in query(uri, BY_SQL)}
        described = dict(query(uri, DESCRIBED))
        superset = stack.enter_context(running_superset(args.superset))
        superset.log_in()
        print(f"Superset runs at {superset.address}; logged in.")
        problems = check(superset, uri, known, described)
    for problem in problems:
        print(f"WRONG: {problem}")
    return 1 if problems else 0


def check(superset: Superset, uri: str, known: dict[str, tuple[Any, ...]], described: dict[str, str]) -> list[str]:
    """Database, dataset and chart over REST; what differs from SQL."""
    problems = []
    database = superset.call("POST", "/api/v1/database/", {"database_name": "nba", "sqlalchemy_uri": uri, "expose_in_sqllab": True})["id"]
    tables = superset.call("GET", f"/api/v1/database/{database}/tables/?q=(schema_name:{SCHEMA})")["result"]
    print(f"It lists {len(tables)} tables and views in schema {SCHEMA}.")
    if TABLE not in {table["value"] for table in tables}:
        problems.append(f"{SCHEMA}.{TABLE} is not listed")
    dataset = superset.call("POST", "/api/v1/dataset/", {"database": database, "schema": SCHEMA, "table_name": TABLE})["id"]
    columns = superset.call("GET", f"/api/v1/dataset/{dataset}")["result"]["columns"]
    shown = {column["column_name"]: column["description"] for column in columns}
    if shown != described:
        problems.append(
            f"descriptions differ: {sorted(name for name in described.keys() | shown.keys() if shown.get(name) != described.get(name))}"
        )
    print(f"It reads {len(shown)} columns, {sum(bool(text) for text in shown.values())} of them with the description from the database.")
    chart = draw(superset, dataset)
    drawn = {row["channel"]: tuple(row[name] for name in MEASURES) for row in chart_rows(superset, chart)}
    print(f"Chart {chart}, {', '.join(MEASURES)} by channel:")
    for channel in sorted(drawn.keys() | known.keys()):
        print(f"  {channel}: {drawn.get(channel)}, by SQL {known.get(channel)}")
        if channel not in drawn or channel not in known or not all(map(same, drawn[channel], known[channel])):
            problems.append(f"channel {channel}")
    page = superset.fetch("GET", f"/explore/?slice_id={chart}")
    print(f"Its page answers with {len(page)} bytes; a picture of it needs a browser, which this check does not bring.")
    return problems


def draw(superset: Superset, dataset: int) -> int:
    """A bar chart of the measures by channel, saved in Superset."""
    measures = [{"expressionType": "SQL", "sqlExpression": text, "label": name} for name, text in MEASURES.items()]
    params = {
        "datasource": f"{dataset}__table",
        "viz_type": "echarts_timeseries_bar",
        "x_axis": "channel",
        "metrics": measures,
        "groupby": [],
    }
    context = {
        "datasource": {"id": dataset, "type": "table"},
        "force": True,
        "queries": [{"columns": ["channel"], "metrics": measures, "orderby": [["channel", True]], "row_limit": 1000}],
        "result_format": "json",
        "result_type": "full",
    }
    given = {
        "slice_name": "Spend and impact by channel",
        "viz_type": params["viz_type"],
        "datasource_id": dataset,
        "datasource_type": "table",
        "params": json.dumps(params),
        "query_context": json.dumps(context),
    }
    return superset.call("POST", "/api/v1/chart/", given)["id"]


def chart_rows(superset: Superset, chart: int) -> list[dict[str, Any]]:
    """The rows that the saved chart draws."""
    (result,) = superset.call("GET", f"/api/v1/chart/{chart}/data/")["result"]
    if result.get("error"):
        raise SupersetError(f"chart {chart}: {result['error']}")
    return result["data"]


def same(drawn: float, known: float) -> bool:
    return math.isclose(float(drawn), float(known), rel_tol=1e-9)


def query(uri: str, text: str) -> list[tuple[Any, ...]]:
    """Rows of one query on PostgreSQL."""
    import psycopg2

    connection = psycopg2.connect(uri.replace("postgresql+psycopg2:", "postgresql:"))
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(text)
            return cursor.fetchall()
    finally:
        connection.close()


@contextlib.contextmanager
def throwaway_database(source: Path) -> Iterator[str]:
    """A PostgreSQL for the time of the check with the tables and comments of a serving file; its SQLAlchemy address."""
    import sys

    import duckdb

    if not source.is_file():
        raise SystemExit(f"there is no {source}: build first (make build), or name a serving file with --from, or a database with --uri")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))
    from postgres_server import running_server

    with running_server() as server:
        server.create_database("nba")
        uri = f"postgresql+psycopg2://{server.user}@/nba?host={server.host}&port={server.port}"
        with duckdb.connect(str(source), read_only=True) as tables:
            fill(uri, tables)
        yield uri


def fill(uri: str, source: Any) -> None:
    """Tables and comments of a DuckDB file, copied as text."""
    import io

    import psycopg2
    from psycopg2 import sql

    connection = psycopg2.connect(uri.replace("postgresql+psycopg2:", "postgresql:"))
    with connection, connection.cursor() as cursor:
        cursor.execute(f"create schema {SCHEMA}")
        for table, about in source.execute("select table_name, comment from duckdb_tables() where schema_name = ?", [SCHEMA]).fetchall():
            name = sql.Identifier(SCHEMA, table)
            columns = source.execute(
                "select column_name, data_type, comment from duckdb_columns() where table_name = ? order by column_index", [table]
            ).fetchall()
            typed = [sql.SQL("{} {}").format(sql.Identifier(column), sql.SQL(TYPES.get(kind, kind))) for column, kind, _ in columns]
            cursor.execute(sql.SQL("create table {} ({})").format(name, sql.SQL(", ").join(typed)))
            rows = source.sql(f'select * from {SCHEMA}."{table}"').df().to_csv(index=False, header=False)
            cursor.copy_expert(sql.SQL("copy {} from stdin (format csv)").format(name), io.StringIO(rows))
            cursor.execute(sql.SQL("comment on table {} is %s").format(name), [about])
            for column, _, comment in columns:
                cursor.execute(sql.SQL("comment on column {} is %s").format(sql.Identifier(SCHEMA, table, column)), [comment])
    connection.close()


if __name__ == "__main__":
    raise SystemExit(main())
