"""The solved allocation as one long table: header, limits with prices, reps, actions, every pair with its reason, blocks, conflicts."""


def model(dbt, session):
    dbt.config(materialized="table", schema="plan")
    from nba.planning import solve_plan

    tables = {
        "stg_hcp_master": dbt.ref("stg_hcp_master"),
        "stg_catalog": dbt.ref("stg_catalog"),
        "score_impact": dbt.ref("score_impact"),
        "stg_engagement": dbt.ref("stg_engagement"),
        "stg_prior_actions": dbt.ref("stg_prior_actions"),
        "stg_published_plan": dbt.ref("stg_published_plan"),
        "stg_suppressions": dbt.ref("stg_suppressions"),
        "input_fingerprint": dbt.ref("input_fingerprint"),
        "engagement_model": dbt.ref("engagement_model"),
        "draw_arms": dbt.ref("draw_arms"),
        "stg_rule_budget": dbt.ref("stg_rule_budget"),
        "stg_rule_channel_capacity": dbt.ref("stg_rule_channel_capacity"),
        "stg_rule_rep_capacity": dbt.ref("stg_rule_rep_capacity"),
        "stg_rule_contact_limit": dbt.ref("stg_rule_contact_limit"),
        "stg_rule_exclusion": dbt.ref("stg_rule_exclusion"),
        "stg_rule_consent": dbt.ref("stg_rule_consent"),
        "stg_rule_access": dbt.ref("stg_rule_access"),
        "stg_rule_channel_window": dbt.ref("stg_rule_channel_window"),
        "stg_rule_min_gap": dbt.ref("stg_rule_min_gap"),
        "stg_rule_incompatible": dbt.ref("stg_rule_incompatible"),
        "stg_rule_coverage_floor": dbt.ref("stg_rule_coverage_floor"),
        "stg_rule_override": dbt.ref("stg_rule_override"),
        "stg_rule_holdout": dbt.ref("stg_rule_holdout"),
    }
    return solve_plan(tables, dbt.ref("run_config"))
