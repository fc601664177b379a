"""Between the warehouse's relations and the estimator: only the columns it needs, large tables batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from nba.impact.estimate import fit_known, read_known, score_impact
from nba.impact.kept import kept_model
from nba.impact.model import MODEL_SCHEMA, ImpactModel
from nba.impact.settings import ImpactSettings
from nba.plain_text import print_line

BATCH_ROWS = 4_000_000  # each batch looks its HCPs up anew, which costs a third of a second at a million HCPs
COLUMNS = {
    "engagement": ("hcp_id", "channel", "period_start", "touches", "responses", "known_from"),
    "kpi": ("hcp_id", "period_start", "kpi_value", "market_value", "known_from", "known_until"),
    "catalog": ("channel", "expected_uplift", "uplift_basis"),
    "probabilities": ("hcp_id", "channel", "engagement_probability"),
}
PROFILE = ("hcp_id", "specialty", "practice_type", "rep_id", "decile", "rep_access")
STREAMED = ("engagement", "kpi")


def impact_model(tables: Mapping[str, Any], config: Mapping[str, Any], kept: Any = None) -> pa.Table:
    """The table impact_model, one row. tables: relations of stg_hcp_master (`hcps`), stg_engagement, stg_kpi, stg_catalog, score_engagement
    (`probabilities`); config: the row of run_config; kept: relation of stg_prior_impact_models, whose record is taken where the same code
    learned it from the same panel."""
    settings = ImpactSettings.from_config(config)
    records = kept.to_arrow_table().to_pylist() if kept is not None else []
    known, learned_from = read_known(read_tables(tables, settings), settings)
    model = kept_model(records, learned_from)
    if model is None:
        model = fit_known(known, settings, print_line)
    else:
        print_line(f"impact: nothing changed since model {model.version} was learned, so it stays")
    row = {"model_version": [model.version], "model_json": [model.to_json()], "learned_from": [learned_from]}
    return pa.table(row, schema=MODEL_SCHEMA)


def impact_scores(model_json: str, tables: Mapping[str, Any], config: Mapping[str, Any]) -> pa.Table:
    """The table score_impact, from the JSON of impact_model and the same relations."""
    settings = ImpactSettings.from_config(config)
    return score_impact(ImpactModel.from_json(model_json), read_tables(tables, settings), settings)


def read_tables(relations: Mapping[str, Any], settings: ImpactSettings) -> dict[str, Any]:
    """Arrow tables, and readers of batches for the large ones."""
    found: dict[str, Any] = {}
    for name, relation in relations.items():
        wanted = (*PROFILE, *settings.attributes) if name == "hcps" else COLUMNS[name]
        there = {column.lower(): column for column in relation.columns}
        names = [there[column.lower()].replace('"', '""') for column in wanted if column.lower() in there]
        part = relation.project(", ".join(f'"{column}"' for column in names))
        found[name] = Streamed(part) if name in STREAMED else part.to_arrow_table()
    return found


@dataclass(frozen=True)
class Streamed:
    """A relation as its batches, read when they are asked for: a connection has one open result at a time."""

    relation: Any

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return iter(self.relation.to_arrow_reader(BATCH_ROWS))
