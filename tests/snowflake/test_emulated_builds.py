"""Two builds on the emulated account by the real dbt-snowflake: what they publish, and what they said to the account on the way."""

from __future__ import annotations

import re

import yaml
from conftest import ROOT, Builds
from published_tables import differences

PROJECT = yaml.safe_load((ROOT / "dbt_project.yml").read_text())["models"]["nba"]
# the serving file is DuckDB's, and Great Expectations no package of Snowflake
ELSEWHERE = ("serving", "gates")
PYTHON_MODELS = sorted(path.stem for path in (ROOT / "python_models").glob("*/*.py") if path.parent.name not in ELSEWHERE)


def test_the_loaded_world_gives_the_published_tables_of_duckdb(builds: Builds) -> None:
    assert len(builds.account[0]) >= 18
    assert len(builds.account[0]["recommendations"][1]) > 5
    assert differences(builds.account[0], builds.duckdb[0]) == []


def test_the_second_build_over_other_inputs_gives_them_too(builds: Builds) -> None:
    assert len(builds.account[1]["recommendations"][1]) > 100
    assert differences(builds.account[1], builds.duckdb[1]) == []


def test_the_comparison_sees_a_changed_number_and_a_lost_row(builds: Builds) -> None:
    columns, rows = builds.account[1]["recommendations"]
    place = columns.index("expected_impact")
    changed = [(*rows[0][:place], rows[0][place] * (1 + 1e-4), *rows[0][place + 1 :]), *rows[1:]]
    assert differences({"recommendations": (columns, changed)}, {"recommendations": (columns, rows)})
    assert differences({"recommendations": (columns, rows[1:])}, {"recommendations": (columns, rows)})


def test_both_builds_say_that_they_published(builds: Builds) -> None:
    assert all("Published: run " in said for said in builds.said)


def test_nothing_failed_and_nothing_was_refused(builds: Builds) -> None:
    assert [one for sent in builds.sent for one in sent if one.answer in ("failed", "refused")] == []


def test_every_python_model_ran_as_a_procedure_of_the_declared_runtime_packages_and_zip(builds: Builds) -> None:
    for sent in builds.sent:
        made = {found["name"]: one.sql for one in sent if (found := re.search(r"procedure \w+\.\w+\.(?P<name>\w+)__dbt_sp \(", one.text))}
        assert sorted(made) == PYTHON_MODELS
        for name, sql in made.items():
            assert f"RUNTIME_VERSION = '{PROJECT['+python_version']}'" in sql, name
            assert "IMPORTS = ('@NBA.nba_code.packages/nba.zip')" in sql, name
            packages = re.findall(r"'([^']+)'", re.search(r"PACKAGES = \((.*?)\)", sql)[1])
            assert packages == PROJECT["+packages"] and all("==" in one for one in packages), name


def test_every_session_of_dbt_and_of_procedures_carries_a_query_tag(builds: Builds) -> None:
    logins = [one.sql for sent in builds.sent for one in sent if one.kind == "login"]
    assert len(logins) > 10
    assert all('"QUERY_TAG": "nba"' in login or '"QUERY_TAG": "emulated-procedure"' in login for login in logins)


def test_nothing_is_refused_to_nba_roles_and_readers_and_reps_get_the_views(builds: Builds) -> None:
    assert [one for one in builds.roles if one.answer in ("failed", "refused")] == []
    sent = {one.text for one in builds.roles}
    for role in ("nba_reader", "nba_rep"):
        assert f"create role if not exists {role}" in sent
        assert {f"grant select on {which} views in schema nba.published to role {role}" for which in ("all", "future")} <= sent


def test_every_memory_table_with_a_scope_gets_its_row_access_policy_and_no_build_takes_it_away(builds: Builds) -> None:
    scopes = dict(re.findall(r"'(\w+)': '(\w+)'", (ROOT / "macros" / "roles" / "row_scopes.sql").read_text()))
    wanted = {name: scope for name, scope in scopes.items() if scope not in ("none", "own")}
    assert len(wanted) >= 15
    added = re.compile(r"alter table nba\.memory\.(\w+) add row access policy nba\.memory\.nba_(\w+) on \(([\w, ]+)\)")
    policed = {found[1]: (found[2], found[3]) for one in builds.roles if (found := added.fullmatch(one.text))}
    assert {name: scope for name, (scope, _) in policed.items()} == wanted
    assert policed["recommendations"] == ("territory", "territory_id")
    swapped = re.compile(r"(create or replace|drop) (transient |temporary )?table (if exists )?nba\.memory\.(\w+)")
    later = [found[4] for one in builds.sent[1] if (found := swapped.match(one.text))]
    assert [name for name in later if not name.endswith("__dbt_tmp")] == []


def test_descriptions_of_published_columns_are_sent_as_comments(builds: Builds) -> None:
    comments = [one.text for one in builds.sent[1] if " comment $$" in one.text or one.text.startswith("comment on")]
    assert any("published.recommendations" in text and "expected_impact" in text for text in comments)
