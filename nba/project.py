"""The dbt project on disk and its contract of inputs and rules (models/base/_sources.yml, the home of tables, columns and types)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nba.errors import NbaError

PROJECT_NAME = "nba"
SOURCES_FILE = Path("models", "base", "_sources.yml")


@dataclass(frozen=True)
class Column:
    """One column of the contract. `data_type` is text, integer, double precision, boolean, date or timestamp."""

    name: str
    data_type: str
    required: bool


@dataclass(frozen=True)
class Table:
    """One table of the contract. `kind` is `input` or `rules`; `required` inputs must be there before anything can be planned."""

    name: str
    kind: str
    required: bool
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        """The declared column of that (lower-case) name, or None."""
        return next((column for column in self.columns if column.name == name), None)


@dataclass(frozen=True)
class Contract:
    """All tables in the contract's order: inputs first, then rules."""

    tables: tuple[Table, ...]

    def __post_init__(self) -> None:
        names = [table.name for table in self.tables]
        if len(set(names)) != len(names):
            raise NbaError(f"{SOURCES_FILE} names a table twice")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(table.name for table in self.tables)

    @property
    def inputs(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.kind == "input")

    @property
    def rules(self) -> tuple[Table, ...]:
        return tuple(table for table in self.tables if table.kind == "rules")

    def table(self, name: str) -> Table:
        return next(table for table in self.tables if table.name == name)


def find_project(start: Path | None = None) -> Path:
    """The folder of this dbt project: `start` or the working directory or a folder above, else the checkout that holds this package.

    Raises NbaError when none holds a dbt_project.yml of the name `nba`.
    """
    here = (start or Path.cwd()).resolve()
    package_home = Path(__file__).resolve().parents[1]
    for folder in (here, *here.parents, package_home):
        if _is_project(folder):
            return folder
    raise NbaError(f"found no dbt project of the name {PROJECT_NAME} in {here} or above; run inside the project or give --project-dir")


def _is_project(folder: Path) -> bool:
    path = folder / "dbt_project.yml"
    if not path.is_file():
        return False
    return any(
        line.split("#")[0].replace("'", "").replace('"', "").split() == ["name:", PROJECT_NAME]
        for line in path.read_text("utf-8").splitlines()
    )


def read_yaml(path: Path) -> dict[str, Any]:
    """A YAML file as a dict; NbaError names the file when it is missing or broken."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise NbaError(f"cannot read {path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise NbaError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict):
        raise NbaError(f"{path} is not a YAML mapping")
    return found


def read_contract(project_dir: Path) -> Contract:
    """Tables, columns, types and required marks as the source properties state them (Jinja there is only in schema and identifier)."""
    sources = read_yaml(project_dir / SOURCES_FILE)["sources"]
    tables = [
        Table(
            name=table["name"],
            kind=source["name"],
            required=source["name"] == "input" and bool(table["meta"]["required"]),
            columns=tuple(Column(column["name"], column["data_type"], bool(column["meta"]["required"])) for column in table["columns"]),
        )
        for source in sources
        for table in source["tables"]
    ]
    return Contract(tuple(tables))


def built_schemas(project_dir: Path) -> frozenset[str]:
    """Names of the schemas that the build itself writes: nothing may be loaded there."""
    models = read_yaml(project_dir / "dbt_project.yml").get("models", {}).get(PROJECT_NAME, {})
    rooms = {room["+schema"] for room in models.values() if isinstance(room, dict) and "+schema" in room}
    return frozenset(rooms | {"sample"})
