"""Planned action x driver: why this touch, by impact and by likelihood of a response."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.explanation import plan_reasons

    drivers = dbt.ref("plan_drivers").to_arrow_table()
    return plan_reasons(drivers, drivers, drivers, dbt.ref("stg_feature_definition").to_arrow_table())
