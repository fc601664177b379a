"""One row: the engagement model of this run as plain JSON, with what it was learned from and why it was chosen."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.engagement import fit_engagement, recording_channels

    config = dbt.ref("run_config").to_arrow_table()
    catalog = dbt.ref("stg_catalog").to_arrow_table()
    definitions = dbt.ref("stg_feature_definition").to_arrow_table()
    training = dbt.ref("feat_training").to_arrow_table()
    return fit_engagement(training, definitions, config.to_pylist()[0], recording_channels(catalog))
