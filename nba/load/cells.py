"""How a cell becomes a value of the contract's type, and which cells cannot: SQL expressions over one text or typed column.

One rule yields the value (null where the cell is wrong) and, for each kind of wrong cell, a condition with its wording.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

NUMBER = r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?"
NOT_FINITE_WORDS = "('nan', '-nan', '+nan', 'inf', '+inf', '-inf', 'infinity', '+infinity', '-infinity')"
ISO_DATE = r"\d{4}-\d{2}-\d{2}([T ]00:00(:00(\.0+)?)?Z?)?"
ISO_TIMESTAMP = r"\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[-+]\d{2}(:?\d{2})?))?)?"
HAS_OFFSET = r".*[T ]\d{2}:\d{2}.*(Z|[-+]\d{2}(:?\d{2})?)"
INTEGER_LIMIT = 2147483647
# lists, objects and bytes: no value of the contract can be read out of them (`DATE[]` is no date)
NESTED = re.compile(r"\[|STRUCT|MAP|UNION|BLOB")
EMPTY_HINT = "or leave the cell empty where unknown"


@dataclass(frozen=True)
class Wrong:
    """One kind of wrong cell: an SQL condition, what is wrong, what to do, and whether the rule's value is null there."""

    condition: str
    problem: str
    what_to_do: str
    is_cell_lost: bool = True


@dataclass(frozen=True)
class CellRule:
    """An SQL expression of the typed value and the kinds of wrong cells."""

    value: str
    wrong: tuple[Wrong, ...] = ()


def text_rule(cell: str, data_type: str) -> CellRule:
    """Rule for a column that holds text, as every CSV column does. Empty text is null; other types are read without blanks around them."""
    trimmed = f"nullif(trim({cell}), '')"
    return {
        "text": lambda: CellRule(f"nullif({cell}, '')"),
        "integer": lambda: _integer_from_text(trimmed),
        "double precision": lambda: _double_from_text(trimmed),
        "date": lambda: _date_from_text(trimmed),
        "timestamp": lambda: _timestamp_from_text(trimmed),
        "boolean": lambda: _boolean_from_text(trimmed),
    }[data_type]()


def _integer_from_text(cell: str) -> CellRule:
    number = f"try_cast({cell} as double)"
    is_whole = f"coalesce(regexp_full_match({cell}, '{NUMBER}') and {number} = trunc({number}), false)"
    return CellRule(
        f"case when {is_whole} and abs({number}) <= {INTEGER_LIMIT} then cast({number} as integer) end",
        (
            Wrong(f"{cell} is not null and not {is_whole}", "is not a whole number", f"write digits only, {EMPTY_HINT}"),
            Wrong(f"{is_whole} and abs({number}) > {INTEGER_LIMIT}", "is too large for a whole number", f"give at most {INTEGER_LIMIT}"),
        ),
    )


def _double_from_text(cell: str) -> CellRule:
    number = f"try_cast({cell} as double)"
    is_number = f"coalesce(regexp_full_match({cell}, '{NUMBER}'), false)"
    is_endless = f"(coalesce(lower({cell}) in {NOT_FINITE_WORDS}, false) or ({is_number} and isinf({number})))"
    return CellRule(
        f"case when {is_number} and isfinite({number}) then {number} end",
        (
            Wrong(f"{cell} is not null and not {is_number} and not {is_endless}", "is not a number", f"write it like 1234.5, {EMPTY_HINT}"),
            Wrong(is_endless, "is NaN or infinite", f"give a number, {EMPTY_HINT}"),
        ),
    )


def _date_from_text(cell: str) -> CellRule:
    value = f"case when regexp_full_match({cell}, '{ISO_DATE}') then try_cast(left({cell}, 10) as date) end"
    return CellRule(
        value, (Wrong(f"{cell} is not null and ({value}) is null", "is not a date", f"write dates as YYYY-MM-DD, {EMPTY_HINT}"),)
    )


def _timestamp_from_text(cell: str) -> CellRule:
    in_utc = f"try_cast({cell} as timestamptz) at time zone 'UTC'"
    moment = f"case when regexp_full_match({cell}, '{HAS_OFFSET}') then {in_utc} else try_cast({cell} as timestamp) end"
    value = f"case when regexp_full_match({cell}, '{ISO_TIMESTAMP}') then {moment} end"
    hint = f"write it as YYYY-MM-DD or YYYY-MM-DD HH:MM:SS, {EMPTY_HINT}"
    return CellRule(value, (Wrong(f"{cell} is not null and ({value}) is null", "is not a date or timestamp", hint),))


def _boolean_from_text(cell: str) -> CellRule:
    word = f"lower({cell})"
    value = f"case when {word} in ('true', 't', '1', 'yes', 'y') then true when {word} in ('false', 'f', '0', 'no', 'n') then false end"
    return CellRule(
        value, (Wrong(f"{cell} is not null and ({value}) is null", "is not true or false", f"write true or false, {EMPTY_HINT}"),)
    )


def typed_rule(cell: str, given: str, data_type: str) -> CellRule:
    """Rule for a column of the engine's type `given`, as Parquet columns are.

    A type that cannot be read as the wanted one is kept: the build's own check names it.
    """
    given = given.upper()
    if given == "VARCHAR":
        return text_rule(cell, data_type)
    if NESTED.search(given):
        return CellRule(cell)
    is_float, is_whole = (
        given in ("DOUBLE", "FLOAT") or given.startswith("DECIMAL"),
        re.fullmatch(r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?", given) is not None,
    )
    if data_type == "text":
        return _text_from_typed(cell, given, is_float)
    if data_type in ("integer", "double precision") and (is_float or is_whole):
        return _number_from_typed(cell, data_type)
    if data_type in ("date", "timestamp") and given.startswith(("DATE", "TIMESTAMP")):
        return _day_from_typed(cell, given, data_type)
    if data_type == "boolean" and is_whole:
        return CellRule(
            f"case {cell} when 1 then true when 0 then false end",
            (Wrong(f"{cell} not in (0, 1)", "is not true or false", "give a boolean, or 1 and 0"),),
        )
    return CellRule(cell)


def _text_from_typed(cell: str, given: str, is_float: bool) -> CellRule:
    if is_float:
        is_whole = f"{cell} = trunc({cell}) and abs({cell}) < 1e15"
        whole = f"case when {is_whole} then cast(cast({cell} as bigint) as varchar) else cast({cell} as varchar) end"
        return CellRule(whole, (Wrong(f"not isfinite(cast({cell} as double))", "is NaN or infinite", "give text, or null"),))
    return CellRule(f"cast({cell} as varchar)")


def _number_from_typed(cell: str, data_type: str) -> CellRule:
    number = f"cast({cell} as double)"
    is_whole = f"isfinite({number}) and {number} = trunc({number})"
    endless = Wrong(f"not isfinite({number})", "is NaN or infinite", "give a number, or null where unknown")
    if data_type == "double precision":
        return CellRule(f"case when isfinite({number}) then {number} end", (endless,))
    return CellRule(
        f"case when {is_whole} and abs({number}) <= {INTEGER_LIMIT} then cast({number} as integer) end",
        (
            endless,
            Wrong(
                f"isfinite({number}) and {number} <> trunc({number})", "is not a whole number", "give a whole number, or null where unknown"
            ),
            Wrong(
                f"{is_whole} and abs({number}) > {INTEGER_LIMIT}",
                "is too large for a whole number",
                f"give at most {INTEGER_LIMIT}",
            ),
        ),
    )


def _day_from_typed(cell: str, given: str, data_type: str) -> CellRule:
    has_zone = "TZ" in given or "TIME ZONE" in given
    moment = f"(cast({cell} as timestamptz) at time zone 'UTC')" if has_zone else f"cast({cell} as timestamp)"
    if data_type == "timestamp":
        return CellRule(moment)
    is_midnight = f"{moment} = date_trunc('day', {moment})"
    wrong = Wrong(f"not ({is_midnight})", "is not a date: it has a time of day", "give whole days")
    return CellRule(f"case when {is_midnight} then cast({moment} as date) end", () if given == "DATE" else (wrong,))


def started_by(value: str, today: date) -> Wrong:
    """A period that starts after `today` cannot have been observed: the only use of the clock."""
    return Wrong(
        f"({value}) > date '{today.isoformat()}'",
        f"starts after today ({today.isoformat()})",
        "leave out periods that have not begun, or correct the date",
        False,
    )


def guessed_type_sql(cell: str) -> str:
    """An aggregate: the type of a candidate feature given as text (leading zeros mark a code, which stays text)."""
    trimmed = f"nullif(trim({cell}), '')"
    whole, number = r"-?(0|[1-9]\d{0,17})", r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?"
    return (
        f"case when count({trimmed}) = 0 then 'text' "
        f"when bool_and(lower({trimmed}) in ('true', 'false')) then 'boolean' "
        f"when bool_and(regexp_full_match({trimmed}, '{whole}')) then 'bigint' "
        f"when bool_and(regexp_full_match({trimmed}, '{number}') and isfinite(try_cast({trimmed} as double))) then 'double precision' "
        "else 'text' end"
    )
