"""One row: the churn model of this run as plain JSON, with what it was learned from and why it was chosen."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.churn import fit_churn

    config = dbt.ref("run_config").to_arrow_table()
    definitions = dbt.ref("stg_feature_definition").to_arrow_table()
    return fit_churn(dbt.ref("feat_churn").to_arrow_table(), definitions, config.to_pylist()[0])
