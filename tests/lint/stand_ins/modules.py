"""The Python modules that dbt lends to Jinja."""

import datetime
import re

__all__ = ["datetime", "re"]
