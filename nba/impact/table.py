"""Columns of the table score_impact."""

from __future__ import annotations

import pyarrow as pa

DRIVERS = 5  # of the impact of a pair, by the size of what they add
NUMBERS = ("expected_impact", "expected_impact_low", "expected_impact_high", "expected_impact_long", "impact_base")
IMPACT_SCHEMA = pa.schema(
    [("hcp_id", pa.string()), ("channel", pa.string())]
    + [(name, pa.float64()) for name in NUMBERS]
    + [
        (f"impact_driver_{k}{end}", kind)
        for k in range(1, DRIVERS + 1)
        for end, kind in (("", pa.string()), ("_value", pa.string()), ("_contribution", pa.float64()))
    ]
    + [("impact_other", pa.float64()), ("impact_status", pa.string())]
)
