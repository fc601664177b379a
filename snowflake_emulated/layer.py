"""The thin layer between a Snowflake client and fakesnow: it logs every statement, answers what fakesnow cannot run, and refuses what
a real account would refuse and fakesnow would swallow."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from snowflake_emulated import access, bulk, procedures, rewrites, strict
from snowflake_emulated.audit import AuditLog
from snowflake_emulated.server import body_of

if TYPE_CHECKING:
    from starlette.types import Message

Forward = Callable[[Request], Awaitable[Response]]
COMMENTS = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\$\$.*?\$\$|(/\*.*?\*/|--[^\r\n]*)", re.DOTALL)
DONE = "select 'Statement executed successfully.' as \"status\""


class Refused(Exception):
    """What a Snowflake account would answer with an error."""


@dataclass
class Session:
    """One login. inside: it was made from inside a stored procedure."""

    name: str
    token: str
    database: str
    schema: str
    inside: bool = False
    temporary: list[str] = field(default_factory=list)


class Layer:
    """folder: where the audit log and the stage lie; port: of this server, for procedures that connect back."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self.audit = AuditLog(folder / "audit.jsonl")
        self.grants = access.Grants()
        self.procedures: dict[str, procedures.Procedure] = {}
        self.sessions: dict[str, Session] = {}
        self.running: dict[str, asyncio.Future[Response]] = {}

    def mend_fakesnow(self) -> None:
        """Repairs of fakesnow 0.12.1 itself."""
        from snowflake_emulated.mends import mend_name_of_base, mend_null_timestamps, mend_rowtypes
        from snowflake_emulated.quicker import leave_out_idle_transforms, remember_statements

        mend_name_of_base(self.folder)
        leave_out_idle_transforms()
        remember_statements()
        mend_null_timestamps()
        mend_rowtypes()

    async def login(self, request: Request, forward: Forward) -> Response:
        """A login: its session parameters (query tag) and place go into the log."""
        body = await body_of(request)
        given = body["data"].get("SESSION_PARAMETERS") or {}
        place = dict(request.query_params)
        answer = await forward(_with_body(request, body))
        token = json.loads(answer.body)["data"]["token"]
        name = f"s{len(self.sessions) + 1}"
        inside = given.get("QUERY_TAG") == procedures.INSIDE
        self.sessions[token] = Session(name, token, place.get("databaseName", "").upper(), place.get("schemaName", "").upper(), inside)
        said = json.dumps({"place": place, "parameters": given}, sort_keys=True, default=str)
        self.audit.add(name, "login", said, "run")
        return answer

    async def query(self, request: Request, forward: Forward) -> Response:
        """A statement, run once: the connector sends a long one again under the same id, and then waits for the same answer."""
        name = request.query_params.get("requestId") or str(id(request))
        if name not in self.running:
            self.running[name] = asyncio.ensure_future(self._query(request, forward))
        try:
            answer = await asyncio.shield(self.running[name])
        finally:
            if self.running[name].done():
                asyncio.get_running_loop().call_later(600, self.running.pop, name, None)
        return Response(answer.body, answer.status_code, media_type="application/json")

    async def _query(self, request: Request, forward: Forward) -> Response:
        """A statement: logged, then refused, answered, or handed to fakesnow in words that it understands."""
        body = rewrites.with_identifiers(await body_of(request))
        sql = body["sqlText"]
        session = self.sessions.get(request.headers.get("Authorization", "")[17:-1]) or Session("?", "", "", "")
        kind = "procedure" if session.inside else "sql"
        try:
            told, how = await run_in_threadpool(self.told, sql, session)
        except Refused as refusal:
            self.audit.add(session.name, kind, sql, "refused", str(refusal))
            return _error(str(refusal))
        answer = await forward(_with_body(request, body | {"sqlText": told}))
        said = json.loads(answer.body)
        error = "" if said.get("success") else str(said.get("message"))
        self.audit.add(session.name, kind, sql, "failed" if error else how, error)
        if error and answer.status_code == 500:  # the connector would try again for minutes
            return _error(f"the emulation cannot run this: {error[:2000]}")
        return answer

    def told(self, sql: str, session: Session) -> tuple[str, str]:
        """The statement for fakesnow and how it was answered (`run`, `rewritten`, `answered`). Raises Refused."""
        plain = COMMENTS.sub(lambda found: " " if found.group(1) else found.group(0), sql).strip().rstrip(";").strip()
        verb = " ".join(plain[:200].lower().split())
        if answer := self._procedure(plain, verb, session):
            return answer, "answered"
        if answer := self.grants.answer(plain, verb):
            return answer, "answered"
        if re.match(r"(comment |alter .* comment |comment on )", verb) or (
            " comment $$" in plain.lower()[:4000] and verb.startswith("alter")
        ):
            return DONE, "answered"
        if complaint := strict.complaint(plain, verb):
            raise Refused(complaint)
        if (inserted := bulk.insert_values(plain, self._duckdb(session))) is not None:
            return f'select {inserted} as "number of rows inserted"', "rewritten"
        if copied := bulk.copy_parquet(plain, self._duckdb(session), self.folder / "stages", session.database):
            return copied, "rewritten"
        changed = rewrites.for_fakesnow(plain, verb, session)
        return (changed, "rewritten") if changed != plain else (plain, "run")

    @staticmethod
    def _duckdb(session: Session) -> Any:
        """The DuckDB connection under a session."""
        import fakesnow.server

        return fakesnow.server.sessions[session.token]._duck_conn

    def _procedure(self, plain: str, verb: str, session: Session) -> str | None:
        """What a statement about stored procedures is answered with; None for any other."""
        found = procedures.read(plain, verb)
        if found is None:
            return None
        if found.action == "create":
            self.procedures[found.name] = found
            return DONE
        if found.action == "drop":
            self.procedures.pop(found.name, None)
            return DONE
        procedure = found if found.action == "anonymous" else self.procedures.get(found.name)
        if procedure is None:
            raise Refused(f"SQL compilation error: Unknown procedure {found.name}")
        try:
            said = procedures.run(procedure, self, session)
        except procedures.ProcedureFailed as failure:
            raise Refused(str(failure)) from failure
        return f"select '{said.replace(chr(39), chr(39) * 2)}' as \"{procedure.name.split('.')[-1].upper()}\""


def _with_body(request: Request, body: dict[str, Any]) -> Request:
    """The same request with another body, not packed."""
    data = json.dumps(body).encode()
    drop = (b"content-encoding", b"content-length")
    scope = dict(request.scope) | {"headers": [one for one in request.scope["headers"] if one[0].lower() not in drop]}

    async def receive() -> Message:
        return {"type": "http.request", "body": data, "more_body": False}

    return Request(scope, receive)


def _error(message: str) -> JSONResponse:
    failed = {"data": {"errorCode": "001003", "sqlState": "42000"}, "code": "001003", "message": message, "success": False}
    return JSONResponse(failed)
