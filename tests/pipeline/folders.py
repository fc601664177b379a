"""Small folders of inputs to load, and ways to break them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path

FIRST_WEEK = date(2025, 1, 6)
WEEKS = 20


def week(number: int) -> str:
    """The start of a week of the panel as text."""
    return (FIRST_WEEK + timedelta(days=7 * number)).isoformat()


def csv_text(header: str, rows: Sequence[str]) -> str:
    return "\n".join([header, *rows]) + "\n"


def good_tables(hcps: int = 20) -> dict[str, str]:
    """The four inputs of a weekly panel with two channels, as CSV text by table name."""
    ids = [f"{number:03d}" for number in range(hcps)]
    cells = [(hcp, number, channel) for number in range(WEEKS) for hcp in ids for channel in ("email", "rep_visit")]
    return {
        "hcp_master": csv_text(
            "hcp_id,specialty,territory_id,rep_id,decile,years",
            [f"{hcp},oncology,T{int(hcp) % 2},R{int(hcp) % 2},{int(hcp) % 10 + 1},{int(hcp)}" for hcp in ids],
        ),
        "engagement_history": csv_text(
            "hcp_id,channel,period_start,touches,responses",
            [
                f"{hcp},{channel},{week(number)},{(int(hcp) + number) % 3},{min((int(hcp) + number) % 3, number % 2)}"
                for hcp, number, channel in cells
            ],
        ),
        "kpi_metrics": csv_text(
            "hcp_id,period_start,kpi_value", [f"{hcp},{week(number)},{int(hcp) * number % 7}" for number in range(WEEKS) for hcp in ids]
        ),
        "engagement_action_catalog": csv_text(
            "channel,unit_cost,expected_uplift,rep_minutes,requires_consent", ["email,1,0.2,0,true", "rep_visit,100,1.5,30,false"]
        ),
    }


def write_folder(folder: Path, tables: Mapping[str, str | bytes]) -> Path:
    """Write one CSV file per table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in tables.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def with_rows(text: str, *rows: str) -> str:
    """A CSV text with rows added at its end."""
    return text + "".join(f"{row}\n" for row in rows)
