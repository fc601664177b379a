"""The dbt adapter `pgpy`: everything of dbt-postgres, and Python models."""

from dbt.adapters.base import AdapterPlugin
from dbt.adapters.pgpy.connections import PgpyConnectionManager, PgpyCredentials
from dbt.adapters.pgpy.impl import PgpyAdapter
from dbt.include import pgpy

__all__ = ["PgpyAdapter", "PgpyConnectionManager", "PgpyCredentials", "Plugin"]

Plugin = AdapterPlugin(
    adapter=PgpyAdapter,  # type: ignore[arg-type]
    credentials=PgpyCredentials,
    include_path=pgpy.PACKAGE_PATH,
    # Macros named postgres__x are found because of this line.
    dependencies=["postgres"],
)
