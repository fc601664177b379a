"""The audit log of the emulated account: every statement as the client sent it, one JSON object a line.

It is what tests read to assert what the emulation itself would swallow: grants, policies, query tags, packages, imports.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Statement:
    """One request of a client. kind: `login`, `sql` or `procedure` (a statement sent from inside a stored procedure);
    answer: `run`, `rewritten`, `answered` (never run: the layer replied), `refused` or `failed`, with the message in `error`."""

    number: int
    session: str
    kind: str
    sql: str
    answer: str
    error: str = ""

    @property
    def text(self) -> str:
        """The statement without dbt's comment and with single blanks, lower case: for searching."""
        plain = re.sub(r"/\*.*?\*/", " ", self.sql, flags=re.DOTALL)
        return " ".join(plain.split()).lower()


class AuditLog:
    """Appends statements to a file; safe from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._count = 0
        path.touch()

    def add(self, session: str, kind: str, sql: str, answer: str, error: str = "") -> None:
        """One more statement."""
        with self._lock:
            self._count += 1
            line = json.dumps(asdict(Statement(self._count, session, kind, sql, answer, error)))
            with self._path.open("a", encoding="utf-8") as log:
                log.write(line + "\n")


def read_audit(path: Path) -> Iterator[Statement]:
    """The statements of an audit log, oldest first."""
    for line in path.read_text("utf-8").splitlines():
        yield Statement(**json.loads(line))
