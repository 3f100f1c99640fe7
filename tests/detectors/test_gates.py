import math
from dataclasses import replace

import pytest

from deepdebug.detectors import gates
from deepdebug.errors import NotJudged
from deepdebug.facts import LayerFacts
from tests.detectors.deep import change_observations, with_alarm
from tests.factory import change_output, change_variable, classifier_facts, healthy_run


def with_losses(losses, constant=1.0):
    run = healthy_run(len(losses))
    seen = [run.observations[0]]
    for one, loss in zip(run.epochs, losses, strict=True):
        output = replace(one.outputs[0], loss=loss, constant_loss=constant, accuracy=0.8)
        seen.append(replace(one, loss=loss, outputs=(output,)))
    return replace(run, observations=seen)


def with_rates(rates):
    run = healthy_run(len(rates) - 1)
    seen = [replace(one, learning_rate=rate) for one, rate in zip(run.observations, rates, strict=True)]
    return replace(run, observations=seen)


def test_high_skill_is_learned():
    assert gates.learned(with_losses([0.5, 0.04]))


def test_perfect_accuracy_is_learned_whatever_the_loss():
    assert gates.learned(change_output(healthy_run(), accuracy=0.996))


@pytest.mark.parametrize(("majority", "learned"), [(0.997, False), (0.995, False), (0.99, True), (None, True)])
def test_accuracy_that_is_owed_to_the_commonest_class_is_not_learned(majority, learned):
    run = change_output(healthy_run(), accuracy=0.997, majority=majority, loss=1.0, constant_loss=1.0)
    assert gates.learned(run) is learned


def test_half_solved_task_is_not_learned():
    assert not gates.learned(with_losses([0.5, 0.2]))


def test_useful_model_at_rest_has_converged():
    run = with_losses([0.6, 0.5, 0.4, 0.4, 0.399, 0.4])
    assert gates.converged(run)
    assert not gates.learned(run)


def test_falling_loss_has_not_converged():
    assert not gates.converged(with_losses([0.6, 0.55, 0.5, 0.48, 0.46, 0.44]))


def test_useless_model_at_rest_has_not_converged():
    assert not gates.converged(with_losses([0.9] * 6))


def test_rising_loss_has_not_converged():
    assert not gates.converged(with_losses([0.2, 0.2, 0.2, 0.2, 0.4, 0.4]))


def test_plateau_needs_two_epochs_in_its_last_third():
    assert not gates.converged(with_losses([0.4] * 5))


def test_empty_run_has_not_converged():
    assert not gates.converged(replace(healthy_run(), observations=[]))


def test_last_checks_are_the_newest_in_order():
    assert [seen.epoch for seen in gates.last_checks(healthy_run(6), 3)] == [3, 4, 5]


def test_last_checks_leave_out_what_was_not_probed():
    run = change_observations(healthy_run(6), only=(4,), rows=0)
    assert [seen.epoch for seen in gates.last_checks(run, 3)] == [2, 3, 5]


def test_too_few_checks_are_not_judged():
    with pytest.raises(NotJudged, match="needs 3 probed checks after 50 updates"):
        gates.last_checks(healthy_run(2), 3)


def inside_the_first_epoch(steps, epochs=10):
    """Checks between batches at these numbers of updates, before the end of the first epoch."""
    facts = classifier_facts()
    template = healthy_run(1).latest
    seen = [replace(template, epoch=0, step=step, trigger="batch") for step in steps]
    return replace(healthy_run(0, replace(facts, fit=replace(facts.fit, epochs=epochs))), observations=seen)


def test_checks_inside_the_first_epoch_count_late():
    run = inside_the_first_epoch([60, 120, 180])
    assert gates.warm_probes(run) == []
    with pytest.raises(NotJudged, match="after 50 updates and one epoch, or after 200 updates"):
        gates.last_checks(run, 1)


def test_checks_inside_a_long_first_epoch_count_from_200_updates_on():
    run = inside_the_first_epoch([100, 199, 200, 300])
    assert [seen.step for seen in gates.last_checks(run, 2)] == [200, 300]
    assert [seen.step for seen in gates.warm_probes(run)] == [200, 300]


def test_checks_inside_the_only_epoch_count_after_the_warm_up():
    run = inside_the_first_epoch([40, 60, 120], epochs=1)
    assert [seen.step for seen in gates.last_checks(run, 2)] == [60, 120]


def test_nothing_else_is_judged_once_weights_are_not_finite():
    run = change_variable(healthy_run(6), "model/hidden/kernel", (5,), non_finite=0.5)
    with pytest.raises(NotJudged, match="DD201"):
        gates.last_checks(run, 3)


def onset_epochs(marks):
    """Marks per check: "." sound, "x" in trouble, "?" not seen."""
    run = healthy_run(len(marks) - 1)
    verdicts = {
        seen.epoch: {".": False, "x": True, "?": None}[mark] for seen, mark in zip(run.observations, marks, strict=True)
    }
    first, before = gates.onset(run, lambda seen: verdicts[seen.epoch])
    return first.epoch, None if before is None else before.epoch


@pytest.mark.parametrize(
    ("marks", "expected"),
    [("..xx", (1, 0)), (".x.x", (2, 1)), ("..x?x", (1, 0)), (".?x", (1, -1)), ("xxx", (-1, None)), ("?xx", (0, None))],
)
def test_trouble_begins_after_the_newest_sound_check(marks, expected):
    assert onset_epochs(marks) == expected


def test_batch_normalization_lengthens_the_warm_up():
    facts = classifier_facts()
    slow = LayerFacts("bn", "BatchNormalization", "normalization", config={"momentum": 0.99})
    assert gates.warm_up_updates(healthy_run(facts=replace(facts, layers=(*facts.layers, slow)))) == pytest.approx(300)


def test_rising_learning_rate_is_seen():
    assert gates.learning_rate_rising(with_rates([1e-5, 1e-4, 2e-4, 3e-4]))


def test_constant_learning_rate_after_a_warm_up_is_not_rising():
    assert not gates.learning_rate_rising(with_rates([1e-5, 1e-4, 1e-3, 1e-3, 1e-3]))


def test_schedule_at_its_end_has_run_out():
    assert gates.learning_rate_run_out(with_rates([1e-3, 5e-4, 9e-6]))


def test_learning_rate_of_zero_from_the_start_has_not_run_out():
    assert not gates.learning_rate_run_out(with_rates([0.0, 0.0, 0.0]))


@pytest.mark.parametrize(("loss", "penalty", "zero"), [(0.0, None, True), (0.5, 0.5, True), (1e-9, 0.0, False)])
def test_loss_without_penalties_is_zero(loss, penalty, zero):
    seen = change_observations(healthy_run(), loss=loss, penalty=penalty).latest
    assert gates.loss_is_zero(seen) is zero


def test_alarm_means_broken_and_diverging():
    run = with_alarm(healthy_run())
    assert gates.broken(run)
    assert gates.diverging(run)


def test_non_finite_epoch_loss_means_broken():
    assert gates.broken(change_observations(healthy_run(), only=(4,), metrics={"loss": math.inf}))


@pytest.mark.parametrize(("loss", "diverging"), [(1.79, False), (1.81, True)])
def test_loss_of_half_as_much_again_as_the_first_is_diverging(loss, diverging):
    run = change_observations(healthy_run(), only=(4,), loss=loss)
    assert gates.diverging(run) is diverging


def test_epoch_losses_tell_of_divergence_where_the_probe_has_none():
    run = change_observations(healthy_run(), loss=None)
    assert not gates.diverging(run)
    assert gates.diverging(change_observations(run, only=(4,), metrics={"loss": 9.0}))


def test_last_sound_check_lies_before_the_broken_ones():
    run = with_alarm(with_alarm(healthy_run(3)))
    assert gates.last_sound(run).epoch == 2


def test_learning_rate_in_force_comes_before_the_compiled_one():
    assert gates.optimizer_learning_rate(with_rates([1e-3, 5e-4])) == 5e-4
    assert gates.optimizer_learning_rate(change_observations(healthy_run(), learning_rate=None)) == 1e-3
