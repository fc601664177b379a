"""The profile's settings reach both kinds of connection, dbt's own and those that read; the password reaches nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from postgres_server import PostgresServer
from small_project import SmallProject, messages
from tls_front import Front, tls_front, write_certificates

PASSWORD = "not-to-be-seen"
READS = """
    def model(dbt, session):
        return session.table("who").to_arrow_table()
"""


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    write_certificates(folder)
    return folder


@pytest.fixture(scope="module")
def front(postgres: PostgresServer, certificates: Path) -> Iterator[Front]:
    with tls_front(f"{postgres.host}/.s.PGSQL.{postgres.port}", certificates) as running:
        yield running


@pytest.fixture
def through_tls(front: Front, certificates: Path) -> dict[str, Any]:
    """Settings of a profile that reach the server through TLS with a client certificate."""
    front.seen.clear()
    return {
        "host": "localhost",
        "port": front.port,
        "sslmode": "verify-full",
        "sslrootcert": str(certificates / "ca.pem"),
        "sslcert": str(certificates / "client.pem"),
        "sslkey": str(certificates / "client.key"),
    }


@pytest.fixture(scope="module")
def whoami(project: SmallProject) -> SmallProject:
    """A view `who` in a schema that only the search path leads to, and a role that may read it."""
    project.rows(
        """
        create schema made;
        create schema "by path";
        create view "by path".who as select current_user::text as who, current_setting('application_name')::text as program;
        create role acting;
        grant all on database test_python_connections to acting;
        grant all on schema made to acting;
        grant usage on schema "by path" to acting;
        grant select on "by path".who to acting;
        select 1
        """
    )
    project.write({"models/reads.py": READS})
    return project


def connection_of(project: SmallProject, **settings: Any) -> Any:
    from dbt.adapters.pgpy.connections import PgpyCredentials, ReadConnections

    known = {"host": project.server.host, "port": project.server.port, "user": project.server.user, "password": PASSWORD}
    return ReadConnections(PgpyCredentials(**{**known, "database": project.database, "schema": "made", **settings}))


def test_search_path_role_and_program_reach_the_reads(whoami: SmallProject) -> None:
    whoami.configure(search_path='"by path", public', role="acting", application_name="the builder")
    whoami.built("run")
    assert whoami.rows("select * from made.reads") == [("acting", "the builder")]
    assert whoami.rows("select tableowner::text from pg_tables where tablename = 'reads'") == [("acting",)]


def test_the_role_outlives_a_rollback(whoami: SmallProject) -> None:
    from dbt.adapters.contracts.connection import Connection
    from dbt.adapters.pgpy.connections import PgpyConnectionManager, PgpyCredentials

    server = whoami.server
    known = {"host": server.host, "port": server.port, "user": server.user, "password": PASSWORD}
    credentials = PgpyCredentials(**known, database=whoami.database, schema="made", role="acting")
    handle = PgpyConnectionManager.open(Connection(type="pgpy", name="acting", credentials=credentials)).handle
    handle.rollback()
    with handle.cursor() as cursor:
        cursor.execute("select current_user")
        assert cursor.fetchone() == ("acting",)
    handle.close()


def test_tls_reaches_the_reads(whoami: SmallProject, front: Front, through_tls: dict[str, Any]) -> None:
    whoami.configure(search_path='"by path"', keepalives_idle=30, **through_tls)
    whoami.built("run")
    assert whoami.rows("select who from made.reads") == [(whoami.server.user,)]
    front.seen.clear()
    with connection_of(whoami, search_path='"by path"', application_name="reader", **through_tls).cursor():
        assert {settings["application_name"] for settings in front.seen} == {"reader"}
        assert {settings["options"] for settings in front.seen} == {'-c search_path="by\\ path"'}
    assert front.plain == 0


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"sslrootcert": "another-ca.pem"}, "certificate verify failed"),
        ({"sslcert": "server.pem", "sslkey": "client.key"}, "does not match|key values mismatch"),
        ({"sslrootcert": "missing.pem"}, "does not exist"),
        ({"sslmode": "disable"}, "closed|unexpectedly|no connection"),
    ],
)
def test_each_tls_setting_counts_in_the_reads(
    whoami: SmallProject, through_tls: dict[str, Any], certificates: Path, changed: dict[str, str], reason: str
) -> None:
    paths = {name: str(certificates / value) if name != "sslmode" else value for name, value in changed.items()}
    with pytest.raises(Exception, match=reason) as caught, connection_of(whoami, **{**through_tls, **paths}).cursor():
        pass
    assert "no connection to read with" in str(caught.value) and PASSWORD not in str(caught.value)


def test_a_refused_connection_is_tried_again(whoami: SmallProject, front: Front, through_tls: dict[str, Any]) -> None:
    front.refuse_next = 1
    connections = connection_of(whoami, retries=1, **through_tls)
    with connections.cursor() as cursor:
        cursor.execute("select 1 as one")
        assert cursor.fetchall() == [(1,)]
    connections.close()
    front.refuse_next = 1
    with pytest.raises(Exception, match="no connection to read with"), connection_of(whoami, retries=0, **through_tls).cursor():
        pass


def test_a_password_in_an_error_is_hidden(whoami: SmallProject) -> None:
    assert connection_of(whoami).without_password(f"cannot log in with {PASSWORD}") == "cannot log in with ***"


def test_the_password_is_in_no_log(whoami: SmallProject, capfd: pytest.CaptureFixture[str]) -> None:
    whoami.write({"models/fails.py": READS.replace('"who"', '"nowhere"')})
    whoami.configure()
    failed = whoami.dbt("--debug", "run")
    whoami.remove("models/fails.py")
    assert 'relation "nowhere" does not exist' in messages(failed)
    whoami.configure(port=1)
    assert not whoami.dbt("--debug", "run").success
    told = "".join(capfd.readouterr()) + (whoami.folder / "logs" / "dbt.log").read_text()
    assert "nowhere" in told and PASSWORD not in told
