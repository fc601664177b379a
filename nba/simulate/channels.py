"""The six channels of a world: what the catalogue says of them, and how they really behave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Channel:
    """One channel. The first block goes into the catalogue, the second is the hidden behaviour.

    base_rate: touches per HCP and week before anything pulls. volume_pull, kpi_pull: how strongly the field follows the
    volume and the recent KPI of an HCP (the confounding). response_rate: responses per touch of a typical HCP.
    digital: how far digital affinity speaks for (or against) the channel. effect: size of a touch in promotion units.
    response_share: share of the effect that only a response carries. decay: what is left of the effect after a week.
    belief: the catalogue's expected uplift as a multiple of the true mean.
    """

    channel: str
    label: str
    channel_type: str
    unit_cost: float
    rep_minutes: float
    requires_consent: bool
    max_touches: int

    base_rate: float
    volume_pull: float
    kpi_pull: float
    response_rate: float
    digital: float
    effect: float
    response_share: float
    decay: float
    belief: float
    records_responses: bool = True

    def __post_init__(self) -> None:
        for field in ("response_rate", "decay"):
            value = getattr(self, field)
            if not 0 < value < 1:
                raise ValueError(f"channel {self.channel}: {field} is {value}, it must lie between 0 and 1")


CHANNELS: tuple[Channel, ...] = (
    Channel("rep_visit", "Rep visit", "personal", 110.0, 30.0, False, 2, 0.12, 0.70, 0.8, 0.55, -0.35, 0.28, 0.4, 0.80, 1.15),
    Channel("phone_call", "Phone call", "personal", 25.0, 10.0, False, 2, 0.05, 0.50, 0.4, 0.35, -0.10, 0.12, 0.5, 0.70, 0.85),
    Channel("email", "Approved email", "digital", 1.5, 0.0, True, 3, 0.12, 0.20, 0.1, 0.22, 0.60, 0.06, 0.7, 0.60, 1.30),
    Channel("webinar", "Webinar", "digital", 40.0, 0.0, False, 1, 0.02, 0.30, 0.1, 0.30, 0.45, 0.22, 0.8, 0.80, 0.80),
    Channel("display_ad", "Display ad", "digital", 4.0, 0.0, False, 2, 0.08, 0.10, 0.0, 0.02, 0.40, 0.03, 0.3, 0.50, 1.20, False),
    Channel("sample_drop", "Sample drop", "personal", 30.0, 10.0, False, 1, 0.04, 0.60, 0.5, 0.60, -0.25, 0.18, 0.3, 0.75, 0.90),
)

CHANNEL_NAMES: tuple[str, ...] = tuple(c.channel for c in CHANNELS)

# A typical response, touch and KPI level differ by specialty; the shift on the volume scale is in standard deviations.
SPECIALTIES: tuple[str, ...] = ("Cardiology", "Endocrinology", "Internal medicine", "Family medicine", "Nephrology", "Nurse practitioner")
SPECIALTY_SHARE: tuple[float, ...] = (0.16, 0.12, 0.24, 0.28, 0.06, 0.14)
SPECIALTY_VOLUME: tuple[float, ...] = (0.5, 0.7, 0.0, -0.3, 0.2, -0.5)
# Rows: specialties; columns: channels.
SPECIALTY_AFFINITY: tuple[tuple[float, ...], ...] = (
    (0.3, 0.0, -0.2, 0.4, 0.0, 0.1),
    (0.1, -0.2, 0.3, 0.5, 0.1, 0.0),
    (0.0, 0.2, 0.0, -0.1, 0.0, 0.3),
    (-0.2, 0.3, 0.1, -0.3, 0.2, 0.4),
    (0.4, -0.3, -0.3, 0.2, -0.2, -0.4),
    (-0.1, 0.1, 0.4, 0.0, 0.3, 0.2),
)
PRACTICE_TYPES: tuple[str, ...] = ("solo", "group", "hospital", "academic")
