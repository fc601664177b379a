"""Which stage of the pipeline each node of a dbt build belongs to, and which of the two figures a stage counts in.

A room is one stage, unless the model is named below. `score` is what it takes from fitted models to published recommendations, `refit`
what it takes to check the inputs and learn the models. A room that is not listed is an error: a new one must say where it belongs.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stage:
    """figure: `score` or `refit`. words: what a reader should know of it."""

    name: str
    figure: str
    words: str


STAGES = (
    Stage("start-up", "score", "imports, parsing of the project, hooks, closing lines: all that is outside of nodes"),
    Stage("checks", "refit", "checks and gates of inputs, with the profiles they compare"),
    Stage("staging", "score", "typed inputs, restatements, periods, rules"),
    Stage("features", "score", "facts by HCP, HCP x channel and pair at every snapshot"),
    Stage("training", "refit", "outcomes and rows to learn from"),
    Stage("models", "refit", "engagement and churn: fit, duel, metrics"),
    Stage("impact", "refit", "impact: fit and diagnostics"),
    Stage("scores", "score", "probability, impact and churn of all, with their explanations"),
    Stage("plan input", "score", "arms, blocks, limits, pairs, conflicts"),
    Stage("plan solve", "score", "the plan with its proof"),
    Stage("explain", "score", "actions, prices and why not, read off the solution"),
    Stage("marts", "score", "tables of this run"),
    Stage("memory", "score", "rows kept by run, views on the published run, pruning"),
    Stage("serving file", "score", "the read-only copy for readers"),
    Stage("gates and monitoring", "score", "gate of the plan, fairness, monitoring, measurement"),
    Stage("data tests", "score", "tests of tables"),
    Stage("unit tests", "score", "tests of the SQL's logic, which `dbt build` repeats each time"),
)
FIGURES = {stage.name: stage.figure for stage in STAGES}

ROOMS = {
    "base": "staging",
    "checks": "checks",
    "staging": "staging",
    "features": "features",
    "scores": "scores",
    "plan": "plan input",
    "plan_on_client": "plan solve",
    "marts": "marts",
    "memory": "memory",
    "published": "memory",
    "semantic": "memory",
    "retention": "memory",
    "serving": "serving file",
    "gates": "gates and monitoring",
    "fairness": "gates and monitoring",
    "monitoring": "gates and monitoring",
    "measurement": "gates and monitoring",
}

MODELS = {
    # gates: what looks at inputs
    **dict.fromkeys(
        ("hcps_before", "input_quality", "last_good_run", "profile_inputs", "profile_inputs_before", "gate_input_quality"), "checks"
    ),
    # features: what is there to learn from only
    **dict.fromkeys(("feat_outcomes", "feat_training", "feat_training_hcps", "feat_churn_outcomes"), "training"),
    # scores: what is learned
    **dict.fromkeys(("engagement_model", "engagement_versions", "engagement_metrics", "churn_model", "churn_metrics"), "models"),
    **dict.fromkeys(("impact_model", "impact_diagnostics"), "impact"),
    # plan: the solve, and what reads it
    "plan_solution": "plan solve",
    **dict.fromkeys(("explain_plan", "plan_actions", "plan_explore", "plan_power", "plan_run", "plan_shadows", "plan_warnings"), "explain"),
    **dict.fromkeys(("plan_drivers", "summarise_plan"), "explain"),
}

# The models that compute what the feature peers compute, from staged tables to rows to score and to learn from.
FEATURE_MODELS = (
    "feat_snapshots",
    "feat_windows",
    "feat_channel",
    "feat_hcp_channel",
    "feat_hcp",
    "feat_outcomes",
    "feat_pairs",
    "feat_scoring",
    "feat_training",
)

UNASSIGNED = "unassigned"

KINDS = {"seed": "staging", "operation": "start-up", "exposure": "start-up", "test": "data tests", "unit_test": "unit tests"}


def stage_of(kind: str, name: str, room: str) -> str:
    """kind: dbt's resource type. room: folder of a model. KeyError where a room belongs to no stage."""
    if kind != "model":
        return KINDS[kind]
    return MODELS.get(name) or ROOMS[room]
