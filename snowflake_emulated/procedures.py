"""Stored procedures of the emulated account: read from SQL, run in a Python of their own with what they declare."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snowflake_emulated.layer import Layer, Session

INSIDE = "emulated-procedure"  # query tag of the sessions that procedures open
CREATE = re.compile(r"create\s+(or\s+replace\s+)?(temporary\s+)?procedure\s+(?P<name>[\w.\"]+)\s*\(", re.IGNORECASE)
WITH = re.compile(r"with\s+(?P<name>[\w.\"]+)\s+as\s+procedure\s*\(", re.IGNORECASE)
CALL = re.compile(r"call\s+(?P<name>[\w.\"]+)\s*\(", re.IGNORECASE)
DROP = re.compile(r"drop\s+procedure\s+(if\s+exists\s+)?(?P<name>[\w.\"]+)", re.IGNORECASE)


class ProcedureFailed(Exception):
    """What a procedure raised, as the account would tell it."""


@dataclass(frozen=True)
class Procedure:
    """action: create, anonymous, call or drop; the rest as declared (empty for call and drop)."""

    action: str
    name: str
    runtime: str = ""
    packages: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()
    handler: str = ""
    code: str = ""


def read(plain: str, verb: str) -> Procedure | None:
    """A statement about procedures, None for any other."""
    for action, pattern in (("create", CREATE), ("anonymous", WITH), ("call", CALL), ("drop", DROP)):
        found = pattern.match(plain)
        if found:
            name = found["name"].replace('"', "").upper()
            return _declared(action, name, plain) if action in ("create", "anonymous") else Procedure(action, name)
    return None


def _declared(action: str, name: str, plain: str) -> Procedure:
    head, _, rest = plain.partition("$$")
    code = rest.partition("$$")[0]

    def listed(word: str) -> tuple[str, ...]:
        found = re.search(rf"\b{word}\s*=\s*\((.*?)\)", head, re.IGNORECASE | re.DOTALL)
        return tuple(re.findall(r"'([^']*)'", found.group(1))) if found else ()

    def one(word: str) -> str:
        found = re.search(rf"\b{word}\s*=\s*'([^']*)'", head, re.IGNORECASE)
        return found.group(1) if found else ""

    return Procedure(action, name, one("RUNTIME_VERSION"), listed("PACKAGES"), listed("IMPORTS"), one("HANDLER"), code)


def run(procedure: Procedure, layer: Layer, session: Session) -> str:
    """The text that the procedure returns. Raises ProcedureFailed with its traceback."""
    task = {
        "runtime": procedure.runtime,
        "packages": procedure.packages,
        "imports": [str(staged_file(layer, one)) for one in procedure.imports],
        "handler": procedure.handler,
        "code": procedure.code,
        "connection": {"port": layer.port, "database": session.database, "schema": session.schema or "PUBLIC", "query_tag": INSIDE},
    }
    runner = Path(__file__).with_name("procedure_runner.py")
    # -I: neither the working folder nor this environment's variables reach the procedure, as in the account's sandbox
    done = subprocess.run(
        [sys.executable, "-I", str(runner)],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        cwd=layer.folder,
        env={"PATH": os.environ.get("PATH", ""), "HOME": str(layer.folder), "OMP_NUM_THREADS": "1"},
        check=False,
    )
    with (layer.folder / "procedures.log").open("a", encoding="utf-8") as log:
        log.write(f"--- {procedure.name} ({done.returncode})\n{done.stdout}{done.stderr}\n")
    if done.returncode:
        raise ProcedureFailed(
            f"Python Interpreter Error:\n{done.stderr[-4000:]} in function {procedure.name} with handler {procedure.handler}"
        )
    return json.loads(done.stdout.splitlines()[-1])["returned"]


def staged_file(layer: Layer, place: str) -> Path:
    """The local file behind `@db.schema.stage/file`. Raises ProcedureFailed when no such file was put."""
    from fakesnow.transforms import stage

    found = re.fullmatch(r"@([\w\".]+)/(.+)", place)
    parts = [part.strip('"').upper() for part in found[1].split(".")] if found else []
    if len(parts) != 3:
        raise ProcedureFailed(f"SQL compilation error: import {place} is no file on a stage named in full")
    path = Path(stage.internal_dir(".".join(parts))) / found[2]
    if not path.is_file():
        raise ProcedureFailed(f"SQL compilation error: An error occurred while looking for imports: {place} was not found on the stage")
    return path
