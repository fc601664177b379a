"""What a touch changes: `estimate_impact`, from the tables of a panel to scores, diagnostics and the model behind them.

Sources: residual on residual, Robinson (1988) and Nie and Wager (2021); taking the effect of later touches off the outcome, Robins (1994);
empirical Bayes shrinkage, Efron and Morris (1975). docs/impact.md says it in words, docs/decisions/0015 what was decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from nba.impact.checks import Fit, Slopes, calibration, head_fit, latent_spread, placebo_fit
from nba.impact.diagnostics import DIAGNOSTICS_SCHEMA, Findings, diagnostics_rows, overlap_share
from nba.impact.effects import FLOOR_SHARE, Effects, Prior, posterior, widened
from nba.impact.form import Form, Modifiers
from nba.impact.history import People, people, segment_levels
from nba.impact.kept import learned_from
from nba.impact.lasting import later_touches, response_over_time
from nba.impact.learn import Learning, take
from nba.impact.model import ImpactModel, Learned
from nba.impact.panel import Panel, read_panel
from nba.impact.scoring import norms, score
from nba.impact.settings import ImpactSettings
from nba.learning.encoding import numbers, texts
from nba.learning.settings import LearningInputError

LATENT_PRIOR, LATENT_PRIOR_ERROR = 0.25, 0.15  # relative variance of HCPs' own effects that is believed before the data, and its doubt
LATENT_LEAST, LATENT_MOST = 0.04, 1.0
NO_FORM = Form("kpi", 0.5, 0.85, 0.12, "all")  # for panels that nothing can be learned from


@dataclass(frozen=True)
class ImpactResult:
    """scores: table score_impact. diagnostics: table impact_diagnostics. model: what was learned."""

    scores: pa.Table
    diagnostics: pa.Table
    model: ImpactModel


@dataclass(frozen=True)
class Known:
    """The tables, read: everything that learning and scoring start from."""

    panel: Panel
    who: People
    levels: dict[str, tuple[np.ndarray, float]]

    @classmethod
    def of(cls, tables: Mapping[str, Any], settings: ImpactSettings) -> Known:
        panel = read_panel(dict(tables), settings)
        who = people(tables["hcps"], panel, settings)
        levels = {"kpi": segment_levels(panel, who)}
        if panel.market is not None:
            levels["market"] = segment_levels(replace(panel, kpi=panel.market), who)
        return cls(panel, who, levels)


def estimate_impact(tables: Mapping[str, Any], settings: ImpactSettings, say: Callable[[str], None] = lambda text: None) -> ImpactResult:
    """Expected impact of one touch at cycle start for every HCP and channel, KPI units over the cycle.

    tables (Arrow tables; engagement and kpi may be anything that yields batches): `hcps` (hcp_id; specialty, practice_type, rep_id, decile,
    rep_access and the settings' attributes where there), `engagement` (hcp_id, channel, period_start, touches, responses, known_from),
    `kpi` (hcp_id, period_start, kpi_value, market_value, known_from, known_until), `catalog` (channel, expected_uplift, uplift_basis),
    optionally `probabilities` (hcp_id, channel, engagement_probability) for catalogues per response. say: receives progress lines.
    LearningInputError where the tables contradict the contract.
    """
    with _one_thread():
        known = Known.of(tables, settings)
        model = _fit(known, catalogue_uplift(tables, known.panel.channels), settings, say)
        return ImpactResult(_score(known, model, settings), diagnostics_table(model), model)


def fit_impact(tables: Mapping[str, Any], settings: ImpactSettings, say: Callable[[str], None] = lambda text: None) -> ImpactModel:
    """The model alone, from the tables of `estimate_impact`."""
    return fit_known(read_known(tables, settings)[0], settings, say)


def read_known(tables: Mapping[str, Any], settings: ImpactSettings) -> tuple[tuple[Known, np.ndarray], str]:
    """What a fit starts from, out of the tables of `estimate_impact`, and a hash of it: equal hashes give equal models."""
    with _one_thread():
        known = Known.of(tables, settings)
        catalogue = catalogue_uplift(tables, known.panel.channels)
        return (known, catalogue), learned_from(known.panel, known.who, catalogue, settings)


def fit_known(known: tuple[Known, np.ndarray], settings: ImpactSettings, say: Callable[[str], None] = lambda text: None) -> ImpactModel:
    """The model, from what `read_known` read."""
    with _one_thread():
        return _fit(*known, settings, say)


def score_impact(model: ImpactModel, tables: Mapping[str, Any], settings: ImpactSettings) -> pa.Table:
    """The table score_impact of a model, from the tables `hcps`, `engagement`, `kpi` and `catalog` of `estimate_impact`.

    LearningInputError where the tables have other channels or attributes than the model was learned from.
    """
    with _one_thread():
        return _score(Known.of(tables, settings), model, settings)


def diagnostics_table(model: ImpactModel) -> pa.Table:
    """The table impact_diagnostics."""
    return pa.Table.from_pylist(model.diagnostics, schema=DIAGNOSTICS_SCHEMA)


def _one_thread() -> Any:
    """Sums of floats must not hang on how many cores there are."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def _score(known: Known, model: ImpactModel, settings: ImpactSettings) -> pa.Table:
    modifiers = Modifiers(known.panel, known.who, known.levels, settings, model.response_rate)
    if known.panel.channels != model.channels or modifiers.families != model.families:
        raise LearningInputError("the impact model was learned from other channels or attributes than there are now: build it again")
    return score(known.panel, known.who, modifiers, model)


def _fit(known: Known, catalogue: np.ndarray, settings: ImpactSettings, say: Callable[[str], None]) -> ImpactModel:
    panel, who = known.panel, known.who
    modifiers = Modifiers(panel, who, known.levels, settings)
    say(f"impact: {panel.hcps:,} HCPs, {panel.periods} periods, {len(panel.channels)} channels")
    learning = _learning(panel, who, settings, known.levels, modifiers)
    floor = _floor(known.levels["kpi"][1], catalogue, settings)
    if learning is None:
        return _unlearned(panel, who, modifiers, catalogue, floor, settings)
    return _learn(panel, who, modifiers, learning, catalogue, floor, settings, say)


def _learn(
    panel: Panel,
    who: Any,
    modifiers: Modifiers,
    learning: Learning,
    catalogue: np.ndarray,
    floor: float,
    settings: ImpactSettings,
    say: Callable[[str], None],
) -> ImpactModel:
    learning.residuals()
    say("impact: controls fitted")
    chosen = learning.choose_forms()
    top = chosen[0][0]
    say(f"impact: form {top.key()}, {len(chosen)} averaged")
    made = {form: norms(panel, modifiers, form) for form, _ in chosen}
    long_ratio, profile = response_over_time(learning, top, made[top], settings)
    if settings.cycle_periods > 1:
        first = _effects(learning, top, made[top], catalogue, floor, settings)
        learning.adjust(later_touches(learning, top, made[top], first[0], profile))
        say("impact: later touches of the same cycle taken off")
    effects, fit, prior, moments = _effects(learning, top, made[top], catalogue, floor, settings)
    placebo, lead = placebo_fit(learning, top, made[top]), placebo_fit(learning, top, made[top], raw=True)
    slopes = calibration(moments, fit.inflation, prior)
    findings = Findings(catalogue, fit, effects, prior, slopes, placebo, lead)
    bias = np.where(findings.placebo_failed, (np.abs(placebo.theta) + 1.6449 * placebo.error) ** 2, 0.0)
    learned = []
    for form, weight in chosen:
        found = effects
        if form != top or findings.placebo_failed.any():
            found = _effects(learning, form, made[form], catalogue, floor, settings, bias)[0]
        learned.append(Learned(form, weight, made[form], found))
    latent = _latent(*latent_spread(learning, top, made[top], learned[0].effects), learned[0].effects, fit)
    findings = findings.after(learned[0].effects, latent, long_ratio, overlap_share(panel, who, settings))
    status = findings.status()
    say("impact: " + ", ".join(f"{name} {word}" for name, word in zip(panel.channels, status, strict=True)))
    return _model(panel, modifiers, learned, latent, bias, long_ratio, status, findings, learning.losses)


def _learning(panel: Panel, who: Any, settings: ImpactSettings, levels: dict, modifiers: Modifiers) -> Learning | None:
    """The part of the panel that is learned from: HCPs drawn by hash where there are more than needed. None: nothing can be learned."""
    from zlib import crc32

    if not (panel.touches > 0).any() or panel.kpi_through < 0:
        return None
    rows = np.arange(panel.hcps)
    if panel.hcps > settings.estimation_hcps:
        draw = np.array([crc32(f"{settings.seed}|learn|{i}".encode()) for i in panel.hcp_ids.to_pylist()])
        rows = np.argsort(draw, kind="stable")[: settings.estimation_hcps]
    rows = rows[np.lexsort((rows, who.fold[rows]))]  # by fold: then the rows of a fold lie together
    small, some = take(panel, who, rows)
    part = {name: (segment[rows], overall) for name, (segment, overall) in levels.items()}
    inner = Modifiers(small, some, part, settings, modifiers.rate)
    learning = Learning(small, some, settings, part, inner)
    return learning if learning.has_rows else None


def _effects(
    learning: Learning, form: Form, norm: Any, catalogue: np.ndarray, floor: float, settings: ImpactSettings, bias: np.ndarray | None = None
) -> tuple[Effects, Fit, Prior, Any]:
    """The second stage of one form. bias: variance by which a failed placebo makes a channel's data doubtful, (C,)."""
    fit, moments = head_fit(learning, form, norm), learning.moments(form, norm)
    error = np.sqrt(fit.error**2 + (0.0 if bias is None else bias))
    prior = widened(catalogue, settings.prior_cv, floor, fit.theta, error)
    inflation = fit.inflation
    if bias is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            inflation = inflation * np.where(fit.error > 0, np.nan_to_num(error**2 / fit.error**2, nan=1.0, posinf=1.0), 1.0)
    return posterior(*moments.without(None), inflation, prior), fit, prior, moments


def _latent(variance: np.ndarray, error: np.ndarray, effects: Effects, fit: Fit) -> np.ndarray:
    """Relative variance of HCPs' own effects: what the scores show, weighed against the belief by their errors."""
    sure = np.where(np.isfinite(error) & (error > 0), 1 / np.maximum(error, 1e-9) ** 2, 0.0)
    found = (np.where(sure > 0, variance * sure, 0) + LATENT_PRIOR / LATENT_PRIOR_ERROR**2) / (sure + 1 / LATENT_PRIOR_ERROR**2)
    return np.clip(found, LATENT_LEAST, LATENT_MOST)


def _floor(overall: float, catalogue: np.ndarray, settings: ImpactSettings) -> float:
    """Least prior deviation of a channel's effect: a share of the KPI of a cycle, so that a catalogue of zero can be contradicted."""
    return max(FLOOR_SHARE * abs(overall) * settings.cycle_periods * settings.prior_cv, 1e-9)


def catalogue_uplift(tables: Mapping[str, Any], channels: list[str]) -> np.ndarray:
    """Prior belief per touch, (C,): the uplift, or uplift x mean probability of the channel where it is per response."""
    catalog = tables["catalog"]
    uplift = numbers(catalog["expected_uplift"], "expected_uplift")
    place = {name: row for row, name in enumerate(texts(catalog["channel"]).to_pylist())}
    basis = texts(catalog["uplift_basis"]).to_pylist() if "uplift_basis" in catalog.column_names else [None] * len(uplift)
    out = np.zeros(len(channels))
    for code, channel in enumerate(channels):
        value = uplift[place[channel]]
        if not np.isfinite(value):
            raise LearningInputError(f"expected_uplift of channel '{channel}' is unknown")
        out[code] = value * _mean_probability(tables.get("probabilities"), channel) if basis[place[channel]] == "response" else value
    return out


def _mean_probability(probabilities: pa.Table | None, channel: str) -> float:
    """Mean over the pairs of the channel, in any order of the rows; 1 where none is known."""
    if probabilities is None:
        return 1.0
    mine = pa.compute.equal(texts(probabilities["channel"]), channel)
    chance = np.sort(numbers(probabilities.filter(mine)["engagement_probability"], "engagement_probability"))
    chance = chance[np.isfinite(chance)]
    return float(chance.sum() / len(chance)) if len(chance) else 1.0


def _unlearned(panel: Panel, who: Any, modifiers: Modifiers, catalogue: np.ndarray, floor: float, settings: ImpactSettings) -> ImpactModel:
    """The catalogue's belief scaled by size and wear: there is no history to learn from."""
    channels, width = len(panel.channels), len(modifiers.families) + 1
    norm = norms(panel, modifiers, NO_FORM)
    deviation = np.maximum(settings.prior_cv * np.abs(catalogue), floor)
    theta, variance = np.zeros((channels, width)), np.zeros((channels, width))
    theta[:, 0], variance[:, 0] = catalogue, deviation**2
    effects = Effects(theta, np.diag(variance.ravel()))
    latent = np.full(channels, LATENT_PRIOR)
    kept = settings.carry_over
    ratio = (
        settings.long_periods / settings.cycle_periods
        if kept == 1
        else (1 - kept**settings.long_periods) / (1 - kept**settings.cycle_periods)
    )
    empty = Fit(np.zeros(channels), np.diag(np.full(channels, np.inf)), np.ones(channels), np.zeros(channels))
    prior = Prior(catalogue, deviation)
    nothing = Slopes(np.zeros(channels), np.full(channels, np.inf))
    findings = Findings(catalogue, empty, effects, prior, nothing, empty, empty)
    findings = findings.after(effects, latent, np.full(channels, ratio), overlap_share(panel, who, settings))
    learned = [Learned(NO_FORM, 1.0, norm, effects)]
    return _model(panel, modifiers, learned, latent, np.zeros(channels), np.full(channels, ratio), findings.status(), findings, {})


def _model(
    panel: Panel,
    modifiers: Modifiers,
    learned: list[Learned],
    latent: np.ndarray,
    bias: np.ndarray,
    long_ratio: np.ndarray,
    status: list[str],
    findings: Findings,
    losses: dict[str, float],
) -> ImpactModel:
    return ImpactModel(
        channels=panel.channels,
        families=modifiers.families,
        forms=learned,
        latent=latent,
        bias=bias,
        long_ratio=long_ratio,
        response_rate=modifiers.rate,
        status=status,
        diagnostics=diagnostics_rows(panel, findings, status),
        said={
            "forms": {one.form.key(): one.weight for one in learned},
            "loss_of_form": losses,
            "hcps": panel.hcps,
            "periods": panel.periods,
        },
    )
