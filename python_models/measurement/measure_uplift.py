"""Past cycle (and all together) x comparison x share of HCPs: what treating those of highest expected impact first brought."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.measurement.uplift import uplift_curve

    return uplift_curve(dbt.ref("measure_hcps").to_arrow_table(), dbt.ref("measure_explore").to_arrow_table())
