from dataclasses import replace

import pytest

from deepdebug.detectors.noisy_labels import NoisyLabels
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, LossFacts
from tests.detectors.loss_runs import loss_run
from tests.detectors.static_runs import class_numbers
from tests.factory import with_metric


def validated(losses, skill, training=1.0, **fit):
    """A run with this skill on the training rows and these validation losses; the best constant has 0.673."""
    run = with_metric(loss_run([training] * len(losses), skill=skill), "val_loss", losses)
    labels = class_numbers(2, class_counts=(60, 40), rows=100)
    output = replace(run.facts.outputs[0], loss=LossFacts("sparse_categorical_crossentropy"))
    data = DataFacts(1000, True, labels=(labels,), validation_labels=(labels,))
    return replace(run, facts=replace(run.facts, data=data, outputs=(output,), fit=replace(run.facts.fit, **fit)))


def test_labels_that_can_be_told_better_on_validation_rows_are_a_warning_and_an_error_at_the_end():
    run = validated([0.6, 0.3, 0.3, 0.35], skill=0.25)
    (found,) = NoisyLabels().detect(run)
    assert (found.severity, found.value) == ("warn", pytest.approx(1 - 0.3 / 0.673 - 0.25, abs=1e-3))
    assert "skill is 0.25 on training rows and 0.554 on the validation data" in found.message
    assert [one.severity for one in NoisyLabels().detect(replace(run, finished=True))] == ["error"]


@pytest.mark.parametrize("losses", [[0.6, 0.45, 0.45, 0.46], [0.6, 0.5, 0.45, 0.1], [0.7, 0.7, 0.9, 0.9]])
def test_small_gap_a_single_good_epoch_and_overfitting_are_silent(losses):
    assert list(NoisyLabels().detect(validated(losses, skill=0.25))) == []


def test_gap_that_few_validation_rows_show_by_chance_is_silent():
    run = validated([0.6, 0.4, 0.4, 0.4], skill=0.25)
    (labels,) = run.facts.data.validation_labels
    for rows, count in ((60, 0), (600, 1)):
        data = replace(run.facts.data, validation_labels=(replace(labels, rows=rows),))
        assert len(list(NoisyLabels().detect(replace(run, facts=replace(run.facts, data=data))))) == count


@pytest.mark.parametrize("change", [{"class_weight": True}, {"sample_weight": True}])
def test_weighted_rows_are_not_judged(change):
    with pytest.raises(NotJudged, match="known best constant"):
        list(NoisyLabels().detect(validated([0.6, 0.3, 0.3, 0.35], skill=0.25, **change)))


def test_categorical_loss_of_one_unit_is_0_whatever_the_labels_and_not_judged():
    run = validated([0.6, 0.0, 0.0, 0.0], skill=0.0)
    (output,) = run.facts.outputs
    run = replace(run, facts=replace(run.facts, outputs=(replace(output, shape=(None, 1)),)))
    with pytest.raises(NotJudged, match="known best constant"):
        list(NoisyLabels().detect(run))


def test_loss_that_training_logs_counts_where_it_is_better_than_that_of_the_probe():
    assert list(NoisyLabels().detect(validated([0.6, 0.3, 0.3, 0.35], skill=-6.0, training=0.3))) == []
    (found,) = NoisyLabels().detect(validated([0.6, 0.3, 0.3, 0.35], skill=-6.0, training=2.0))
    assert found.evidence["skill"] == 0.0


def test_without_skill_or_validation_data_it_is_not_judged():
    for run in (validated([0.6, 0.3, 0.3, 0.35], skill=None), loss_run([1.0] * 4, skill=0.3)):
        with pytest.raises(NotJudged, match="3 epochs with validation data"):
            list(NoisyLabels().detect(run))
