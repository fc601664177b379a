"""HCP x channel: the expected impact of one touch with its interval and its drivers."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.impact.binding import impact_scores

    tables = {
        "hcps": dbt.ref("stg_hcp_master"),
        "engagement": dbt.ref("stg_engagement"),
        "kpi": dbt.ref("stg_kpi"),
        "catalog": dbt.ref("stg_catalog"),
    }
    learned = dbt.ref("impact_model").to_arrow_table()
    config = dbt.ref("run_config").to_arrow_table()
    return impact_scores(learned.to_pylist()[0]["model_json"], tables, config.to_pylist()[0])
