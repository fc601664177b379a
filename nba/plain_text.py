"""Text out of tables on its way to a terminal, a spreadsheet or Markdown: names stay readable, and none of them does anything there.

Whoever fills a column of the inputs writes part of what these programs show. HTML and SVG are escaped where they are written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

# control characters move a terminal's cursor; direction marks and zero widths make one name look like another
UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff]")
# first characters by which a spreadsheet takes a cell for a formula (OWASP, CSV injection), the full-width ones with them
FORMULA = "=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20"
FORMULA_START = re.compile(f"[{FORMULA}]")
MARKDOWN = re.compile(r"([\\`*~\[\]|#!]|(?<![^\W_])_|_(?![^\W_]))")


def one_line(text: str) -> str:
    """`text` on one line: what cannot be seen is written as in a Python text, `\\x1b` or `\\u202e`."""
    return UNSEEN.sub(_written, text)


def lines(text: str) -> str:
    """The same for a text of several lines, which stay."""
    return "\n".join(one_line(line) for line in text.split("\n"))


def print_line(text: str) -> None:
    """Print a line of progress: names of channels and limits stand in it."""
    print(one_line(text), flush=True)


def _written(found: re.Match[str]) -> str:
    character = found.group()
    short = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return short.get(character) or (f"\\x{ord(character):02x}" if ord(character) < 256 else f"\\u{ord(character):04x}")


def spreadsheet_text(text: str) -> str:
    """`text` for a cell of a CSV: with an apostrophe before it where a spreadsheet would run it as a formula. Not for numbers."""
    return f"'{text}" if FORMULA_START.match(text) else text


def spreadsheet_column(column: pa.Array) -> pa.Array:
    """The same for a whole column; columns that hold no text come back as they are."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    is_formula = pc.match_substring_regex(column, f"^[{FORMULA}]")
    if not pc.any(is_formula).as_py():
        return column
    mark, nothing = (pa.scalar(text, column.type) for text in ("'", ""))
    return pc.if_else(is_formula, pc.binary_join_element_wise(mark, column, nothing), column)


def markdown_text(text: str) -> str:
    """`text` for a line or a cell of Markdown: no link, picture, mention, markup or end of the cell comes out of it."""
    shown = one_line(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN.sub(r"\\\1", shown).replace("@", "&#64;")
