"""Table x expectation: what Great Expectations found about the inputs."""


def model(dbt, session):
    dbt.config(materialized="table")
    from nba.gates.quality import quality

    config = dbt.ref("run_config").to_arrow_table()
    now = dbt.ref("profile_inputs").to_arrow_table()
    before = dbt.ref("profile_inputs_before").to_arrow_table()
    last_good = dbt.ref("last_good_run").to_arrow_table()
    return quality("inputs", config.to_pylist()[0], now, before, last_good.to_pylist())
