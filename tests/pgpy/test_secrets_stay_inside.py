"""A password given by the environment shows nowhere: not in dbt's output, log and artefacts, not in our messages and log."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_project import SmallProject

from nba.cli import main
from nba.errors import NbaError
from nba.warehouse import resolve_target
from nba.warehouse.postgres_connections import credentials_of

SECRET = "not-to-be-seen-7f3a9c"
PROFILE = {"password": "{{ env_var('NBA_PG_PASSWORD') }}"}
MODELS = {
    "models/one.sql": "select 1 as a",
    "models/two.py": "def model(dbt, session):\n    return dbt.ref('one').to_arrow_table()\n",
    "models/broken.py": "def model(dbt, session):\n    found = dbt.ref('one')\n    raise RuntimeError('wrong')\n    return found\n",
    "models/wrong.sql": "select nothing from {{ ref('one') }}",
}


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NBA_PG_PASSWORD", SECRET)
    monkeypatch.setenv("NBA_SF_PASSWORD", SECRET)


def files_with_the_secret(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and SECRET.encode() in path.read_bytes()]


def test_dbt_shows_no_password_whether_it_can_connect_or_not(project: SmallProject, capfd: pytest.CaptureFixture[str]) -> None:
    project.write(MODELS)
    project.configure(**PROFILE)
    assert not project.dbt("build", "--log-level", "debug", "--debug").success
    assert {"logs/dbt.log", "target/manifest.json", "target/run_results.json", "target/partial_parse.msgpack"} <= {
        path.relative_to(project.folder).as_posix() for path in project.folder.rglob("*")
    }
    project.configure(**PROFILE, port=1, connect_timeout=1)
    assert not project.dbt("build", "--log-level", "debug").success
    assert not project.dbt("debug").success
    project.configure(**PROFILE)
    shown = capfd.readouterr()
    assert "broken" in shown.out
    assert SECRET not in shown.out + shown.err
    assert files_with_the_secret(project.folder) == []


@pytest.mark.parametrize("words", [("rollback",), ("--debug", "rollback"), ("export", "out"), ("diff",), ("init-rules",)])
@pytest.mark.parametrize("target", ["postgres", "snowflake"])
def test_our_commands_show_no_password(
    words: tuple[str, ...], target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"NBA_PG_PORT": "1", "NBA_PG_CONNECT_TIMEOUT": "1", "NBA_SF_HOST": "localhost", "NBA_SF_PORT": "1"}.items():
        monkeypatch.setenv(name, value)
    if target == "snowflake":
        # the connector is in an environment of its own: what there is to see here is how the target is read
        monkeypatch.setattr("nba.warehouse.snowflake.SnowflakeWarehouse.__init__", _unexpected)
    assert main([*words, "--target", target]) in (1, 3)
    shown = capfd.readouterr()
    assert shown.err
    assert SECRET not in shown.out + shown.err
    assert files_with_the_secret(tmp_path) == []


def _unexpected(self: object, target: object, reader: object = None) -> None:
    raise ValueError(f"cannot use {target}")


def test_a_target_does_not_show_its_settings() -> None:
    found = resolve_target("postgres", Path(__file__).resolve().parents[2])
    assert found.setting("password") == SECRET
    assert SECRET not in f"{found} {found!r}"


def test_a_password_of_the_wrong_type_is_not_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = "{type: pgpy, host: localhost, port: 5432, user: nba, dbname: nba, schema: nba, password: 73519824}"
    (tmp_path / "profiles.yml").write_text(f"nba: {{target: postgres, outputs: {{postgres: {target}}}}}\n")
    monkeypatch.setenv("DBT_PROFILES_DIR", str(tmp_path))
    with pytest.raises(NbaError, match=r"cannot be used: \*\*\* is not of type") as raised:
        credentials_of(resolve_target("postgres", tmp_path))
    assert raised.value.__cause__ is None
