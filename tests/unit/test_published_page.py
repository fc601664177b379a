"""docs/published.md says what the properties say, and its picture has a line for every key."""

from published_page import PAGE, page, properties, relations

# key -> the published table that has one row for each
HOMES = {
    "hcp_id": "hcps",
    "channel": "channels",
    "territory_id": "territories",
    "rep_id": "reps",
    "recommendation_id": "recommendations",
    "limit_id": "constraint_prices",
}


def test_the_page_is_up_to_date():
    assert PAGE.read_text("utf-8") == page(), "run: python tests/unit/published_page.py"


def test_every_published_table_is_related_or_stands_for_a_run():
    related = {name for relation in relations() for name in (relation.parent, relation.child)}
    assert {model["config"]["alias"] for model in properties("published")} - related == {
        "plan_summary",
        "plan_history",
        "model_performance",
        "plan_power",
        "measured_lift",
        "off_policy_value",
        "uplift_curve",
        "plan_adherence",
        "segment_parity",
        "feature_proxies",
        "suggestion_adoption",
        "churn_performance",
        "impact_diagnostics",
        "rule_changes",
        "model_register",
        "monitoring_measures",
        "drift_alerts",
        "retraining_decisions",
    }


def test_every_key_leads_to_the_table_that_is_its_home():
    found = relations()
    assert len(found) >= 18
    assert all(HOMES[relation.key] == relation.parent for relation in found)
    assert set(HOMES.values()) == {relation.parent for relation in found}
