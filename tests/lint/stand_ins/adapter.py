"""What dbt's `adapter` answers while sqlfluff renders a model: names instead of a warehouse."""


def dispatch(name, package=None):
    """A macro call that renders as a function call of the same name; a column's name as itself."""
    return quote if name == "own_column" else lambda *arguments, **named: f"{name}(1)"


def quote(name):
    """The name in quotes."""
    return f'"{name}"'


def get_columns_in_relation(relation):
    """No columns: there is no warehouse."""
    return []


def get_relation(*arguments, **named):
    """No relation: there is no warehouse."""
    return None
