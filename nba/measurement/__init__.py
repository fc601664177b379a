"""What published plans brought: lift, off-policy value and uplift curves from randomised arms. Pure functions on Arrow tables, no dbt."""
