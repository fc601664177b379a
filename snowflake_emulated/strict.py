"""What a Snowflake account would refuse and DuckDB under fakesnow would take in silence: names quoted in lower case, reserved words as
names, functions that Snowflake does not have. The lists hold what this project uses; a new function is looked up in Snowflake's reference
and added."""

from __future__ import annotations

import re

# cannot be a name without quotes, by Snowflake's list of reserved keywords
RESERVED_TEXT = """
    all alter and any between by check column connect constraint create cross current current_date current_time current_timestamp
    current_user delete distinct drop else exists false following for from full grant group gscluster having ilike in increment inner
    insert intersect into is issue join lateral left like localtime localtimestamp minus natural not null of on or order organization
    qualify regexp revoke right rlike row rows sample set some start tablesample then to trigger true try_cast union unique update using
    when whenever where
"""
RESERVED = frozenset(RESERVED_TEXT.split())
FUNCTIONS_TEXT = """
    abs array_agg array_distinct array_size array_slice array_sort array_to_string avg cast ceil chr coalesce concat convert_timezone
    count count_if current_database current_role current_schema current_timestamp current_user current_version current_warehouse
    date_part date_trunc dateadd datediff dense_rank equal_null exp extract first_value floor greatest hash identifier iff
    is_role_in_session lag last_value lead least len length listagg ln log lower lpad ltrim max max_by md5 md5_hex median min min_by mod
    nullif nvl object_construct percentile_cont position power rank regexp_like regexp_replace regexp_substr replace round row_number
    rpad rtrim sign split_part sqrt stddev substr substring sum to_char to_date to_decimal to_double to_json to_number to_timestamp
    to_timestamp_ntz to_varchar translate trim trunc try_cast try_to_date try_to_double try_to_number upper zeroifnull
"""
FUNCTIONS = frozenset(FUNCTIONS_TEXT.split())
# words that may stand before a bracket and are no function
SYNTAX_TEXT = """
    all and any array as between binary by case char character check cluster column constraint decimal distinct else end except exists
    filter float from group having if in insert int integer intersect interval into is join key lateral like limit not number numeric on
    or order over partition primary qualify references rename row rows select set some string table text then time timestamp timestamp_ntz
    union unique update using values varchar varying view when where window with within
"""
SYNTAX = frozenset(SYNTAX_TEXT.split())
OF_DBT = frozenset({"actual_or_expected"})  # quoted on both sides by dbt's own unit tests
QUOTED_SEED = "suggestion_feedback"  # its columns `at` and `by` are reserved words: this seed is made with quotes, in lower case
STRINGS = re.compile(r"\$\$.*?\$\$|'(?:[^'\\]|\\.|'')*'", re.DOTALL)
CALL = re.compile(r"(?P<before>[\w.]+|[,()])?\s*\b(?P<name>[A-Za-z_][\w$]*)\s*\(")


def complaint(plain: str, verb: str) -> str | None:
    """The account's error for this statement; None when nothing known here speaks against it."""
    if verb.startswith(("put ", "list ", "ls ", "show ", "describe ", "desc ", "call ", "copy ", "remove ", "rm ")):
        return None
    bare = STRINGS.sub("''", plain)
    for name in re.findall(r'"([^"]*)"', bare):
        if re.fullmatch(r"[a-z_][a-z0-9_]*", name) and name not in OF_DBT and QUOTED_SEED not in bare:
            return f"SQL compilation error: invalid identifier '\"{name}\"' (a quoted name in lower case is not the column {name.upper()})"
    bare = re.sub(r'"[^"]*"', '""', bare)
    for word in re.findall(r"(?:\bas\s+|\.)([A-Za-z_]\w*)\b", bare, re.IGNORECASE):
        if word.lower() in RESERVED:
            return f"SQL compilation error: syntax error unexpected '{word}' (a reserved word as a name)"
    return _unknown_function(bare, verb)


def _unknown_function(bare: str, verb: str) -> str | None:
    names = set(re.findall(r"\b(?:into|table|view|exists|with|stage|update|join|,)\s+([\w.\"]+)\s*\(", bare, re.IGNORECASE))
    for found in re.finditer(r"(?<![\w.$\"])([A-Za-z_][\w$]*)\s*\(", bare):
        name = found.group(1)
        if name.lower() in FUNCTIONS or name.lower() in SYNTAX or name in names or name.lower().startswith("system$"):
            continue
        return f"SQL compilation error: Unknown function {name.upper()}"
    return None
