"""From what is known about a channel to go, weak or no-go, in words. Numbers only: nothing is read here."""

from __future__ import annotations

from dataclasses import dataclass

LEAST_TOUCHED_HCPS = 30
LEAST_CYCLES = 6
GO_OVERLAP, WEAK_OVERLAP = 0.5, 0.2
WEAK_FACTOR = 3.0  # how many times the catalogue's belief an effect must be to be seen at all


@dataclass(frozen=True)
class Evidence:
    """Facts about one channel. Shares lie in [0, 1]; None = cannot be told.

    uplift: the catalogue's belief per touch. top_share: share of the touches on the fifth of HCPs with the highest decile or KPI.
    overlap_share: share of HCP-cycles in groups of like HCPs of which 2% to 98% were touched. informative_touches: squared deviations of
    touches from the means of HCP and cycle. detectable: smallest effect per touch (KPI units per cycle) seen with 80% power at 5%.
    """

    is_listed: bool
    touches: float
    hcps: int
    hcp_share: float | None = None
    answered_share: float | None = None
    response_rate: float | None = None
    uplift: float | None = None
    consent_share: float | None = None
    top_share: float | None = None
    overlap_share: float | None = None
    touched_share: float | None = None
    informative_touches: float = 0.0
    detectable: float | None = None
    cycles: float = 0.0


def verdict(evidence: Evidence, grain: str) -> tuple[str, str]:
    """(status, reason). The first of these that applies, the worst first; a weak channel keeps its prior, a no-go has nothing else."""
    unable = _no_go(evidence, grain)
    if unable:
        return "no-go", unable
    found = _weak(evidence)
    if found:
        return "weak", "; ".join(found)
    return "go", f"an effect of {evidence.detectable:.3g} KPI units per touch is seen, the catalogue expects {evidence.uplift:.3g}"


def _no_go(evidence: Evidence, grain: str) -> str:
    if not evidence.is_listed:
        return "it is in the history but not in the catalogue: add it there, or nothing can be planned on it"
    if grain not in ("week", "month"):
        return "the periods are of no single grain"
    if evidence.touches <= 0:
        return "nobody was touched on it: only the catalogue's belief is left; an explore arm would tell"
    if evidence.detectable is None:
        return "its touches do not vary within HCPs, or the KPI is too short or unknown: no effect can be told from the HCP's level"
    if evidence.uplift and evidence.uplift > 0 and evidence.detectable > WEAK_FACTOR * evidence.uplift:
        times = evidence.detectable / evidence.uplift
        return f"only an effect {times:.1f} times the catalogue's would be seen: the history cannot speak for or against it"
    return ""


def _weak(evidence: Evidence) -> list[str]:
    found = []
    if evidence.hcps < LEAST_TOUCHED_HCPS:
        found.append(f"only {evidence.hcps} HCPs were touched on it")
    if evidence.cycles < LEAST_CYCLES:
        found.append(f"only {evidence.cycles:g} cycles of history")
    if evidence.overlap_share is not None and evidence.overlap_share < WEAK_OVERLAP:
        found.append(
            f"who is touched is nearly settled by decile, KPI and rep: only {100 * evidence.overlap_share:.0f}% of HCP-cycles have a like "
            "one of the other kind, elsewhere the estimate rests on the catalogue"
        )
    elif evidence.overlap_share is not None and evidence.overlap_share < GO_OVERLAP:
        found.append(f"only {100 * evidence.overlap_share:.0f}% of HCP-cycles have a like one of the other kind")
    if evidence.uplift is None or evidence.uplift <= 0:
        found.append("the catalogue has no positive uplift per touch to compare with")
    elif evidence.detectable is not None and evidence.detectable > evidence.uplift:
        found.append(f"an effect must be {evidence.detectable / evidence.uplift:.1f} times the catalogue's to be seen")
    return found
