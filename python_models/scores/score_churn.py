"""HCP at risk: the likelihood that it is lost and what moves it, batch by batch."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.churn import stream_churn
    from nba.learning.scoring import BATCH_ROWS

    churn = dbt.ref("churn_model").to_arrow_table()
    hcps = dbt.ref("feat_churn").to_arrow_reader(BATCH_ROWS)
    return stream_churn(churn.to_pylist()[0]["model_json"], hcps)
