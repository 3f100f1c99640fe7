import math
from dataclasses import replace

import pytest

from deepdebug.detectors.no_skill import NoSkill
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LossFacts, OutputFacts
from deepdebug.observation import Run
from tests.detectors.loss_runs import loss_run, prefixes
from tests.detectors.static_runs import class_numbers
from tests.factory import change_output, healthy_run, with_metric

FLAT = [0.693] * 6


def findings(run):
    return list(NoSkill().detect(run))


def with_second_output(run: Run, loss: float | None, kind: str = "mean_squared_error") -> Run:
    second = OutputFacts("second", "second", "linear", "second", (1,), LossFacts(kind))
    seen = [
        replace(one, outputs=(*one.outputs, replace(one.outputs[0], name="second", loss=loss, accuracy=None)))
        for one in run.observations
    ]
    return replace(run, facts=replace(run.facts, outputs=(*run.facts.outputs, second)), observations=seen)


def test_model_no_better_than_a_constant_is_an_error():
    (finding,) = findings(loss_run(FLAT, skill=0.01))
    assert (finding.severity, finding.layer, finding.value) == ("error", "head", pytest.approx(0.01))
    assert "skill of 0.01 after 600 updates: loss 0.99, the best constant 1; accuracy 0.4" in finding.message


def test_skill_just_above_the_threshold_is_silent():
    assert findings(loss_run(FLAT, skill=0.021)) == []


def test_skill_that_few_rows_show_by_chance_is_left_to_the_second_look():
    run = loss_run(FLAT, skill=0.04)
    few = [replace(seen, rows=32, confirmed=False) for seen in run.observations]
    assert len(findings(replace(run, observations=few))) == 1
    assert findings(replace(run, observations=[*few[:-1], replace(few[-1], rows=320, confirmed=True)])) == []


def test_one_check_with_skill_is_enough_to_be_silent():
    assert findings(change_output(loss_run(FLAT, skill=0.0), only=(4,), loss=0.9)) == []


def test_rising_skill_waits_for_the_end_of_training():
    run = loss_run(FLAT, skill=-1.0)
    for epoch, loss in ((3, 2.0), (4, 1.9), (5, 1.8)):
        run = change_output(run, only=(epoch,), loss=loss)
    assert findings(run) == []
    assert [finding.severity for finding in findings(replace(run, finished=True))] == ["error"]


def test_model_that_uses_its_input_is_silent():
    run = loss_run(FLAT, skill=-0.5)
    assert findings(replace(run, observations=[replace(seen, permuted_loss=1.0) for seen in run.observations])) == []


def test_weighted_classes_need_the_permuted_loss():
    run = loss_run(FLAT, skill=-0.5)
    fit = replace(run.facts.fit, class_weight=True)
    unknown = [replace(seen, permuted_loss=None) for seen in run.observations]
    with pytest.raises(NotJudged, match="weighted"):
        findings(replace(run, facts=replace(run.facts, fit=fit), observations=unknown))


def test_one_of_two_outputs_without_skill_is_a_warning():
    (finding,) = findings(with_second_output(loss_run(FLAT, skill=0.0), loss=0.2))
    assert (finding.severity, finding.layer) == ("warn", "head")


def test_all_outputs_without_skill_are_errors():
    found = findings(with_second_output(loss_run(FLAT, skill=0.0), loss=1.0))
    assert [(finding.severity, finding.layer) for finding in found] == [("error", "head"), ("error", "second")]


def test_output_without_a_loss_does_not_count():
    (finding,) = findings(with_second_output(loss_run(FLAT, skill=0.0), loss=None, kind="none"))
    assert finding.severity == "error"


def test_output_of_unknown_skill_is_not_judged():
    with pytest.raises(NotJudged, match="every output"):
        findings(with_second_output(loss_run(FLAT, skill=0.0), loss=None, kind="custom"))


def test_learning_rate_that_has_run_out_is_silent():
    run = loss_run(FLAT, skill=0.0)
    spent = replace(run.latest, learning_rate=1e-6)
    assert findings(replace(run, observations=[*run.observations[:-1], spent])) == []


def test_healthy_run_is_silent_at_every_check():
    for run in prefixes(healthy_run(12))[5:]:
        assert findings(run) == []


def test_too_few_checks_are_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks after 200 updates"):
        findings(loss_run(FLAT[:3], skill=0.0))


def validated(losses, kind="categorical_crossentropy", **fit):
    """A run with skill on the training rows, and these validation losses."""
    run = with_metric(loss_run([1.0] * len(losses), skill=0.3), "val_loss", losses)
    run = replace(run, observations=[replace(seen, permuted_loss=2.0) for seen in run.observations])
    labels = class_numbers(2, class_counts=(60, 40), rows=100, variance=0.24)
    data = DataFacts(1000, True, labels=(labels,), validation_labels=(labels,))
    output = replace(run.facts.outputs[0], loss=LossFacts(kind))
    facts = replace(run.facts, data=data, outputs=(output,), fit=replace(run.facts.fit, **fit))
    return replace(run, facts=facts)


def test_model_without_skill_on_the_validation_data_is_a_warning():
    (finding,) = findings(validated([0.68, 0.665, 0.67, 0.69]))
    assert (finding.severity, finding.layer, finding.value) == ("warn", "head", pytest.approx(0.012, abs=1e-3))
    assert "the loss was 0.665 at best, that of the best constant is 0.673" in finding.message


def test_model_that_ends_without_skill_on_the_validation_data_is_an_error():
    run = replace(validated([0.68, 0.665, 0.67, 0.69]), finished=True)
    assert [one.severity for one in findings(run)] == ["error"]


def test_small_skill_on_many_validation_rows_is_no_chance_and_stays_a_warning():
    run = replace(validated([0.68, 0.665, 0.67, 0.69]), finished=True)
    many = class_numbers(2, class_counts=(6000, 4000), rows=10_000)
    run = replace(run, facts=replace(run.facts, data=replace(run.facts.data, validation_labels=(many,))))
    assert [one.severity for one in findings(run)] == ["warn"]


@pytest.mark.parametrize(
    ("metric", "accuracy", "severity"),
    [
        ("val_accuracy", 0.85, "warn"),
        ("val_accuracy", 0.65, "error"),  # of 100 rows, 60 of the commonest class: chance
        ("val_accuracy", 0.61, "error"),
        ("val_accuracy", math.nan, "error"),
        ("val_top_k_accuracy", 0.85, "error"),
    ],
)
def test_model_that_finds_other_classes_is_sure_of_its_errors_and_no_error(metric, accuracy, severity):
    run = with_metric(validated([0.68, 0.675, 0.67, 0.69]), metric, [accuracy] * 4)
    (found,) = findings(replace(run, finished=True))
    assert found.severity == severity


def test_model_that_was_far_above_the_constant_from_the_start_is_an_error_whatever_it_finds():
    run = with_metric(validated([0.68, 0.675, 0.67, 0.69]), "val_accuracy", [0.85] * 4)
    run = with_metric(run, "loss", [50.0, 1.0, 1.0, 1.0])
    seen = [replace(one, loss=50.0) if one.epoch < 0 else one for one in run.observations]
    assert [one.severity for one in findings(replace(run, observations=seen, finished=True))] == ["error"]


def test_little_skill_that_is_gone_is_an_error_where_the_accuracy_is_at_chance():
    losses = [0.64, 0.665, 0.67, 0.69]
    for accuracy, severities in ((0.65, ["error"]), (0.9, []), (math.nan, [])):
        run = with_metric(validated(losses), "val_accuracy", [accuracy] * 4)
        assert [one.severity for one in findings(replace(run, finished=True))] == severities
    assert findings(replace(validated(losses), finished=True)) == []


def test_accuracy_over_columns_says_nothing_about_classes():
    run = with_metric(validated([2.4, 2.35, 2.4, 2.5]), "val_binary_accuracy", [0.9] * 4)
    labels = class_numbers(10, class_counts=(10,) * 10, rows=100)
    run = replace(run, facts=replace(run.facts, data=replace(run.facts.data, validation_labels=(labels,))))
    assert [one.severity for one in findings(replace(run, finished=True))] == ["error"]


def test_learning_rate_that_has_run_out_does_not_excuse_the_validation_loss():
    run = validated([0.68, 0.665, 0.67, 0.69])
    rates = [1e-3] * (len(run.observations) - 1) + [1e-9]
    seen = [replace(one, learning_rate=rate) for one, rate in zip(run.observations, rates, strict=True)]
    assert len(findings(replace(run, observations=seen))) == 1


def test_variance_of_the_targets_is_the_yardstick_of_a_regression():
    assert len(findings(validated([0.25, 0.24, 0.25, 0.26], "mean_squared_error"))) == 1
    assert findings(validated([0.25, 0.2, 0.25, 0.26], "mean_squared_error")) == []


def test_one_epoch_with_skill_on_the_validation_data_is_enough_to_be_silent():
    assert findings(validated([0.68, 0.65, 0.67, 0.69])) == []


def test_weighted_classes_have_no_yardstick_on_the_validation_data():
    assert findings(validated([0.68, 0.67, 0.67, 0.69], class_weight=True)) == []
