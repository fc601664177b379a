"""The report as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

from __future__ import annotations

import html

from nba.plain_text import one_line
from nba.readiness.report import Channel, Readiness
from nba.readiness.verdicts import WEAK_FACTOR
from nba.readiness.words import TITLES, number, percent

COLOURS = {"go": "#1a7f4b", "weak": "#b7791f", "no-go": "#b3261e"}
STYLE = """
body{font:15px/1.5 system-ui,sans-serif;color:#1c1c1c;max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .6rem;border-bottom:1px solid #ddd;vertical-align:top}td.n{text-align:right}
.tag{color:#fff;border-radius:.3rem;padding:.05rem .5rem;font-weight:600;white-space:nowrap}.why{color:#555;font-size:.9rem}
"""


def as_page(report: Readiness) -> str:
    """The whole page. Every text that came out of a table is escaped."""
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8"><title>Readiness</title>',
        f"<style>{STYLE}</style></head><body><h1>What these tables can tell</h1>",
        f"<p>{_summary(report)}</p><h2>Channels</h2>",
        "<table><tr><th>channel</th><th>verdict</th><th>touches</th><th>HCPs</th><th>on the top fifth</th><th>overlap</th>"
        "<th>detectable effect and catalogue, KPI units per touch</th></tr>",
        *(_channel_row(channel) for channel in report.channels),
        "</table>",
    ]
    for section, title in TITLES.items():
        own = [finding for finding in report.findings if finding.section == section and finding.text]
        if own:
            rows = "".join(f"<tr><th>{_text(finding.subject)}</th><td>{_text(finding.text)}</td></tr>" for finding in own)
            parts.append(f"<h2>{title}</h2><table>{rows}</table>")
    return "\n".join([*parts, f"{_legend()}</body></html>", ""])


def _summary(report: Readiness) -> str:
    counts = {status: sum(channel.status == status for channel in report.channels) for status in COLOURS}
    told = f"{counts['go']} of {len(report.channels)} channels can be estimated from this history"
    return f"{told}, {counts['weak']} only weakly, {counts['no-go']} not at all. What cannot is planned on the catalogue's belief."


def _legend() -> str:
    return (
        '<p class="why">A bar that ends left of its line: an effect smaller than the catalogue expects would be seen. Detectable effect: '
        "the smallest effect of one touch on the KPI of its cycle that this history shows with 80% power "
        "at a two-sided 5%, after the mean of each HCP and of each cycle. Overlap: share of HCP-cycles in groups of like HCPs "
        "(decile, recent KPI, rep) of which 2% to 98% were touched. No model was fitted and nothing here is an effect.</p>"
    )


def _text(text: str) -> str:
    return html.escape(one_line(text), quote=True)


def _scale(channel: Channel) -> float:
    """KPI units at the end of a channel's bar: three times the catalogue (the mark stands at a third), beyond which nothing can be told."""
    uplift = channel.evidence.uplift
    return WEAK_FACTOR * uplift if uplift is not None and uplift > 0 else 2 * (channel.evidence.detectable or 1.0)


def _channel_row(channel: Channel) -> str:
    facts = channel.evidence
    tag = f'<span class="tag" style="background:{COLOURS[channel.status]}">{channel.status}</span>'
    cells = [
        f'<td>{_text(channel.name)}<div class="why">{_text(channel.reason)}</div></td>',
        f"<td>{tag}</td>",
        f'<td class="n">{facts.touches:,.0f}</td><td class="n">{facts.hcps:,}</td>',
        f'<td class="n">{percent(facts.top_share)}</td><td>{_bar(facts.overlap_share, 1.0, "#4a6fa5")} {percent(facts.overlap_share)}</td>',
        f"<td>{_bar(facts.detectable, _scale(channel), COLOURS[channel.status], facts.uplift)} "
        f"{number(facts.detectable)} / {number(facts.uplift)}</td>",
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _bar(value: float | None, scale: float, colour: str, mark: float | None = None) -> str:
    """A bar of up to 120 pixels; the mark is a line where the catalogue stands."""
    if value is None:
        return ""
    width = 120 * min(max(value / scale, 0.0), 1.0)
    line = ""
    if mark is not None:
        place = 120 * min(max(mark / scale, 0.0), 1.0)
        line = f'<line x1="{place:.1f}" x2="{place:.1f}" y1="0" y2="14" stroke="#111" stroke-width="2"/>'
    frame = '<rect width="120" height="10" y="2" fill="#eee"/>'
    return (
        f'<svg width="122" height="14" aria-hidden="true">{frame}<rect width="{width:.1f}" height="10" y="2" fill="{colour}"/>{line}</svg>'
    )
