"""HCP x channel: the likelihood of a response and what moves it, batch by batch."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.scoring import BATCH_ROWS, stream_scores

    engagement = dbt.ref("engagement_model").to_arrow_table()
    pairs = dbt.ref("feat_scoring").to_arrow_reader(BATCH_ROWS)
    return stream_scores(engagement.to_pylist()[0]["model_json"], pairs)
