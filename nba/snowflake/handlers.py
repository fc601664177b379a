"""Scoring, explanation and planning by parts, as handlers of partitioned vectorised table functions: a partition in, its rows out.

Snowflake hands each partition to one process on one node as a pandas frame with upper-case columns, calls `end_partition` and takes the
frame that it returns. The handlers only rename and call the functions that the models call; what is the same for all partitions (the
engagement model, the prices) lies in files beside the zip, read once per process. docs/snowflake_scale.md says what that is for.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

MODEL_FILE = "engagement_model.json"
PRICES_FILE = "prices.json"
PLAN_OUTPUT = {"HCP_ID": "varchar", "CHANNEL": "varchar", "TOUCHES": "number(38, 0)", "PRICED_VALUE": "double", "USED_MINUTES": "double"}


class ScorePairs:
    """feat_scoring of a partition -> score_engagement of it: probability, five drivers with their contributions (SHAP), the rest."""

    def end_partition(self, frame: pd.DataFrame) -> pd.DataFrame:
        """One row per pair in, one out, in their order."""
        from nba.learning.scoring import score_engagement

        return upper_frame(score_engagement(model_text(), lower_table(frame)))


class PlanRep:
    """The pairs of one rep -> what the rep's HCPs get at the prices of the limits that reps share, within the rep's own minutes.

    In: HCP_ID, CHANNEL, EXPECTED_IMPACT, IS_ELIGIBLE, COST, REP_MINUTES (of one touch), MAX_MINUTES (of the rep, the same in each row; null
    = none), MOST_CHANNELS (per HCP). Out: one row per planned pair. The shared limits enter by their price of a unit of cost and of a
    touch on a channel (prices.json: `cost`, `touches` by channel); values add up, so use it with overlap 0 or as a first answer.
    """

    def end_partition(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The best choice of this partition, proven to 1e-4. ValueError where a number is missing or not finite."""
        prices = json.loads(staged_text(PRICES_FILE))
        return plan_part(
            frame, float(prices.get("cost", 0.0)), {str(name): float(price) for name, price in prices.get("touches", {}).items()}
        )


def plan_part(frame: pd.DataFrame, cost_price: float, touch_price: dict[str, float]) -> pd.DataFrame:
    """One rep's pairs chosen at these prices, as PlanRep says; columns of PLAN_OUTPUT."""
    import numpy as np
    import pandas as pd
    from scipy import sparse

    from optimization import allocate

    frame = frame[frame["IS_ELIGIBLE"].astype(bool)].sort_values(["HCP_ID", "CHANNEL"], kind="stable", ignore_index=True)
    if frame.empty:
        return pd.DataFrame({name: [] for name in PLAN_OUTPUT})
    minutes = frame["REP_MINUTES"].to_numpy(dtype=np.float64)
    priced = frame["EXPECTED_IMPACT"].to_numpy(dtype=np.float64) - cost_price * frame["COST"].to_numpy(dtype=np.float64)
    priced = priced - frame["CHANNEL"].map(lambda name: touch_price.get(name, 0.0)).to_numpy(dtype=np.float64)
    most = frame["MAX_MINUTES"].iloc[0]
    limit = np.array([np.inf if pd.isna(most) else float(most)])
    number = frame.groupby("HCP_ID", sort=True).ngroup().to_numpy()
    per_hcp = frame.groupby("HCP_ID", sort=True)["MOST_CHANNELS"].first().to_numpy(dtype=np.int64)
    found = allocate(priced, number, per_hcp, sparse.csr_matrix(minutes[np.newaxis, :]), np.array([-np.inf]), limit)
    chosen = np.flatnonzero(found.chosen)
    return pd.DataFrame(
        {
            "HCP_ID": frame["HCP_ID"].to_numpy()[chosen],
            "CHANNEL": frame["CHANNEL"].to_numpy()[chosen],
            "TOUCHES": np.ones(len(chosen), dtype=np.int64),
            "PRICED_VALUE": priced[chosen],
            "USED_MINUTES": minutes[chosen],
        }
    )


def lower_table(frame: pd.DataFrame) -> pa.Table:
    """A partition as the models' functions read it: Arrow, lower-case names."""
    import pyarrow as pa

    return pa.Table.from_pandas(frame.rename(columns=str.lower), preserve_index=False)


def upper_frame(table: pa.Table) -> pd.DataFrame:
    """What they return, as the account takes it."""
    return table.to_pandas().rename(columns=str.upper)


@cache
def staged_text(name: str) -> str:
    """A file that the function imports, read once per process. FileNotFoundError naming it where the function does not import it."""
    folder = sys._xoptions.get("snowflake_import_directory")
    if not isinstance(folder, str):
        raise FileNotFoundError(f"{name}: not inside a Snowflake function, so there is no folder of imports")
    return (Path(folder) / name).read_text("utf-8")


def model_text() -> str:
    """The engagement model of the run, as JSON."""
    return staged_text(MODEL_FILE)


def function_statement(name: str, handler: type, arguments: dict[str, str], returns: dict[str, str], place: dict[str, Any]) -> str:
    """CREATE FUNCTION of a handler. arguments, returns: column -> Snowflake type; place: `runtime`, `packages`, `imports` as declared."""
    given = ", ".join(f"{column} {kind}" for column, kind in arguments.items())
    told = ", ".join(f"{column} {kind}" for column, kind in returns.items())
    packages, imports = (", ".join(f"'{one}'" for one in place[part]) for part in ("packages", "imports"))
    return (
        f"create or replace function {name} ({given}) returns table ({told}) language python runtime_version = '{place['runtime']}' "
        f"packages = ({packages}) imports = ({imports}) handler = '{handler.__name__}' as\n$$\nimport pandas\n"
        f"from _snowflake import vectorized\nfrom {handler.__module__} import {handler.__name__} as _Handler\n\n\n"
        f"class {handler.__name__}(_Handler):\n    @vectorized(input=pandas.DataFrame)\n    def end_partition(self, frame):\n"
        f"        return super().end_partition(frame)\n$$"
    )
