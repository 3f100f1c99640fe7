from dataclasses import replace

import pytest

from deepdebug.detectors.unchanged_activation import UnchangedActivation
from deepdebug.errors import NotJudged
from tests.detectors.deep import chain, change_observations, layer, moving, unskilled
from tests.factory import change_layer, classifier_facts, dense, healthy_run


def learning(facts=None, epochs=6):
    return moving(healthy_run(epochs, facts or chain(dense("first"), dense("second"), dense("head", 3, "softmax"))))


def still(run=None, *names, only=None):
    for name in names:
        run = change_layer(run, name, only, mean=0.4, rms=0.5)
    return run


def test_first_layer_that_stays_the_same_is_named():
    (finding,) = UnchangedActivation().detect(still(learning(), "first", "second"))
    assert (finding.layer, finding.severity, finding.location) == ("first", "warn", "FW")
    assert finding.evidence["layers_affected"] == 2


def test_untrained_model_makes_it_an_error():
    (finding,) = UnchangedActivation().detect(unskilled(still(learning(), "second")))
    assert finding.severity == "error"


def test_four_checks_are_not_enough():
    assert list(UnchangedActivation().detect(still(learning(), "second", only=(2, 3, 4, 5)))) == []


def test_change_in_the_maximum_alone_is_a_change():
    run = still(learning(), "second")
    assert list(UnchangedActivation().detect(change_layer(run, "second", only=(3,), maximum=3.01))) == []


def test_rounding_noise_is_no_change():
    run = change_layer(still(learning(), "second"), "second", only=(3,), rms=0.5 * (1 + 1e-7))
    assert len(list(UnchangedActivation().detect(run))) == 1


def test_dead_layer_is_told():
    run = change_layer(still(learning(), "second"), "second", mean=0.0, rms=0.0, maximum=0.0, dead_fraction=1.0)
    (finding,) = UnchangedActivation().detect(run)
    assert finding.evidence["dead_fraction"] == 1.0


def test_output_layer_is_silent():
    assert list(UnchangedActivation().detect(still(learning(), "head"))) == []


def test_reshaping_layer_is_silent():
    facts = chain(dense("first"), layer("flat", "Flatten", "reshape"), dense("head", 3, "softmax"))
    assert list(UnchangedActivation().detect(still(learning(facts), "flat"))) == []


def frozen(facts, name):
    layers = tuple(replace(one, trainable=one.name != name) for one in facts.layers)
    variables = tuple(replace(one, trainable=one.layer != name) for one in facts.variables)
    return replace(facts, layers=layers, variables=variables)


def test_frozen_base_is_silent():
    facts = frozen(chain(dense("base"), dense("hidden"), dense("head", 3, "softmax")), "base")
    assert list(UnchangedActivation().detect(still(learning(facts), "base"))) == []


def test_frozen_layer_behind_trained_ones_is_judged():
    facts = frozen(chain(dense("first"), dense("fixed"), dense("head", 3, "softmax")), "fixed")
    (finding,) = UnchangedActivation().detect(still(learning(facts), "fixed"))
    assert finding.layer == "fixed"


def without_flow(facts):
    return replace(facts, layers=tuple(replace(one, inputs=None) for one in facts.layers))


def test_unknown_flow_is_judged_when_nothing_is_frozen():
    facts = chain(dense("first"), dense("second"), dense("head", 3, "softmax"))
    assert list(UnchangedActivation().detect(still(learning(without_flow(facts)), "first")))
    assert list(UnchangedActivation().detect(still(learning(without_flow(frozen(facts, "second"))), "first"))) == []


def test_confirmation_on_more_rows_keeps_the_finding():
    run = change_observations(still(learning(), "second"), confirmed=False)
    run = change_layer(change_observations(run, only=(5,), rows=1024, confirmed=True), "second", only=(5,), rms=0.51)
    (finding,) = UnchangedActivation().detect(run)
    assert finding.layer == "second"


def test_learning_rate_that_has_run_out_is_not_judged():
    run = change_observations(still(learning(), "second"), only=(4, 5), learning_rate=1e-6)
    with pytest.raises(NotJudged, match="below 1 %"):
        list(UnchangedActivation().detect(run))


def test_too_short_a_run_is_not_judged():
    with pytest.raises(NotJudged, match="5 probed checks"):
        list(UnchangedActivation().detect(still(learning(epochs=4), "second")))


def test_healthy_run_is_silent():
    assert list(UnchangedActivation().detect(learning(classifier_facts()))) == []
