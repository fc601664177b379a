"""Expected impact of one touch: the catalogue's prior belief, moved by how likely this HCP responds and how much KPI it carries.

expected_impact = base x engagement factor x KPI factor, a heuristic and not a causal estimate: both factors are relative to the average and
shrunk towards it where little is known, so that the mean over HCPs stays near the catalogue's belief.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from nba.learning.encoding import numbers, texts
from nba.learning.settings import ImpactSettings, LearningInputError

Z90 = 1.6448536269514722  # half width of a central 90% interval in standard deviations
SEGMENT_PRIOR_HCPS = 5.0  # HCPs by which the mean of a specialty and decile is shrunk to the mean of all
SPREAD = 0.5  # spread of a factor between HCPs, relative to 1, where the data cannot show it
LONG_PERIODS = {"week": 12, "month": 3}
IMPACT_SCHEMA = pa.schema(
    [("hcp_id", pa.string()), ("channel", pa.string())]
    + [
        (name, pa.float64())
        for name in (
            "expected_impact",
            "expected_impact_low",
            "expected_impact_high",
            "expected_impact_long",
            "impact_base",
            "impact_engagement",
            "impact_kpi",
            "engagement_factor",
            "kpi_factor",
        )
    ]
)


@dataclass(frozen=True)
class Factor:
    """A factor per pair and the standard deviation of what is not known about it."""

    value: np.ndarray
    deviation: np.ndarray


def steady_mean(values: np.ndarray) -> float:
    """Mean that does not depend on the order of the values; NaN without values."""
    return float(np.sort(values).sum() / len(values)) if len(values) else float("nan")


def steady_deviation(values: np.ndarray, fallback: float = SPREAD) -> float:
    """Standard deviation around 1 in any order of the values; the fallback for fewer than 3 values."""
    return float(np.sqrt(steady_mean((values - 1.0) ** 2))) if len(values) >= 3 else fallback


def trust(evidence: np.ndarray, prior: float) -> np.ndarray:
    """Share in [0, 1] of what the HCP itself shows: evidence / (evidence + prior); without either it is 0."""
    total = evidence + prior
    return np.where(total > 0, evidence / np.where(total > 0, total, 1.0), 0.0)


def engagement_factor(chance: np.ndarray, channel: np.ndarray, touches: np.ndarray, prior_touches: float) -> Factor:
    """Probability of a response over the mean of the channel, shrunk to 1 by the touches behind it; 1 where there is no probability."""
    value, deviation = np.ones(len(chance)), np.full(len(chance), SPREAD)
    own = trust(touches, prior_touches)
    for code in np.unique(channel):
        rows = (channel == code) & ~np.isnan(chance)
        middle = steady_mean(chance[rows])
        if not middle > 0:
            continue
        ratio = chance[rows] / middle
        value[rows] = 1.0 + own[rows] * (ratio - 1.0)
        deviation[rows] = max(steady_deviation(ratio), 0.1) * np.sqrt(1.0 - own[rows])
    return Factor(np.maximum(value, 0.0), deviation)


def kpi_factor(level: np.ndarray, periods: np.ndarray, segment: np.ndarray, is_first: np.ndarray, prior_periods: float) -> Factor:
    """KPI level of the HCP over the mean of all HCPs, shrunk by its known periods to the mean of its segment; never below 0.

    level, periods, segment (code) per pair; is_first marks one row per HCP, so that HCPs count once. HCPs without history get the mean of
    their segment, itself shrunk to the mean of all. 1 for everyone when no level is known or their mean is not positive.
    """
    periods = np.where(np.isnan(level), 0.0, periods)
    counted = is_first & (periods > 0)
    overall = steady_mean(level[counted])
    if not overall > 0:
        return Factor(np.ones(len(level)), np.full(len(level), SPREAD))
    order = np.flatnonzero(counted)[np.lexsort((level[counted], segment[counted]))]
    groups = int(segment.max()) + 1  # segment codes, the unknown segment among them
    total = np.bincount(segment[order], level[order], groups) + SEGMENT_PRIOR_HCPS * overall
    segment_mean = (total / (np.bincount(segment[order], minlength=groups) + SEGMENT_PRIOR_HCPS))[segment]
    own = trust(periods, prior_periods)
    value = np.maximum(np.where(own > 0, own * np.nan_to_num(level), 0.0) + (1.0 - own) * segment_mean, 0.0) / overall
    spread = steady_deviation(1.0 + (level[counted] - segment_mean[counted]) / overall)
    return Factor(value, max(spread, 0.1) * np.sqrt(1.0 - own))


def carry(settings: ImpactSettings) -> float:
    """Impact over 12 weeks or 3 months per impact over the cycle, when each period keeps `carry_over` of the effect of the one before."""
    share, long, cycle = settings.carry_over, LONG_PERIODS[settings.grain], settings.cycle_periods
    if share >= 1.0:
        return long / cycle
    return (1.0 - share**long) / (1.0 - share**cycle)


def base_impact(catalog: pa.Table, channels: list[str], channel: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """Prior belief per pair: the uplift per touch, or per response x the channel's mean probability over the scored pairs."""
    listed = dict(zip(texts(catalog["channel"]).to_pylist(), range(catalog.num_rows), strict=True))
    uplift = numbers(catalog["expected_uplift"], "expected_uplift")
    basis = texts(catalog["uplift_basis"]).to_pylist() if "uplift_basis" in catalog.column_names else [None] * catalog.num_rows
    out = np.zeros(len(channel))
    for code, name in enumerate(channels):
        if name not in listed:
            raise LearningInputError(f"channel '{name}' of feat_scoring is not in the action catalogue")
        value = uplift[listed[name]]
        if np.isnan(value):
            raise LearningInputError(f"expected_uplift of channel '{name}' is unknown")
        rows = channel == code
        middle = steady_mean(chance[rows & ~np.isnan(chance)])
        out[rows] = value * middle if basis[listed[name]] == "response" and not np.isnan(middle) else value
    return out


def score_impact(scores: pa.Table, pairs: pa.Table, catalog: pa.Table, settings: ImpactSettings) -> pa.Table:
    """score_impact for every row of pairs.

    scores: score_engagement (hcp_id, channel, engagement_probability). pairs: feat_scoring (hcp_id, channel, kpi_level, kpi_periods,
    segment, touches_long). catalog: stg_catalog. KPI units over the cycle. The interval is one for the mean: normal, from the variance of
    the product of three independent uncertain factors (Goodman 1960), the catalogue's with a coefficient of variation of impact_prior_cv.
    """
    hcp, _ = _codes(pairs["hcp_id"])
    channel, channels = _codes(pairs["channel"])
    chance = _aligned_chance(scores, pairs)
    is_first = np.zeros(len(hcp), bool)
    is_first[np.unique(hcp, return_index=True)[1]] = True
    touches = np.nan_to_num(numbers(pairs["touches_long"], "touches_long"))
    level, periods = numbers(pairs["kpi_level"], "kpi_level"), np.nan_to_num(numbers(pairs["kpi_periods"], "kpi_periods"))
    base = base_impact(catalog, channels, channel, chance)
    engagement = engagement_factor(chance, channel, touches, settings.prior_touches)
    kpi = kpi_factor(level, periods, _codes(pairs["segment"])[0], is_first, settings.prior_periods)
    with_engagement = base * (engagement.value - 1.0) + 0.0  # no negative zeros
    with_kpi = base * engagement.value * (kpi.value - 1.0) + 0.0
    impact = base + with_engagement + with_kpi
    half = Z90 * _product_deviation(base, settings.prior_cv, engagement, kpi)
    out = [impact, impact - half, impact + half, impact * carry(settings), base, with_engagement, with_kpi, engagement.value, kpi.value]
    keys = [texts(pairs["hcp_id"]), texts(pairs["channel"])]
    return pa.table(keys + [pa.array(values) for values in out], names=IMPACT_SCHEMA.names).cast(IMPACT_SCHEMA)


def _product_deviation(base: np.ndarray, cv: float, engagement: Factor, kpi: Factor) -> np.ndarray:
    """Standard deviation of the product of three independent factors: E[x^2] E[y^2] E[z^2] - (E[x] E[y] E[z])^2."""
    second = base**2 * (1.0 + cv**2) * (engagement.value**2 + engagement.deviation**2) * (kpi.value**2 + kpi.deviation**2)
    return np.sqrt(np.maximum(second - (base * engagement.value * kpi.value) ** 2, 0.0))


def _codes(column: pa.ChunkedArray) -> tuple[np.ndarray, list[str]]:
    """A text column as codes in order of value and the values; null is a value of its own, the last."""
    encoded = texts(column).combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    values = encoded.dictionary.to_pylist()
    ranked = sorted(values)
    place = {value: number for number, value in enumerate(ranked)}
    rank = np.array([*(place[value] for value in values), len(values)], dtype=np.int64)
    return rank[encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)], ranked


def _aligned_chance(scores: pa.Table, pairs: pa.Table) -> np.ndarray:
    """The engagement probability of every row of pairs, NaN where there is none. The two tables may come in different orders."""
    chance = numbers(scores["engagement_probability"], "engagement_probability")
    keys = [texts(pairs[name]) for name in ("hcp_id", "channel")]
    found = [texts(scores[name]) for name in ("hcp_id", "channel")]
    if scores.num_rows == pairs.num_rows and all(a.equals(b) for a, b in zip(keys, found, strict=True)):
        return chance
    left = pa.table([*keys, pa.array(np.arange(pairs.num_rows))], names=["hcp_id", "channel", "row"])
    right = pa.table([*found, pa.array(chance)], names=["hcp_id", "channel", "chance"])
    return numbers(left.join(right, ["hcp_id", "channel"]).sort_by("row")["chance"], "chance")
