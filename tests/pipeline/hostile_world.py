"""A small world whose every name is hostile: ids, channels, labels, territories, reps, attributes and their values, reasons of rules."""

from __future__ import annotations

from itertools import cycle

import pandas as pd
from hostile_texts import HOSTILE_TEXTS
from odd_worlds import Tables, ordinary

ID_COLUMNS = {
    "hcp_id": "hcp_id",
    "territory_id": "territory_id",
    "rep_id": "rep_id",
    "hco_id": "hco_id",
    "channel": "channel",
    "last_channel": "channel",
    "channel_a": "channel",
    "channel_b": "channel",
}
# columns of hcp_master that are switched on as features, by names that SQL and JSON do not like
ATTRIBUTES = ("it's; drop table x", "a\\b {{ c }}", "größe %s $$", "select")
LONG_NAME = "long " + "n" * 50
# texts that names of channels are made of: each one once
CHANNELS = ("quotes", "statement", "jinja", "backslashes", "newlines", "markdown")


def renamings(tables: Tables) -> dict[str, dict[str, str]]:
    """kind of id -> plain id -> hostile id, one to one."""
    texts = list(HOSTILE_TEXTS.values())
    found: dict[str, dict[str, str]] = {}
    for kind, table in (("hcp_id", "hcp_master"), ("territory_id", "hcp_master"), ("rep_id", "hcp_master"), ("hco_id", "hcp_master")):
        ids = sorted(set(tables[table][kind].dropna()))
        # every text once, then each with the plain id behind it
        found[kind] = {
            plain: texts[number] if number < len(texts) else f"{texts[number % len(texts)]}{plain}" for number, plain in enumerate(ids)
        }
    channels = list(tables["engagement_action_catalog"]["channel"])
    found["channel"] = {plain: HOSTILE_TEXTS[kind] for plain, kind in zip(channels, cycle(CHANNELS))}
    assert all(len(set(renamed.values())) == len(renamed) for renamed in found.values())
    return found


def hostile_tables() -> Tables:
    """The ordinary small world under hostile names."""
    tables = {name: frame.copy() for name, frame in ordinary().items()}
    # the rules about attributes would no longer fit their values
    for name in ("rule_coverage_floor", "rule_contact_limit"):
        tables[name] = tables[name][tables[name]["attribute"].isna()].reset_index(drop=True)
    renamed = renamings(tables)
    for name, frame in tables.items():
        for column in set(frame) & set(ID_COLUMNS):
            names = renamed[ID_COLUMNS[column]]
            tables[name][column] = frame[column].map(lambda value, names=names: names.get(value, value))
    texts = cycle(HOSTILE_TEXTS.values())
    hcps, catalog = tables["hcp_master"], tables["engagement_action_catalog"]
    catalog["label"] = [f"{text} label" for text, _ in zip(HOSTILE_TEXTS.values(), range(len(catalog)), strict=False)]
    hcps["full_name"] = [next(texts) for _ in range(len(hcps))]
    for number, name in enumerate(ATTRIBUTES):
        hcps[name] = [list(HOSTILE_TEXTS.values())[(number + row) % 5] for row in range(len(hcps))]
    first = pd.DataFrame([{"hcp_id": hcps["hcp_id"].iloc[0], "channel": catalog["channel"].iloc[0], "reason": HOSTILE_TEXTS["statement"]}])
    tables["rule_exclusion"] = pd.concat(
        [tables["rule_exclusion"], first.reindex(columns=tables["rule_exclusion"].columns)], ignore_index=True
    )
    floor = {
        "attribute": ATTRIBUTES[0],
        "operator": "=",
        "value": HOSTILE_TEXTS["quotes"],
        "min_hcps": 1.0,
        "hardness": "soft",
        "channel": "*",
    }
    tables["rule_coverage_floor"] = pd.concat(
        [tables["rule_coverage_floor"], pd.DataFrame([floor]).reindex(columns=tables["rule_coverage_floor"].columns)], ignore_index=True
    )
    words = pd.DataFrame([{"feature_name": ATTRIBUTES[0], "label": HOSTILE_TEXTS["markup"], "description": HOSTILE_TEXTS["jinja"]}])
    tables["feature_definition"] = words
    return tables
