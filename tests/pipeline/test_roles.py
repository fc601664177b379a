"""Who sees and writes what on PostgreSQL, table by table, after one build and after two: the project's own last rooms over marts with rows
of territory T1 (rep R1), of T2 (R2) and of nobody."""

from __future__ import annotations

import json
import re
from pathlib import Path

import psycopg2
import pytest
from postgres_server import PostgresServer
from roles_house import ROLES, ROOT, RolesHouse, build_roles_house

from nba.cli import main
from nba.errors import NbaError
from nba.roles import Access, configured_roles, read_access
from nba.warehouse import connect

RUN_LEVEL = {"plan_power", "plan_summary", "plan_history", "channels", "model_performance", "churn_performance", "impact_diagnostics"}
RUN_LEVEL |= {"measured_lift", "off_policy_value", "uplift_curve", "feature_proxies", "publish"}
# who changed what is for those who see every territory
MANAGERS = {"audit_log", "inputs_by_run", "rules_by_run", "rule_changes", "content_hashes", "pruned_runs"}
RUN_LEVEL |= {"model_register", "monitoring_measures", "drift_alerts", "retraining_decisions"}
# what the next build reads, and nobody else
BUILDERS = {"models", "churn_models", "impact_models", "model_versions", "profiles"}
BUILDERS |= {"input_profiles", "plan_profiles", "input_quality", "plan_quality"}
ACCESS = "login,territory_id,rep_id\nt_anna,T1,R1\nt_boss,*,\nt_both,T1,\nt_both,T2,R2\n"
# login -> (territories, rep_ids) that its role_access gives; "*" = all
REPS = {"t_anna": ({"T1"}, {"R1"}), "t_boss": ({"*"}, set()), "t_both": ({"T1", "T2"}, {"R2"}), "t_new": (set(), set())}
LOGINS = {**dict.fromkeys(REPS, "t_rep"), "t_bi": "t_reader", "t_web": "t_app", "t_etl": "t_loader", "t_visitor": ""}
REFUSED = (
    psycopg2.errors.InsufficientPrivilege,
    psycopg2.errors.WrongObjectType,
    psycopg2.errors.ObjectNotInPrerequisiteState,
)
WRITES = (
    "insert into {table} select * from {table}",
    "update {table} set {column} = {column}",
    "delete from {table}",
    "truncate {table}",
    "drop {kind} {table}",
)


@pytest.fixture(scope="module")
def house(postgres: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> RolesHouse:
    """Roles set up on an empty database, one build by the builder, and logins of every kind."""
    house = build_roles_house(tmp_path_factory.mktemp("roles"), postgres, "roles")
    patch = pytest.MonkeyPatch()
    for name, value in house.environment().items():
        patch.setenv(name, value)
    try:
        assert nba_roles(house) == 0
        house.rows("alter role t_builder login")
        build(house)
        for login, role in LOGINS.items():
            house.rows(f"create role {login} login {f'in role {role}' if role else ''}")
        (house.folder / "access.csv").write_text(ACCESS)
        assert nba_roles(house, "--access", str(house.folder / "access.csv")) == 0
        yield house
    finally:
        patch.undo()
        # roles belong to the server, which other tests use as well
        for role in ROLES.values():
            house.rows(f"drop owned by {role} cascade")
        house.rows(f"drop role {', '.join([*LOGINS, *ROLES.values()])}")


def nba_roles(house: RolesHouse, *words: str) -> int:
    return main(["roles", "--target", "postgres", "--project-dir", str(house.folder), "--vars", json.dumps({"nba_roles": ROLES}), *words])


def build(house: RolesHouse, **variables: str) -> None:
    assert house.dbt("build", "--quiet", user="t_builder", nba_roles=ROLES, **variables).success


def published(house: RolesHouse, schema: str = "published") -> list[str]:
    return [name for (name,) in house.rows(f"select viewname from pg_views where schemaname = '{schema}' order by 1")]


def owners(house: RolesHouse, table: str, user: str | None = None) -> list[tuple]:
    """(territory_id, rep_id) of the rows that a login sees; what a table lacks is None."""
    columns = {name for (name,) in house.rows(f"select attname from pg_attribute where attrelid = '{table}'::regclass and attnum > 0")}
    keys = ", ".join(name if name in columns else "null::text" for name in ("territory_id", "rep_id"))
    return sorted(house.rows(f"select {keys} from {table}", user), key=str)


def visible(table: str, rows: list[tuple], territories: set[str], reps: set[str]) -> list[tuple]:
    """The rows that should be seen, said without the project's own list of scopes."""
    if "*" in territories:
        return rows
    if table in MANAGERS:
        return []
    if table in RUN_LEVEL:
        return rows if territories or reps else []
    if table == "reps":
        return [row for row in rows if row[1] in reps]
    if table == "constraint_prices":
        nobodys = [row for row in rows if row == (None, None) and (territories or reps)]
        return sorted([row for row in rows if row[1] in reps] + nobodys, key=str)
    return [row for row in rows if row[0] in territories]


def check_every_table(house: RolesHouse, schema: str = "published") -> None:
    tables = published(house, schema)
    assert len(tables) >= 18
    for table in tables:
        every = owners(house, f"{schema}.{table}")
        seen = {territory for territory, _ in every}
        # a first plan's rules have nothing to differ from
        due = set() if table in MANAGERS else {None} if table in RUN_LEVEL else {"T1", "T2", None}
        assert seen == due, f"{table} tests nothing"
        for login, (territories, reps) in REPS.items():
            assert owners(house, f"{schema}.{table}", login) == visible(table, every, territories, reps), f"{login} reads {table}"
        assert owners(house, f"{schema}.{table}", "t_bi") == every, table
        assert owners(house, f"{schema}.{table}", "t_web") == [], table
        for login in ("t_visitor", "t_etl"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                house.rows(f"select 1 from {schema}.{table}", login)


def test_every_published_table_shows_each_login_its_rows(house: RolesHouse) -> None:
    check_every_table(house)


def test_memory_itself_shows_no_more(house: RolesHouse) -> None:
    tables = [name for (name,) in house.rows("select tablename from pg_tables where schemaname = 'memory' order by 1")]
    assert {*BUILDERS, "publish", "publications", "role_access", "hcps"} <= set(tables)
    for table in tables:
        assert house.rows(f"select relrowsecurity from pg_class where oid = 'memory.{table}'::regclass") == [(True,)]
        if table in BUILDERS:
            for login in ("t_anna", "t_boss", "t_bi", "t_web"):
                with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                    house.rows(f"select 1 from memory.{table}", login)
        elif table not in ("role_access", "publications"):
            every = owners(house, f"memory.{table}")
            assert owners(house, f"memory.{table}", "t_anna") == visible(table, every, *REPS["t_anna"]), table
            assert owners(house, f"memory.{table}", "t_boss") == owners(house, f"memory.{table}", "t_bi") == every, table
    assert house.rows("select login, territory_id, rep_id from memory.role_access", "t_anna") == [("t_anna", "T1", "R1")]
    assert house.rows("select count(*) from memory.publications", "t_new") == [(0,)]


def test_nobody_but_the_builder_writes(house: RolesHouse) -> None:
    tables = {f"published.{name}": "view" for name in published(house)}
    tables |= {f"memory.{name}": "table" for (name,) in house.rows("select tablename from pg_tables where schemaname = 'memory'")}
    for table, kind in tables.items():
        column = "login" if table == "memory.role_access" else "run_id"
        for login in ("t_anna", "t_boss", "t_bi", "t_web", "t_etl"):
            for text in WRITES:
                # a view that computes refuses writes before it asks who writes
                with pytest.raises(REFUSED):
                    house.rows(text.format(table=table, kind=kind, column=column), login)
            granted = f"select has_table_privilege('{login}', '{table}', 'insert, update, delete, truncate, references, trigger')"
            assert house.rows(granted) == [(False,)], f"{login} may write {table}"
    for schema in ("memory", "published", "marts", "raw", "public"):
        for login in ("t_anna", "t_bi", "t_web"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                house.rows(f"create table {schema}.mine (x text)", login)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        house.rows("select 1 from marts.dim_hcps", "t_bi")


def test_a_rep_cannot_widen_his_rights(house: RolesHouse) -> None:
    for attempt in ("set nba.territories = '[\"*\"]'", "set nba.rep_id = 'R2'", "set row_security = on"):
        assert house.rows(f"{attempt}; select count(*) from published.hcps", "t_anna") == [(1,)]
    for attempt in ("set role t_boss", "set role t_builder", "set session authorization t_boss", "alter role t_anna bypassrls"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            house.rows(attempt, "t_anna")
    for attempt in ("set row_security = off; select 1 from published.hcps", "alter view published.hcps set (security_invoker = false)"):
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            house.rows(attempt, "t_anna")


def test_an_app_says_for_whom_it_asks_in_each_transaction(house: RolesHouse) -> None:
    connection = psycopg2.connect(host=house.server.host, port=house.server.port, user="t_web", dbname=house.database)

    def seen(table: str) -> list[tuple]:
        cursor.execute(f"select territory_id, rep_id from published.{table} order by 1")
        return cursor.fetchall()

    try:
        cursor = connection.cursor()
        cursor.execute("select set_config('nba.territories', %s, true), set_config('nba.rep_id', 'R1', true)", [json.dumps(["T1", "T9"])])
        assert seen("hcps") == seen("reps") == [("T1", "R1")]
        assert seen("constraint_prices") == [("T1", "R1"), (None, None)]
        connection.commit()
        # the next who gets this connection from the pool has said nothing yet
        assert seen("hcps") == seen("reps") == seen("constraint_prices") == []
        cursor.execute("select set_config('nba.territories', '[\"*\"]', true)")
        assert len(seen("hcps")) == len(seen("constraint_prices")) == 3
        connection.commit()
        cursor.execute("select set_config('nba.territories', 'T1', true)")
        with pytest.raises(psycopg2.DataError):
            seen("hcps")
    finally:
        connection.close()


def test_the_loader_writes_raw_only_and_the_builder_reads_it(house: RolesHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PG_USER", "t_etl")
    warehouse = connect("postgres", house.folder, reader="t_builder")
    try:
        from nba.project import Column, Table

        warehouse.create_table("raw", Table("kpi_metrics", "input", True, (Column("hcp_id", "text", True),)))
        for schema in ("memory", "published", "marts"):
            with pytest.raises(NbaError, match=r"t_etl may not do this in database roles at .*: permission denied for schema"):
                warehouse.create_table(schema, Table("kpi_metrics", "input", True, (Column("hcp_id", "text", True),)))
    finally:
        warehouse.close()
    assert house.rows("select count(*) from raw.kpi_metrics", "t_builder") == [(0,)]
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        house.rows("insert into raw.kpi_metrics values ('x')", "t_builder")
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        house.rows("select 1 from raw.kpi_metrics", "t_bi")


def test_all_of_it_holds_after_another_build(house: RolesHouse) -> None:
    (first,) = house.rows("select run_id from published.plan_summary")
    build(house)
    assert house.rows("select run_id from published.plan_summary") != [first]
    check_every_table(house)
    assert house.rows("select count(*) from published.plan_history", "t_anna") == [(2,)]
    test_memory_itself_shows_no_more(house)


def test_a_prefix_has_its_own_access(house: RolesHouse) -> None:
    build(house, nba_schema_prefix="other_")
    assert house.rows("select count(*) from other_published.hcps", "t_anna") == [(0,)]
    assert house.rows("select count(*) from other_published.hcps", "t_bi") == [(3,)]
    words = ["--access", str(house.folder / "access.csv"), "--vars", json.dumps({"nba_schema_prefix": "other_", "nba_roles": ROLES})]
    assert nba_roles(house, *words) == 0
    check_every_table(house, "other_published")


def test_a_way_past_row_security_turns_the_build_red(house: RolesHouse) -> None:
    house.rows("create view published.leak as select * from memory.hcps; create table published.copied as select * from memory.hcps")
    try:
        asked = house.dbt("test", "--select", "published__has_row_security", user="t_builder", nba_roles=ROLES)
        assert not asked.success
        assert [result.failures for result in asked.result.results if result.node.name == "published__has_row_security"] == [2]
        house.rows("alter view published.leak set (security_invoker = true); drop table published.copied")
        assert house.dbt("test", "--select", "published__has_row_security", user="t_builder", nba_roles=ROLES).success
        house.rows("alter table memory.hcps disable row level security")
        assert not house.dbt("test", "--select", "published__has_row_security", user="t_builder", nba_roles=ROLES).success
    finally:
        house.rows("drop view published.leak; drop table if exists published.copied; alter table memory.hcps enable row level security")


def test_builds_that_would_own_the_wrong_things_are_refused(house: RolesHouse, capfd: pytest.CaptureFixture[str]) -> None:
    assert not house.dbt("build", nba_roles=ROLES).success
    said = "This build runs as nba_owner, but nba_roles says that t_builder builds: what it made would belong to the wrong role."
    assert said in capfd.readouterr().out
    assert not house.dbt("build", user="t_builder", nba_roles={**ROLES, "rep": "t_nobody"}).success
    assert "The database has no role t_nobody, which nba_roles names. What to do: run `nba roles`." in capfd.readouterr().out
    for wrong, text in (
        ({**ROLES, "reader": "t_rep"}, "vars.nba_roles must name the builder, and no role twice"),
        ({**ROLES, "boss": "t_boss"}, "vars.nba_roles names boss, which is none of loader, builder, reader, rep, app"),
        ({**ROLES, "app": "x; drop"}, "vars.nba_roles.app is no name of a role: x; drop"),
    ):
        assert not house.dbt("build", nba_roles=wrong).success
        assert text in capfd.readouterr().out


def test_set_up_can_be_printed_and_repeated(house: RolesHouse, capsys: pytest.CaptureFixture[str]) -> None:
    assert nba_roles(house, "--print") == 0
    printed = capsys.readouterr().out
    for statement in ('grant create on database "roles" to "t_builder";', "set (security_invoker = true);", "enable row level security;"):
        assert statement in printed
    assert nba_roles(house) == 0
    assert capsys.readouterr().out == "Roles are set up on target postgres: t_loader, t_builder, t_reader, t_rep, t_app.\n"
    check_every_table(house)


def test_what_cannot_be_set_up_is_said(house: RolesHouse, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    place = ["--project-dir", str(house.folder)]
    assert main(["roles", "--target", "duckdb", *place]) == 1
    assert "which has no roles: whoever may read the file reads every row of it" in capsys.readouterr().err
    assert main(["roles", "--target", "postgres", *place]) == 1
    assert capsys.readouterr().err.startswith("nba roles: the roles were not set up: ")
    for text, message in (
        ("name\nx\n", "has the columns name: give login, territory_id, rep_id"),
        ("login,territory_id\nt_anna,T1\n,T2\n", "line 3: login is empty. Nothing was written"),
        ("login,territory_id\nt_anna,\n", "line 2: t_anna gets neither a territory_id nor a rep_id. Nothing was written"),
        ("login,territory_id\nt_anna,T1,R1\n", "line 2: does not have 2 fields. Nothing was written"),
    ):
        (tmp_path / "access.csv").write_text(text)
        assert nba_roles(house, "--access", str(tmp_path / "access.csv")) == 1
        assert message in capsys.readouterr().err
    assert house.rows("select count(*) from memory.role_access") == [(4,)]


def test_access_is_read_and_roles_are_those_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "access.csv").write_text("\ufefflogin,rep_id\na,R1\na,R1\nb,R2\n")
    assert read_access(tmp_path / "access.csv") == [Access("a", None, "R1"), Access("b", None, "R2")]
    assert configured_roles(ROOT, {}) == {}
    assert configured_roles(ROOT, {"nba_roles": {"builder": "b"}}) == {"builder": "b"}


def test_every_memory_table_has_a_row_scope() -> None:
    import yaml

    scopes = dict(re.findall(r"'(\w+)': '(\w+)'", (ROOT / "macros" / "roles" / "row_scopes.sql").read_text()))
    models = [yaml.safe_load(path.read_text())["models"][0] for path in (ROOT / "models" / "memory").glob("*.yml")]
    assert {model["config"].get("alias", model["name"]) for model in models} == set(scopes) - {
        "publications",
        "role_access",
        "audit_log",
        "content_hashes",
        "pruned_runs",
    }
    for model in models:
        name = model["config"].get("alias", model["name"])
        columns = {column["name"] for column in model["columns"]}
        wanted = {"territory": {"territory_id"}, "rep": {"rep_id"}, "limit": {"territory_id", "rep_id"}}.get(scopes[name], set())
        assert wanted <= columns, name
        assert scopes[name] not in ("run", "none") or not columns & {"hcp_id", "rep_id", "territory_id"}, name
