"""From a learned model to the table of every HCP and channel: impact, interval, long horizon, drivers that sum to the impact."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from nba.impact.effects import FORM_DOUBT
from nba.impact.form import ALL_RESPONSES, MARKET, OWN_RESPONSES, Form, Modifiers, State
from nba.impact.history import People
from nba.impact.learn import Norm, chunks
from nba.impact.model import ImpactModel, Learned
from nba.impact.panel import Panel
from nba.impact.table import DRIVERS, IMPACT_SCHEMA

Z90 = 1.6448536269514722
LEVEL_SPREAD = 0.6  # relative spread of HCPs' levels within a segment, for those whose own is not known
# feature of feature_definition that words each driver
FEATURES = {
    "kpi": "kpi_mean_long",
    "market": "market_mean_long",
    "own": "touches_short",
    "all": "all_touches_short",
    OWN_RESPONSES: "response_rate_long",
    ALL_RESPONSES: "all_response_rate_long",
    MARKET: "market_share_long",
}


def norms(panel: Panel, modifiers: Modifiers, form: Form) -> Norm:
    """Means over all HCPs to score at the start of the cycle."""
    at = slice(panel.periods, panel.periods + 1)
    channels = len(panel.channels)
    f_sum, z_sum, s_sum, n = np.zeros(channels), 0.0, 0.0, panel.hcps
    for hcps in chunks(n):
        state = modifiers.state(hcps, at)
        f = (state.shape(form)[:, 0] * np.ones((1, channels))).astype(np.float64)
        f_sum = f_sum + f.sum(axis=0)
        z_sum = z_sum + (f[:, :, None] * modifiers_at(state)).sum(axis=0)
        s_sum += float((state.size[form.size][:, 0].astype(np.float64) ** form.power).sum())
    return Norm(f_sum / n, s_sum / n, z_sum / f_sum[:, None])


def modifiers_at(state: State) -> np.ndarray:
    """Modifiers of a state of one period, before centring: (n, C, m)."""
    n, _, channels, _ = state.moving.shape
    still = np.broadcast_to(state.still[:, None, :], (n, channels, state.still.shape[1]))
    return np.concatenate([still, state.moving[:, 0]], axis=2).astype(np.float64)


def score(panel: Panel, who: People, modifiers: Modifiers, model: ImpactModel) -> pa.Table:
    """The table score_impact, HCP by HCP in order of hcp_id, channels in order of name."""
    at = slice(panel.periods, panel.periods + 1)
    parts = [_score(panel, who, modifiers, model, hcps, modifiers.state(hcps, at)) for hcps in chunks(panel.hcps)]
    return pa.concat_tables(parts) if parts else IMPACT_SCHEMA.empty_table()


def _score(panel: Panel, who: People, modifiers: Modifiers, model: ImpactModel, hcps: slice, state: State) -> pa.Table:
    learned = model.forms
    names, parts, base, variance, means = _contributions(modifiers, learned, state)
    impact = base + parts.sum(axis=2)
    n, channels = impact.shape
    # a pair whose own effect is small may still be off by a share of the channel's
    reach = np.maximum(np.abs(impact), 0.5 * np.abs(base))
    between = sum(one.weight * (mean - impact) ** 2 for one, mean in zip(learned, means, strict=True))
    power = sum(one.weight * one.form.power for one in learned)
    unknown = (1 - state.own[:, :1].astype(np.float64)) * (LEVEL_SPREAD * power) ** 2
    variance = variance + between + reach**2 * (model.latent + unknown + FORM_DOUBT**2) + model.bias
    half = Z90 * np.sqrt(variance)
    columns = {
        "expected_impact": impact,
        "expected_impact_low": impact - half,
        "expected_impact_high": impact + half,
        "expected_impact_long": impact * model.long_ratio,
        "impact_base": np.broadcast_to(base, impact.shape),
    }
    order = np.argsort(-np.abs(parts), axis=2, kind="stable")[:, :, :DRIVERS]
    texts = _values(names, panel, who, n, hcps)
    words = pa.array([FEATURES.get(name, name) for name in names])
    table = {
        "hcp_id": panel.hcp_ids[hcps].take(pa.array(np.repeat(np.arange(n), channels))),
        "channel": pa.array(panel.channels * n, pa.string()),
        **{name: pa.array(np.ascontiguousarray(values).ravel() + 0.0) for name, values in columns.items()},
    }
    rows, places = np.indices((n, channels))
    shown = np.zeros((n, channels))
    for k in range(DRIVERS):
        if k >= order.shape[2]:
            nothing = pa.nulls(n * channels)
            table |= {f"impact_driver_{k + 1}{end}": nothing for end in ("", "_value", "_contribution")}
            continue
        pick = order[:, :, k]
        part = parts[rows, places, pick]
        shown += part
        place = pa.array(pick.ravel(), pa.int32(), mask=(part == 0.0).ravel())
        table[f"impact_driver_{k + 1}"] = pa.DictionaryArray.from_arrays(place, words).cast(pa.string())
        table[f"impact_driver_{k + 1}_value"] = pc.choose(pa.array(pick.ravel()), *texts)
        table[f"impact_driver_{k + 1}_contribution"] = pa.array(part.ravel(), mask=(part == 0.0).ravel())
    table["impact_other"] = pa.array((parts.sum(axis=2) - shown).ravel() + 0.0)
    table["impact_status"] = pa.array(model.status * n, pa.string())
    return pa.table(table).select(IMPACT_SCHEMA.names).cast(IMPACT_SCHEMA)


def _contributions(
    modifiers: Modifiers, learned: list[Learned], state: State
) -> tuple[list[str], np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Drivers, their contributions (n, C, drivers), the base (C,), the posterior variance (n, C), and each form's impact.

    theta_0 x size alone, then wear by recent touches, then f x theta_k x (z_k - mean): they sum to the impact minus theta_0.
    """
    families = list(dict.fromkeys(modifiers.families))
    names = list(dict.fromkeys([one.form.size for one in learned] + [one.form.scope for one in learned] + families))
    all_z = modifiers_at(state)
    n, channels, width = all_z.shape[0], all_z.shape[1], all_z.shape[2] + 1
    parts = np.zeros((n, channels, len(names)))
    base, variance, means = np.zeros(channels), np.zeros((n, channels)), []
    for one in learned:
        theta = one.effects.theta
        f = state.shape(one.form)[:, 0].astype(np.float64) / one.norm.shape
        size = (state.size[one.form.size][:, 0].astype(np.float64) ** one.form.power / one.norm.size)[:, None]
        z = all_z - one.norm.z
        gains = f[:, :, None] * theta[:, 1:] * z
        base += one.weight * theta[:, 0]
        parts[:, :, names.index(one.form.size)] += one.weight * theta[:, 0] * (size - 1)
        parts[:, :, names.index(one.form.scope)] += one.weight * theta[:, 0] * (f - size)
        for k, family in enumerate(modifiers.families):
            parts[:, :, names.index(family)] += one.weight * gains[:, :, k]
        means.append(f * theta[:, 0] + gains.sum(axis=2))
        phi = f[:, :, None] * np.concatenate([np.ones((n, channels, 1)), z], axis=2)
        for c in range(channels):
            own = one.effects.covariance[c * width : (c + 1) * width, c * width : (c + 1) * width]
            variance[:, c] += one.weight * np.einsum("nk,kl,nl->n", phi[:, c], own, phi[:, c], optimize=True)
    return names, parts, base, variance, means


def _values(names: list[str], panel: Panel, who: People, n: int, hcps: slice) -> list[pa.Array]:
    """Text of each driver's value by pair, (n C,) each; null where there is nothing to show."""
    channels = len(panel.channels)
    each = pa.array(np.repeat(np.arange(n), channels))
    periods = slice(max(panel.touch_through + 1 - 4, 0), panel.touch_through + 1)
    touches = panel.touches[hcps, periods].sum(axis=1, dtype=np.int64)
    found = []
    for name in names:
        if name in who.values:
            found.append(pa.array(who.values[name][hcps], pa.string()).take(each))
        elif name in ("own", "all"):
            shown = touches if name == "own" else np.repeat(touches.sum(axis=1), channels)
            found.append(pa.array(shown.ravel()).cast(pa.string()))
        elif name in (OWN_RESPONSES, ALL_RESPONSES):
            over = 1 if name == OWN_RESPONSES else (1, 2)
            answered, responses = (a[hcps].sum(axis=over, dtype=np.float64) for a in (panel.answered, panel.responses))
            rate = _texts(np.where(answered > 0, responses / np.maximum(answered, 1), np.nan).ravel())
            found.append(rate if name == OWN_RESPONSES else rate.take(each))
        elif name in ("kpi", "market"):
            found.append(_texts(_recent((panel.kpi if name == "kpi" else panel.market)[hcps], panel.kpi_through)).take(each))
        else:
            found.append(pa.nulls(n * channels, pa.string()))
    return found


def _recent(values: np.ndarray | None, through: int, periods: int = 12) -> np.ndarray:
    """Mean of the known values of the last periods; NaN without any."""
    assert values is not None
    last = values[:, max(through + 1 - periods, 0) : through + 1].astype(np.float64)
    known = np.isfinite(last)
    return np.where(known.any(axis=1), np.where(known, last, 0).sum(axis=1) / np.maximum(known.sum(axis=1), 1), np.nan)


def _texts(values: np.ndarray) -> pa.Array:
    """Numbers in three digits, (n,); null where unknown. Equal numbers are written once."""
    known = np.isfinite(values)
    distinct, place = np.unique(values[known], return_inverse=True)
    words = pa.array([f"{value:.3g}" for value in distinct.tolist()], pa.string())
    where = np.zeros(len(values), np.int32)
    where[known] = place
    return pa.DictionaryArray.from_arrays(pa.array(where, mask=~known), words).cast(pa.string())
