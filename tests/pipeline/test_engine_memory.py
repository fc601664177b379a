"""The memory that DuckDB may take in a build is that of NBA_DUCKDB_MEMORY."""

from __future__ import annotations

from pathlib import Path

import pytest

ASKED = "select current_setting('memory_limit') as memory_limit"


@pytest.mark.parametrize(("given", "said"), [("3GB", "2.7 GiB"), ("512MB", "488.2 MiB")])
def test_the_engine_keeps_to_the_memory_it_is_given(given: str, said: str, run_dbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NBA_DUCKDB_MEMORY", given)
    done = run_dbt(["show", "--quiet", "--inline", ASKED], tmp_path / "memory.duckdb")
    assert done.result.results[0].agate_table.rows[0][0] == said
