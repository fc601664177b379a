"""dbt's `target` while sqlfluff renders a model."""

name = "duckdb"
type = "duckdb"
database = "nba"
schema = "main"
