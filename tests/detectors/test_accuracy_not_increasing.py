from dataclasses import replace

import pytest

from deepdebug.detectors.accuracy_not_increasing import AccuracyNotIncreasing
from deepdebug.errors import NotJudged
from deepdebug.facts import LossFacts, OutputFacts
from tests.detectors.loss_runs import loss_run, prefixes
from tests.factory import change_output, classifier_facts, healthy_run, with_metric

FLAT = [0.693, 0.694, 0.692, 0.693, 0.694, 0.693, 0.692, 0.694]


def findings(run):
    return list(AccuracyNotIncreasing().detect(run))


def majority_run(accuracy: float = 0.34, **changes):
    return change_output(loss_run(FLAT, skill=0.0), accuracy=accuracy, majority=0.34, **changes)


def flat_accuracy_run(losses, skill=0.1):
    return with_metric(loss_run(losses, skill=skill), "accuracy", [0.40, 0.41, 0.40, 0.41, 0.40, 0.41, 0.40, 0.40])


def test_accuracy_of_the_commonest_class_without_skill_is_an_error():
    (finding,) = findings(majority_run())
    assert (finding.severity, finding.layer, finding.value) == ("error", "head", 0.34)
    assert "0.34 after 800 updates; always naming the commonest class gives 0.34" in finding.message
    assert finding.evidence["low"] < 0.34 < finding.evidence["high"]


def test_accuracy_just_above_the_commonest_class_is_no_error():
    assert [finding.severity for finding in findings(majority_run(0.36))] != ["error"]


def test_one_good_check_among_three_is_enough_to_be_silent():
    run = change_output(majority_run(), only=(5,), accuracy=0.5)
    assert "error" not in [finding.severity for finding in findings(run)]


def test_rare_class_with_skill_at_majority_accuracy_is_silent():
    run = change_output(loss_run(FLAT, skill=0.3, start=1.2), accuracy=0.952, majority=0.952)
    assert findings(with_metric(run, "accuracy", [0.952] * 8)) == []


def test_unknown_skill_needs_a_model_that_ignores_its_input():
    run = majority_run(loss=None, constant_loss=None)
    assert [finding.severity for finding in findings(run)] == ["error"]
    uses_input = [replace(seen, permuted_loss=1.0) for seen in run.observations]
    assert "error" not in [finding.severity for finding in findings(replace(run, observations=uses_input))]


def test_one_of_two_outputs_without_gain_is_a_warning():
    second = OutputFacts("second", "second", "softmax", "second", (3,), LossFacts("categorical_crossentropy"))
    run = majority_run()
    facts = classifier_facts(outputs=(*run.facts.outputs, second))
    seen = [
        replace(one, outputs=(*one.outputs, replace(one.outputs[0], name="second", accuracy=0.9, loss=0.3)))
        for one in run.observations
    ]
    (finding,) = findings(replace(run, facts=facts, observations=seen))
    assert (finding.severity, finding.layer) == ("warn", "head")


def test_flat_training_accuracy_under_a_flat_loss_is_a_warning():
    (finding,) = findings(flat_accuracy_run(FLAT))
    assert (finding.severity, finding.layer) == ("warn", None)


def test_flat_training_accuracy_under_a_falling_loss_is_advice():
    (finding,) = findings(flat_accuracy_run([1.0 - 0.01 * epoch for epoch in range(8)]))
    assert finding.severity == "info"


def test_flat_training_accuracy_at_the_skill_that_noisy_labels_allow_is_advice():
    (finding,) = findings(flat_accuracy_run(FLAT, skill=0.25))
    assert finding.severity == "info"


def test_flat_accuracy_of_a_model_that_has_learned_is_silent():
    assert findings(flat_accuracy_run(FLAT, skill=0.6)) == []


def test_healthy_run_is_silent_at_every_check():
    for run in prefixes(healthy_run(12))[5:]:
        assert findings(run) == []


def test_too_few_checks_are_not_judged():
    with pytest.raises(NotJudged, match="3 probed checks after 200 updates"):
        findings(healthy_run(3))


def test_warm_up_of_the_learning_rate_is_not_judged():
    run = majority_run()
    warming = [replace(seen, learning_rate=1e-4 * (seen.epoch + 2)) for seen in run.observations]
    with pytest.raises(NotJudged, match="warm-up"):
        findings(replace(run, observations=warming))


def test_labels_that_are_no_classes_are_not_judged():
    with pytest.raises(NotJudged, match="classes"):
        findings(change_output(healthy_run(5), accuracy=None, majority=None))


def test_rising_training_accuracy_is_silent():
    run = with_metric(loss_run(FLAT, skill=0.1), "accuracy", [0.3 + 0.02 * epoch for epoch in range(8)])
    assert findings(run) == []


def test_solved_task_is_silent():
    assert findings(change_output(majority_run(), loss=0.01)) == []
