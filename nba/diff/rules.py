"""How the rules of two runs differ, from what memory recorded when rows came and went."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nba.warehouse import Warehouse

NEEDED = {"rules_by_run", "inputs_by_run"}


@dataclass(frozen=True)
class Told:
    """One recorded row: it came (`added`) or went (`removed`) with a run. `key`, `text`: JSON."""

    rule_table: str
    row_hash: str
    key: str
    text: str
    change: str
    by: str


@dataclass(frozen=True)
class RuleChange:
    """One row that differs: `before` and `after` as JSON, None where the row is not there; `by`: who changed it."""

    rule_table: str
    before: str | None
    after: str | None
    by: str


def rule_changes(warehouse: Warehouse, schema: str, before: str, after: str) -> list[RuleChange]:
    """Rows that differ from run `before` to run `after`; none where memory does not know the rules of either (runs of older versions)."""
    if not {table.name.lower() for table in warehouse.tables(schema)} >= NEEDED:
        return []
    memory = warehouse.quoted(schema)
    asked = f"select run_id, max(run_number) from {memory}.inputs_by_run where run_id in ($before, $after) group by run_id"
    numbers = dict(warehouse.rows(asked, {"before": before, "after": after}))
    if len(numbers) < 2:
        return []
    first, last = sorted((int(numbers[before]), int(numbers[after])))
    told = warehouse.rows(
        f"select rule_table, row_hash, row_key, row_text, change, changed_by from {memory}.rules_by_run "
        "where run_number > $first and run_number <= $last order by run_number",
        {"first": first, "last": last},
    )
    found = differences(Told(*row) for row in told)
    backwards = int(numbers[before]) > int(numbers[after])
    return [RuleChange(row.rule_table, row.after, row.before, row.by) for row in found] if backwards else found


def differences(told: Iterable[Told]) -> list[RuleChange]:
    """What is left of rows in the order of their telling: what went and came back is no change; rows of one key stand side by side."""
    by_row: dict[tuple[str, str], list[Told]] = defaultdict(list)
    for row in told:
        by_row[row.rule_table, row.row_hash].append(row)
    net = [rows[-1] for rows in by_row.values() if rows[0].change == rows[-1].change]
    sides: dict[tuple[str, str], dict[str, list[Told]]] = defaultdict(lambda: {"removed": [], "added": []})
    for row in sorted(net, key=lambda row: row.text):
        sides[row.rule_table, row.key][row.change].append(row)
    changes = []
    for (table, _), side in sorted(sides.items()):
        for place in range(max(len(side["removed"]), len(side["added"]))):
            gone, come = (side[name][place] if place < len(side[name]) else None for name in ("removed", "added"))
            changes.append(RuleChange(table, gone and gone.text, come and come.text, (come or gone).by))  # type: ignore[union-attr]
    return changes
