"""Which HCP is planned for, held out or explores, and how likely that was."""


def model(dbt, session):
    dbt.config(materialized="table", schema="plan")
    from nba.arms.model import drawn_arms

    return drawn_arms(
        dbt.ref("plan_arm_frame"),
        dbt.ref("stg_rule_holdout"),
        dbt.ref("stg_prior_assignments"),
        dbt.ref("run_config"),
    )
