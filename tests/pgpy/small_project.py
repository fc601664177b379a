"""A dbt project of a few lines, made in a temporary folder and run against a database of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent
from typing import Any

import yaml
from postgres_server import PostgresServer

SCHEMA = "made"


@dataclass(frozen=True)
class SmallProject:
    """`folder` holds the project; every command runs in this process against `database` of `server`."""

    server: PostgresServer
    database: str
    folder: Path

    def write(self, files: Mapping[str, str]) -> None:
        """Put files, by path below the project's folder, in their place."""
        for name, text in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(dedent(text))

    def remove(self, name: str) -> None:
        (self.folder / name).unlink()

    def configure(self, **settings: Any) -> None:
        """Write the project's settings and its profile; `settings` go into the profile."""
        flags = {"send_anonymous_usage_stats": False, "version_check": False, "use_colors": False}
        project = {
            "name": "small",
            "version": "1.0",
            "profile": "small",
            "flags": flags,
            "model-paths": ["models"],
            "seed-paths": ["seeds"],
        }
        target = {
            "type": "pgpy",
            "host": self.server.host,
            "port": self.server.port,
            "user": self.server.user,
            "password": "not-to-be-seen",
            "dbname": self.database,
            "schema": SCHEMA,
            "threads": 4,
            **settings,
        }
        self.write(
            {
                "dbt_project.yml": yaml.safe_dump(project),
                "profiles.yml": yaml.safe_dump({"small": {"target": "it", "outputs": {"it": target}}}),
            }
        )

    def dbt(self, *arguments: str) -> Any:
        """Run one command; dbt's result, failed or not."""
        from dbt.cli.main import dbtRunner

        paths = [part for name in ("project-dir", "profiles-dir") for part in (f"--{name}", str(self.folder))]
        before = Path.cwd()
        try:
            os.chdir(self.folder)
            return dbtRunner().invoke([*arguments, *paths])
        finally:
            os.chdir(before)

    def built(self, *arguments: str) -> dict[str, Any]:
        """Run one command that must succeed; its results by the name of the node."""
        result = self.dbt(*arguments)
        assert result.success, messages(result)
        return {entry.node.name: entry for entry in result.result.results}

    def rows(self, text: str) -> list[tuple[Any, ...]]:
        return self.server.run_sql(self.database, text)

    def types(self, table: str) -> dict[str, str]:
        """Column -> type of a built table, as PostgreSQL writes it."""
        return dict(
            self.rows(
                "select attname::text, format_type(atttypid, atttypmod) from pg_attribute "
                f"where attrelid = '{SCHEMA}.{table}'::regclass and attnum > 0 and not attisdropped order by attnum"
            )
        )


def messages(result: Any) -> str:
    """Everything that dbt says of the nodes that failed."""
    entries: Sequence[Any] = getattr(result.result, "results", None) or []
    told = [f"{entry.node.name}: {entry.message}" for entry in entries if entry.status in ("error", "fail")]
    return "\n".join(told) or str(result.exception)
