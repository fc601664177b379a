"""A slow second reading of the contract: days, limits, sets and values of a finished build, from its inputs alone.

Written from the contract with plain loops, sharing no code with the planner. Reads the schema of the inputs and `published`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from typing import Any

Row = dict[str, Any]
Plan = dict[str, int]  # touches by channel, of one HCP
BLOCKERS = ("exclusion", "consent", "access", "no_rep", "window", "min_gap", "contact_limit", "override")
RELATIVE = 1e-6


@dataclass(frozen=True)
class Switches:
    """The variables of a build that change its numbers, with their defaults. Lags in periods."""

    overlap: float = 0.1
    floor_penalty: float | None = None
    gap: float = 1e-4
    kpi_absent: str = "zero"
    engagement_lag: int = 0
    kpi_lag: int = 0


def plain(value: Any) -> Any:
    """A cell as Python has it: nulls as None, timestamps of days as dates."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    return value


def read_schema(db_path: Path, schema: str) -> dict[str, list[Row]]:
    """Every table of a schema as rows."""
    import duckdb

    with duckdb.connect(str(db_path), read_only=True) as connection:
        found = connection.execute("select table_name from information_schema.tables where table_schema = ?", [schema]).fetchall()
        tables = {}
        for (name,) in found:
            cursor = connection.execute(f'select * from "{schema}"."{name}"')
            columns = [column[0].lower() for column in cursor.description]
            tables[name] = [dict(zip(columns, map(plain, row), strict=True)) for row in cursor.fetchall()]
    return tables


def as_day(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def first_day_known(moment: Any) -> date:
    """What is known in the course of a day counts from the next day on."""
    if isinstance(moment, datetime):
        return moment.date() if moment.time() == datetime.min.time() else moment.date() + timedelta(days=1)
    return moment


@dataclass(frozen=True)
class World:
    """Inputs of a build, what it published, and what follows from the inputs."""

    inputs: dict[str, list[Row]]
    published: dict[str, list[Row]]
    switches: Switches
    cache: dict[str, Any] = field(default_factory=dict)

    def rule(self, name: str) -> list[Row]:
        return self.inputs.get(f"rule_{name}", [])

    def once(self, name: str, make: Any) -> Any:
        if name not in self.cache:
            self.cache[name] = make()
        return self.cache[name]

    # --- time -----------------------------------------------------------------------------------------------------

    @property
    def start(self) -> date:
        return as_day(self.published["plan_summary"][0]["cycle_start"])

    @property
    def period_starts(self) -> list[date]:
        """Starts of all periods with history before the cycle, from the common start on."""

        def make() -> list[date]:
            both = [sorted({as_day(row["period_start"]) for row in self.inputs[name]}) for name in ("engagement_history", "kpi_metrics")]
            first = max((days[0] for days in both if days), default=self.start)
            periods = [self.start]
            while periods[0] > first:
                periods.insert(0, self.shifted(periods[0], -1))
            return periods[:-1]

        return self.once("periods", make)

    @property
    def is_monthly(self) -> bool:
        starts = [row["period_start"] for name in ("engagement_history", "kpi_metrics") for row in self.inputs[name]]
        return self.once("monthly", lambda: all(as_day(day).day == 1 for day in starts))

    def shifted(self, day: date, periods: int) -> date:
        if not self.is_monthly:
            return day + timedelta(days=7 * periods)
        month = day.year * 12 + day.month - 1 + periods
        return date(month // 12, month % 12 + 1, 1)

    @property
    def days(self) -> list[date]:
        def make() -> list[date]:
            end = self.shifted(self.start, 1 if self.is_monthly else 4)
            return [self.start + timedelta(days=number) for number in range((end - self.start).days)]

        return self.once("days", make)

    def known(self, table: str, lag: int) -> list[Row]:
        """Rows of a history table inside the panel that were known when the cycle started."""
        panel = set(self.period_starts)
        rows = [row for row in self.inputs[table] if as_day(row["period_start"]) in panel]

        def since(row: Row) -> date:
            told = row.get("known_at")
            return first_day_known(told) if told is not None else self.shifted(as_day(row["period_start"]), 1 + lag)

        return [row for row in rows if since(row) <= self.start]

    # --- who and what ---------------------------------------------------------------------------------------------

    @property
    def hcps(self) -> dict[str, Row]:
        def make() -> dict[str, Row]:
            access = ("open", "restricted", "no_see")
            rows = [
                row | {"rep_access": row.get("rep_access") if row.get("rep_access") in access else "restricted"}
                for row in self.inputs["hcp_master"]
            ]
            return {row["hcp_id"]: row for row in sorted(rows, key=lambda row: row["hcp_id"])}

        return self.once("hcps", make)

    @property
    def channels(self) -> dict[str, Row]:
        def make() -> dict[str, Row]:
            rows = sorted(self.inputs["engagement_action_catalog"], key=lambda row: row["channel"])
            defaults = {"rep_minutes": 0.0, "requires_consent": False, "max_touches": 1}
            return {row["channel"]: defaults | {name: cell for name, cell in row.items() if cell is not None} for row in rows}

        return self.once("channels", make)

    @property
    def rep_channels(self) -> list[str]:
        return [channel for channel, row in self.channels.items() if row["rep_minutes"] > 0]

    def value(self, hcp: str, channel: str) -> float:
        scores = self.once("scores", lambda: {(row["hcp_id"], row["channel"]): row for row in self.published["hcp_channel_scores"]})
        return scores[hcp, channel]["expected_impact"]

    def touch_days(self, hcp: str) -> list[tuple[date, str, int]]:
        """(last day, channel, touches) of every known cell with touches, and of every touch planned before that no cell covers."""

        def make() -> dict[str, list[tuple[date, str, int]]]:
            cells: dict[tuple[str, date, str], int] = {}
            for row in self.known("engagement_history", self.switches.engagement_lag):
                last = self.shifted(as_day(row["period_start"]), 1) - timedelta(days=1)
                cells[row["hcp_id"], last, row["channel"]] = cells.get((row["hcp_id"], last, row["channel"]), 0) + row["touches"]
            by_hcp: dict[str, list[tuple[date, str, int]]] = {}
            for (owner, last, channel), touches in cells.items():
                if touches > 0:
                    by_hcp.setdefault(owner, []).append((last, channel, touches))
            # actions of earlier plans that history does not cover, where a world has any
            for row in self.inputs.get("prior_actions", []):
                by_hcp.setdefault(row["hcp_id"], []).append((row["latest_date"], row["channel"], row["touches"]))
            return by_hcp

        return self.once("touch_days", make).get(hcp, [])

    def matches(self, row: Row, hcp: str) -> bool:
        """Whether an attribute condition names the HCP."""
        attribute, wanted, operator = row.get("attribute"), row.get("value"), row.get("operator") or "="
        if attribute is None or wanted is None:
            return True
        own = self.hcps[hcp].get(attribute)
        if own is None or wanted == "*":
            return own is not None
        if operator == ">=":
            return float(own) >= float(wanted)
        options = [part.strip() for part in wanted.split("|")] if operator == "in" else [wanted]
        return any(float(own) == float(option) for option in options) if isinstance(own, int | float) else str(own) in options

    # --- days -----------------------------------------------------------------------------------------------------

    def blocked_days(self, hcp: str, channel: str) -> dict[str, set[date]]:
        """Days of the cycle that each rule takes from the pair; only rules that take any."""
        taken = {
            "exclusion": self._spans(self._naming("exclusion", hcp, channel)),
            "consent": self._without_consent(hcp, channel),
            "access": self._whole(any(self._closed(row, hcp, channel) for row in self.rule("access"))),
            "no_rep": self._whole(channel in self.rep_channels and self.hcps[hcp].get("rep_id") is None),
            "window": self._outside_windows(hcp, channel),
            "min_gap": self._too_soon(hcp, channel),
            "contact_limit": {day for day in self.days if self._too_many(hcp, channel, day)},
            "override": self._overridden(hcp, channel),
        }
        return {rule: taken[rule] for rule in BLOCKERS if taken[rule]}

    def run(self, hcp: str, channel: str) -> tuple[date, date] | None:
        """The longest run of free days, the earliest on ties."""

        def make() -> tuple[date, date] | None:
            closed: set[date] = set().union(*self.blocked_days(hcp, channel).values())
            best: list[date] = []
            current: list[date] = []
            for day in self.days:
                current = [] if day in closed else [*current, day]
                best = current if len(current) > len(best) else best
            return (best[0], best[-1]) if best else None

        return self.once(f"run {hcp} {channel}", make)

    def eligible(self, hcp: str) -> list[str]:
        return [channel for channel in self.channels if self.run(hcp, channel)]

    def _whole(self, is_blocked: bool) -> set[date]:
        return set(self.days) if is_blocked else set()

    def _naming(self, table: str, hcp: str, channel: str) -> list[Row]:
        """Rows of a rule table that name the pair; null names all."""

        def make() -> dict[str, list[Row]]:
            rows: dict[str, list[Row]] = {}
            for row in self.rule(table):
                rows.setdefault("*" if row["hcp_id"] is None else row["hcp_id"], []).append(row)
            return rows

        by_hcp = self.once(f"rows of {table}", make)
        rows = by_hcp.get("*", []) + by_hcp.get(hcp, [])
        return [row for row in rows if row["channel"] in (None, "*", channel)]

    def _spans(self, rows: list[Row]) -> set[date]:
        spans = [(as_day(row.get("valid_from")) or date.min, as_day(row.get("valid_to")) or date.max) for row in rows]
        return {day for day in self.days for first, last in spans if first <= day <= last}

    def _closed(self, row: Row, hcp: str, channel: str) -> bool:
        return row["rep_access"] in (None, "*", self.hcps[hcp]["rep_access"]) and row["channel"] in (None, "*", channel)

    def _without_consent(self, hcp: str, channel: str) -> set[date]:
        needed = self.channels[channel]["requires_consent"]
        rows = self._naming("consent", hcp, channel)
        if any(row["captured_at"] is None for row in rows):
            return set(self.days)
        rows = [row for row in rows if row["status"] == "opt_out" or as_day(row["captured_at"]) < self.start]
        newest = max((row["captured_at"] for row in rows), default=None)
        last = [row for row in rows if row["captured_at"] == newest]
        if any(row["status"] == "opt_out" for row in last):
            return set(self.days)
        if not needed:
            return set()
        ends = min((as_day(row.get("expires_at")) or date.max for row in last), default=date.min)
        return {day for day in self.days if day >= ends}

    def _outside_windows(self, hcp: str, channel: str) -> set[date]:
        rows = [row for row in self.rule("channel_window") if row["channel"] in (None, "*", channel)]
        if not rows:
            return set()
        own = self.hcps[hcp].get("territory_id")
        rows = [row for row in rows if row.get("territory_id") in (None, own) or (row.get("territory_id") == "*" and own)]
        spans = [(as_day(row.get("available_from")) or date.min, as_day(row.get("available_to")) or date.max) for row in rows]
        return {day for day in self.days if not any(first <= day <= last for first, last in spans)}

    def gap_days(self, last_channel: str, channel: str) -> int:
        rows = [row for row in self.rule("min_gap") if row["last_channel"] in (None, "*", last_channel)]
        return max((row["min_days"] for row in rows if row["channel"] in (None, "*", channel)), default=0)

    def _too_soon(self, hcp: str, channel: str) -> set[date]:
        latest: dict[str, date] = {}
        for last, before, _ in self.touch_days(hcp):
            latest[before] = max(last, latest.get(before, last))
        return {day for day in self.days for before, last in latest.items() if (day - last).days < self.gap_days(before, channel)}

    def contact_rows(self, hcp: str, channel: str | None = None) -> Iterator[tuple[list[str], Row]]:
        """(channels counted together, row) of the contact limits that name the HCP (and the channel)."""
        for row in self.rule("contact_limit"):
            if not self.matches(row | {"operator": "="}, hcp):
                continue
            every = list(self.channels)
            groups = [every] if row["channel"] is None else [[one] for one in every] if row["channel"] == "*" else [[row["channel"]]]
            yield from ((group, row) for group in groups if channel is None or channel in group)

    def inside_window(self, hcp: str, row: Row, group: list[str], day: date) -> int:
        """Known touches that a window ending on the day still holds."""
        if row.get("window_days") is None:
            return 0
        touches = [cell for cell in self.touch_days(hcp) if row["channel"] is None or cell[1] in group]
        return sum(number for last, _, number in touches if (day - last).days < row["window_days"])

    def _too_many(self, hcp: str, channel: str, day: date) -> bool:
        if self.channels[channel]["max_touches"] < 1:
            return True
        return any(self.inside_window(hcp, row, group, day) + 1 > row["max_actions"] for group, row in self.contact_rows(hcp, channel))

    def _overridden(self, hcp: str, channel: str) -> set[date]:
        rows = self._naming("override", hcp, channel)
        blocked = self._spans([row for row in rows if row["action"] == "forbid"])
        for row in (row for row in rows if row["action"] == "pin"):
            pinned = self._spans([row])
            blocked |= set(self.days) - pinned if pinned else set()
        return blocked

    def pinned(self, hcp: str) -> set[str]:
        pins = [row for channel in self.channels for row in self._naming("override", hcp, channel) if row["action"] == "pin"]
        return {row["channel"] for row in pins if self._spans([row])}

    # --- sets of one HCP ------------------------------------------------------------------------------------------

    def allowed_sets(self, hcp: str) -> list[Plan]:
        """Every set of touches that keeps the rules inside the HCP; outside the plan arm the one that the arm leaves."""
        if self.arm(hcp) == "plan":
            return self.own_sets(hcp)
        return [dict.fromkeys(self.drawn(hcp), 1)]

    def arm(self, hcp: str) -> str:
        arms = self.once("arms", lambda: {row["hcp_id"]: row["arm"] for row in self.published["assignments"]})
        return arms[hcp]

    def drawn(self, hcp: str) -> list[str]:
        """What was drawn for an explore HCP: a channel, or nothing."""
        rows = self.once("drawn", lambda: [row for row in self.published["explore_distribution"] if row["is_drawn"]])
        return [row["channel"] for row in rows if row["hcp_id"] == hcp and row["channel"] != "none"]

    def is_open(self, hcp: str, channel: str) -> bool:
        """Whether a plan may hold the pair: eligible, and left open by the arm."""
        return channel in self.eligible(hcp) and (self.arm(hcp) == "plan" or channel in self.drawn(hcp))

    def own_sets(self, hcp: str) -> list[Plan]:
        """Every set of touches that keeps the rules inside the HCP, whatever its arm."""

        def make() -> list[Plan]:
            open_to = self.eligible(hcp)
            most = [range(self.channels[channel]["max_touches"] + 1) for channel in open_to]
            sets = ({c: n for c, n in zip(open_to, touches, strict=True) if n} for touches in product(*most))
            return [plan for plan in sets if self.is_allowed(hcp, plan)]

        return self.once(f"sets {hcp}", make)

    def is_allowed(self, hcp: str, plan: Plan) -> bool:
        if not self.pinned(hcp) <= set(plan):
            return False
        for row in self.rule("incompatible"):
            if plan.get(row["channel_a"]) and plan.get(row["channel_b"]) and row["channel_a"] != row["channel_b"]:
                return False
        for group, row in self.contact_rows(hcp):
            runs = [self.run(hcp, channel) for channel in group if channel in self.channels]
            first = min((run[0] for run in runs if run), default=None)
            # windows that slide with the planned dates count the whole cycle as one
            before = 0 if first is None else self.inside_window(hcp, row, group, first)
            planned = sum(plan.get(channel, 0) for channel in group)
            if planned and planned + before > row["max_actions"] * (1 + RELATIVE):
                return False
        return self.has_order(hcp, [channel for channel, touches in plan.items() for _ in range(touches)], [])

    def has_order(self, hcp: str, left: list[str], dated: list[tuple[date, str]]) -> bool:
        """Whether some order of dates inside the eligible runs keeps every gap between the actions."""
        if not left:
            return True
        for place, channel in enumerate(left):
            first, last = self.run(hcp, channel)
            day = max(
                [first, *(earlier for earlier, _ in dated), *(at + timedelta(days=self.gap_days(before, channel)) for at, before in dated)]
            )
            if day <= last and self.has_order(hcp, left[:place] + left[place + 1 :], [*dated, (day, channel)]):
                return True
        return False

    def set_value(self, hcp: str, plan: Plan) -> float:
        """V(S): the sum of values less the overlap of every two touches."""
        values = [self.value(hcp, channel) for channel, touches in plan.items() for _ in range(touches)]
        pairs = [min(max(a, 0.0), max(b, 0.0)) for place, a in enumerate(values) for b in values[:place]]
        return math.fsum(values) - self.switches.overlap * math.fsum(pairs)

    def plan_values(self, hcp: str, plan: Plan) -> dict[str, float]:
        """What each planned pair gets of V(S): a negative one keeps its own, the rest share in proportion to theirs."""
        own = {channel: touches * self.value(hcp, channel) for channel, touches in plan.items()}
        positive = math.fsum(value for value in own.values() if value > 0)
        shared = self.set_value(hcp, plan) - math.fsum(value for value in own.values() if value < 0)
        return {channel: value if value < 0 else shared * value / positive if positive else 0.0 for channel, value in own.items()}

    def floor_penalty(self) -> float:
        if self.switches.floor_penalty is not None:
            return self.switches.floor_penalty
        largest = max((self.set_value(hcp, plan) for hcp in self.hcps for plan in self.allowed_sets(hcp)), default=0.0)
        return 2.0 * max(largest, 0.0)


def read_world(db_path: Path, schema: str = "raw", switches: Switches | None = None) -> World:
    return World(read_schema(db_path, schema), read_schema(db_path, "published"), switches or Switches())
