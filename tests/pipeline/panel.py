"""A monthly physician panel without recorded responses, mapped on the contract."""

# ruff: noqa: E501 - texts that the user sees stay on one line
from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from folders import csv_text

FIRST_YEAR = 2023
MONTHS = 24
CYCLE_START = "2025-01-01"
BUDGET = 4000.0
PanelRow = dict[str, str]


def read_panel(path: Path) -> list[PanelRow]:
    """Rows of the file as they are."""
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def made_up_panel(physicians: int, seed: int) -> list[PanelRow]:
    """Rows of the same columns and shape: counts per physician and month, prescriptions rising with visits."""
    draw = np.random.default_rng(seed)
    level = draw.gamma(2.0, 3.0, physicians)
    rows = []
    for month in range(1, MONTHS + 1):
        details, samples = draw.poisson(1.2, physicians), draw.poisson(0.6, physicians)
        prescriptions, others = draw.poisson(level + 0.4 * details), draw.poisson(12.0, physicians)
        for number in range(physicians):
            cells = [number + 1, month, prescriptions[number], samples[number], details[number], others[number], 245.2, 389.85, number % 2]
            names = ["Physician", "Date", "NewPrescription", "Samples", "Details", "CompetitorNew", "MedicalCPI", "DRG", "Psych"]
            rows.append({name: str(cell) for name, cell in zip(names, cells, strict=True)})
    return rows


def month_start(number: int) -> str:
    """Months 1, 2, ... as consecutive month starts."""
    return f"{FIRST_YEAR + (number - 1) // 12}-{(number - 1) % 12 + 1:02d}-01"


def panel_tables(rows: Sequence[PanelRow]) -> dict[str, str]:
    """The panel as the four inputs and one budget.

    Responses are not recorded. The panel knows no reps, and a rep channel (rep_minutes > 0) needs one, so both channels get 0 rep_minutes.
    """
    latest = {row["Physician"]: row for row in sorted(rows, key=lambda row: int(row["Date"]))}
    hcps = [f"{hcp},{'psychiatry' if row['Psych'] == '1' else 'other'},{row['MedicalCPI']}" for hcp, row in latest.items()]
    touches = [
        f"{row['Physician']},{channel},{month_start(int(row['Date']))},{row[column]},"
        for row in rows
        for channel, column in (("rep_visit", "Details"), ("sample_drop", "Samples"))
        if int(row[column]) > 0
    ]
    kpi = [
        f"{row['Physician']},{month_start(int(row['Date']))},{row['NewPrescription']},{int(row['NewPrescription']) + int(row['CompetitorNew'])}"
        for row in rows
    ]
    return {
        "hcp_master": csv_text("hcp_id,specialty,medical_cpi", hcps),
        "engagement_history": csv_text("hcp_id,channel,period_start,touches,responses", touches),
        "kpi_metrics": csv_text("hcp_id,period_start,kpi_value,market_value", kpi),
        "engagement_action_catalog": csv_text(
            "channel,unit_cost,expected_uplift,rep_minutes", ["rep_visit,150,0.4,0", "sample_drop,20,0.1,0"]
        ),
        "rule_budget": csv_text("channel,territory_id,max_cost", [f",,{BUDGET}"]),
    }
