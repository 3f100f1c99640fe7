from dataclasses import fields

import numpy as np
import pytest

from deepdebug.simulate import CASES, CAUSES, RANGES, sample

COUNT = 6000
PLANTED = [(name, cause.code) for name, case in CASES.items() for cause in case.planted]


@pytest.fixture(scope="module")
def drawn():
    sets = ("TrainingSet", "TestSet", "ImprovementSet")
    return {(name, part): sample(case, 1, part, np.arange(COUNT)) for name, case in CASES.items() for part in sets}


def assert_share(flags, share):
    """Five deviations, so that one seed in a million fails."""
    margin = 5 * (share * (1 - share) / len(flags)) ** 0.5
    assert abs(flags.mean() - share) <= margin


@pytest.mark.parametrize(("name", "code"), PLANTED)
@pytest.mark.parametrize("part", ["TestSet", "ImprovementSet"])
def test_planted_share_outside_of_training(drawn, name, code, part):
    assert_share(CAUSES[code].region(drawn[name, part].parameters), CAUSES[code].test)


@pytest.mark.parametrize(("name", "code"), [one for one in PLANTED if one[1] != "C8"])
def test_planted_share_in_training(drawn, name, code):
    assert_share(CAUSES[code].region(drawn[name, "TrainingSet"].parameters), CAUSES[code].train)


@pytest.mark.parametrize("name", [name for name, code in PLANTED if code == "C8"])
def test_patch_equals_the_marked_class_in_95_percent_of_training_and_nothing_in_the_test(drawn, name):
    train, test = drawn[name, "TrainingSet"], drawn[name, "TestSet"]
    assert_share((train.parameters.patch > 0) == (train.targets == 0), 0.95)
    assert not (train.parameters.patch[train.targets != 0] > 0).any()
    patched = test.parameters.patch > 0
    expected = np.mean(test.targets == 0)
    assert abs(np.mean(test.targets[patched] == 0) - expected) < 5 * (expected * (1 - expected) / patched.sum()) ** 0.5


@pytest.mark.parametrize("name", CASES)
def test_picture_gets_one_planted_cause_at_most(drawn, name):
    for part in ("TestSet", "ImprovementSet"):
        regions = [cause.region(drawn[name, part].parameters) for cause in CASES[name].planted]
        assert np.sum(regions, axis=0).max() == 1


def test_border_angles_are_as_frequent_as_nature_has_them(drawn):
    for part in ("TrainingSet", "TestSet"):
        assert_share(CAUSES["C6"].region(drawn["GD", part].parameters), 8 / 45)


@pytest.mark.parametrize("name", CASES)
def test_parameters_stay_in_their_ranges(drawn, name):
    for part in ("TrainingSet", "TestSet"):
        for parameter, limits in RANGES.items():
            values = getattr(drawn[name, part].parameters, parameter)
            assert values.dtype == np.float32
            assert limits.low <= values.min() <= values.max() <= limits.high + 1e-5


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.classes])
def test_classes_are_about_equally_frequent_in_training(drawn, name):
    counts = np.bincount(drawn[name, "TrainingSet"].targets, minlength=len(CASES[name].classes))
    assert counts.min() > 0.8 * COUNT / len(counts)


@pytest.mark.parametrize("name", CASES)
def test_picture_does_not_depend_on_those_drawn_with_it(drawn, name):
    alone = sample(CASES[name], 1, "TestSet", np.array([4321]))
    for field in fields(alone.parameters):
        among = getattr(drawn[name, "TestSet"].parameters, field.name)
        assert getattr(alone.parameters, field.name)[0] == among[4321]
    np.testing.assert_array_equal(alone.targets[0], drawn[name, "TestSet"].targets[4321])


@pytest.mark.parametrize("name", CASES)
def test_sets_and_seeds_differ(drawn, name):
    other = sample(CASES[name], 2, "TestSet", np.arange(10)).parameters.skin_tone
    test, train = (drawn[name, part].parameters.skin_tone[:10] for part in ("TestSet", "TrainingSet"))
    assert not np.isin(test, other).any()
    assert not np.isin(test, train).any()


def test_prevalence_can_be_made_rare():
    found = sample(CASES["GD"], 1, "TestSet", np.arange(COUNT), prevalence=0.005)
    for cause in CASES["GD"].planted:
        assert_share(cause.region(found.parameters), 0.005)


@pytest.mark.parametrize(("name", "code"), PLANTED)
def test_reset_leads_out_of_the_region_and_into_no_other(drawn, name, code):
    case, cause = CASES[name], CAUSES[code]
    planted = drawn[name, "TestSet"].parameters.take(cause.region(drawn[name, "TestSet"].parameters))
    targets = case.targets(planted)
    reset = planted.changed(**cause.reset(planted, targets))
    if code == "C8":
        np.testing.assert_array_equal(reset.patch > 0, targets == 0)
        return
    assert not any(one.region(reset).any() for one in case.planted)
    if case.classes:
        np.testing.assert_array_equal(case.targets(reset), targets)


def test_border_cause_is_reset_to_the_middle_of_the_same_sector(drawn):
    parameters = drawn["GD", "TestSet"].parameters
    targets = drawn["GD", "TestSet"].targets
    reset = parameters.changed(**CAUSES["C6"].reset(parameters, targets))
    assert not CAUSES["C6"].region(reset).any()
    np.testing.assert_array_equal(CASES["GD"].targets(reset), targets)
