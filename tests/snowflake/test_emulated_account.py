"""The emulated account itself, and the commands that make an account ready.

A layer that swallowed everything would make green runs worthless: here is what it refuses.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from pathlib import Path

import pytest
import snowflake.connector
from conftest import ROOT, Place

from nba.snowflake.account import Account, administrator_statements
from nba.snowflake.package import build_zip, package_files
from nba.snowflake.preflight import ask_packages, declared_packages, preflight_lines
from nba.versions import hash_of_files
from snowflake_emulated.server import Emulator

REFUSED = {
    'select "hcp_id" from t': "invalid identifier",
    "select 1 as rows": "reserved word",
    "select list_sort(x) from t": "Unknown function LIST_SORT",
    "select * from read_csv('x.csv')": "Unknown function READ_CSV",
    "create or replace table NBA.PUBLIC.x as (select 1 as sample)": "reserved word",
}


@pytest.mark.parametrize(("statement", "said"), REFUSED.items())
def test_what_an_account_would_refuse_is_refused(emulator: Emulator, statement: str, said: str) -> None:
    with emulator.connect() as connection, pytest.raises(snowflake.connector.errors.ProgrammingError, match=said):
        connection.cursor().execute(statement)


def test_null_timestamps_stay_null_and_others_keep_their_microseconds(emulator: Emulator) -> None:
    with emulator.connect() as connection:
        found = connection.cursor().execute("select cast(null as timestamp), cast('2026-01-05 01:02:03.000456' as timestamp)").fetchone()
    assert found[0] is None and found[1].isoformat() == "2026-01-05T01:02:03.000456"


def test_grants_are_told_again(emulator: Emulator) -> None:
    with emulator.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("grant select, insert on table NBA.PUBLIC.shown to role one_role")
        cursor.execute("revoke insert on table NBA.PUBLIC.shown from role one_role")
        rows = cursor.execute("show grants on table NBA.PUBLIC.shown").fetchall()
    assert [(row[1], row[5]) for row in rows] == [("SELECT", "ONE_ROLE")]


PROCEDURE = """create or replace procedure NBA.PUBLIC.tried() returns string language python runtime_version = '3.11'
packages = ({packages}) imports = ({imports}) handler = 'main' as
$$
def main(session):
    {body}
$$"""


def _call(emulator: Emulator, body: str, packages: str = "'numpy'", imports: str = "") -> str:
    text = PROCEDURE.format(packages=packages, imports=imports, body=body)
    with emulator.connect() as connection:
        connection.cursor().execute(text if imports else text.replace(" imports = ()", ""))
        return connection.cursor().execute("call NBA.PUBLIC.tried()").fetchone()[0]


def test_a_procedure_sees_its_packages_and_nothing_else(account: Emulator) -> None:
    assert _call(account, "import numpy; return numpy.__name__") == "numpy"
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="No module named 'sklearn'"):
        _call(account, "import sklearn")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="No module named 'nba'"):
        _call(account, "import nba")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="not 1.0"):
        _call(account, "return 'never'", "'numpy==1.0'")
    with pytest.raises(snowflake.connector.errors.ProgrammingError, match="was not found on the stage"):
        _call(account, "return 'never'", imports="'@NBA.nba_code.packages/other.zip'")


def test_a_procedure_takes_the_project_from_the_staged_zip_with_its_code_version(account: Emulator, client: Place) -> None:
    body = "import nba, nba.versions; return nba.__file__ + ' ' + nba.versions.code_version()"
    place, version = _call(account, body, imports="'@NBA.nba_code.packages/nba.zip'").split()
    assert "/NBA_CODE/PACKAGES/nba.zip/nba/" in place
    stamped = zipfile.ZipFile(client.folder / "nba.zip").read("nba/code_version.txt").decode()
    assert version == stamped and re.fullmatch("[0-9a-f]{64}", version)


def test_the_zip_is_the_same_bytes_each_time_and_pure_python(tmp_path: Path) -> None:
    first, second = build_zip(ROOT, tmp_path / "one.zip"), build_zip(ROOT, tmp_path / "two.zip")
    assert first == second == hashlib.sha256((tmp_path / "two.zip").read_bytes()).hexdigest()
    assert zipfile.ZipFile(tmp_path / "one.zip").read("nba/code_version.txt").decode() == hash_of_files(ROOT)
    names = zipfile.ZipFile(tmp_path / "one.zip").namelist()
    assert names[:-1] == [path.relative_to(ROOT).as_posix() for path in package_files(ROOT)]
    assert {Path(name).suffix for name in names} == {".py", ".txt"}
    assert {"nba/planning.py", "optimization/solve.py", "nba/snowflake/procedure.py"} <= set(names)


def test_setup_prints_its_statements_and_changes_nothing(emulator: Emulator, client: Place) -> None:
    before = len(emulator.audit())
    said = client.nba("snowflake", "setup", "--as", "administrator").stdout
    assert len(emulator.audit()) == before
    assert "alter database NBA set default_python_artifact_repository = snowflake.snowpark.pypi_shared_repository;" in said
    assert "put 'file://" in client.nba("snowflake", "setup").stdout


def test_setup_runs_what_it_prints(account: Emulator) -> None:
    sent = [one.sql for one in account.audit()]
    assert set(administrator_statements(Account("NBA", "NBA_WH", "NBA_BUILDER"))) <= set(sent)
    with account.connect() as connection:
        assert connection.cursor().execute("list @NBA.nba_code.packages").fetchone()[0] == "packages/nba.zip"


def test_declared_packages_are_those_of_the_lock() -> None:
    lock = dict(re.findall(r"^([\w.-]+)==(\S+)", (ROOT / "requirements" / "snowflake.lock").read_text(), re.MULTILINE))
    assert {name: lock[name] for name, _ in declared_packages(ROOT)} == dict(declared_packages(ROOT))


@pytest.mark.parametrize(
    ("channel", "repository", "told", "all_resolve"),
    [
        ({}, True, "from the database's artifact repository", True),
        ({"highspy": "1.15.1", "numpy": "2.4.6"}, False, "missing", False),
        ({"numpy": "2.0.0"}, False, "missing; the channel has 2.0.0", False),
    ],
)
def test_preflight_tells_how_each_package_resolves(channel: dict[str, str], repository: bool, told: str, all_resolve: bool) -> None:
    def ask(statement: str) -> list[tuple[object, ...]]:
        if statement.startswith("show parameters"):
            return [("DEFAULT_PYTHON_ARTIFACT_REPOSITORY", "SNOWFLAKE.SNOWPARK.PYPI_SHARED_REPOSITORY" if repository else "")]
        return [(name, version, "3.11") for name, version in channel.items()]

    lines, answer = preflight_lines(ask_packages(ask, Account("NBA", "NBA_WH", "NBA_BUILDER"), declared_packages(ROOT), "3.11"))
    assert answer is all_resolve
    assert any(told in line for line in lines)


def test_preflight_names_the_way_out_where_only_the_solver_is_missing() -> None:
    declared = declared_packages(ROOT)
    there = [(name, version, "3.11") for name, version in declared if name not in ("highspy", "pyomo")]
    lines, _ = preflight_lines(
        ask_packages(lambda text: [] if text.startswith("show") else there, Account("A", "B", "C"), declared, "3.11")
    )
    assert any("nba_plan_on: client" in line for line in lines)


def test_preflight_asks_the_account(account: Emulator, client: Place) -> None:
    done = client.nba("snowflake", "preflight", check=False)
    assert "highspy==1.15.1: from the database's artifact repository" in done.stdout, done.stderr
    assert done.returncode == 0


def test_the_list_of_tables_holds_views_too(emulator: Emulator) -> None:
    with emulator.connect() as connection:
        cursor = connection.cursor()
        cursor.execute("create or replace table NBA.PUBLIC.listed (a integer)")
        cursor.execute("create or replace view NBA.PUBLIC.listed_view as (select a from NBA.PUBLIC.listed)")
        rows = cursor.execute(
            "select table_name, table_type = 'VIEW' from information_schema.tables where table_schema = 'PUBLIC'"
        ).fetchall()
    assert {("LISTED", False), ("LISTED_VIEW", True)} <= set(rows)
