"""The zoo: what is in it, what operators do, which mutants count as faulty, and how halves are kept apart."""

import dataclasses
import math
from collections import Counter

import numpy as np
import pytest

from benchmarks.models444.scoring.results import Diagnosed, Found, Said
from benchmarks.sheets import as_markdown
from benchmarks.zoo.job import Request
from benchmarks.zoo.pages import score_sheets, threshold_sheet
from benchmarks.zoo.results import Model, Run, is_worse, read_models
from benchmarks.zoo.score import score
from benchmarks.zoo.thresholds import FACTORS, Threshold, table, thresholds
from benchmarks.zoo.zoo import REPORTING, TUNING, Entry, choose, read_zoo, write_zoo
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json

SILENT = Said((), ())


def said(code="DD304", severity="error", action="MSG3"):
    return Said((Found(code, severity, "strong", None, 0, 1, 0.5),), (Diagnosed("a fault", action, (code,), (None,)),))


def model(family, operator="", verdicts=(SILENT,), half=REPORTING, scores=None):
    scores = scores or [0.9] * len(verdicts)
    runs = tuple(
        Run(seed, value, {"default": one, "deepdiagnosis": SILENT})
        for seed, (one, value) in enumerate(zip(verdicts, scores, strict=True))
    )
    return Model(Entry(family, operator, half), runs, bool(operator))


def test_zoo_is_as_large_as_it_should_be_and_halves_share_no_family():
    entries = read_zoo()
    healthy = [one for one in entries if not one.operator]
    assert len(healthy) >= 60
    assert len(entries) - len(healthy) >= 150
    assert len({one.name for one in entries}) == len(entries)
    half = {one.family: one.half for one in healthy}
    assert all(half[one.family] == one.half for one in entries)
    assert abs(Counter(half.values())[TUNING] - Counter(half.values())[REPORTING]) <= 1
    operators = [{one.operator for one in entries if one.half == part} for part in (TUNING, REPORTING)]
    assert operators[0] == operators[1]


def test_zoo_is_read_as_it_was_written(tmp_path):
    entries = tuple(choose(["a", "b", "c", "d"], {"break": ["a", "b", "d"], "none": []}))
    assert {one.name: one.half for one in entries} == {
        "a": TUNING, "b": REPORTING, "c": TUNING, "d": REPORTING,
        "a+break": TUNING, "b+break": REPORTING, "d+break": REPORTING,
    }  # fmt: skip
    write_zoo(entries, tmp_path / "zoo.csv")
    assert read_zoo(tmp_path / "zoo.csv") == entries


def test_mutant_counts_as_faulty_only_when_it_is_worse_by_much_and_not_by_chance():
    fine = [0.95, 0.96, 0.97, 0.96, 0.95]
    assert is_worse(fine, [0.2, 0.3, 0.2, 0.9, 0.1])
    assert is_worse(fine, [-math.inf] * 5)
    assert not is_worse(fine, [0.95, 0.94, 0.97, 0.96, 0.95])
    assert not is_worse([0.1] * 5, fine)
    assert not is_worse([], fine)


def test_mutants_that_are_no_worse_and_models_not_run_are_left_out(tmp_path):
    entries = [Entry("a", operator, TUNING) for operator in ("", "broken", "alike")] + [Entry("b", "", TUNING)]
    request = Request(tmp_path)
    for name, scores in (("a", [0.9, 0.91, 0.92, 0.93]), ("a+broken", [0.1, None, 0.2, 0.1]), ("a+alike", [0.9] * 4)):
        for seed, value in enumerate(scores):
            line = {"name": name, "seed": seed, "score": value, "verdicts": {"default": dataclasses.asdict(said())}}
            write_text(request.result(name, seed), strict_json(line).decode(), "result")
    models = read_models(entries, range(4), request)
    assert [(one.entry.name, one.is_faulty) for one in models] == [("a", False), ("a+broken", True)]
    assert models[1].runs[1].score == -math.inf
    assert models[1].runs[0].verdicts["default"] == said()


def test_score_counts_runs_and_names_those_that_err():
    warned = said("DD101", "warn")
    two = Said(said().findings, (said(action="MSG5").diagnoses[0], said(action="MSG0").diagnoses[0]))
    models = [
        model("a", verdicts=(SILENT, warned)),
        model("b", verdicts=(SILENT, said())),
        model("a", "labels", (said(action="MSG0"), two)),
        model("b", "rate", (said(), SILENT, warned, said("DD101", "info"))),
    ]
    found = score(models, {"labels": ("MSG0",), "rate": ("MSG3",)})
    values = {name: one.value for name, one in found.measures.items()}
    assert values == {
        "recall": 3 / 6, "recall, warnings too": 4 / 6, "healthy runs clean": 3 / 4,
        "healthy runs without a warning": 2 / 4, "root cause, first": 3 / 6, "root cause, first three": 4 / 6,
    }  # fmt: skip
    assert found.warnings == 1 / 4
    assert found.alarmed == ("b 1: DD304",)
    assert found.missed == ("b+rate 1: nothing", "b+rate 2: DD101", "b+rate 3: nothing")
    assert found.confused == {"labels": {"MSG0": 1, "MSG5": 1}, "rate": {"MSG3": 2, "no diagnosis": 2}}
    text = as_markdown(score_sheets({"deepdebug": found}, {"labels": "labels at other rows", "rate": "a wrong rate"}))
    assert "| recall | 0.500" in text
    assert "| >= 0.90 | NO |" in text


def test_threshold_is_chosen_by_alarms_then_by_what_it_finds_then_by_the_smallest_change():
    one = next(iter(thresholds()))
    assert len(one.candidates) == len(set(one.candidates)) <= len(FACTORS)

    def says(severity):  # of the candidates in order
        quiet = {(other.code, other.name, value): "" for other in thresholds() for value in other.candidates}
        return quiet | {(one.code, one.name, value): severity(place) for place, value in enumerate(one.candidates)}

    healthy = [says(lambda place: "error" if place < 2 else "")]
    faulty = [says(lambda place: "error" if place < 4 else ""), says(lambda place: "warn" if place == 2 else "")]
    known, tried, best = next(iter(table(healthy, faulty)))
    assert known == one
    assert [each.alarms for each in tried][:3] == [1, 1, 0]
    assert best.value == one.candidates[2]
    for other, _, kept in list(table(healthy, faulty))[1:]:
        assert kept.value == other.value  # nothing speaks for a change
    assert as_markdown([threshold_sheet(table(healthy, faulty))]).count("\n") > 20


def test_share_stays_a_share():
    assert max(Threshold("DD101", "max_fraction", 0.4).candidates) == 1.0
    assert max(Threshold("DD206", "factor", 10.0).candidates) == 40.0


@pytest.fixture(scope="module")
def building():
    pytest.importorskip("tensorflow")
    from benchmarks.zoo import building

    return building


def changed(building, operator, family="mlp"):
    return building.build(Entry(family, "", TUNING), 0), building.build(Entry(family, operator, TUNING), 0)


@pytest.mark.slow
def test_operators_change_what_they_say(building):
    original, mutant = changed(building, "rate_100_times")
    rates = [float(one.model.optimizer.learning_rate) for one in (original, mutant)]
    assert rates[1] == pytest.approx(100 * rates[0])

    _, mutant = changed(building, "start_at_zero")
    assert all(not np.any(layer.kernel) for layer in mutant.model.layers)

    _, mutant = changed(building, "no_activation")
    assert [layer.activation.__name__ for layer in mutant.model.layers] == ["linear", "linear", "softmax"]

    original, mutant = changed(building, "labels_shuffled")
    assert (original.y != mutant.y).mean() > 0.5
    assert sorted(original.y) == sorted(mutant.y)
    assert (original.test[1] == mutant.test[1]).all()

    original, mutant = changed(building, "inputs_unscaled")
    for before, after in ((original.x, mutant.x), (original.test[0], mutant.test[0])):
        assert after.max() == pytest.approx(255 * before.max())
    assert mutant.fit["validation_data"][0] is mutant.test[0]

    _, mutant = changed(building, "body_frozen")
    assert [bool(layer.trainable_variables) for layer in mutant.model.layers] == [False, False, True]

    _, mutant = changed(building, "dropout_strong")
    assert [type(layer).__name__ for layer in mutant.model.layers] == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]

    _, mutant = changed(building, "one_unit")
    assert [layer.units for layer in mutant.model.layers] == [1, 1, 10]

    original, mutant = changed(building, "other_loss")
    assert (original.model.loss, mutant.model.loss) == ("sparse_categorical_crossentropy", "mean_squared_error")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operator", "family"),
    [
        ("rate_100_times", "warmup_cosine"), ("softmax_of_one", "mlp"), ("no_bias", "residual_cnn"),
        ("columns_unscaled", "cnn"), ("inputs_unscaled", "pooled_embedding"), ("labels_shuffled", "tf_data"),
        ("start_dead", "tanh_mlp"),
    ],
)  # fmt: skip
def test_operator_that_finds_nothing_to_change_says_so(building, operator, family):
    from benchmarks.zoo.operators import NotApplicable

    with pytest.raises(NotApplicable):
        building.build(Entry(family, operator, TUNING), 0)


@pytest.mark.slow
def test_training_is_scored_judged_and_recorded(building, tmp_path):
    from benchmarks.zoo.job import judge_again, read, train

    request = Request(tmp_path)
    name = next(one.name for one in read_zoo() if one.operator == "rate_10000th")
    train(name, 0, request)
    line = read(name, 0, request)
    assert line["score"] < 0.5
    assert line["verdicts"]["default"]["findings"]
    judge_again(name, 0, request)
    assert read(name, 0, request) == line
