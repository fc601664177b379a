"""A difference of two runs as text, or as Markdown for a pull request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nba.diff.runs import MOVES, channels_of, hcp_moves
from nba.plain_text import markdown_text, one_line

if TYPE_CHECKING:
    import pandas as pd

    from nba.diff.rules import RuleChange
    from nba.diff.runs import Difference

ROWS = 20
NUMBERS = (
    ("objective", "objective", ".6g"),
    ("penalty", "penalty of missed floors", ".6g"),
    ("upper_bound", "no plan can exceed", ".6g"),
    ("gap", "proven gap", ".2e"),
    ("expected_impact", "expected impact", ".6g"),
    ("total_cost", "cost", ".2f"),
    ("actions", "actions", ".0f"),
    ("hcps_reached", "HCPs reached", ".0f"),
)
SIDES = ("limit_before", "limit_after", "used_before", "used_after", "price_before", "price_after")
STAMPS = (("input_fingerprint", "inputs"), ("model_version", "model"), ("code_version", "code"))


@dataclass(frozen=True)
class Section:
    """A heading, lines of text, and a table (a head and its rows; no head, no table)."""

    title: str
    lines: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    more: int = 0


def sections(found: Difference) -> list[Section]:
    """The report in its parts."""
    return [_header(found), _numbers(found), *_hcps(found), *_cells(found), *_limits(found), *rules_section(found.rules)]


def as_text(parts: Sequence[Section]) -> str:
    """Plain text with aligned columns."""
    lines: list[str] = []
    for part in map(_shown, parts):
        lines += ["", part.title] if lines else [part.title]
        lines += [f"  {line}" for line in part.lines]
        if part.head:
            widths = [max(len(row[place]) for row in (part.head, *part.rows)) for place in range(len(part.head))]
            lefts = [place == 0 or any(row[place][:1].isalpha() for row in part.rows) for place in range(len(part.head))]
            for row in (part.head, *part.rows):
                cells = [f"{cell:<{width}}" if left else f"{cell:>{width}}" for cell, width, left in zip(row, widths, lefts, strict=True)]
                lines.append(f"  {'  '.join(cells)}".rstrip())
        if part.more:
            lines.append(f"  ... and {part.more} more")
    return "\n".join(lines)


def as_markdown(parts: Sequence[Section]) -> str:
    """Markdown tables under headings."""
    lines: list[str] = []
    for place, part in enumerate(map(_shown, parts)):
        lines += [f"{'##' if place == 0 else '###'} {part.title}", ""]
        lines += [*(f"{markdown_text(line)}  " for line in part.lines), ""] if part.lines else []
        if part.head:
            lefts = [column == 0 or any(row[column][:1].isalpha() for row in part.rows) for column in range(len(part.head))]
            lines += [_row(part.head), "|" + "|".join(" --- " if left else " ---: " for left in lefts) + "|"]
            lines += [_row(row) for row in part.rows]
            lines += ["", f"... and {part.more} more", ""] if part.more else [""]
    return "\n".join(lines).rstrip()


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(markdown_text(cell) for cell in cells) + " |"


def _shown(part: Section) -> Section:
    """The same part with every text on one line, so that names cannot break a table or steer a terminal."""
    rows = tuple(tuple(one_line(str(cell)) for cell in row) for row in part.rows)
    return replace(part, title=one_line(part.title), lines=tuple(one_line(line) for line in part.lines), rows=rows)


def _header(found: Difference) -> Section:
    lines = [
        f"{side}: run {row['run_id']}, cycle {str(row['cycle_start'])[:10]}, {row['status']}"
        for side, row in (("before", found.before), ("after", found.after))
    ]
    if str(found.before["cycle_start"]) != str(found.after["cycle_start"]):
        lines.append("The runs plan different cycles.")
    same = [words for column, words in STAMPS if _stamp(found.before, column) == _stamp(found.after, column)]
    other = [words for _, words in STAMPS if words not in same]
    lines.append(
        "; ".join(f"{verdict}: {', '.join(words)}" for verdict, words in (("the same", same), ("different", other)) if words) + "."
    )
    return Section("Difference of two plans", tuple(lines))


def _stamp(row: pd.Series, column: str) -> str:
    return str(row[column])


def _numbers(found: Difference) -> Section:
    rows = [
        (
            words,
            f"{found.before[column]:{style}}",
            f"{found.after[column]:{style}}",
            f"{found.after[column] - found.before[column]:+{style}}",
        )
        for column, words, style in NUMBERS
    ]
    return Section("Numbers", (), ("", "before", "after", "change"), tuple(rows))


def _hcps(found: Difference) -> list[Section]:
    moves = hcp_moves(found.pairs)
    if moves.empty:
        return [Section("HCPs", ("No HCP gains, loses or changes an action.",))]
    counts = {move: int((moves["move"] == move).sum()) for move in MOVES}
    actions = found.pairs["move"].value_counts().reindex([*MOVES, "kept"], fill_value=0)
    still = found.pairs["hcp_id"].nunique() - len(moves)
    lines = (
        f"{counts['gained']} gain an action, {counts['lost']} lose one, {counts['changed']} change theirs; {still} keep what they had.",
        "Actions: {gained} gained, {lost} lost, {changed} with other touches, {kept} kept.".format(**actions),
    )
    shown = moves.head(ROWS)
    pairs = found.pairs[found.pairs["hcp_id"].isin(shown["hcp_id"])]
    rows = [
        (
            *(row.hcp_id, row.territory_id, row.move),
            *(channels_of(pairs, row.hcp_id, move) or "-" for move in MOVES),
            f"{row.value_change:+.6g}",
            f"{row.cost_change:+.2f}",
        )
        for row in shown.itertuples()
    ]
    head = ("HCP", "territory", "move", "gains", "loses", "other touches", "value change", "cost change")
    return [Section("HCPs that gain, lose or change an action, by change of value", lines, head, tuple(rows), len(moves) - len(shown))]


def _cells(found: Difference) -> list[Section]:
    """By channel, by territory, by both."""
    parts = []
    for title, by in (
        ("By channel", ["channel"]),
        ("By territory", ["territory_id"]),
        ("By channel and territory", ["channel", "territory_id"]),
    ):
        counted = found.pairs.assign(
            before=found.pairs["touches_before"] > 0,
            after=found.pairs["touches_after"] > 0,
            **{move: found.pairs["move"] == move for move in MOVES},
            value=found.pairs["plan_value_after"] - found.pairs["plan_value_before"],
            money=found.pairs["cost_after"] - found.pairs["cost_before"],
        )
        sums = counted.groupby(by, as_index=False, sort=True)[["before", "after", *MOVES, "value", "money"]].sum()
        sums = sums[(sums[list(MOVES)].sum(axis=1) > 0) | (sums["value"].abs() > 0)]
        rows = [
            (
                *(str(row[name]) for name in by),
                *(str(int(row[name])) for name in ("before", "after", *MOVES)),
                f"{row['value']:+.6g}",
                f"{row['money']:+.2f}",
            )
            for _, row in sums.iterrows()
        ]
        head = (
            *(name.removesuffix("_id") for name in by),
            "before",
            "after",
            "gained",
            "lost",
            "other touches",
            "value change",
            "cost change",
        )
        if rows:
            parts.append(Section(title, (), head, tuple(rows)))
    return parts


def _limits(found: Difference) -> list[Section]:
    titles = {
        "newly binding": "Limits newly binding",
        "released": "Limits released",
        "new": "Limits that are new",
        "gone": "Limits that are gone",
        "price": "Limits with another price",
        "bound": "Limits with another bound only",
    }
    parts = []
    for turn, title in titles.items():
        rows = found.limits[found.limits["turn"] == turn]
        cells = [(row.label, row.unit, *(_number(getattr(row, name)) for name in SIDES)) for row in rows.head(ROWS).itertuples()]
        head = ("limit", "unit", "bound before", "after", "used before", "after", "price before", "after")
        if cells:
            parts.append(Section(title, (), head, tuple(cells), max(0, len(rows) - ROWS)))
    return parts or [Section("Limits", ("Every limit has the bound and the price that it had.",))]


def rules_section(changes: Sequence[RuleChange]) -> list[Section]:
    """Rows of rule tables that differ and who changed them; no section where none does."""
    if not changes:
        return []
    rows = []
    for row in changes[:ROWS]:
        turn = "added" if row.before is None else "removed" if row.after is None else "changed"
        rows.append((row.rule_table, turn, row.before or "-", row.after or "-", row.by))
    return [Section("Rules", (), ("table", "change", "before", "after", "by"), tuple(rows), max(0, len(changes) - ROWS))]


def _number(value: float) -> str:
    return "-" if value != value else f"{value:.6g}"
