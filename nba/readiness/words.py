"""The report as text and as rows of a table."""

from __future__ import annotations

import csv
import io
from dataclasses import fields

from nba.plain_text import one_line, spreadsheet_text
from nba.readiness.report import Readiness
from nba.readiness.verdicts import Evidence

COLUMNS = ("section", "subject", "measure", "value", "unit", "status", "text")
TITLES = {"tables": "Tables", "time": "Time", "control": "Control arm"}


def number(value: float | None, digits: int = 3) -> str:
    return "-" if value is None else f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:,.0f}"


def percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.0f}%"


def as_text(report: Readiness) -> str:
    """Sections in the order of reading: what can be estimated, then what it rests on."""
    lines = ["Channels", ""]
    width = max([len(one_line(channel.name)) for channel in report.channels] + [7])
    lines.append(f"  {'channel':<{width}}  verdict  touches     HCPs  overlap  detectable  catalogue")
    for channel in report.channels:
        facts = channel.evidence
        lines.append(
            f"  {one_line(channel.name):<{width}}  {channel.status:<7}  {facts.touches:<10.0f}  {facts.hcps:<4}  "
            f"{percent(facts.overlap_share):<7}  {number(facts.detectable):<10}  {number(facts.uplift)}"
        )
        lines.append(f"  {'':<{width}}    {one_line(channel.reason)}.")
    if not report.channels:
        lines.append("  none")
    for section, title in TITLES.items():
        own = [finding for finding in report.findings if finding.section == section and finding.text]
        if own:
            lines += ["", title, ""]
            lines += [f"  {finding.subject:<20}  {one_line(finding.text)}" for finding in own]
    lines += ["", "detectable, catalogue: KPI units per touch and cycle; overlap: share of HCP-cycles with a like HCP of the other kind."]
    return "\n".join(lines)


def table_rows(report: Readiness) -> list[dict[str, str | float | None]]:
    """One row per measure, channels last."""
    rows: list[dict[str, str | float | None]] = [
        {**{field: getattr(finding, field) for field in COLUMNS if field != "status"}, "status": ""} for finding in report.findings
    ]
    for channel in report.channels:
        head = {"section": "channel", "subject": channel.name}
        rows.append({**head, "measure": "verdict", "value": None, "unit": "", "status": channel.status, "text": channel.reason})
        for field in fields(Evidence):
            value = getattr(channel.evidence, field.name)
            rows.append(
                {**head, "measure": field.name, "value": None if value is None else float(value), "unit": "", "status": "", "text": ""}
            )
    return rows


def as_csv(report: Readiness) -> str:
    """The table as CSV; text that a spreadsheet would take for a formula gets a leading apostrophe."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for row in table_rows(report):
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return out.getvalue()


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.9g}"
    return spreadsheet_text(value)
