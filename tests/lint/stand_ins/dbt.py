"""dbt's cross-database macros while sqlfluff renders a model: function calls instead of an engine's words."""


def _call(name):
    return lambda *arguments, **named: f"{name}({', '.join(str(argument) for argument in arguments)})"


dateadd = _call("date_add_days")
datediff = _call("date_diff_days")
date_trunc = _call("date_trunc")


def generate_series(upper_bound):
    """A query of the whole numbers from one on."""
    return f"select {upper_bound} as generated_number"


def listagg(measure, *rest):
    """An aggregate of the measure; order and separator are words of the engine."""
    return f"string_agg({measure})"


hash = _call("md5")
