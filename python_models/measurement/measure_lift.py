"""Past cycle (and all together) x estimator: what the plan arm gained over the control arm."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.measurement.lift import measured_lift

    return measured_lift(dbt.ref("measure_hcps").to_arrow_table())
