"""Planned action: one plain text for the person who is to act on it."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.explanation import plan_summaries

    drivers = dbt.ref("plan_drivers").to_arrow_table()
    return plan_summaries(
        drivers, drivers, drivers, dbt.ref("stg_catalog").to_arrow_table(), dbt.ref("stg_feature_definition").to_arrow_table()
    )
