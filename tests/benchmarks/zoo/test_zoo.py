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
from benchmarks.zoo.results import Model, Read, Run, is_worse, read_models
from benchmarks.zoo.score import score
from benchmarks.zoo.thresholds import FACTORS, FAILED, Threshold, table, thresholds
from benchmarks.zoo.zoo import REPORTING, TUNING, Entry, choose, read_zoo, write_zoo
from deepdebug.files import write_text
from deepdebug.strict_json import strict_json

SILENT = Said((), ())


def said(code="DD304", severity="error", cause="learning_rate_low"):
    return Said(
        (Found(code, severity, "strong", None, 0, 1, 0.5),), (Diagnosed(cause, "a fault", "MSG3", (code,), (None,)),)
    )


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
    entries = tuple(choose(["a", "b", "c", "d"], {"break": ["a", "b", "d"], "none": []}, {}))
    assert {one.name: one.half for one in entries} == {
        "a": TUNING, "b": REPORTING, "c": TUNING, "d": REPORTING,
        "a+break": TUNING, "b+break": REPORTING, "d+break": REPORTING,
    }  # fmt: skip
    write_zoo(entries, tmp_path / "zoo.csv")
    assert read_zoo(tmp_path / "zoo.csv") == entries


def test_family_that_has_been_in_the_zoo_stays_in_its_half():
    known = {"b": TUNING, "d": REPORTING}
    entries = list(choose(["new", "a", "b", "c", "d"], {}, known))
    assert {one.name: one.half for one in entries} == {
        "new": TUNING, "a": REPORTING, "b": TUNING, "c": TUNING, "d": REPORTING,
    }  # fmt: skip


def test_halves_are_trained_with_other_seeds():
    assert [list(Entry("a", "", half).seeds(2)) for half in (TUNING, REPORTING)] == [[0, 1], [100, 101]]


FINE = [0.95, 0.96, 0.97, 0.96, 0.95]


@pytest.mark.parametrize(
    ("mutant", "is_faulty"),
    [
        ([0.2, 0.3, 0.2, 0.9, 0.1], True),
        ([-math.inf] * 5, True),
        ([0.95, 0.94, 0.97, 0.96, 0.95], False),
        ([0.93, 0.94, 0.92, 0.93, 0.94], False),  # surely worse, by too little
        ([0.5, 0.97, 0.96, 0.5, 0.5], False),  # much worse in the middle, by chance as like as not
        ([0.99] * 5, False),
    ],
)
def test_mutant_counts_as_faulty_only_when_it_is_worse_by_much_and_not_by_chance(mutant, is_faulty):
    assert is_worse(FINE, mutant) is is_faulty


def test_score_below_nothing_can_get_worse():
    assert is_worse([-0.1, -0.1, -0.1, -0.1], [-5.0, -6.0, -7.0, -5.0])


def write_line(request, name, seed, **line):
    verdicts = {"default": dataclasses.asdict(said())}
    known = {"name": name, "seed": seed, "error": "", "score": 0.9, "verdicts": verdicts, **line}
    write_text(request.result(name, seed), strict_json(known).decode(), "result")


def test_what_is_no_fault_is_refused_or_not_done_is_told_apart(tmp_path):
    operators = ("", "broken", "alike", "refused", "half")
    entries = [Entry("a", operator, TUNING) for operator in operators]
    request = Request(tmp_path)
    for seed, value in enumerate([0.9, 0.91, 0.92, 0.93]):
        write_line(request, "a", seed, score=value)
        write_line(request, "a+alike", seed, score=value - 0.001)
        write_line(request, "a+refused", seed, error="ValueError: no")
    for seed, value in enumerate([0.1, None, 0.2, 0.1]):
        write_line(request, "a+broken", seed, score=value)
    write_line(request, "a+half", 0, score=0.1)
    found = read_models(entries, 4, request)
    assert [(one.entry.name, one.is_faulty) for one in found.models] == [("a", False), ("a+broken", True)]
    assert (found.alike, found.missing) == (("a+alike",), ("a+half",))
    assert found.refused == {"a+refused": "ValueError: no"}
    assert found.models[1].runs[1].score == -math.inf
    assert found.models[1].runs[0].verdicts["default"] == said()


def test_score_counts_runs_and_names_those_that_err():
    warned = said("DD101", "warn")
    other, right = (said(cause=cause).diagnoses[0] for cause in ("depth", "labels_unrelated"))
    models = [
        model("a", verdicts=(SILENT, warned)),
        model("b", verdicts=(SILENT, said())),
        model("a", "labels", (said(cause="labels_unrelated"), Said(said().findings, (other, right)))),
        model("b", "rate", (said(), SILENT, warned, said("DD101", "info"))),
    ]
    found = score(models, {"labels": ("labels_unrelated",), "rate": ("learning_rate_low",)})
    values = {name: one.value for name, one in found.measures.items()}
    assert values == {
        "recall": 3 / 6, "recall, warnings too": 4 / 6, "healthy runs clean": 3 / 4,
        "healthy runs without a warning": 2 / 4, "root cause, first": 3 / 6, "root cause, first three": 4 / 6,
    }  # fmt: skip
    assert found.warnings == 1 / 4
    assert found.alarmed == ("b 1: DD304",)
    assert found.missed == ("b+rate 1: nothing", "b+rate 2: DD101", "b+rate 3: nothing")
    assert found.confused == {
        "labels": {"labels_unrelated": 1, "depth": 1}, "rate": {"learning_rate_low": 2, "no diagnosis": 2},
    }  # fmt: skip
    faults = {"labels": "labels at other rows", "rate": "a wrong rate"}
    text = as_markdown(score_sheets(Read(tuple(models), ("a+none",)), {"deepdebug": found}, faults))
    assert "1 are no worse, 0 are refused by Keras" in text
    assert "| recall | 0.500" in text
    assert "| >= 0.90 | NO |" in text
    assert "| warnings per healthy run | 0.25 | <= 0.3 | yes |" in text


def test_interval_around_all_of_few_families_has_a_width():
    clean = score([model(name) for name in "abcde"], {}).measures["healthy runs clean"]
    assert (clean.value, clean.high) == (1, 1)
    assert 0.5 < clean.low < 0.6  # Wilson: 0.57


def test_threshold_is_the_one_that_finds_most_among_the_quiet_ones():
    one = next(iter(thresholds()))
    assert len(one.candidates) == len(set(one.candidates)) <= len(FACTORS)

    def says(severity):  # of the candidates in order
        quiet = {(other.code, other.name, value): "" for other in thresholds() for value in other.candidates}
        return quiet | {(one.code, one.name, value): severity(place) for place, value in enumerate(one.candidates)}

    healthy = [says(lambda place: "error" if place < 2 else FAILED if place == 4 else "")]
    faulty = [says(lambda place: "error" if place < 5 else ""), says(lambda place: "warn" if place == 2 else "")]
    known, tried, best = next(iter(table(healthy, faulty)))
    assert known == one
    assert [each.alarms for each in tried][:3] == [1, 1, 0]
    assert [each.works for each in tried][3:5] == [True, False]
    assert best.value == one.candidates[2]
    for other, _, kept in list(table(healthy, faulty))[1:]:
        assert kept.value == other.value  # nothing speaks for a change
    assert as_markdown([threshold_sheet(table(healthy, faulty))]).count("\n") > 20


def test_share_stays_a_share():
    assert max(Threshold("DD101", "max_fraction", 0.4).candidates) == 1.0
    assert max(Threshold("DD206", "factor", 10.0).candidates) == 40.0
    assert min(Threshold("DD208", "min_log10_update", -5.0).candidates) == -20.0


@pytest.fixture(scope="module")
def building():
    pytest.importorskip("tensorflow")
    from benchmarks.zoo import building

    return building


def changed(building, operator, family="mlp"):
    return building.build(Entry(family, "", TUNING), 0), building.build(Entry(family, operator, TUNING), 0)


def rates(original, mutant):
    before, after = (float(one.model.optimizer.learning_rate) for one in (original, mutant))
    return after == pytest.approx(100 * before)


def labels_moved(original, mutant):
    is_same_set = sorted(original.y) == sorted(mutant.y) and (original.test[1] == mutant.test[1]).all()
    return is_same_set and (original.y != mutant.y).mean() > 0.5


def inputs_grew(original, mutant):
    pairs = (
        (original.x, mutant.x),
        (original.test[0], mutant.test[0]),
        (original.test[0], mutant.fit["validation_data"][0]),
    )
    return all(after.max() == pytest.approx(255 * before.max()) for before, after in pairs)


def kinds(training):
    return [type(layer).__name__ for layer in training.model.layers]


CHANGES = {
    "rate_100_times": rates,
    "start_at_zero": lambda _, mutant: all(not np.any(layer.kernel) for layer in mutant.model.layers),
    "start_dead": lambda _, mutant: [float(np.max(layer.bias)) for layer in mutant.model.layers] == [-30, -30, 0],
    "no_activation": lambda _, mutant: (
        [one.activation.__name__ for one in mutant.model.layers] == ["linear", "linear", "softmax"]
    ),
    "tanh_output": lambda _, mutant: (
        [one.activation.__name__ for one in mutant.model.layers] == ["relu", "relu", "tanh"]
    ),
    "labels_shuffled": labels_moved,
    "inputs_unscaled": inputs_grew,
    "body_frozen": lambda _, mutant: (
        [bool(one.trainable_variables) for one in mutant.model.layers] == [False, False, True]
    ),
    "dropout_strong": lambda _, mutant: kinds(mutant) == ["Dense", "Dropout", "Dense", "Dropout", "Dense"],
    "one_unit": lambda _, mutant: [layer.units for layer in mutant.model.layers] == [1, 1, 10],
    "no_bias": lambda _, mutant: not any(layer.use_bias for layer in mutant.model.layers),
    "other_loss": lambda original, mutant: (
        (original.model.loss, mutant.model.loss) == ("sparse_categorical_crossentropy", "mean_squared_error")
    ),
    "one_batch": lambda _, mutant: mutant.fit["batch_size"] == len(mutant.x),
    "few_rows": lambda original, mutant: len(mutant.x) == len(mutant.y) == len(original.x) // 50,
}


@pytest.mark.slow
@pytest.mark.parametrize("operator", CHANGES)
def test_operator_changes_what_it_says(building, operator):
    assert CHANGES[operator](*changed(building, operator))


@pytest.mark.slow
def test_frozen_layers_and_changed_rates_are_what_is_trained(building):
    _, mutant = changed(building, "body_frozen")
    before = [np.array(one) for one in mutant.model.get_weights()]
    mutant.model.fit(mutant.x[:64], mutant.y[:64], epochs=1, verbose=0)
    moved = [bool(np.any(old != new)) for old, new in zip(before, mutant.model.get_weights(), strict=True)]
    assert moved == [False] * 4 + [True] * 2


@pytest.mark.slow
def test_causes_of_operators_are_ours(building):
    from benchmarks.zoo.operators import OPERATORS
    from deepdebug.diagnosis.causes import CAUSES

    assert {cause for one in OPERATORS.values() for cause in one.causes} <= {one.name for one in CAUSES}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("operator", "family"),
    [
        ("rate_100_times", "warmup_cosine"), ("softmax_of_one", "mlp"), ("no_bias", "residual_cnn"),
        ("columns_unscaled", "cnn"), ("inputs_unscaled", "pooled_embedding"), ("labels_shuffled", "tf_data"),
        ("start_dead", "tanh_mlp"), ("no_activation", "two_outputs"), ("body_frozen", "adversarial"),
    ],
)  # fmt: skip
def test_operator_that_finds_nothing_to_change_says_so(building, operator, family):
    from benchmarks.zoo.changing import NotApplicable

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
    assert read(name, 0, request)["verdicts"] == line["verdicts"]
