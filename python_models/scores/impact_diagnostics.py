"""Channel x measure: what the checks of the impact model found."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.impact import ImpactModel, diagnostics_table

    learned = dbt.ref("impact_model").to_arrow_table()
    return diagnostics_table(ImpactModel.from_json(learned.to_pylist()[0]["model_json"]))
