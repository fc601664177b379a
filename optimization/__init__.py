"""The allocation problem: its rules, prices, plan, proof and diagnosis. Knows no dbt and no warehouse."""
