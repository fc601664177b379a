"""SQL that Python writes holds names only as quoted identifiers and values only as bound parameters: read from the syntax tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("nba", "python_models", "optimization", "pgpy/dbt")
# calls whose result is safe inside SQL: an identifier in quotes, a literal, a number
QUOTERS = {"quoted", "_quoted", "quote", "_place", "_literal", "len"}
EXECUTES = {"execute", "sql", "rows", "query", "executemany", "copy_expert"}
CLOCK = "a constant of the engine's class: its words for the present moment"
OURS = "a constant of this file, or a name of the contract (models/base/_sources.yml), never of the user's data"
PLACES = "columns of a file are c0, c1, ... by their position: its own names come after `as`, quoted"
NUMBER = "a whole number of the program's own"
PATH = "a path of the program's own, its quotes doubled: engines bind no value in attach"
# file -> parts of SQL that are neither, and why they may stand there
ALLOWED: dict[str, dict[str, str]] = {
    "nba/audit/record.py": {
        "warehouse.utc_now": CLOCK,
        "', '.join((f'${name}' for name in COLUMNS))": "placeholders of constants",
        "name": OURS,
        "rights": "two words of this file",
    },
    "nba/audit/stage.py": {
        "then": "quoted columns of quoted tables, put together above",
        "condition": "SQL of this file, empty or with the run_id as a bound value",
        "self.prefix": "read from the project's settings, where it is held to letters, digits and underscores",
        "self._theirs('memory', table)": "a function of this file that quotes",
        "source": "what _theirs, which quotes, gave",
        "escaped": PATH,
    },
    "nba/client_plan.py": {"name": OURS},
    "nba/load/checks.py": {"name": "a check model's name out of the scratch database that the project's models made"},
    "nba/load/csv_file.py": {"columns": PLACES, "relation": "quoted by the caller in this file"},
    "nba/load/storable.py": {
        "found": "quoted columns in conditions of this file",
        "condition": "quoted columns in conditions of this file",
        "', '.join((f'count(*) filter (where {found})' for found in conditions))": "quoted columns in conditions of this file",
    },
    "nba/load/tables.py": {
        "', '.join((f'count(*) filter (where {wrong.condition})' for _, wrong in kinds))": PLACES,
        "', '.join((f'count(c{position})' for position in place.values()))": PLACES,
        "aliases": PLACES,
        "column.cell": PLACES,
        "guesses": PLACES,
        "position": PLACES,
        "select": PLACES,
        "source.relation": "quoted where it is made, in csv_file and in this file",
        "wrong.condition": PLACES,
    },
    "nba/readiness/panel.py": {"cycle_periods": NUMBER, "cycles": NUMBER, "newest": NUMBER, "number": NUMBER},
    "nba/readiness/sources.py": {
        "given": "the word `given` of this file",
        "name": OURS,
        "', '.join(selected)": "quoted columns of the file, cast to types of this file",
        "typed": OURS,
    },
    "nba/register/approve.py": {"warehouse.utc_now": CLOCK},
    "nba/register/read.py": {
        "pointer": "quoted by _publications of this file",
        "table": "quoted where it is made",
        "_publications(warehouse, schema)": "a function of this file that quotes",
    },
    "nba/roles.py": {"holes": "placeholders by number"},
    "nba/rollback.py": {"warehouse.utc_now": CLOCK},
    "nba/serving.py": {"str(written).replace(chr(39), chr(39) * 2)": PATH, "source": "quoted by the caller in this file"},
    "nba/snowflake/tables.py": {"name": "a temporary table of the program's own", "listed": "quoted columns and types of this file"},
    "nba/warehouse/door.py": {"where": "a condition that a caller in this package wrote: see plan_inputs, where only a date is filled in"},
    "nba/warehouse/duckdb_file.py": {"columns": OURS, "escaped": PATH},
    "nba/warehouse/postgres.py": {
        "', '.join((f'{quoted(name)} {kind}' for name, kind in types.items()))": "types out of the adapter's own list",
        "', '.join(selected)": "quoted columns",
        "kind": "a type out of the adapter's own list",
        "place": "quoted by every caller in this file",
        "self.credentials.role": "a setting of profiles.yml, sent as dbt-postgres sends it: whoever writes it has the password",
    },
    "nba/warehouse/postgres_connections.py": {"self._snapshot": "what the server itself gave out as the name of a snapshot"},
    "nba/warehouse/snowflake.py": {"columns": "quoted columns with types of the contract"},
    "nba/whatif/live.py": {"columns": "constants of this file"},
    "pgpy/dbt/adapters/pgpy/connections.py": {"self._credentials.role": "as in nba/warehouse/postgres.py"},
    "pgpy/dbt/adapters/pgpy/impl.py": {
        "typed": "quoted columns with types of the adapter's own list",
        "PYTHON_RESULT.removeprefix('pg_temp.')": "a constant of the adapter",
        "', '.join(changes)": "quoted columns with types of the adapter's own list",
    },
}


def is_safe(value: ast.expr, known: Mapping[str, list[ast.expr]]) -> bool:
    """Whether a part of SQL can only be quoted names, constants, or texts made of such, followed through the function's variables."""
    if isinstance(value, ast.Constant):
        return True
    if isinstance(value, ast.JoinedStr):
        return all(is_safe(part.value, known) for part in value.values if isinstance(part, ast.FormattedValue))
    if isinstance(value, ast.BinOp | ast.IfExp | ast.BoolOp):
        sides = {ast.BinOp: ("left", "right"), ast.IfExp: ("body", "orelse")}.get(type(value))
        inner = [getattr(value, side) for side in sides] if sides else value.values
        return all(is_safe(side, known) for side in inner)
    if isinstance(value, ast.Name):
        # constants of ours are written in capitals
        return value.id.isupper() or (value.id in known and all(is_safe(given, {**known, value.id: []}) for given in known[value.id]))
    if isinstance(value, ast.Call):
        name = value.func.attr if isinstance(value.func, ast.Attribute) else getattr(value.func, "id", "")
        if name == "join" and value.args:
            of = value.args[0]
            return is_safe(of.elt if isinstance(of, ast.GeneratorExp | ast.ListComp) else of, known)
        return name in QUOTERS
    return False


def variables(function: ast.AST) -> dict[str, list[ast.expr]]:
    """name -> everything that the function assigns to it."""
    found: dict[str, list[ast.expr]] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                names, values = (
                    (target.elts, getattr(node.value, "elts", None)) if isinstance(target, ast.Tuple) else ([target], [node.value])
                )
                for place, name in enumerate(names):
                    if isinstance(name, ast.Name):
                        of = node.value.elt if isinstance(node.value, ast.GeneratorExp) else None
                        found.setdefault(name.id, []).append(of or (values[place] if values else node.value))
    return found


def statements(tree: ast.AST) -> Iterator[tuple[ast.JoinedStr, dict[str, list[ast.expr]]]]:
    """f-strings in the first argument of a call that runs SQL, with the variables of the function around it."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            known = variables(function)
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in EXECUTES and node.args:
                    first = node.args[0]
                    given = known.get(first.id, []) if isinstance(first, ast.Name) else [first]
                    for part in (part for one in given for part in ast.walk(one)):
                        if isinstance(part, ast.JoinedStr):
                            yield part, known


def unsafe_parts(source: str) -> set[str]:
    """Source of the parts of a file's SQL that nobody quoted."""
    return {
        ast.unparse(part.value)
        for text, known in statements(ast.parse(source))
        for part in text.values
        if isinstance(part, ast.FormattedValue) and not is_safe(part.value, known)
    }


def found_parts() -> dict[str, set[str]]:
    files = [path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py"))]
    found = {path.relative_to(ROOT).as_posix(): unsafe_parts(path.read_text("utf-8")) for path in files}
    return {name: parts for name, parts in found.items() if parts}


def test_every_part_of_sql_is_quoted_or_allowed_with_a_reason() -> None:
    surplus = {name: sorted(parts - set(ALLOWED.get(name, {}))) for name, parts in found_parts().items()}
    assert {name: parts for name, parts in surplus.items() if parts} == {}, "quote it, bind it, or say in ALLOWED why it may stand there"


def test_each_allowance_has_a_file_and_a_reason() -> None:
    assert [name for name in ALLOWED if not (ROOT / name).is_file()] == []
    assert all(len(why) > 10 for parts in ALLOWED.values() for why in parts.values())


@pytest.mark.parametrize(
    ("line", "is_wrong"),
    [
        ("con.execute(f\"select * from t where hcp_id = '{hcp}'\")", True),
        ('con.execute(f"drop table {name}")', True),
        ('text = f"drop table {name}"; con.execute(text)', True),
        ('con.sql("select " + f"{name}")', True),
        ("con.execute(f\"select {', '.join(names)} from t\")", True),
        ('con.execute("select * from t where hcp_id = $hcp", {"hcp": hcp})', False),
        ('con.execute(f"drop table {quoted(name)}")', False),
        ('table = f"{quoted(schema)}.{quoted(name)}"; con.execute(f"drop table {table}")', False),
        ("con.execute(f\"select {', '.join(quoted(name) for name in names)} from t\")", False),
    ],
)
def test_the_search_tells_right_from_wrong(line: str, is_wrong: bool) -> None:
    assert bool(unsafe_parts(f"def f(con, hcp, name, names, schema):\n    {line}\n")) == is_wrong
