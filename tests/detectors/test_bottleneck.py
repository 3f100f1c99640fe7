from dataclasses import replace

import pytest

from deepdebug.detectors.bottleneck import Bottleneck
from deepdebug.errors import NotJudged
from deepdebug.facts import OutputFacts
from tests.detectors.static_runs import layer, one_hot, one_output
from tests.factory import dense, healthy_run


def through(*layers, loss="categorical_crossentropy", shape=(3,)):
    """A run of these layers and a head behind the last of them."""
    run = one_output("softmax", loss, one_hot(), shape)
    head = replace(run.facts.layers[-1], inputs=(layers[-1].name,))
    return replace(run, facts=replace(run.facts, layers=(*layers, head)))


WIDE = replace(dense("wide", 16, inputs=("input",)), output_shape=(16,))
NARROW = replace(dense("narrow", 1, inputs=("wide",)), output_shape=(1,))


def test_one_unit_before_three_classes_is_a_warning():
    (found,) = Bottleneck().detect(through(WIDE, NARROW))
    assert (found.severity, found.layer, found.confidence) == ("warn", "narrow", "certain")
    assert found.message == (
        "Layer 'narrow' has one unit, through which all goes by which output 'head' tells 3 classes apart"
    )


@pytest.mark.parametrize(("skill", "severity"), [(0.3, "error"), (0.7, "warn")])
def test_it_is_an_error_when_training_has_ended_and_little_was_learned(skill, severity):
    run = through(WIDE, NARROW)
    seen = healthy_run().observations[-1]
    seen = replace(seen, outputs=tuple(replace(one, loss=1 - skill, constant_loss=1.0) for one in seen.outputs))
    (found,) = Bottleneck().detect(replace(run, observations=[seen], finished=True))
    assert found.severity == severity


def test_two_units_two_classes_other_losses_and_the_head_itself_are_silent():
    two = replace(dense("narrow", 2, inputs=("wide",)), output_shape=(2,))
    for run in (
        through(WIDE, two),
        through(WIDE, NARROW, shape=(2,)),
        through(WIDE, NARROW, loss="mean_squared_error"),
        through(WIDE),
    ):
        assert list(Bottleneck().detect(run)) == []


def test_a_way_around_is_enough():
    merged = layer("merged", "Concatenate", "merge", inputs=("wide", "narrow"))
    past = layer("past", "Concatenate", "merge", inputs=("narrow", "input"))
    assert list(Bottleneck().detect(through(WIDE, NARROW, merged))) == []
    assert list(Bottleneck().detect(through(WIDE, NARROW, past))) == []


def test_one_of_several_outputs_is_told():
    run = through(WIDE, NARROW)
    other = OutputFacts("other", "wide", "linear", "wide", (16,), run.facts.outputs[0].loss)
    run = replace(run, facts=replace(run.facts, outputs=(*run.facts.outputs, other)))
    assert [one.layer for one in Bottleneck().detect(run)] == ["narrow"]


def test_unknown_flow_is_not_judged():
    lost = replace(NARROW, inputs=None)
    with pytest.raises(NotJudged, match="could not be followed"):
        list(Bottleneck().detect(through(WIDE, lost)))
