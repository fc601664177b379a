"""One row: the effect of touches as learned from the panel, plain JSON, with the checks it was put to."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.impact.binding import impact_model

    tables = {
        "hcps": dbt.ref("stg_hcp_master"),
        "engagement": dbt.ref("stg_engagement"),
        "kpi": dbt.ref("stg_kpi"),
        "catalog": dbt.ref("stg_catalog"),
        "probabilities": dbt.ref("score_engagement"),
    }
    kept = dbt.ref("stg_prior_impact_models")
    config = dbt.ref("run_config").to_arrow_table()
    return impact_model(tables, config.to_pylist()[0], kept)
