"""An Apache Superset of its own, for as long as a check runs: metadata in a temporary folder, a free port, one account."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

CONFIG = """
SECRET_KEY = {secret!r}
SQLALCHEMY_DATABASE_URI = "sqlite:///{folder}/superset.db"
# plain http on this machine only
TALISMAN_ENABLED = False
SESSION_COOKIE_SECURE = False
RATELIMIT_ENABLED = False
"""
ACCOUNT = "nba_check"
START_SECONDS = 240


class SupersetError(RuntimeError):
    """Superset could not be started, or refused a request; the text says which and what it answered."""


@dataclass
class Superset:
    """A running server and the account that is logged in. `log` is what the server wrote."""

    address: str
    password: str
    log: Path
    _headers: dict[str, str] = field(default_factory=dict)
    _opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
    )

    def log_in(self) -> None:
        """A bearer token for the account and the token that Superset wants with every change."""
        given = {"username": ACCOUNT, "password": self.password, "provider": "db", "refresh": True}
        self._headers["Authorization"] = f"Bearer {self.call('POST', '/api/v1/security/login', given)['access_token']}"
        self._headers["X-CSRFToken"] = self.call("GET", "/api/v1/security/csrf_token/")["result"]
        self._headers["Referer"] = self.address

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One REST call: the answer as JSON. SupersetError holds the answer of a refusal."""
        return json.loads(self.fetch(method, path, body))

    def fetch(self, method: str, path: str, body: Any = None) -> bytes:
        """One call: the answer as it is."""
        data = None if body is None else json.dumps(body).encode()
        headers = self._headers if body is None else {"Content-Type": "application/json", **self._headers}
        request = urllib.request.Request(self.address + path, data=data, method=method, headers=headers)
        try:
            with self._opener.open(request, timeout=120) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise SupersetError(f"{method} {path}: {error.code} {error.read().decode(errors='replace')[:2000]}") from error


@contextlib.contextmanager
def running_superset(programs: Path) -> Iterator[Superset]:
    """Set Superset up and start it; `programs` is the folder of its `superset` command. Stopped and deleted at the end."""
    with tempfile.TemporaryDirectory(prefix="nba-superset-") as made:
        folder = Path(made)
        config = folder / "superset_config.py"
        config.write_text(CONFIG.format(secret=secrets.token_urlsafe(42), folder=folder), encoding="utf-8")
        environment = {**os.environ, "SUPERSET_CONFIG_PATH": str(config), "SUPERSET_HOME": made, "FLASK_APP": "superset.app:create_app()"}
        environment.pop("PYTHONPATH", None)
        password, log = secrets.token_urlsafe(16), folder / "superset.log"
        person = ["--firstname", "N", "--lastname", "B", "--email", "nobody@example.org"]
        for words in (
            ["db", "upgrade"],
            ["fab", "create-admin", "--username", ACCOUNT, "--password", password, *person],
            ["init"],
        ):
            _run([str(programs / "superset"), *words], environment, log)
        port = _free_port()
        with open(log, "a", encoding="utf-8") as file:
            server = subprocess.Popen(
                [str(programs / "superset"), "run", "--host", "127.0.0.1", "--port", str(port), "--with-threads"],
                env=environment,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        try:
            found = Superset(f"http://127.0.0.1:{port}", password, log)
            _wait_for(found, server)
            yield found
        except SupersetError as error:
            error.add_note(f"The end of Superset's log:\n{log.read_text('utf-8')[-6000:]}")
            raise
        finally:
            server.terminate()
            server.wait(timeout=30)


def _run(command: list[str], environment: dict[str, str], log: Path) -> None:
    with open(log, "a", encoding="utf-8") as file:
        done = subprocess.run(command, env=environment, stdout=file, stderr=subprocess.STDOUT, check=False)
    if done.returncode != 0:
        raise SupersetError(f"{' '.join(command[:3])} failed: {log.read_text('utf-8')[-2000:]}")


def _wait_for(superset: Superset, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + START_SECONDS
    while True:
        try:
            superset.fetch("GET", "/health")
            return
        except (SupersetError, OSError) as error:
            if server.poll() is not None or time.monotonic() > ends:
                raise SupersetError(f"Superset did not come up ({error}): {superset.log.read_text('utf-8')[-2000:]}") from error
            time.sleep(1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
