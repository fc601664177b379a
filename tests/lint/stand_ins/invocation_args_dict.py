"""dbt's arguments of the invocation while sqlfluff renders a model: none."""


def get(name, default=None):
    """The default."""
    return default
