"""Write a world as files: one per table, chunk by chunk, and the truth in a folder of its own."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa

from nba.simulate.world import World, describe, truth_table

FORMATS = ("csv", "parquet")


class TableFile:
    """One table being written in pieces; the schema is that of its first piece."""

    def __init__(self, path: Path, format: str) -> None:
        self._path = path
        self._format = format
        self._writer: Any = None

    def add(self, table: pa.Table) -> None:
        if self._writer is None:
            self._writer = self._open(table.schema)
        self._writer.write_table(table)

    def _open(self, schema: pa.Schema) -> Any:
        if self._format == "parquet":
            import pyarrow.parquet as pq

            return pq.ParquetWriter(self._path, schema, compression="zstd")
        import pyarrow.csv as pcsv

        options = pcsv.WriteOptions(quoting_style="needed", quoting_header="needed")
        return pcsv.CSVWriter(self._path, schema, write_options=options)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()


def write_tables(tables: dict[str, pa.Table], folder: Path, format: str) -> None:
    """Write whole tables as `<name>.<format>` into an existing folder."""
    for name, table in tables.items():
        file = TableFile(folder / f"{name}.{format}", format)
        file.add(table)
        file.close()


def write_world(world: World, folder: str | Path, format: str = "csv", progress: Callable[[int, int], None] | None = None) -> None:
    """Write the tables of a world into `folder`, and `truth/true_impact` and `truth/world.json` below it.

    The folder appears whole or not at all. `progress` is called with (HCPs done, HCPs in all).
    Raises ValueError on an unknown format and FileExistsError when the folder already holds something.
    """
    target = Path(folder)
    if format not in FORMATS:
        raise ValueError(f"format is {format!r}, it must be one of: {', '.join(FORMATS)}")
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise FileExistsError(f"{target} is already there and not empty: name a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    try:
        _write_draft(world, draft, format, progress)
        draft.chmod(0o755)
        os.replace(draft, target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def _write_draft(world: World, draft: Path, format: str, progress: Callable[[int, int], None] | None) -> None:
    (draft / "truth").mkdir()
    truth = TableFile(draft / "truth" / f"true_impact.{format}", format)
    files: dict[str, TableFile] = {}
    done = 0
    for chunk in world.chunks():
        for name, table in chunk.tables.items():
            files.setdefault(name, TableFile(draft / f"{name}.{format}", format)).add(table)
        truth.add(truth_table(chunk))
        done += chunk.population.size
        if progress is not None:
            progress(done, world.settings.hcps)
    for file in (truth, *files.values()):
        file.close()
    write_tables({"engagement_action_catalog": world.catalog, **world.rules}, draft, format)
    (draft / "truth" / "world.json").write_text(json.dumps(describe(world), indent=2) + "\n", encoding="utf-8")
