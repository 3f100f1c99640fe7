"""The network of a case learns the task, and fails where causes are planted."""

from dataclasses import replace

import numpy as np
import pytest

from deepdebug.model.saved import save_model
from deepdebug.simulate import CASES, CAUSES, causes_of_failures
from deepdebug.simulate.build import simulate
from deepdebug.simulate.cases import failures, landmark_errors
from deepdebug.simulate.order import SIZES, Order
from deepdebug.simulate.pictures import draw_whole
from deepdebug.simulate.sampling import sample
from tests.simulate.tiny import TINY, contents

pytest.importorskip("keras")
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", CASES)
def test_network_learns_the_task_and_fails_in_every_planted_region(name):
    from deepdebug.simulate.training import predictor, train

    case, size = CASES[name], SIZES["fast"]
    order = Order(case, size)
    pictures, targets = draw_whole(order, "TrainingSet")
    model = predictor(train(case, pictures, targets, seed=0, epochs=size.epochs))
    pictures, targets = draw_whole(order, "ImprovementSet")
    parameters = sample(case, 0, "ImprovementSet", np.arange(len(pictures))).parameters
    failed = failures(case, model(pictures), targets)
    regions = {code: CAUSES[code].region(parameters) for code in case.causes}
    harmless = ~np.any(list(regions.values()), axis=0)
    right = 1 - failed[harmless].mean()
    assert right > 0.9
    for region in regions.values():
        deviation = (0.25 / region.sum()) ** 0.5 / 2
        assert 1 - failed[region].mean() < right - max(0.03, 2 * deviation)
    truth = causes_of_failures(model, case, parameters.take(failed))
    assert (truth.causes.sum(axis=0) >= 10).all()


@pytest.mark.parametrize("name", ["GD", "FLD"])
def test_training_is_the_same_each_time_to_the_last_byte(tmp_path, name):
    from deepdebug.simulate.training import train

    pictures, targets = draw_whole(Order(CASES[name], TINY), "TrainingSet")
    for file in ("one", "two", "three"):
        seed = 8 if file == "three" else 7
        save_model(tmp_path / f"{file}.keras", train(CASES[name], pictures, targets, seed=seed, epochs=2))
    files = contents(tmp_path)
    assert files["one.keras"] == files["two.keras"]
    assert files["one.keras"] != files["three.keras"]


def test_case_with_its_network_is_the_same_each_time_and_can_be_resumed(tmp_path):
    import keras

    for folder in ("one", "two"):
        simulate(Order(CASES["GD"], TINY, seed=5), tmp_path / folder)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    (tmp_path / "two/GroundTruth/TestSet.csv").unlink()
    simulate(Order(CASES["GD"], TINY, seed=5), tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    model = keras.models.load_model(tmp_path / "one/DNNModels/GD.keras")
    assert model.output_shape == (None, 8)


def test_landmarks_come_out_in_pixels():
    from deepdebug.simulate.training import predictor, train

    case = CASES["FLD"]
    pictures, targets = draw_whole(Order(case, replace(TINY, pictures={"TrainingSet": 300})), "TrainingSet")
    outputs = predictor(train(case, pictures, targets, seed=0, epochs=30))(pictures)
    assert landmark_errors(outputs, targets).mean() < 0.7 * landmark_errors(targets.mean(axis=0), targets).mean()


def test_model_file_that_is_none_is_a_clear_error(tmp_path):
    from deepdebug.errors import UsageError

    simulate(Order(CASES["GD"], TINY, seed=5), tmp_path / "case")
    (tmp_path / "case/DNNModels/GD.keras").write_text("no model")
    (tmp_path / "case/GroundTruth/TestSet.csv").unlink()
    with pytest.raises(UsageError, match=r"The model .* cannot be read.*Remove the file"):
        simulate(Order(CASES["GD"], TINY, seed=5), tmp_path / "case")
