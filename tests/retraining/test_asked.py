import math
from dataclasses import replace

import pytest

from deepdebug.errors import UsageError
from deepdebug.retraining import defaults
from deepdebug.retraining.asked import Choice, Retraining, TrainSettings
from deepdebug.retraining.choices import CHOICE, read_choice, write_choice
from deepdebug.retraining.quotas import SELECTION_FACTOR


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"epochs": 0}, "`--epochs` got 0; expected a whole number, 1 or more"),
        ({"epochs": 2.5}, r"`--epochs` got 2\.5"),
        ({"batch_size": 0}, "`--batch-size` got 0"),
        ({"patience": -1}, "`--patience` got -1"),
        ({"learning_rate": 0.0}, r"`--learning-rate` got 0\.0; expected a number above 0"),
        ({"learning_rate": math.nan}, "`--learning-rate` got nan"),
        ({"learning_rate": math.inf}, "`--learning-rate` got inf"),
        ({"validation": 0.0}, r"`--validation` got 0\.0; expected a share above 0 and below 1"),
        ({"validation": 1.0}, r"`--validation` got 1\.0"),
    ],
)
def test_settings_that_cannot_be_used(given, message):
    with pytest.raises(UsageError, match=message):
        TrainSettings(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"mode": "near"}, "`--select` got 'near'"),
        ({"quota": "all"}, "`--quota` got 'all'; expected one of prevalence, cluster"),
        ({"factor": 0.0}, r"`--factor` got 0\.0"),
        ({"factor": "much"}, "`--factor` got 'much'"),
    ],
)
def test_choices_that_cannot_be_used(given, message):
    with pytest.raises(UsageError, match=message):
        Choice(**given)


@pytest.mark.parametrize(
    ("given", "message"),
    [({"runs": 0}, "`--runs` got 0"), ({"seed": -1}, "`--seed` got -1"), ({"arms": ()}, "`--mode` got nothing")],
)
def test_retrainings_that_cannot_be_asked_for(given, message):
    with pytest.raises(UsageError, match=message):
        Retraining(**given)


def test_arms_stand_in_one_order_and_once():
    assert Retraining(("BL2", "HUDD", "BL1", "BL2")).arms == ("HUDD", "BL1", "BL2")
    assert replace(Retraining(), arms=("entropy", "BL1")).arms == ("BL1", "entropy")


def test_defaults_have_one_source():
    assert (Choice().factor, SELECTION_FACTOR) == (defaults.FACTOR, defaults.FACTOR)
    assert TrainSettings() == TrainSettings(
        defaults.EPOCHS, defaults.BATCH_SIZE, defaults.PATIENCE, validation=defaults.VALIDATION
    )


def test_a_choice_is_read_back_but_for_what_is_said(tmp_path):
    assert read_choice(tmp_path) == Choice()
    write_choice(tmp_path, Choice("SSE", "cluster", 0.1))
    assert read_choice(tmp_path) == Choice("SSE", "cluster", 0.1)
    assert read_choice(tmp_path, factor=0.2) == Choice("SSE", "cluster", 0.2)
    assert read_choice(tmp_path, "Centroid", "prevalence") == Choice("Centroid", "prevalence", 0.1)


@pytest.mark.parametrize("content", ['{"mode": "near"}', '{"other": 1}', "{"])
def test_a_choice_that_cannot_be_read_says_what_to_do(tmp_path, content):
    (tmp_path / CHOICE).write_text(content)
    with pytest.raises(UsageError, match=r"choice\.json.* Remove it"):
        read_choice(tmp_path)
