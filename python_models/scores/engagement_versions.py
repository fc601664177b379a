"""Versions of the engagement model that the run has in hand: the one that scores, and what was fitted, retired or waits beside it."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.engagement import recording_channels
    from nba.learning.promotion import engagement_versions

    config = dbt.ref("run_config").to_arrow_table()
    catalog = dbt.ref("stg_catalog").to_arrow_table()
    definitions = dbt.ref("stg_feature_definition").to_arrow_table()
    prior = dbt.ref("stg_prior_models").to_arrow_table()
    approvals = dbt.ref("stg_model_approvals").to_arrow_table()
    training = dbt.ref("feat_training")
    run = config.to_pylist()[0]
    return engagement_versions(training, definitions, run, recording_channels(catalog), prior.to_pylist(), approvals.to_pylist())
