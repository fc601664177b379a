"""HCP x channel: the expected impact of one touch with its interval and its three parts."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.impact import score_impact
    from nba.learning.settings import ImpactSettings

    config = dbt.ref("run_config").to_arrow_table()
    catalog = dbt.ref("stg_catalog").to_arrow_table()
    scores = dbt.ref("score_engagement").select("hcp_id", "channel", "engagement_probability")
    pairs = dbt.ref("feat_scoring").select("hcp_id", "channel", "touches_long", "kpi_level", "kpi_periods", "segment")
    settings = ImpactSettings.from_config(config.to_pylist()[0])
    return score_impact(scores.to_arrow_table(), pairs.to_arrow_table(), catalog, settings)
