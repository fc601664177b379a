"""Planned action: one plain text for the person who is to act on it."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.explanation import plan_summaries

    return plan_summaries(
        dbt.ref("plan_actions").to_arrow_table(),
        dbt.ref("score_engagement").to_arrow_table(),
        dbt.ref("score_impact").to_arrow_table(),
        dbt.ref("stg_catalog").to_arrow_table(),
        dbt.ref("stg_feature_definition").to_arrow_table(),
    )
