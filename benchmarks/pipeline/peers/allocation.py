"""The plan of the hand-written script: whole touches that maximise value under budget, rep time, capacities and contact limits, in PuLP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.pipeline.peers.features_pandas import read_table

GAP = 1e-3


def allocate(
    inputs: Path, scoring: pd.DataFrame, hcps: pd.DataFrame, catalog: pd.DataFrame, day: pd.Timestamp, most_seconds: float
) -> tuple[np.ndarray, str]:
    """(touches of every row of scoring, what the solver said). Adds the column `value`: probability x expected uplift."""
    import pulp

    uplift = catalog.set_index("channel")["expected_uplift"]
    scoring["value"] = scoring["probability"] * scoring["channel"].map(uplift)
    columns = ["hcp_id", "territory_id", "rep_id"]
    pairs = scoring[["hcp_id", "channel", "value", "unit_cost", "rep_minutes", "rep_access"]].merge(hcps[columns], on="hcp_id", how="left")
    most = pairs["channel"].map(catalog.set_index("channel")["max_touches"].fillna(1))
    allowed = np.flatnonzero(eligible(inputs, pairs, catalog, day) & (pairs["value"] > 0))
    pairs = pairs.iloc[allowed].reset_index(drop=True)
    model = pulp.LpProblem("plan", pulp.LpMaximize)
    x = [pulp.LpVariable(f"x{i}", 0, int(limit), pulp.LpInteger) for i, limit in enumerate(most.to_numpy()[allowed])]
    model.setObjective(pulp.LpAffineExpression(zip(x, pairs["value"].to_numpy(), strict=True)))
    for rows, weights, low, high in limits(inputs, pairs):
        total = pulp.LpAffineExpression(zip([x[i] for i in rows], weights[rows], strict=True))
        if high is not None:
            model += total <= high
        if low is not None:
            model += total >= low
    model.solve(pulp.PULP_CBC_CMD(msg=False, threads=1, gapRel=GAP, timeLimit=most_seconds))
    touches = np.zeros(len(scoring))
    touches[allowed] = [variable.value() or 0.0 for variable in x]
    return np.round(touches).astype(int), f"CBC: {pulp.LpStatus[model.status]}, {pulp.LpSolution[model.sol_status]}"


def eligible(inputs: Path, pairs: pd.DataFrame, catalog: pd.DataFrame, day: pd.Timestamp) -> np.ndarray:
    """Pairs that exclusions, consent, access and the lack of a rep leave for the whole cycle."""
    exclusions = read_table(inputs / "rule_exclusion.parquet")
    until = exclusions["valid_to"].fillna(pd.Timestamp("2200-01-01"))
    exclusions = exclusions[(until >= day) & (exclusions["valid_from"].fillna(day) < day + pd.Timedelta(weeks=4))]
    whole = pairs["hcp_id"].isin(exclusions.loc[exclusions["channel"].isna(), "hcp_id"])
    consent = read_table(inputs / "rule_consent.parquet")
    consent = consent[consent["captured_at"] < day].sort_values("captured_at").drop_duplicates(["hcp_id", "channel"], keep="last")
    is_in = (consent["status"] == "opt_in") & ~(consent["expires_at"] <= day)
    needed = catalog.loc[catalog["requires_consent"], "channel"]
    access = read_table(inputs / "rule_access.parquet")
    lacks = pairs["channel"].isin(needed) & ~_among(pairs, consent[is_in], "hcp_id")
    out = _among(pairs, exclusions, "hcp_id") | whole | _among(pairs, consent[consent["status"] == "opt_out"], "hcp_id") | lacks
    return (~(out | _among(pairs, access, "rep_access") | ((pairs["rep_minutes"] > 0) & pairs["rep_id"].isna()))).to_numpy()


def _among(pairs: pd.DataFrame, rule: pd.DataFrame, key: str) -> pd.Series:
    """Whether a rule has a row for the key and channel of each pair."""
    found = pd.MultiIndex.from_frame(pairs[[key, "channel"]]).isin(pd.MultiIndex.from_frame(rule[[key, "channel"]]))
    return pd.Series(found, index=pairs.index)


def limits(inputs: Path, pairs: pd.DataFrame) -> list[tuple[np.ndarray, np.ndarray, float | None, float | None]]:
    """(rows of pairs, weights of all pairs, least, most) of every limit."""
    one, cost, minutes = np.ones(len(pairs)), pairs["unit_cost"].to_numpy(), pairs["rep_minutes"].to_numpy()
    out = []
    for rule in read_table(inputs / "rule_budget.parquet").itertuples():
        out += [(rows, cost, None, rule.max_cost) for rows in _scopes(pairs, rule.channel, "territory_id", rule.territory_id)]
    for rule in read_table(inputs / "rule_channel_capacity.parquet").itertuples():
        scopes = _scopes(pairs, rule.channel, "territory_id", rule.territory_id)
        out += [(rows, one, _known(rule.min_actions), _known(rule.max_actions)) for rows in scopes]
    for rule in read_table(inputs / "rule_rep_capacity.parquet").itertuples():
        for rows in _scopes(pairs, rule.channel, "rep_id", rule.rep_id):
            rows = rows[minutes[rows] > 0]
            out += [
                (rows, weights, None, most)
                for weights, most in ((minutes, _known(rule.max_minutes)), (one, _known(rule.max_actions)))
                if most
            ]
    for rule in read_table(inputs / "rule_contact_limit.parquet").itertuples():
        among = pairs if rule.attribute is None or pd.isna(rule.attribute) else pairs[pairs[rule.attribute] == rule.value]
        out += [(rows, one, None, rule.max_actions) for rows in _scopes(among, rule.channel, "hcp_id", "*") if len(rows) > 0]
    return out


def _scopes(pairs: pd.DataFrame, channel: Any, key: str, value: Any) -> list[np.ndarray]:
    """Rows of a limit: of one channel or all, of one value of the key, all together (null) or each by itself (`*`)."""
    rows = pairs if pd.isna(channel) else pairs[pairs["channel"] == channel]
    if pd.isna(value):
        return [rows.index.to_numpy()]
    if value != "*":
        return [rows.index[rows[key] == value].to_numpy()]
    return [np.asarray(places) for places in (rows.index.to_numpy()[found] for found in rows.groupby(key).indices.values())]


def _known(value: float) -> float | None:
    return None if pd.isna(value) else float(value)
