"""Measure x what it is about: what was found, what it is held against, and whether it is an alert."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.monitoring.binding import monitor_measures

    sample = dbt.ref("monitor_sample")
    profiles = dbt.ref("stg_prior_profiles")
    facts = dbt.ref("monitor_facts")
    limits = dbt.ref("monitor_limits")
    return monitor_measures(sample, profiles, facts, limits)
