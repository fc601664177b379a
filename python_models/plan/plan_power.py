"""What lift of the plan over the control arm this design can detect, in one cycle and over several."""


def model(dbt, session):
    dbt.config(materialized="table", schema="plan")
    from nba.arms.power import plan_power

    return plan_power(dbt.ref("draw_arms"), dbt.ref("plan_kpi_cycles"), dbt.ref("plan_actions"))
