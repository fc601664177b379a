"""HCP x channel: the likelihood of a response and what moves it, batch by batch."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.scoring import BATCH_ROWS, stream_scores

    model_json = dbt.ref("engagement_model").to_arrow_table()["model_json"][0].as_py()
    return stream_scores(model_json, dbt.ref("feat_scoring").to_arrow_reader(BATCH_ROWS))
