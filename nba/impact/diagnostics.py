"""What the checks found, as a table: one row per channel and measure, with its limit and whether it holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from nba.impact.checks import LEAST_RATE, PLACEBO_SHARE, SLOPE_TOLERANCE, Z90, Z_EFFECTIVE, Fit, Slopes
from nba.impact.effects import FORM_DOUBT, Effects, Prior
from nba.impact.history import People
from nba.impact.panel import Panel
from nba.impact.settings import ImpactSettings

ESTIMATED, THIN, MARKED, FAILED, UNTOUCHED = "estimated", "not_enough_information", "miscalibrated", "placebo_failed", "no_touches"
DIAGNOSTICS_SCHEMA = pa.schema(
    [
        ("channel", pa.string()),
        ("measure", pa.string()),
        ("value", pa.float64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("limit_value", pa.float64()),
        ("status", pa.string()),
        ("words", pa.string()),
    ]
)


@dataclass(frozen=True)
class Findings:
    """Everything that is said about the channels, (C,) each. effects: before a failed placebo was held against them, then after."""

    catalogue: np.ndarray
    fit: Fit
    effects: Effects
    prior: Prior
    slopes: Slopes
    placebo: Fit
    lead: Fit
    latent: np.ndarray | None = None
    long_ratio: np.ndarray | None = None
    overlap: np.ndarray | None = None

    def after(self, effects: Effects, latent: np.ndarray, long_ratio: np.ndarray, overlap: np.ndarray) -> Findings:
        """The findings on the final effects; which placebo failed is not judged anew."""
        found = replace(self, effects=effects, latent=latent, long_ratio=long_ratio, overlap=overlap)
        object.__setattr__(found, "_failed", self.placebo_failed)
        return found

    @property
    def is_touched(self) -> np.ndarray:
        return np.isfinite(self.fit.error)

    @property
    def placebo_failed(self) -> np.ndarray:
        """|placebo| > PLACEBO_SHARE x |effect| and its 90% interval without 0."""
        judged = getattr(self, "_failed", None)
        if judged is not None:
            return judged
        sure = np.isfinite(self.placebo.error) & (np.abs(self.placebo.theta) > Z90 * self.placebo.error)
        return sure & (np.abs(self.placebo.theta) > PLACEBO_SHARE * np.abs(self.effects.theta[:, 0]))

    @property
    def is_thin(self) -> np.ndarray:
        return ~(self.slopes.error <= SLOPE_TOLERANCE)

    @property
    def is_marked(self) -> np.ndarray:
        return ~self.is_thin & (np.abs(self.slopes.slope - 1) > np.maximum(SLOPE_TOLERANCE, 2 * self.slopes.error))

    @property
    def is_effective(self) -> np.ndarray:
        """The data alone say that a touch brings something, beyond doubt."""
        with np.errstate(invalid="ignore"):
            return self.is_touched & ~self.placebo_failed & (self.fit.theta > Z_EFFECTIVE * self.fit.error)

    @property
    def prior_weight(self) -> np.ndarray:
        """Share of the catalogue in the channel's effect."""
        with np.errstate(invalid="ignore"):
            error = np.where(self.is_touched, self.fit.error, np.inf) ** 2
            return np.where(np.isfinite(error), error / (error + self.prior.deviation**2), 1.0)

    def status(self) -> list[str]:
        """One word per channel, the gravest first."""
        words = []
        for c in range(len(self.catalogue)):
            if not self.is_touched[c]:
                words.append(UNTOUCHED)
            elif self.placebo_failed[c]:
                words.append(FAILED)
            elif self.is_thin[c]:
                words.append(THIN)
            else:
                words.append(MARKED if self.is_marked[c] else ESTIMATED)
        return words


def overlap_share(panel: Panel, who: People, settings: ImpactSettings) -> np.ndarray:
    """Share of HCPs per channel of whose kind (access, decile) some are touched and some are not in a period, (C,)."""
    kind = who.access * 11 + who.decile
    groups = int(kind.max(initial=0)) + 1
    count = np.bincount(kind, minlength=groups)
    out = np.zeros(len(panel.channels))
    for c in range(len(panel.channels)):
        touched = (panel.touches[:, :, c] > 0).mean(axis=1) if panel.periods else np.zeros(panel.hcps)
        rate = np.bincount(kind, touched, groups) / np.maximum(count, 1)
        least = min(LEAST_RATE * settings.weeks, 0.05)
        out[c] = float(((rate > least) & (rate < 1 - least))[kind].mean()) if panel.hcps else 0.0
    return out


def diagnostics_rows(panel: Panel, found: Findings, status: list[str]) -> list[dict[str, Any]]:
    """Rows of the table impact_diagnostics."""
    rows: list[dict[str, Any]] = []
    assert found.latent is not None and found.long_ratio is not None and found.overlap is not None
    width = found.effects.theta.shape[1]
    for c, channel in enumerate(panel.channels):
        effect = float(found.effects.theta[c, 0])
        deviation = float(np.sqrt(max(found.effects.covariance[c * width, c * width], 0) + (FORM_DOUBT * effect) ** 2))

        def row(
            measure: str, value: float, error: float | None = None, limit: float | None = None, ok: str = "ok", words: str | None = None
        ) -> None:
            spread = None if error is None or not np.isfinite(error) else Z90 * float(error)
            given = float(value) if np.isfinite(value) else None
            limit = None if limit is None or not np.isfinite(limit) else float(limit)
            rows.append(
                {
                    "channel": channel,  # noqa: B023 - called within the loop
                    "measure": measure,
                    "value": given,
                    "low": None if spread is None or given is None else given - spread,
                    "high": None if spread is None or given is None else given + spread,
                    "limit_value": limit,
                    "status": ok,
                    "words": words,
                }
            )

        touched = bool(found.is_touched[c])
        slope_error = float(found.slopes.error[c])
        slope_limit = max(SLOPE_TOLERANCE, 2 * slope_error) if np.isfinite(slope_error) else None
        row("status", 0.0 if status[c] == ESTIMATED else 1.0, ok=status[c], words=WORDS[status[c]])
        row("effect", effect, deviation, ok="effective" if found.is_effective[c] else "not_shown")
        row("effect_from_data", found.fit.theta[c] if touched else np.nan, found.fit.error[c] if touched else None)
        row("catalogue", found.catalogue[c], found.prior.deviation[c])
        row("catalogue_weight", found.prior_weight[c])
        slope_status = THIN if found.is_thin[c] else MARKED if found.is_marked[c] else "ok"
        row("calibration_slope", found.slopes.slope[c] if np.isfinite(slope_error) else np.nan, slope_error, slope_limit, slope_status)
        has_placebo = bool(np.isfinite(found.placebo.error[c]))
        row(
            "placebo",
            found.placebo.theta[c] if has_placebo else np.nan,
            found.placebo.error[c] if has_placebo else None,
            PLACEBO_SHARE * abs(effect),
            FAILED if found.placebo_failed[c] else "ok" if has_placebo else THIN,
        )
        has_lead = bool(np.isfinite(found.lead.error[c]))
        row(
            "targeting_feedback",
            found.lead.theta[c] if has_lead else np.nan,
            found.lead.error[c] if has_lead else None,
            words="not a failure: the field aims at HCPs by their KPI",
        )
        row("overlap_share", found.overlap[c])
        row("effective_hcps", found.fit.sample[c])
        row("touches", float(panel.touches[:, :, c].sum(dtype=np.int64)))
        row("own_effect_spread", float(np.sqrt(found.latent[c])))
        row("long_ratio", found.long_ratio[c])
    return rows


WORDS = {
    ESTIMATED: "measured on this history and calibrated on HCPs left out",
    THIN: "too few touches to calibrate: the estimate leans on the catalogue",
    MARKED: "what is predicted does not come about in the predicted size on HCPs left out",
    FAILED: "touches to come go with KPI already there: the estimate is pulled to the catalogue",
    UNTOUCHED: "never used in this history: the catalogue's belief",
}
