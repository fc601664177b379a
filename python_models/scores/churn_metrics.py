"""Model kind: how good the churn candidates were on snapshots that they had not seen."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.churn import churn_metrics

    return churn_metrics(dbt.ref("churn_model").to_arrow_table())
