"""The SQL that makes an account ready for builds: by an administrator once, by the builder with every new version of the code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nba.errors import NbaError

REPOSITORY = "snowflake.snowpark.pypi_shared_repository"
PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_$]*")
CODE_SCHEMA = "nba_code"
STAGE = "packages"


@dataclass(frozen=True)
class Account:
    """Names in the account, as the target of profiles.yml gives them: unquoted identifiers. Raises NbaError for any other text."""

    database: str
    warehouse: str
    builder: str

    def __post_init__(self) -> None:
        for field, value in vars(self).items():
            if not PLAIN_NAME.fullmatch(str(value)):
                raise NbaError(f"{field} of the target is {value!r}: give a plain Snowflake name of letters, digits and underscores")

    @property
    def stage(self) -> str:
        """The stage that holds the zip, in full."""
        return f"{self.database}.{CODE_SCHEMA}.{STAGE}"

    @staticmethod
    def of(settings: Mapping[str, Any]) -> Account:
        """From the settings of a target. NbaError names what is missing."""
        for name in ("database", "warehouse", "role"):
            if not settings.get(name):
                raise NbaError(f"the target has no {name}: set NBA_SF_{name.upper()}")
        return Account(str(settings["database"]), str(settings["warehouse"]), str(settings["role"]))


def administrator_statements(account: Account) -> list[str]:
    """What needs an account administrator, once: role, warehouse, database, the right to packages, and where they come from."""
    return [
        f"create role if not exists {account.builder}",
        f"create warehouse if not exists {account.warehouse} warehouse_size = 'XSMALL' auto_suspend = 60 auto_resume = true"
        " initially_suspended = true",
        f"create database if not exists {account.database}",
        f"grant usage on warehouse {account.warehouse} to role {account.builder}",
        f"grant usage, create schema on database {account.database} to role {account.builder}",
        f"grant database role snowflake.pypi_repository_user to role {account.builder}",
        f"alter database {account.database} set default_python_artifact_repository = {REPOSITORY}",
    ]


def builder_statements(account: Account, zip_path: Path) -> list[str]:
    """What the builder runs with every new version of the code: the stage and the upload. Readers and reps are set up by `nba roles`."""
    return [
        f"create schema if not exists {account.database}.{CODE_SCHEMA}",
        f"create stage if not exists {account.stage}",
        f"put 'file://{zip_path.as_posix()}' @{account.stage} auto_compress = false overwrite = true",
    ]


def packages_statement(names: list[str], database: str) -> str:
    """The account's own list of what resolves for these packages from Snowflake's channel."""
    listed = ", ".join(f"'{name}'" for name in names)
    return (
        f"select package_name, version, runtime_version from {database}.information_schema.packages"
        f" where language = 'python' and package_name in ({listed})"
    )
