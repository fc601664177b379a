"""No secret lies in the repository: every tracked text file is read for what keys, tokens and passwords look like."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    "private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY",
    "AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "Google key": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "GitHub token": r"\b(?:gh[pousr]_[0-9A-Za-z]{36,}|github_pat_[0-9A-Za-z_]{40,})",
    "GitLab token": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "Slack token": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "npm or PyPI token": r"\b(?:npm_[0-9A-Za-z]{36}|pypi-AgE[0-9A-Za-z_-]{50,})",
    "model provider's key": r"\bsk-(?:[a-z]+-)?[0-9A-Za-z_-]{24,}",
    "JSON web token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]{10,}",
    "password in an address": r"\b[a-z][a-z0-9+]{2,}://[^\s/:@'\"{}<>$%]+:(?P<value>[^\s/@'\"{}<>$%]{3,})@",
}
# a name that promises a secret, followed by a value in quotes, in YAML or in a shell line
SECRET_NAME = r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?"
GIVEN = re.compile(
    rf"(?i)(?<![a-z0-9])(?:[a-z0-9]+[_-])*{SECRET_NAME}(?:[_-]?(?:value|text))?['\"]?\s*(?:=|:)\s*(?P<quote>['\"])(?P<value>[^'\"\n]{{6,}})(?P=quote)"
)
# variables of a shell are written in capitals
IN_SHELL = re.compile(r"\b[A-Z0-9_]*(?:PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_KEY)=(?P<value>[^\s'\"$({`;&|]{6,})")
# Values that are none: filled in elsewhere, asked of the environment, or words that say so. Each needs a reason to be here.
NO_VALUES = (
    r".*\{\{.*",  # filled in by dbt from the environment
    r".*\$.*",  # filled in by a shell
    r"\.\.\.|\*+|<.*>|x+",  # left out in a text
    r"not-to-be-seen.*",  # a made-up password whose way is followed by the tests of leaks
    r"[A-Z][A-Z0-9_]+",  # the name of a variable
    r"[a-z]+(?: [a-z]+)+",  # words of a sentence
    r"emulated|trusted",  # stand-ins that let everybody in
    r"test|none|null|text|string|password|secret|token|trust",
)
MOST_BYTES = 2_000_000


def tracked() -> Iterator[tuple[str, str]]:
    """Path and text of every tracked file that is text; a lock's hashes and the seeds are read like all others."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    for name in filter(None, listed.split("\0")):
        path = ROOT / name
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MOST_BYTES:
            try:
                yield name, path.read_text("utf-8")
            except UnicodeDecodeError:
                continue


def secrets_in(text: str) -> list[str]:
    """What looks like a secret, as kind and a beginning that gives nothing away."""
    found = []
    for kind, pattern in KEYS.items():
        for match in re.finditer(pattern, text):
            value = match.groupdict().get("value")
            if value is None or not _is_none(value):
                found.append(f"{kind}: {match.group()[:8]}...")
    for pattern in (GIVEN, IN_SHELL):
        found += [f"value of a secret: {match.group()[:24]}..." for match in pattern.finditer(text) if not _is_none(match["value"])]
    return found


def _is_none(value: str) -> bool:
    return any(re.fullmatch(pattern, value) for pattern in NO_VALUES)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git checkout: nobody can say which files are tracked")
def test_no_tracked_file_holds_a_secret() -> None:
    own = Path(__file__).name
    files = dict(tracked())
    assert len(files) > 500 and "profiles.yml" in files
    assert {name: found for name, text in files.items() if not name.endswith(own) and (found := secrets_in(text))} == {}


def test_no_tracked_file_is_one_that_holds_secrets() -> None:
    names = [name for name, _ in tracked()]
    wrong = re.compile(
        r"(^|/)(\.env(\..*)?|.*\.(pem|p8|p12|pfx|key|jks|kdbx)|id_(rsa|ed25519)|\.netrc|\.pypirc|\.npmrc|\.pgpass|nba\.log)$"
    )
    assert [name for name in names if wrong.search(name)] == []


@pytest.mark.parametrize(
    "text",
    [
        'password: "hunter2hunter2"',
        "NBA_PG_PASSWORD=hunter2hunter2 dbt build",
        "export SNOWFLAKE_TOKEN=abcdef123456",
        "db_password = 'S3cr3t!pw'",
        "'api_key': 'abc123def456'",
        "postgresql://anna:geheim1@server/db",
        "-----BEGIN RSA PRIVATE KEY-----",
        "AKIA" + "A1B2C3D4E5F6G7H8",
        "ghp_" + "a1B2" * 9,
        "eyJ" + "hbGciOiJI" * 2 + ".eyJ" + "zdWIiOiIx" * 2 + "." + "c2lnbmF0" * 2,
    ],
)
def test_the_search_finds_what_it_is_for(text: str) -> None:
    assert secrets_in(f"first line\n{text}\n")


@pytest.mark.parametrize(
    "text",
    [
        "password: \"{{ env_var('NBA_PG_PASSWORD', '') }}\"",
        'PGPASSWORD="$NBA_PG_PASSWORD" psql',
        "create role anna login password '...' in role nba_rep",
        "token = next(tokens)",
        "postgresql://$USER:$PASSWORD@server/db",
    ],
)
def test_the_search_leaves_the_rest_alone(text: str) -> None:
    assert secrets_in(text) == []
