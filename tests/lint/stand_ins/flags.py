"""dbt's `flags` while sqlfluff renders a model: nothing runs."""

WHICH = "compile"
