"""Measured HCPs as arrays: one row per cycle and HCP, in one order whatever the order of the table."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

POOLED = "pooled"
COVARIATES = ("kpi_before", "kpi_long_before", "market_before")
NUMBERS = ("arm_probability", "kpi", *COVARIATES, "touches", "predicted", "best_impact")
FLAGS = ("is_kpi_known", "are_touches_known")


class MeasurementInputError(ValueError):
    """A table that cannot be measured; the message names column and rule."""


@dataclass(frozen=True)
class HcpCycles:
    """One row per cycle and HCP, sorted by both.

    cycles: first days (ISO) of the cycles, sorted; cycle: code into them. hcp, unit: codes in order of id (drawn unit: HCP, HCO or
    territory). arm: `plan`, `control`, `explore`. stratum, wider: codes of the stratum and of its part after the first `|`.
    arm_probability: of having been drawn into that arm. kpi: sum over the cycle, NaN = unknown. covariates: rows x columns without NaN,
    from before the draw. touches: of history in the cycle. predicted: plan value of the HCP's actions. best_impact: of its eligible pairs.
    kpi_known, touches_known: per cycle, whether it lies wholly in what is known by now.
    """

    cycles: tuple[str, ...]
    hcps: tuple[str, ...]
    cycle: np.ndarray
    hcp: np.ndarray
    unit: np.ndarray
    arm: np.ndarray
    stratum: np.ndarray
    wider: np.ndarray
    arm_probability: np.ndarray
    kpi: np.ndarray
    covariates: np.ndarray
    touches: np.ndarray
    predicted: np.ndarray
    best_impact: np.ndarray
    kpi_known: np.ndarray
    touches_known: np.ndarray

    def only(self, mask: np.ndarray) -> HcpCycles:
        """The rows where mask holds; codes stay."""
        kept = {
            field.name: getattr(self, field.name)[mask]
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray) and not field.name.endswith("_known")
        }
        return replace(self, **kept)

    def scopes(self) -> list[tuple[str, np.ndarray]]:
        """(name, mask) of each cycle and, last, of all cycles whose KPI is known."""
        single = [(name, self.cycle == number) for number, name in enumerate(self.cycles)]
        return [*single, (POOLED, self.kpi_known[self.cycle])] if single else []


def hcp_cycles(table: pa.Table) -> HcpCycles:
    """From measure_hcps. Null unit_id is the HCP alone. MeasurementInputError for a missing column or a probability outside (0, 1]."""
    needed = ("measured_cycle", "hcp_id", "unit_id", "stratum", "arm", *NUMBERS, *FLAGS)
    missing = [name for name in needed if name not in table.column_names]
    if missing:
        raise MeasurementInputError(f"measure_hcps lacks the column {missing[0]}")
    table = table.set_column(table.column_names.index("measured_cycle"), "measured_cycle", day_text(table["measured_cycle"]))
    table = table.sort_by([("measured_cycle", "ascending"), ("hcp_id", "ascending")])
    cycle, cycles = codes(table["measured_cycle"])
    hcp, hcps = codes(table["hcp_id"])
    unit, _ = codes(pc.coalesce(table["unit_id"].cast(pa.string()), table["hcp_id"].cast(pa.string())))
    arm, arms = codes(table["arm"])
    strata = table["stratum"].cast(pa.string())
    number = {name: table[name].cast(pa.float64()).to_numpy(zero_copy_only=False).astype(float) for name in NUMBERS}
    probability = number["arm_probability"]
    if not np.all((probability > 0) & (probability <= 1)):
        raise MeasurementInputError("arm_probability must lie in (0, 1]")
    unknown = [np.bincount(cycle, ~pc.fill_null(table[name], False).to_numpy(), len(cycles)) for name in FLAGS]
    return HcpCycles(
        cycles, hcps, cycle, hcp, unit,
        np.array([*arms, ""])[arm],
        codes(strata)[0],
        codes(pc.replace_substring_regex(strata, r"^[^|]*\|", ""))[0],
        probability, number["kpi"],
        covariate_matrix([number[name] for name in COVARIATES]),
        np.nan_to_num(number["touches"]), np.nan_to_num(number["predicted"]), number["best_impact"],
        *(rows == 0 for rows in unknown),
    )  # fmt: skip


def covariate_matrix(columns: list[np.ndarray]) -> np.ndarray:
    """Columns side by side, unknown as 0 with a column of its own that says so where it occurs."""
    unknown = [np.isnan(column) for column in columns]
    made = [np.nan_to_num(column) for column in columns] + [flag.astype(float) for flag in unknown if flag.any()]
    return np.column_stack(made)


def codes(column: pa.ChunkedArray) -> tuple[np.ndarray, tuple[str, ...]]:
    """A text column as codes in order of value, and the values; null is a value of its own, the last."""
    encoded = column.cast(pa.string()).combine_chunks().dictionary_encode()
    encoded = encoded.combine_chunks() if isinstance(encoded, pa.ChunkedArray) else encoded
    values = encoded.dictionary.to_pylist()
    ranked = sorted(values)
    place = {value: number for number, value in enumerate(ranked)}
    rank = np.array([*(place[value] for value in values), len(values)], dtype=np.int64)
    return rank[encoded.indices.fill_null(len(values)).to_numpy(zero_copy_only=False)], tuple(ranked)


def day_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Days as ISO text, from dates, timestamps or text."""
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return column.cast(pa.string())
    return column.cast(pa.date32()).cast(pa.string())
