"""The emulated account as a server: fakesnow's routes, with the layer in front of its statements, in a process of its own."""

from __future__ import annotations

import gzip
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snowflake_emulated.audit import Statement, read_audit

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
ACCOUNT = {"account": "emulated", "user": "EMULATED", "password": "emulated", "role": "NBA_BUILDER", "warehouse": "NBA_WH"}


@dataclass(frozen=True)
class Emulator:
    """A running emulated account. folder: holds its audit log and output; port: on 127.0.0.1."""

    folder: Path
    port: int

    def environment(self, database: str = "NBA", schema: str = "PUBLIC") -> dict[str, str]:
        """The variables that the target `snowflake` of profiles.yml reads."""
        given = {**ACCOUNT, "database": database, "schema": schema, "host": HOST, "port": str(self.port), "protocol": "http"}
        return {f"NBA_SF_{name.upper()}": value for name, value in given.items()}

    def connect(self, database: str = "NBA", schema: str = "PUBLIC") -> Any:
        """A connection of the real Snowflake connector."""
        import snowflake.connector

        parameters = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False}
        where = {"host": HOST, "port": self.port, "protocol": "http", "database": database, "schema": schema}
        return snowflake.connector.connect(**ACCOUNT, **where, session_parameters=parameters, platform_detection_timeout_seconds=0.0)

    def audit(self) -> list[Statement]:
        """Every statement so far."""
        return list(read_audit(self.folder / "audit.jsonl"))


@contextmanager
def running_emulator(folder: Path, seconds: float = 60.0) -> Iterator[Emulator]:
    """An emulated account in a process of its own, stopped at the end. RuntimeError with its output when it does not come up."""
    folder.mkdir(parents=True, exist_ok=True)
    folder = folder.resolve()
    ready, home = folder / "ready.json", Path(__file__).resolve().parents[1]
    with (folder / "server.log").open("wb") as output:
        command = [sys.executable, "-m", "snowflake_emulated", str(folder)]
        process = subprocess.Popen(command, cwd=home, stdout=output, stderr=subprocess.STDOUT, env=os.environ | {"OMP_NUM_THREADS": "1"})
        try:
            deadline = time.monotonic() + seconds
            while not ready.exists() and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.05)
            if not ready.exists():
                raise RuntimeError(f"the emulated account did not start: {(folder / 'server.log').read_text()[-2000:]}")
            yield Emulator(folder, json.loads(ready.read_text())["port"])
        finally:
            process.terminate()
            process.wait(timeout=20)


def serve(folder: Path) -> None:
    """Run the emulated account in this process until it is stopped."""
    import fakesnow.server
    import fakesnow.transforms.stage
    import uvicorn
    from starlette.applications import Starlette
    from starlette.routing import Route

    from snowflake_emulated.layer import Layer

    listening = socket.socket()
    listening.bind((HOST, 0))
    port = listening.getsockname()[1]
    fakesnow.transforms.stage.LOCAL_BUCKET_PATH = str(folder / "stages")
    layer = Layer(folder, port)
    layer.mend_fakesnow()

    async def query(request: Request) -> Response:
        return await layer.query(request, fakesnow.server.query_request)

    async def login(request: Request) -> Response:
        return await layer.login(request, fakesnow.server.login_request)

    own = [Route("/queries/v1/query-request", query, methods=["POST"]), Route("/session/v1/login-request", login, methods=["POST"])]
    app = Starlette(routes=own + [route for route in fakesnow.server.routes if route.path not in {one.path for one in own}])
    config = uvicorn.Config(app, host=HOST, port=port, log_level="warning")
    started = folder / "ready.part"
    started.write_text(json.dumps({"port": port}))
    listening.listen(64)
    started.rename(folder / "ready.json")
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    uvicorn.Server(config).run(sockets=[listening])


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone."""
    while os.getppid() == parent:
        time.sleep(1.0)
    os._exit(0)


async def body_of(request: Request) -> dict[str, Any]:
    """The JSON of a request of the connector, which may be packed."""
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    return json.loads(body)
