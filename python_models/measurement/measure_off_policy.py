"""Past cycle (and all together) x policy x estimator: what other policies would have brought."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.measurement.off_policy import off_policy_value

    return off_policy_value(dbt.ref("measure_hcps").to_arrow_table(), dbt.ref("measure_explore").to_arrow_table())
