"""fakesnow walks a statement's tree once for each of its 76 transforms, which takes half a minute for a large check. A transform that
looks for node types which the statement does not hold is left out: it would have changed nothing."""

from __future__ import annotations

import ast
import inspect
import textwrap
import threading
from collections.abc import Callable
from functools import cache
from typing import Any


def leave_out_idle_transforms() -> None:
    """Put the shortcut into sqlglot's `transform`, for fakesnow's transforms only."""
    from sqlglot.expressions.core import Expression as Expr

    whole, known = Expr.transform, threading.local()

    def transform(self: Any, fun: Callable[..., Any], *args: Any, copy: bool = True, **named: Any) -> Any:
        wanted = None if copy else _wanted(_of_fakesnow(fun))
        if wanted is None:
            known.tree = None
            return whole(self, fun, *args, copy=copy, **named)
        if getattr(known, "tree", None) is not self:
            known.tree, known.kinds = self, {type(node) for node in self.walk()}
        if not any(issubclass(kind, wanted) for kind in known.kinds):
            return self
        known.tree = None
        return whole(self, fun, *args, copy=copy, **named)

    Expr.transform = transform


def remember_statements() -> None:
    """A statement without bindings is translated once for a place: a second build repeats most of the first."""
    import fakesnow.server
    from fakesnow.cursor import FakeSnowflakeCursor
    from sqlglot.expressions.core import Expression

    whole, run, in_duckdb = FakeSnowflakeCursor.execute, FakeSnowflakeCursor._execute, Expression.sql
    translated: dict[tuple[str, str | None, str | None], Any] = {}
    texts: dict[int, str] = {}
    now = threading.local()  # the trees that the statement in hand became

    def sql(self: Any, dialect: Any = None, **named: Any) -> str:
        return texts[id(self)] if dialect == "duckdb" and id(self) in texts else in_duckdb(self, dialect, **named)

    def execute_tree(self: Any, tree: Any, params: Any = None) -> None:
        if getattr(now, "trees", None) is not None:
            now.trees.append(tree)
            texts[id(tree)] = in_duckdb(tree, "duckdb")
        run(self, tree, params)

    def execute(self: Any, command: str, params: Any = None, *args: Any, **named: Any) -> Any:
        key = (command, self._conn.database, self._conn.schema)
        if key in translated and params is None and not named.get("binding_params"):
            self._sqlstate = None
            run(self, translated[key], None)
            return self
        plain = (
            params is None and not named.get("binding_params") and command.lstrip()[:6].lower() in ("select", "create", "delete", "insert")
        )
        now.trees = [] if plain else None
        try:
            done = whole(self, command, params, *args, **named)
            if plain and len(now.trees) == 1 and not now.trees[0].args.get("create_stage_name"):
                translated[key] = now.trees.pop()
            return done
        finally:
            for tree in now.trees or []:  # an id is free for another tree once this one is gone
                del texts[id(tree)]
            now.trees = None

    FakeSnowflakeCursor.execute, FakeSnowflakeCursor._execute, Expression.sql = execute, execute_tree, sql
    fakesnow.server.parse_one = cache(fakesnow.server.parse_one)


def _of_fakesnow(fun: Callable[..., Any]) -> Callable[..., Any] | None:
    """The transform of fakesnow that this is, or that this lambda calls; None for anything else."""
    from fakesnow import transforms

    if getattr(fun, "__module__", "").startswith("fakesnow.transforms"):
        return fun
    if fun.__name__ == "<lambda>" and fun.__module__ == "fakesnow.cursor":
        called = [getattr(transforms, name) for name in fun.__code__.co_names if hasattr(transforms, name)]
        found = [one for one in called if callable(one)]
        return found[0] if len(found) == 1 else None
    return None


@cache
def _wanted(fun: Callable[..., Any] | None) -> tuple[type, ...] | None:
    """The node types without which the transform returns a node as it is; None when its source does not tell.

    Told by the source: an `if not isinstance(expression, X): return expression` at its start, or a body of one `if` that begins with
    `isinstance(expression, X)` and a `return expression`.
    """
    if fun is None:
        return None
    tree = ast.parse(textwrap.dedent(inspect.getsource(fun))).body[0]
    body = [one for one in tree.body if not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
    found: list[str] = []
    for statement in body:
        if isinstance(statement, ast.Return):
            return _classes(found) if isinstance(statement.value, ast.Name) and statement.value.id == "expression" else None
        if not isinstance(statement, ast.If) or statement.orelse:
            return None
        test = statement.test
        if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
            names = _names(_first(test.operand))
            returns = isinstance(statement.body[0], ast.Return) and isinstance(statement.body[0].value, ast.Name)
            return _classes([*found, *names]) if names and returns else None
        names = _names(_first(test))
        if not names:
            return None
        found += names
    return None


def _first(test: ast.expr) -> ast.expr:
    """The first condition of an `and`."""
    return _first(test.values[0]) if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.And) else test


def _names(test: ast.expr) -> list[str]:
    """Class names of `isinstance(expression, ...)`."""
    is_check = isinstance(test, ast.Call) and isinstance(test.func, ast.Name) and test.func.id == "isinstance"
    if not is_check or not isinstance(test.args[0], ast.Name) or test.args[0].id != "expression":
        return []
    classes = test.args[1].elts if isinstance(test.args[1], ast.Tuple) else [test.args[1]]
    return [one.attr for one in classes if isinstance(one, ast.Attribute)]


def _classes(names: list[str]) -> tuple[type, ...] | None:
    from sqlglot import exp

    found = tuple(getattr(exp, name) for name in names if hasattr(exp, name))
    return found if found and len(found) == len(names) else None
