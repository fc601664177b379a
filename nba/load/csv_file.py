"""Reading a CSV file as text: encoding, header and shape are looked at before any value is."""

from __future__ import annotations

import codecs
import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nba.errors import tells_full_disk
from nba.load.problems import Problem, short
from nba.warehouse import one_file, quoted

if TYPE_CHECKING:
    import duckdb

CHUNK_BYTES = 1 << 22
ENCODING_HINT = "save the file as UTF-8 (in Excel: CSV UTF-8)"


@dataclass(frozen=True)
class Scan:
    """What one pass over the bytes found. `lines`: lines that are not empty, with the header; None when quotes may hide line ends."""

    header: bytes
    lines: int | None
    has_bare_newline: bool
    has_carriage_return_newline: bool


@dataclass(frozen=True)
class CsvText:
    """A CSV file in the scratch database: table `relation` with text columns c0, c1, ...

    `columns` are the header's names, trimmed and in lower case; `rejected_lines` are the
    line numbers of the rows that were left out, rising.
    """

    relation: str
    columns: tuple[str, ...]
    rejected_lines: tuple[int, ...]


def scan_bytes(path: Path, table: str) -> Scan | Problem:
    """Read the file once: UTF-8, no zero bytes, a header line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    before, lines, newlines, paired, has_quotes = 0, 0, 0, 0, False
    header, rest = b"", b""
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if before == 0 and chunk[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                return Problem(table, "", None, "", f"cannot be read: {path.name} is UTF-16, not UTF-8", ENCODING_HINT)
            try:
                decoder.decode(chunk)
            except UnicodeDecodeError as error:
                # the decoder may hold up to three bytes of the chunk before
                return _bad_byte(path, table, before + error.start - (len(error.object) - len(chunk)), "is not UTF-8")
            if b"\x00" in chunk:
                return _bad_byte(path, table, before + chunk.index(b"\x00"), "holds a zero byte, so it is no CSV text")
            has_quotes = has_quotes or b'"' in chunk
            newlines += chunk.count(b"\n")
            paired += chunk.count(b"\r\n")
            pieces = (rest + chunk).splitlines(keepends=True)
            header = header or (pieces[0] if len(pieces) > 1 else b"")
            rest = pieces.pop()
            lines += sum(1 for piece in pieces if piece.strip(b"\r\n"))
            before += len(chunk)
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return _bad_byte(path, table, before - 1, "is not UTF-8")
    lines += 1 if rest.strip(b"\r\n") else 0
    return Scan(header or rest, None if has_quotes else lines, newlines > paired, paired > 0)


def _bad_byte(path: Path, table: str, position: int, what: str) -> Problem:
    with open(path, "rb") as file:
        before = file.read(position)
        byte = file.read(1)
    line = before.count(b"\n") + 1
    column = position - before.rfind(b"\n")
    place = f"line {line}, byte 0x{byte.hex()} at position {column}"
    return Problem(table, "", None, place, f"cannot be read: {path.name} {what}", ENCODING_HINT)


def read_header(scan: Scan, path: Path, table: str, known: frozenset[str]) -> tuple[str, ...] | list[Problem]:
    """The column names, trimmed and in lower case, or what is wrong with the header line."""
    text = scan.header.decode("utf-8-sig").strip("\r\n")
    if not text.strip():
        problem = "is an empty file without a header line" if scan.lines in (0, None) else "has an empty first line instead of a header"
        return [
            Problem(
                table,
                "",
                None,
                "",
                f"cannot be read: {path.name} {problem}",
                f"put the column names into the first line: {', '.join(sorted(known))}",
            )
        ]
    if text.count('"') % 2:
        return [
            Problem(
                table, "", None, short(text), f"cannot be read: the header of {path.name} has an open quote", "write the header on one line"
            )
        ]
    names = tuple(name.strip().lower() for name in next(csv.reader([text])))
    if not known & set(names):
        for delimiter, word in ((";", "semicolons"), ("\t", "tabs"), ("|", "bars")):
            if known & {name.strip().strip('"').lower() for name in text.split(delimiter)}:
                return [
                    Problem(table, "", None, "", f"cannot be read: {path.name} is separated by {word}", "separate the fields by commas")
                ]
        what = f"the first line must be the header; known columns: {', '.join(sorted(known))}"
        return [Problem(table, "", None, short(text), f"has no header: the first line of {path.name} names no column of {table}", what)]
    return name_problems(names, table) or names


def name_problems(names: tuple[str, ...], table: str) -> list[Problem]:
    """Column names that no table can have: empty, twice, or with quotes and control characters in them."""
    problems = []
    for position, name in enumerate(names, 1):
        if not name:
            problems.append(Problem(table, "", None, "", f"has a column without a name: column {position}", "name it or take it out"))
        elif '"' in name or not name.isprintable():
            problems.append(
                Problem(
                    table,
                    "",
                    None,
                    short(name),
                    f"has a column name with quotes or control characters: column {position}",
                    "rename the column",
                )
            )
    for name in sorted({name for name in names if name and names.count(name) > 1}):
        problems.append(
            Problem(
                table,
                name,
                None,
                "",
                f"is there {names.count(name)} times (names do not differ by case or blanks)",
                "keep one of the columns",
            )
        )
    return problems


def read_csv_text(con: duckdb.DuckDBPyConnection, path: Path, table: str, known: frozenset[str]) -> tuple[CsvText | None, list[Problem]]:
    """Read the file into the scratch table `text.<table>`; rows of a wrong shape are reported and left out. None = nothing was read."""
    scan = scan_bytes(path, table)
    if isinstance(scan, Problem):
        return None, [scan]
    names = read_header(scan, path, table, known)
    if isinstance(names, list):
        return None, names
    failure = _scan_into(con, path, f"text.{quoted(table)}", len(names))
    if failure:
        mixed = scan.has_bare_newline and scan.has_carriage_return_newline
        reason = "mixes two kinds of line ends" if mixed else f"is no regular CSV: {failure}"
        hint = (
            "save it with one kind of line end"
            if mixed
            else "quote fields with double quotes, doubled inside a field, and separate them by commas"
        )
        return None, [Problem(table, "", None, "", f"cannot be read: {path.name} {reason}", hint)]
    problems, rejected = _shape_problems(con, path, table, len(names))
    read = con.sql(f"select count(*) from text.{quoted(table)}").fetchall()[0][0]
    if scan.lines is not None and len(names) > 1 and read + len(rejected) != scan.lines - 1:
        text = f"cannot be read: {path.name} has {scan.lines - 1} lines of data, but {read} rows were understood"
        problems.append(Problem(table, "", None, "", text, "save it as a plain CSV with one kind of line end"))
    return CsvText(f"text.{quoted(table)}", names, rejected), problems


def _scan_into(con: duckdb.DuckDBPyConnection, path: Path, relation: str, width: int) -> str:
    """Create `relation` from the file; the text of the engine's error, or empty."""
    import duckdb

    columns = ", ".join(f"'c{position}': 'varchar'" for position in range(width))
    con.execute("create schema if not exists text; drop table if exists reject_errors; drop table if exists reject_scans")
    try:
        con.execute(
            f"create or replace table {relation} as select * from read_csv(?, delim=',', quote='\"', escape='\"', header=false, skip=1, "
            f"auto_detect=false, columns={{{columns}}}, strict_mode=true, null_padding=false, store_rejects=true, rejects_limit=0)",
            [one_file(path)],
        )
    except duckdb.Error as error:
        if tells_full_disk(error):
            # of the copy that is being made: the file is not to blame
            raise
        return str(error).split("\n")[0].rstrip(".")
    return ""


def _shape_problems(con: duckdb.DuckDBPyConnection, path: Path, table: str, width: int) -> tuple[list[Problem], tuple[int, ...]]:
    rows = con.sql("select line, min(error_type), any_value(csv_line) from reject_errors group by line order by line").fetchall()
    kinds: dict[str, list[tuple[int, str]]] = {}
    for line, kind, text in rows:
        kinds.setdefault("COLUMNS" if kind.endswith("COLUMNS") else kind, []).append((line, text or ""))
    problems = []
    for kind, found in kinds.items():
        # a line of the master holds a person's name and numbers: messages end up in logs
        shown = (f"line {line}" if table == "hcp_master" else f"line {line}: {short(text.strip())}" for line, text in found[:3])
        examples = "; ".join(shown)
        if kind == "COLUMNS":
            what = f"has rows in {path.name} without the {width} fields that the header names"
            hint = "quote fields that hold commas, and write every field, also the empty ones"
        else:
            what = f"has rows in {path.name} that cannot be split into fields ({kind.lower()})"
            hint = "close every quote, and double the quotes inside a quoted field"
        problems.append(Problem(table, "", len(found), examples, what, hint))
    return problems, tuple(line for line, _, _ in rows)
