"""Feature or score: how it is spread in this run."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.monitoring.profile import profile_table

    return profile_table(dbt.ref("monitor_sample").to_arrow_table())
