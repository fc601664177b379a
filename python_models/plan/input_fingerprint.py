"""One row: the hash of every input and rule table of this run."""


def model(dbt, session):
    dbt.config(materialized="table", schema="plan")
    from nba.fingerprint import fingerprint_row

    return fingerprint_row(
        {
            "hcp_master": dbt.ref("base_hcp_master"),
            "engagement_history": dbt.ref("base_engagement_history"),
            "kpi_metrics": dbt.ref("base_kpi_metrics"),
            "engagement_action_catalog": dbt.ref("base_engagement_action_catalog"),
            "current_plan": dbt.ref("base_current_plan"),
            "suggestion_feedback": dbt.ref("base_suggestion_feedback"),
            "rule_budget": dbt.ref("base_rule_budget"),
            "rule_channel_capacity": dbt.ref("base_rule_channel_capacity"),
            "rule_rep_capacity": dbt.ref("base_rule_rep_capacity"),
            "rule_contact_limit": dbt.ref("base_rule_contact_limit"),
            "rule_exclusion": dbt.ref("base_rule_exclusion"),
            "rule_consent": dbt.ref("base_rule_consent"),
            "rule_access": dbt.ref("base_rule_access"),
            "rule_channel_window": dbt.ref("base_rule_channel_window"),
            "rule_min_gap": dbt.ref("base_rule_min_gap"),
            "rule_incompatible": dbt.ref("base_rule_incompatible"),
            "rule_coverage_floor": dbt.ref("base_rule_coverage_floor"),
            "rule_holdout": dbt.ref("base_rule_holdout"),
            "rule_override": dbt.ref("base_rule_override"),
            "feature_definition": dbt.ref("base_feature_definition"),
        }
    )
