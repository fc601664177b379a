"""Between the warehouse's relations and monitoring."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from nba.monitoring.drift import drift_facts
from nba.monitoring.judge import limits_of, measures_table
from nba.monitoring.profile import profile_of


def monitor_measures(sample: Any, prior_profiles: Any, facts: Any, limits: Any) -> pa.Table:
    """The table monitor_measures. sample: monitor_sample; prior_profiles: stg_prior_profiles; facts: monitor_facts; limits: monitor_limits.

    ValueError for a profile in memory that cannot be read.
    """
    before = [(row["table_name"], row["column_name"], profile_of(row)) for row in prior_profiles.to_arrow_table().to_pylist()]
    moved = drift_facts(sample.to_arrow_table(), sorted(before, key=lambda entry: entry[:2]))
    return measures_table([*facts.to_arrow_table().to_pylist(), *moved], limits_of(limits.to_arrow_table().to_pylist()))
