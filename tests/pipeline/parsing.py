"""dbt in a test process: a template is compiled once however often the project is parsed, and parsing asks the warehouse nothing."""

from __future__ import annotations

from typing import Any

import pytest


def compile_templates_once(patch: pytest.MonkeyPatch) -> None:
    """A session parses the same macros and models for each of its worlds, and compiling Jinja is a third of a parse. Code objects do not
    change and depend on nothing but the text and the kind of environment; dbt's own caches for tests keep what it reads out of macros."""
    from dbt_common.clients.jinja import MacroFuzzEnvironment
    from dbt_common.tests import enable_test_caching
    from jinja2 import Environment

    enable_test_caching()
    compiled: dict[tuple[Any, ...], Any] = {}

    def compile_once(self: Environment, source: Any, name: str | None = None, filename: str | None = None, *rest: Any) -> Any:
        if not isinstance(source, str) or rest:
            return Environment.compile(self, source, name, filename, *rest)
        key = (type(self), self.undefined.__name__, source, name, filename)
        if key not in compiled:
            compiled[key] = Environment.compile(self, source, name, filename)
        return compiled[key]

    patch.setattr(MacroFuzzEnvironment, "compile", compile_once, raising=False)


def refuse_queries_while_parsing(patch: pytest.MonkeyPatch) -> None:
    """A query while the project is parsed would be asked by every command, `dbt ls` too, and for every node of a macro. A macro asks only
    where `execute` is true."""
    from dbt.adapters.contracts.connection import LazyHandle
    from dbt.parser.manifest import ManifestLoader

    parsing: list[bool] = []
    load, resolve = ManifestLoader.load, LazyHandle.resolve

    def loaded(self: Any) -> Any:
        parsing.append(True)
        try:
            return load(self)
        finally:
            parsing.pop()

    def resolved(self: Any, connection: Any) -> Any:
        assert not parsing, f"{connection.name}: a connection was opened while the project was parsed"
        return resolve(self, connection)

    patch.setattr(ManifestLoader, "load", loaded)
    patch.setattr(LazyHandle, "resolve", resolved)
