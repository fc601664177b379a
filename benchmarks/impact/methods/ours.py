"""The estimator of this project, called as a pipeline would call it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from benchmarks.impact.methods import Answer
from benchmarks.impact.observed import Observed, response_rates


def ours(seen: Observed) -> Answer:
    """score_impact of nba.impact on the world's tables, with P(response) as the shrunk rates of the history."""
    from nba.impact import ImpactSettings, estimate_impact

    world, said = seen.world, seen.world.settings
    settings = ImpactSettings(
        cycle_start=world.cycle_start,
        grain=said["grain"],
        cycle_periods=said["cycle_periods"],
        kpi_absent=said["kpi_absent"],
        attributes=said["attributes"],
        seed=0,
    )
    result = estimate_impact(world.tables | {"probabilities": _probabilities(seen)}, settings)
    columns = ("expected_impact", "expected_impact_low", "expected_impact_high")
    score, low, high = (_matrix(world.tables["hcps"]["hcp_id"], world.channels, result.scores, column) for column in columns)
    return Answer(score=score, in_kpi=True, low=low, high=high, said=_said(result.diagnostics), effective=_effective(result.diagnostics))


def _probabilities(seen: Observed) -> pa.Table:
    """score_engagement in short: null where a channel records no responses."""
    rates = response_rates(seen, seen.periods)
    channels, hcps = rates.shape
    return pa.table(
        {
            "hcp_id": seen.world.tables["hcps"]["hcp_id"].combine_chunks().take(pa.array(np.repeat(np.arange(hcps), channels))),
            "channel": pa.array(seen.world.channels).take(pa.array(np.tile(np.arange(channels), hcps))),
            "engagement_probability": pa.array(rates.T.ravel(), from_pandas=True),
        }
    )


def _matrix(ids: pa.ChunkedArray, channels: list[str], scores: pa.Table, column: str) -> np.ndarray:
    """(hcps, channels) in the order of the world; every pair must be scored once."""
    import pyarrow.compute as pc

    hcp = pc.index_in(scores["hcp_id"], ids.combine_chunks()).to_numpy()
    channel = pc.index_in(scores["channel"], pa.array(channels)).to_numpy()
    out = np.full((len(ids), len(channels)), np.nan)
    out[hcp, channel] = scores[column].to_numpy()
    if scores.num_rows != out.size or np.isnan(out).any():
        raise RuntimeError(f"{scores.num_rows} rows of scores for {out.size} pairs, {int(np.isnan(out).sum())} without {column}")
    return out


def _effective(diagnostics: pa.Table) -> list[str]:
    """Channels that the diagnostics call effective."""
    return sorted(row["channel"] for row in diagnostics.to_pylist() if row["measure"] == "effect" and row["status"] == "effective")


def _said(diagnostics: pa.Table) -> str:
    """What the diagnostics call each channel."""
    return ", ".join(f"{row['channel']} {row['status']}" for row in diagnostics.to_pylist() if row["measure"] == "status")
