import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from deepdebug.case.folder import TEST, TRAINING
from deepdebug.errors import UsageError
from deepdebug.hudd.steps import Request, answer_step, heatmap_step, open_case
from deepdebug.hudd.tested import FailureRule, read_tested

pytestmark = pytest.mark.slow


@pytest.fixture
def case(tmp_path):
    random = np.random.default_rng(0)
    for part, count in ((TRAINING, 6), (TEST, 9)):
        for number in range(count):
            path = tmp_path / "case" / "DataSets" / part / "ab"[number % 2] / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 255, (8, 8), dtype="uint8")).save(path)
    keras.utils.set_random_seed(1)
    body = [layers.Conv2D(3, 3, activation="relu", name="conv"), layers.Flatten(), layers.Dense(2)]
    (tmp_path / "case" / "DNNModels").mkdir()
    keras.Sequential([keras.Input((8, 8, 1)), *body]).save(tmp_path / "case" / "DNNModels" / "m.keras")
    return tmp_path / "case"


def request(case, **more):
    return Request(case, case / "T", **more)


class Stages:
    """Remembers which stages were begun."""

    def __init__(self):
        self.names = []

    def __call__(self, name, images):
        self.names.append((name, images))
        return lambda _: None


def test_steps_write_what_the_next_one_reads(case):
    opened = open_case(request(case))
    answered = answer_step(request(case), opened)
    assert sorted(one.name for one in (case / "T").glob("*.csv")) == ["testResult.csv", "trainResult.csv"]
    assert len(answered[TRAINING].tested.images) == 6
    table = read_tested(case / "T" / "testResult.csv")
    np.testing.assert_array_equal(table.failed, answered[TEST].tested.failed)
    found = heatmap_step(request(case), opened, answered[TEST])
    failed = [name for name, one in zip(table.images, table.failed, strict=True) if one]
    assert list(found.images) == failed
    assert list(found.layers) == ["conv"]


def test_second_run_reads_back_what_the_first_has_written(case):
    opened = open_case(request(case))
    first = answer_step(request(case), opened)
    stages = Stages()
    again = answer_step(request(case), opened, stages)
    assert stages.names == []
    np.testing.assert_array_equal(again[TEST].tested.scores, first[TEST].tested.scores)
    assert again[TEST].sources == first[TEST].sources


@pytest.mark.parametrize("change", ["image", "model", "rule", "table"])
def test_changed_inputs_are_asked_about_again(case, change):
    answer_step(request(case), open_case(request(case)))
    wanted = request(case)
    if change == "image":
        Image.new("L", (8, 8), 3).save(case / "DataSets" / TEST / "a" / "0.png")
    elif change == "model":
        model = keras.saving.load_model(case / "DNNModels" / "m.keras")
        model.layers[-1].bias.assign([0.5, 0.0])
        model.save(case / "DNNModels" / "m.keras")
    elif change == "rule":
        wanted = request(case, failures=FailureRule("loss", 0.7))
    else:
        (case / "T" / "testResult.csv").unlink()
    stages = Stages()
    answer_step(wanted, open_case(wanted), stages)
    assert (TEST, 9) in stages.names
    assert ((TRAINING, 6) in stages.names) == (change in ("model", "rule"))


def test_unreadable_images_are_remembered(case):
    (case / "DataSets" / TEST / "a" / "0.png").write_bytes(b"")
    for _ in range(2):
        answered = answer_step(request(case), open_case(request(case)))[TEST]
        assert [name for name, _ in answered.left_out] == ["a/0.png"]


def test_case_without_a_training_set_is_tested_alone(case):
    (case / "DataSets" / TRAINING).rename(case / "other")
    assert list(answer_step(request(case), open_case(request(case)))) == [TEST]


def test_mark_that_cannot_be_read_is_told(case):
    opened = open_case(request(case))
    answer_step(request(case), opened)
    (case / "T" / "testResult.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        answer_step(request(case), opened)
