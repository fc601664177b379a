"""A small labelled panel with known response chances, for the tests of learning, impact and explanation."""

from datetime import date, timedelta

import numpy as np
import pyarrow as pa

DEFINITIONS = pa.table(
    {
        "feature_name": ["channel", "specialty", "response_rate_long", "decile", "touches_long", "never_known", "not_a_column"],
        "label": [
            "channel",
            "specialty",
            "response rate on this channel over the last 12 periods",
            "prescribing decile",
            "touches",
            None,
            "x",
        ],
        "unit": ["category", "category", "rate", "decile", "touches", None, None],
    }
)
SPECIALTIES = np.array(["cardiology", "oncology", "general practice", None], dtype=object)


def panel(
    hcps: int = 400, snapshots: int = 4, channels: tuple[str, ...] = ("email", "visit", "webinar"), seed: int = 0, interaction: bool = False
) -> pa.Table:
    """HCP x channel x snapshot, the last snapshot included; labels drawn from a chance that depends on channel, specialty and rate."""
    rng = np.random.default_rng(seed)
    parts = []
    number = np.arange(hcps)
    for snapshot in range(snapshots):
        for place, channel in enumerate(channels):
            rate = np.where(rng.random(hcps) < 0.3, np.nan, rng.random(hcps))
            touches = rng.integers(0, 4, hcps)
            decile = rng.integers(1, 11, hcps).astype(float)
            score = -1.0 + 0.5 * place + 2.0 * (np.nan_to_num(rate, nan=0.3) - 0.5) + 0.8 * (number % 4 == 1)
            if interaction:
                score = score + np.where((decile > 5) == (np.nan_to_num(rate, nan=0.0) > 0.5), 1.5, -1.5)
            columns = {
                "hcp_id": [f"{h:05d}" for h in number],
                "channel": [channel] * hcps,
                "snapshot_date": [date(2025, 1, 6) + timedelta(28 * snapshot)] * hcps,
                "specialty": SPECIALTIES[number % 4],
                "response_rate_long": pa.array(rate, from_pandas=True),
                "decile": decile,
                "touches_long": rng.poisson(3, hcps).astype(float),
                "never_known": pa.nulls(hcps, pa.float64()),
                "label_touches": touches,
                "label_responses": rng.binomial(touches, 1 / (1 + np.exp(-score))),
            }
            parts.append(pa.table(columns))
    return pa.concat_tables(parts)
