"""Feature x denied column of hcp_master: how much the one says of the other."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.fairness.proxies import feature_proxies

    return feature_proxies(dbt.ref("proxy_sample").to_arrow_table())
