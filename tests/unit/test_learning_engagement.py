"""The engagement model: choice, determinism, odd panels, scores that add up and survive JSON."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from learning_world import DEFINITIONS, panel

from nba.learning.boosting import fit_boosting
from nba.learning.engagement import engagement_metrics, fit_engagement, recording_channels, score_engagement
from nba.learning.model_json import EngagementModel
from nba.learning.scoring import DRIVERS, number_texts, stream_scores
from nba.learning.settings import LearningInputError, LearningSettings

CONFIG = {"seed": 3, "min_channel_touches": 100, "run_id": "ignored"}
RECORDING = ["email", "visit"]


@pytest.fixture(scope="module")
def training() -> pa.Table:
    return panel(hcps=300, interaction=True)


@pytest.fixture(scope="module")
def model(training: pa.Table) -> dict:
    return fit_engagement(training, DEFINITIONS, CONFIG, RECORDING).to_pylist()[0]


def additivity(scores: pa.Table) -> np.ndarray:
    known = scores.filter(pc.is_valid(scores["engagement_probability"])).to_pandas()
    columns = [f"driver_{k}_contribution" for k in range(1, DRIVERS + 1)]
    return (known["base_value"] + known[columns].fillna(0).sum(axis=1) + known["other_contribution"] - known["raw_score"]).to_numpy()


def test_interactions_are_found_by_trees_and_said_so(model: dict):
    assert model["model_kind"] == "hgb"
    assert "boosted trees: lowest log loss" in model["choice_reason"]
    assert "trained on the first 2 of 4 snapshots, chosen on the next 1, measured on the last 1" in model["choice_reason"]
    assert json.loads(model["features"]) == ["channel", "decile", "response_rate_long", "specialty", "touches_long"]
    assert json.loads(model["parameters"])["dropped"] == ["never_known"]


def test_additive_world_needs_no_trees():
    row = fit_engagement(panel(interaction=False), DEFINITIONS, CONFIG, RECORDING).to_pylist()[0]
    assert row["model_kind"] == "logistic"


def test_a_feature_known_only_in_the_last_snapshots_is_learned_around(training: pa.Table):
    first, _, _, last = sorted(set(training["snapshot_date"].to_pylist()))
    late = pc.equal(training["snapshot_date"], last)
    known_late = training
    for name in ("response_rate_long", "specialty"):
        place = training.column_names.index(name)
        known_late = known_late.set_column(place, name, pc.if_else(late, training[name], pa.scalar(None, training[name].type)))
    model = fit_engagement(known_late, DEFINITIONS, CONFIG, RECORDING)
    assert json.loads(model["parameters"].to_pylist()[0])["dropped"] == ["never_known"]
    assert {row["model_kind"] for row in engagement_metrics(model).to_pylist()} == {"base_rate", "logistic", "hgb"}
    scores = score_engagement(model["model_json"].to_pylist()[0], training.filter(pc.equal(training["snapshot_date"], first)))
    assert np.abs(additivity(scores)).max() < 1e-9


def test_same_rows_in_any_order_give_the_same_model(training: pa.Table, model: dict):
    shuffled = training.take(pa.array(np.random.default_rng(1).permutation(training.num_rows)))
    assert fit_engagement(shuffled, DEFINITIONS, CONFIG, RECORDING).to_pylist()[0] == model
    other = fit_engagement(training, DEFINITIONS, {**CONFIG, "seed": 4}, RECORDING).to_pylist()[0]
    assert other["model_version"] != model["model_version"]
    assert other["data_hash"] == model["data_hash"]


def test_scores_are_those_of_scikit_learn(training: pa.Table, model: dict):
    loaded = EngagementModel.from_json(model["model_json"])
    rows = training.filter(pc.greater(training["label_touches"], 0))
    rows = rows.sort_by([("snapshot_date", "ascending"), ("hcp_id", "ascending"), ("channel", "ascending")])
    matrix = loaded.encoder.matrix(rows)
    touches, responses = rows["label_touches"].to_numpy().astype(float), rows["label_responses"].to_numpy().astype(float)
    parameters = json.loads(model["parameters"])
    used = LearningSettings(**{name: parameters[name] for name in LearningSettings.__dataclass_fields__})
    fresh = fit_boosting(matrix, responses, touches, loaded.encoder, used, parameters["iterations"])
    scores = score_engagement(model["model_json"], rows)
    np.testing.assert_allclose(scores["raw_score"].to_numpy(), fresh.decision_function(matrix), atol=2e-6)
    assert np.abs(additivity(scores)).max() < 1e-9
    again = EngagementModel.from_json(loaded.to_json())
    assert again.to_json() == model["model_json"]


def test_batches_and_streams_change_nothing(training: pa.Table, model: dict):
    pairs = training.slice(0, 1500)
    whole = score_engagement(model["model_json"], pairs)
    assert score_engagement(model["model_json"], pairs, batch_rows=700).combine_chunks().equals(whole.combine_chunks())
    streamed = stream_scores(model["model_json"], pairs.to_reader(max_chunksize=333)).read_all()
    assert streamed.combine_chunks().equals(whole.combine_chunks())
    assert score_engagement(model["model_json"], pairs.slice(0, 0)).num_rows == 0


def test_channel_that_records_nothing_has_a_raw_score_only(training: pa.Table, model: dict):
    scores = score_engagement(model["model_json"], training).to_pandas()
    silent = scores[scores["channel"] == "webinar"]
    assert silent["raw_score"].notna().all()
    hidden = [name for name in scores if name.startswith(("driver", "other", "engagement"))]
    assert silent[hidden].isna().all(axis=None)
    heard = scores[scores["channel"] != "webinar"]
    assert heard["engagement_probability"].between(0.0001, 0.9999).all()
    assert heard["driver_1"].notna().all()


def test_drivers_come_in_order_of_size(training: pa.Table, model: dict):
    scores = score_engagement(model["model_json"], training.slice(0, 400)).to_pandas()
    sizes = scores[[f"driver_{k}_contribution" for k in range(1, DRIVERS + 1)]].abs().fillna(0).to_numpy()
    assert (np.diff(sizes, axis=1) <= 1e-11).all()
    row = scores.iloc[0]
    shown = {row[f"driver_{k}"]: row[f"driver_{k}_value"] for k in range(1, DRIVERS + 1)}
    assert shown["specialty"] == "cardiology"
    rate = training["response_rate_long"][0].as_py()
    assert shown["response_rate_long"] == ("unknown" if rate is None else number_texts(np.array([rate]))[0])


@pytest.mark.parametrize("kind", ["logistic", "base_rate"])
def test_additive_models_explain_themselves(kind: str):
    table = panel(interaction=False)
    if kind == "base_rate":  # too few answers for anything finer
        few = np.where(np.arange(table.num_rows) % 900 == 0, np.minimum(table["label_touches"].to_numpy(), 1), 0)
        table = table.set_column(table.column_names.index("label_responses"), "label_responses", pa.array(few))
    row = fit_engagement(table, DEFINITIONS, CONFIG, RECORDING).to_pylist()[0]
    assert row["model_kind"] == kind
    scores = score_engagement(row["model_json"], table)
    assert np.abs(additivity(scores)).max() < 1e-9
    model = EngagementModel.from_json(row["model_json"])
    labelled = table.filter(pc.greater(table["label_touches"], 0))
    means = model.core.contributions(model.encoder.matrix(labelled)).mean(axis=0)
    np.testing.assert_allclose(means, 0, atol=1e-9)  # relative to the training mean, feature by feature


def test_metrics_of_all_candidates(model: dict):
    metrics = engagement_metrics(pa.Table.from_pylist([model])).to_pandas()
    assert set(metrics["model_kind"]) == {"hgb", "logistic", "base_rate"}
    assert set(metrics["channel"]) == {"all", "email", "visit", "webinar"}
    whole = metrics[(metrics["channel"] == "all") & metrics["bin"].isna()].pivot(index="measure", columns="model_kind", values="value")
    assert whole.loc["auc", "hgb"] > whole.loc["auc", "logistic"] + 0.03
    assert whole.loc["log_loss", "hgb"] < whole.loc["log_loss", "base_rate"]
    assert whole.loc["calibration_error", "hgb"] < 0.08
    assert set(metrics.loc[metrics["is_chosen"], "model_kind"]) == {"hgb"}
    bins = metrics[(metrics["channel"] == "all") & (metrics["model_kind"] == "hgb") & (metrics["measure"] == "reliability_observed")]
    assert bins["bin"].tolist() == list(range(10))


@pytest.mark.parametrize(
    ("snapshots", "words"), [(1, "one snapshot only"), (2, "two snapshots only"), (3, "trained on the first 1 of 3 snapshots")]
)
def test_few_snapshots_are_split_sensibly(snapshots: int, words: str):
    row = fit_engagement(panel(snapshots=snapshots, hcps=120), DEFINITIONS, CONFIG, RECORDING).to_pylist()[0]
    assert words in row["choice_reason"]
    assert engagement_metrics(pa.Table.from_pylist([row])).num_rows > 0


@pytest.mark.parametrize("answered", [True, False])
def test_one_class_is_never_certain(answered: bool):
    table = panel(hcps=60)
    label = table["label_touches"] if answered else pa.array(np.zeros(table.num_rows, np.int64))
    table = table.set_column(table.column_names.index("label_responses"), "label_responses", label)
    row = fit_engagement(table, DEFINITIONS, CONFIG, RECORDING).to_pylist()[0]
    assert row["model_kind"] == "base_rate"
    chance = score_engagement(row["model_json"], table)["engagement_probability"].drop_null().to_numpy()
    assert ((chance > 0.9) & (chance < 1)).all() if answered else ((chance > 0) & (chance < 0.1)).all()


def test_one_hcp_and_one_channel():
    row = fit_engagement(panel(hcps=1, channels=("email",), snapshots=6), DEFINITIONS, CONFIG, ["email"]).to_pylist()[0]
    assert row["model_kind"] == "base_rate"
    scores = score_engagement(row["model_json"], panel(hcps=1, channels=("email",), snapshots=1))
    assert 0.01 < scores["engagement_probability"][0].as_py() < 0.99


@pytest.mark.parametrize("channels", [[], RECORDING])
def test_without_labels_or_recording_channels_there_is_no_model(channels: list[str]):
    table = panel(hcps=20)
    row = fit_engagement(table.slice(0, 0) if channels else table, DEFINITIONS, CONFIG, channels).to_pylist()[0]
    assert row["model_kind"] == "none"
    assert row["choice_reason"].startswith("no model: ")
    scores = score_engagement(row["model_json"], table)
    assert scores.num_rows == table.num_rows
    assert scores["model_version"].to_pylist() == [row["model_version"]] * table.num_rows
    assert all(scores[name].null_count == table.num_rows for name in scores.column_names[3:])
    assert engagement_metrics(pa.Table.from_pylist([row])).num_rows == 0


def test_bad_labels_and_bad_models_are_refused(training: pa.Table):
    with pytest.raises(LearningInputError, match="feat_training lacks the column 'label_touches'"):
        fit_engagement(training.drop_columns(["label_touches"]), DEFINITIONS, CONFIG, RECORDING)
    wrong = training.set_column(training.column_names.index("label_responses"), "label_responses", pa.array([9] * training.num_rows))
    with pytest.raises(LearningInputError, match="label_responses below 0 or above label_touches"):
        fit_engagement(wrong, DEFINITIONS, CONFIG, RECORDING)
    with pytest.raises(LearningInputError, match="model_json is not an engagement model"):
        score_engagement("{}", training)
    with pytest.raises(LearningInputError, match=r"impact_prior_cv|min_channel_touches -1 must be between 0 and"):
        LearningSettings.from_config({"min_channel_touches": -1})


def test_recording_channels_of_the_catalogue():
    catalog = pa.table({"channel": ["a", "b", "c"], "records_responses": [True, False, None]})
    assert recording_channels(catalog) == ["a"]


def test_numbers_as_text():
    values = np.array([0.0, 3.0, -12.5, 1 / 3, 1234567.0, 0.000123456789, 1e7, 1e-7, np.nan, 1e20])
    expected = ["0", "3", "-12.5", "0.333333", "1234570", "0.000123457", "10000000", "0.0000001", "unknown", "1e+20"]
    assert number_texts(values).tolist() == expected


def test_loading_the_package_is_light():
    code = (
        "import sys, nba.learning.settings, nba.learning.engagement; print(any(m in sys.modules for m in ('sklearn', 'numba', 'pandas')))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "False"
