"""A connection of the Snowflake connector from the settings of a target: password or key pair."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nba.errors import NbaError

PLACE = ("account", "user", "password", "warehouse", "database", "schema", "host", "port", "protocol", "authenticator")


def connect(settings: Mapping[str, Any], role: str | None) -> Any:
    """An open connection. role: None = the user's own. NbaError when the client is not installed or the account says no."""
    try:
        import snowflake.connector
    except ImportError as error:
        raise NbaError("the Snowflake client is not installed: install requirements/snowflake.lock, as docs/snowflake.md says") from error
    given = {name: settings[name] for name in PLACE if settings.get(name) not in (None, "", "None")}
    for name in ("account", "user"):
        if name not in given:
            raise NbaError(f"the target has no {name}: set NBA_SF_{name.upper()}")
    if "port" in given:
        given["port"] = int(given["port"])
    key = settings.get("private_key_path")
    if key and str(key) != "None":
        given["private_key"] = private_key(Path(str(key)), settings.get("private_key_passphrase"))
    elif "password" not in given and "authenticator" not in given:
        raise NbaError("the target has neither a password nor a key: set NBA_SF_PASSWORD or NBA_SF_PRIVATE_KEY_PATH")
    parameters = {"CLIENT_OUT_OF_BAND_TELEMETRY_ENABLED": False, "QUERY_TAG": str(settings.get("query_tag") or "nba")}
    try:
        return snowflake.connector.connect(
            **given, **({"role": role} if role else {}), session_parameters=parameters, platform_detection_timeout_seconds=0.0
        )
    except snowflake.connector.errors.Error as error:
        raise NbaError(f"cannot connect to account {given['account']}: {' '.join(str(error.msg or error).split())}") from error


def private_key(path: Path, passphrase: str | None) -> bytes:
    """A PEM private key as the connector takes it. NbaError when the file cannot be read as one."""
    from cryptography.hazmat.primitives import serialization

    try:
        key = serialization.load_pem_private_key(path.expanduser().read_bytes(), passphrase.encode() if passphrase else None)
    except (OSError, ValueError, TypeError) as error:
        raise NbaError(f"cannot read the private key {path}: {error}") from error
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption())
