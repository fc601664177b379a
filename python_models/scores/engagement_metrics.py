"""Model kind x channel x measure: how good the candidates were on touches that they had not seen."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.engagement import engagement_metrics

    return engagement_metrics(dbt.ref("engagement_model").to_arrow_table())
