from dataclasses import replace

import pytest

from deepdebug import deepdiagnosis
from deepdebug.detectors.registry import all_rules, judge
from deepdebug.errors import UsageError
from deepdebug.judging import replay
from deepdebug.presets import PRESETS, find_preset
from tests.factory import change_layer, classifier_facts, healthy_run, with_metric


def test_default_preset_runs_every_detector_of_the_registry():
    chosen = find_preset("default")
    assert [type(one) for one in chosen.detectors(None, ())] == list(all_rules())
    assert not chosen.first_hit_wins


def test_published_preset_runs_its_own_detectors_in_the_order_of_the_program():
    chosen = find_preset("deepdiagnosis")
    assert tuple(type(one) for one in chosen.detectors(None, ())) == deepdiagnosis.DETECTORS
    assert chosen.first_hit_wins


def test_published_detectors_share_code_symptom_and_abbreviation_with_ours():
    names = {rule.code: (rule.symptom, rule.abbreviation) for rule in all_rules()}
    assert all(names[rule.code] == (rule.symptom, rule.abbreviation) for rule in deepdiagnosis.DETECTORS)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_detectors_can_be_selected_and_ignored(preset):
    codes = {one.code for one in preset.detectors(("DD1", "VGS"), ("dead-units",))}
    assert codes >= {"DD102", "DD205"}
    assert "DD101" not in codes
    assert "DD303" not in codes


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_unknown_detector_is_refused(preset):
    with pytest.raises(UsageError, match="'DD999'"):
        preset.detectors(("DD999",), ())


def test_first_finding_of_the_published_preset_is_the_first_of_its_loops():
    facts = classifier_facts()
    facts = replace(facts, outputs=(replace(facts.outputs[0], activation="tanh"),))
    run = change_layer(healthy_run(1, facts), "hidden", non_finite=1.0)
    chosen = find_preset("deepdiagnosis")
    log = replay(replace(run, facts=facts), chosen.detectors(None, ()), first_hit_wins=True, arrange=chosen.arrange)
    assert [one.code for one in log.findings] == ["DD103"]  # of the first layer, though DD104 is asked for before


def test_selection_that_leaves_no_published_check_is_refused():
    with pytest.raises(UsageError, match=r"'DD411'.*leave no check of the preset 'deepdiagnosis'"):
        find_preset("deepdiagnosis").detectors(("DD411",), ())


def test_unknown_preset_is_refused_with_the_known_names():
    with pytest.raises(UsageError, match=r"got 'umlaut'.*'default' and 'deepdiagnosis'"):
        find_preset("umlaut")


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.name)
def test_findings_of_a_preset_are_diagnosed_by_it(preset):
    run = with_metric(healthy_run(), "loss", [1.0, float("nan")])
    findings = judge(run, preset.detectors(None, ())).findings
    diagnoses = preset.diagnose(run, findings)
    assert "DD301" in {one.code for one in diagnoses[0].findings}
