"""What MetricFlow answers is what SQL over `published` says. Run by `make test-metrics`: `mf` has an environment of its own (NBA_MF)."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

ROOT = Path(__file__).resolve().parents[2]
# metrics, what they are grouped by, and the same in SQL
QUESTIONS = {
    "spend and impact by channel": (
        "planned_spend,planned_impact,spend_per_impact,recommended_actions,recommended_touches",
        "channel",
        """select channel, sum(cost), sum(plan_value), sum(cost) / sum(plan_value), count(*), sum(touches)
        from published.recommendations group by channel""",
    ),
    "the plan by cycle": (
        "recommended_hcps,planned_spend,planned_impact,overlap_loss",
        "metric_time__day",
        """select r.cycle_start, count(distinct hcp_id), min(p.total_cost), min(p.objective),
            sum(r.expected_impact * touches) - min(p.objective)
        from published.recommendations as r cross join published.plan_summary as p group by 1""",
    ),
    "engagement by type of channel": (
        "expected_responses,expected_response_rate",
        "channel__channel_type",
        """select channel_type, sum(engagement_probability * touches),
            sum(engagement_probability * touches) / sum(touches) filter (where engagement_probability is not null)
        from published.recommendations inner join published.channels using (channel) group by 1""",
    ),
    "scores by specialty": (
        "scored_pairs,mean_engagement_probability,mean_expected_impact",
        "hcp__specialty",
        """select specialty, count(*), avg(engagement_probability), avg(expected_impact)
        from published.hcp_channel_scores inner join published.hcps using (hcp_id) group by 1""",
    ),
    "the past by month": (
        "kpi,touches,responses,response_rate",
        "metric_time__month",
        """select date_trunc('month', period_start), sum(kpi_value), sum(touches), sum(responses),
            sum(responses) / sum(touches) filter (where responses is not null)
        from published.hcp_period_metrics group by 1""",
    ),
    "minutes by rep and territory": (
        "recommended_rep_minutes,stand_alone_impact",
        "rep__rep_label,territory__territory_label",
        """select reps.label, territories.label, sum(r.rep_minutes), sum(r.expected_impact * r.touches)
        from published.recommendations as r
        left join published.reps on r.rep_id = reps.rep_id
        left join published.territories on r.territory_id = territories.territory_id
        group by 1, 2""",
    ),
}
Ask = Callable[..., str]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a warehouse and a target folder of its own, built on the sample."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("dbt_project.yml", "profiles.yml", "models", "python_models", "macros", "seeds", "tests"):
        (folder / name).symlink_to(ROOT / name)
    built = subprocess.run(
        [str(Path(sys.executable).parent / "dbt"), "build", "--quiet", "--exclude", "resource_type:test", "resource_type:unit_test"],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, built.stdout[-3000:]
    # a narrowed build does not publish: the tests that it leaves out are not what is tested here
    with duckdb.connect(str(folder / "nba.duckdb")) as connection:
        connection.execute(
            "insert into memory.publications select run_id, cycle_start, timestamp '2026-01-05', 'publish' from checks.run_config"
        )
    return folder


def environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "NBA_DUCKDB_PATH": str(folder / "nba.duckdb"),
        "DBT_PROFILES_DIR": str(folder),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def ask(project: Path) -> Ask:
    """`ask("query", ...)`: one command of `mf` in the project."""
    program = os.environ.get("NBA_MF", str(ROOT / ".venv-metrics" / "bin" / "mf"))

    def run(*words: str) -> str:
        said = subprocess.run([program, *words], cwd=project, env=environment(project), capture_output=True, text=True, check=False)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    return run


def as_keys(row: tuple, groups: int) -> tuple:
    """What a row is grouped by, as text; a moment as its day."""
    return tuple(None if value in (None, "") else str(value)[:10] if str(value)[:4].isdigit() else str(value) for value in row[:groups])


@pytest.mark.parametrize("question", QUESTIONS)
def test_an_answer_equals_sql_over_published(question: str, ask: Ask, project: Path, tmp_path: Path):
    metrics, groups, query = QUESTIONS[question]
    answer = tmp_path / "answer.csv"
    ask("query", "--metrics", metrics, "--group-by", groups, "--csv", str(answer))
    with open(answer, newline="", encoding="utf-8") as file:
        header, *answered = list(csv.reader(file))
    assert set(header) == set(metrics.split(",")) | set(groups.split(","))
    with duckdb.connect(str(project / "nba.duckdb"), read_only=True) as connection:
        known = connection.execute(query).fetchall()
    names = groups.split(",") + metrics.split(",")
    count = len(groups.split(","))
    places = [header.index(name) for name in names]
    found = {as_keys(tuple(row[place] for place in places), count): [row[place] for place in places[count:]] for row in answered}
    assert known and found.keys() == {as_keys(row, count) for row in known}
    for row in known:
        told = [float(value) if value else None for value in found[as_keys(row, count)]]
        assert told == pytest.approx([None if value is None else float(value) for value in row[count:]], rel=1e-9), row


def test_every_metric_dimension_and_entity_holds_in_the_warehouse(ask: Ask):
    said = ask("validate-configs", "--show-all")
    assert "ERRORS: 0" in said
    assert said.count("Successfully validated") >= 6
