"""Worlds at the edge of what the contract allows, each made from one small ordinary world by changing one thing.

A builder changes the tables of the ordinary world in place or returns new ones. `ODD_WORLDS` says of each what a full build must do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pandas as pd

from nba.simulate import simulate_world

CYCLE_START = "2026-01-05"
Tables = dict[str, pd.DataFrame]
Change = Callable[[Tables], None]


@dataclass(frozen=True)
class OddWorld:
    """change: what is odd about it; variables: switches beside the usual ones; is_planned: whether any action is planned.

    stops_at: the gate that must stop the build, whose message must hold every text of `says`.
    """

    change: Change
    variables: Mapping[str, Any] = field(default_factory=dict)
    is_planned: bool = True
    stops_at: str = ""
    says: tuple[str, ...] = ()
    grain: str = "week"

    def tables(self) -> Tables:
        made = {name: frame.copy() for name, frame in ordinary(self.grain).items()}
        self.change(made)
        return made


@cache
def ordinary(grain: str = "week") -> Tables:
    """40 HCPs, 30 weeks or months, six channels and every rule table; no pins and no hard floors."""
    world = simulate_world(hcps=40, weeks=30 if grain == "week" else 130, seed=11, grain=grain)
    assert str(world.calendar.cycle_start) in (CYCLE_START, "2026-01-01")
    made = {name: table.to_pandas() for name, table in world.tables().items()}
    made["rule_override"] = made["rule_override"].iloc[:0]
    return made


def shuffled(tables: Tables, seed: int) -> Tables:
    """The same rows in another physical order."""
    return {name: frame.sample(frac=1, random_state=seed).reset_index(drop=True) for name, frame in tables.items()}


def empty_rules(tables: Tables, *names: str) -> None:
    """Empty the named rule tables, by default all."""
    for name in names or [name for name in tables if name.startswith("rule_")]:
        tables[name] = tables[name].iloc[:0]


def keep_hcps(tables: Tables, count: int) -> None:
    """Only the first HCPs and what is known of them; rules about others go."""
    kept = set(tables["hcp_master"]["hcp_id"].head(count))
    for name, frame in tables.items():
        if "hcp_id" in frame:
            tables[name] = frame[frame["hcp_id"].isin(kept)].reset_index(drop=True)
    present = {column: set(tables["hcp_master"][column].dropna()) for column in ("territory_id", "rep_id")}
    for name, frame in tables.items():
        for column, values in present.items():
            if name.startswith("rule_") and column in frame:
                tables[name] = frame = frame[frame[column].isna() | (frame[column] == "*") | frame[column].isin(values)].reset_index(
                    drop=True
                )


def keep_channels(tables: Tables, *channels: str) -> None:
    """Only these channels, in the catalogue and everywhere."""
    for name, frame in tables.items():
        for column in ("channel", "last_channel", "channel_a", "channel_b"):
            if column in frame:
                frame = frame[frame[column].isna() | (frame[column] == "*") | frame[column].isin(channels)].reset_index(drop=True)
        tables[name] = frame


def rows(tables: Tables, name: str, *given: Mapping[str, Any]) -> None:
    """Add rows to a table; columns not given are null."""
    added = pd.DataFrame(list(given)).reindex(columns=tables[name].columns).astype(object)
    added = added.where(added.notna(), None)
    tables[name] = pd.concat([tables[name].astype(object), added], ignore_index=True) if len(tables[name]) else added


def one_hcp(tables: Tables) -> None:
    keep_hcps(tables, 1)


def three_hcps_one_channel(tables: Tables) -> None:
    keep_hcps(tables, 3)
    keep_channels(tables, "email")
    empty_rules(tables, "rule_rep_capacity")


def twelve_channels(tables: Tables) -> None:
    """Every channel has a twin of nearly its value, with a history of its own."""
    catalog, history = tables["engagement_action_catalog"], tables["engagement_history"]
    twins = catalog.assign(
        channel=catalog["channel"] + "_2", label=catalog["label"] + " two", expected_uplift=catalog["expected_uplift"] * 0.97
    )
    tables["engagement_action_catalog"] = pd.concat([catalog, twins], ignore_index=True)
    tables["engagement_history"] = pd.concat([history, history.assign(channel=history["channel"] + "_2")], ignore_index=True)


def twelve_channels_unlimited(tables: Tables) -> None:
    twelve_channels(tables)
    empty_rules(tables, "rule_contact_limit", "rule_min_gap", "rule_incompatible")


def no_reps(tables: Tables) -> None:
    tables["hcp_master"]["rep_id"] = None
    empty_rules(tables, "rule_rep_capacity")


def no_territories(tables: Tables) -> None:
    tables["hcp_master"]["territory_id"] = None
    for name, frame in tables.items():
        if name.startswith("rule_") and "territory_id" in frame:
            tables[name] = frame[frame["territory_id"].isna()].reset_index(drop=True)


def nothing_eligible(tables: Tables) -> None:
    """Every HCP refuses visits and there is nothing but rep channels."""
    rep_channels_only(tables)
    tables["hcp_master"]["rep_access"] = "no_see"
    empty_rules(tables, "rule_access")
    rows(tables, "rule_access", {"rep_access": "no_see", "channel": "*"})


def rep_channels_only(tables: Tables) -> None:
    catalog = tables["engagement_action_catalog"]
    keep_channels(tables, *catalog.loc[catalog["rep_minutes"] > 0, "channel"])


def zero_budget(tables: Tables) -> None:
    empty_rules(tables, "rule_budget")
    rows(tables, "rule_budget", {"max_cost": 0.0})


def without_responses(tables: Tables) -> None:
    tables["engagement_history"]["responses"] = None


def some_responses_null(tables: Tables) -> None:
    history = tables["engagement_history"]
    history["responses"] = history["responses"].astype("Int64").mask(history.index % 3 == 0)


def every_touch_answered(tables: Tables) -> None:
    history = tables["engagement_history"]
    history["responses"] = history["touches"]


def no_market(tables: Tables) -> None:
    tables["kpi_metrics"] = tables["kpi_metrics"].drop(columns="market_value", errors="ignore")


def kpi_times(factor: float) -> Change:
    def change(tables: Tables) -> None:
        for column in ("kpi_value", "market_value"):
            tables["kpi_metrics"][column] = tables["kpi_metrics"][column].astype(float) * factor

    return change


def kpi_null(tables: Tables) -> None:
    tables["kpi_metrics"]["kpi_value"] = None


def last_periods(count: int, skipped: int = 0) -> Change:
    """Only so many periods of history, ending `skipped` periods before the cycle."""

    def change(tables: Tables) -> None:
        starts = sorted(set(tables["kpi_metrics"]["period_start"]) & set(tables["engagement_history"]["period_start"]))
        kept = set(starts[len(starts) - skipped - count : len(starts) - skipped])
        for name in ("kpi_metrics", "engagement_history"):
            tables[name] = tables[name][tables[name]["period_start"].isin(kept)].reset_index(drop=True)

    return change


def history_of_last_year(tables: Tables) -> None:
    for name in ("kpi_metrics", "engagement_history"):
        for column in {"period_start", "known_at"} & set(tables[name]):
            tables[name][column] = pd.to_datetime(tables[name][column]) - timedelta(days=7 * 60)


def strangers_to_history(tables: Tables) -> None:
    """Half of the HCPs have neither touches nor KPI."""
    known = set(tables["hcp_master"]["hcp_id"].head(20))
    for name in ("kpi_metrics", "engagement_history", "current_plan"):
        tables[name] = tables[name][tables[name]["hcp_id"].isin(known)].reset_index(drop=True)


def channel_without_history(tables: Tables) -> None:
    tables["engagement_history"] = tables["engagement_history"][tables["engagement_history"]["channel"] != "email"].reset_index(drop=True)


def uplift(value: float, *channels: str) -> Change:
    def change(tables: Tables) -> None:
        catalog = tables["engagement_action_catalog"]
        catalog.loc[catalog["channel"].isin(channels or catalog["channel"]), "expected_uplift"] = value

    return change


def hard_floor_above_reach(tables: Tables) -> None:
    rows(tables, "rule_coverage_floor", {"channel": "*", "min_hcps": 500, "hardness": "hard"})


def more_than_is_eligible(tables: Tables) -> None:
    """400 touches of email. 26 HCPs may get any: 22 of them two (the limit of the cycle, below the catalogue's three), three who see no rep
    one (their limit), and H0000038 one, whose five free days do not hold a gap of seven: 48."""
    empty_rules(tables, "rule_channel_capacity")
    rows(tables, "rule_channel_capacity", {"channel": "email", "min_actions": 400})


def pin_without_consent(tables: Tables) -> None:
    hcp = tables["hcp_master"]["hcp_id"].iloc[0]
    tables["rule_consent"] = tables["rule_consent"][tables["rule_consent"]["hcp_id"] != hcp].reset_index(drop=True)
    rows(tables, "rule_override", {"hcp_id": hcp, "channel": "email", "action": "pin", "reason": "promised", "created_by": "manager"})


def as_it_is(tables: Tables) -> None:
    """Nothing is odd."""


ODD_WORLDS: dict[str, OddWorld] = {
    "ordinary": OddWorld(as_it_is),
    "one_hcp": OddWorld(one_hcp),
    "three_hcps_one_channel": OddWorld(three_hcps_one_channel),
    "twelve_channels": OddWorld(twelve_channels),
    "twelve_channels_unlimited": OddWorld(twelve_channels_unlimited),
    "no_rules": OddWorld(empty_rules),
    "no_reps": OddWorld(no_reps),
    "no_territories": OddWorld(no_territories),
    "nothing_eligible": OddWorld(nothing_eligible, is_planned=False),
    "rep_channels_only": OddWorld(rep_channels_only),
    "zero_budget": OddWorld(zero_budget, is_planned=False),
    "monthly_without_responses": OddWorld(without_responses, {"nba_cycle_start": "2026-01-01"}, grain="month"),
    "some_responses_null": OddWorld(some_responses_null),
    "every_touch_answered": OddWorld(every_touch_answered),
    "no_market": OddWorld(no_market),
    "one_period": OddWorld(last_periods(1)),
    # planned on purpose: a gate would stop history that old
    "ends_before_the_cycle": OddWorld(history_of_last_year, {"nba_gate_freshness": "warn"}),
    "kpi_zero": OddWorld(kpi_times(0.0)),
    "kpi_null": OddWorld(kpi_null),
    "kpi_huge": OddWorld(kpi_times(1e9)),
    "kpi_tiny": OddWorld(kpi_times(1e-9)),
    "half_without_history": OddWorld(strangers_to_history),
    "channel_without_history": OddWorld(channel_without_history),
    "one_negative_uplift": OddWorld(uplift(-0.2, "email")),
    "all_negative_uplift": OddWorld(uplift(-0.2), is_planned=False),
    "hard_floor_above_reach": OddWorld(
        hard_floor_above_reach, stops_at="gate_plan", says=("coverage of HCPs by any channel is 500", "at most 40 hcps", "from 500 to 40")
    ),
    "more_than_is_eligible": OddWorld(
        more_than_is_eligible, stops_at="gate_plan", says=("minimum of Approved email is 400 touches", "lower by 352", "from 400 to 48")
    ),
    "pin_without_consent": OddWorld(
        pin_without_consent,
        stops_at="gate_plan",
        says=("pin of H0000001 on Approved email", "no opt-in for Approved email", "remove the pin"),
    ),
}


def staged(tables: Tables) -> Tables:
    """What the planner reads of a world, made without dbt: a touch is believed to bring the catalogue's uplift, by KPI level of the HCP."""
    hcps, catalog, history, kpi = (
        tables[name] for name in ("hcp_master", "engagement_action_catalog", "engagement_history", "kpi_metrics")
    )
    level = kpi.groupby("hcp_id")["kpi_value"].mean().reindex(hcps["hcp_id"]).fillna(0.0)
    scores = hcps[["hcp_id"]].merge(catalog[["channel", "expected_uplift"]], how="cross")
    factor = 0.5 + level.to_numpy() / max(float(level.mean()), 1e-12) / 2
    scores["expected_impact"] = scores.pop("expected_uplift") * factor.repeat(len(catalog))
    ends = pd.to_datetime(history["period_start"]) + timedelta(days=7)
    made = {
        "stg_hcp_master": hcps.assign(rep_access=hcps["rep_access"].fillna("restricted")),
        "stg_catalog": catalog,
        "score_impact": scores,
        "stg_engagement": history.assign(period_end=ends, known_from=ends),
        "stg_prior_actions": pd.DataFrame(columns=["hcp_id", "channel", "latest_date"]),
    }
    return made | {f"stg_{name}": frame for name, frame in tables.items() if name.startswith("rule_")}
