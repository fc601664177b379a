"""Planned action x driver: why this touch, by impact and by likelihood of a response."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.explanation import plan_reasons

    return plan_reasons(
        dbt.ref("plan_actions").to_arrow_table(),
        dbt.ref("score_engagement").to_arrow_table(),
        dbt.ref("score_impact").to_arrow_table(),
        dbt.ref("stg_feature_definition").to_arrow_table(),
    )
