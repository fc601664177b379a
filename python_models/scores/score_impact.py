"""HCP x channel: the expected impact of one touch with its interval and its three parts."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.learning.impact import score_impact
    from nba.learning.settings import ImpactSettings

    return score_impact(
        dbt.ref("score_engagement").select("hcp_id", "channel", "engagement_probability").to_arrow_table(),
        dbt.ref("feat_scoring").select("hcp_id", "channel", "touches_long", "kpi_level", "kpi_periods", "segment").to_arrow_table(),
        dbt.ref("stg_catalog").to_arrow_table(),
        ImpactSettings.from_config(dbt.ref("run_config").to_arrow_table().to_pylist()[0]),
    )
