"""What every parse in these tests is held to (parsing.py) can fail, and compiling once changes no result."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from parsing import compile_templates_once, refuse_queries_while_parsing


def test_a_query_while_parsing_is_refused_and_one_after_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt.adapters.contracts.connection import LazyHandle
    from dbt.parser.manifest import ManifestLoader

    connection: Any = SimpleNamespace(name="model.nba.asks", state="init")
    handle = LazyHandle(lambda opened: opened)
    monkeypatch.setattr(ManifestLoader, "load", lambda self: handle.resolve(connection))
    refuse_queries_while_parsing(monkeypatch)
    with pytest.raises(AssertionError, match="model.nba.asks: a connection was opened while the project was parsed"):
        ManifestLoader.load(None)
    assert handle.resolve(connection) is connection


def test_a_template_compiled_once_renders_each_time_anew_and_by_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    from dbt_common.clients.jinja import get_template

    compile_templates_once(monkeypatch)
    text = "{{ price }}{% set price = 3 %}"
    assert [get_template(text, {"price": price}).render({"price": price}) for price in ("1", "2")] == ["1", "2"]
    # a native template gives numbers, the other one text
    assert get_template("{{ price }}", {}, native=True).render({"price": 2}) == 2
    assert get_template("{{ price }}", {}).render({"price": 2}) == "2"
