import csv
import tomllib

import numpy as np
import pytest
from PIL import Image

from deepdebug.case.arrays import open_images
from deepdebug.case.preprocessing import Preprocessing
from deepdebug.errors import UsageError
from deepdebug.simulate import CASES, RANGES, nominal, render
from deepdebug.simulate.build import simulate
from deepdebug.simulate.camera import as_bytes
from deepdebug.simulate.pictures import draw_set
from deepdebug.simulate.randomness import image_keys, noise_keys
from tests.simulate.tiny import ARRAYS, TINY, contents, no_network, order

__all__ = ["no_network"]
pytestmark = pytest.mark.usefixtures("no_network")


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


class Stop(Exception):
    """Stands for a killed process."""


def stopping_at(name):
    """Return a listener of progress that stops when a stage has made its first step."""

    def stage(stage_name, _):
        def tell(_):
            if stage_name == name:
                raise Stop

        return tell

    return stage


STAGES = [
    "Drawing the TrainingSet", "Drawing the TestSet", "Drawing the ImprovementSet", "Training the model",
    "Finding causes in the TrainingSet", "Finding causes in the TestSet", "Finding causes in the ImprovementSet",
]  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case_is_complete(tmp_path, name):
    simulate(order(name), tmp_path / "case")
    assert sorted(path.name for path in (tmp_path / "case").iterdir()) == [
        "DNNModels", "DataSets", "GroundTruth", "case.toml",
    ]  # fmt: skip
    for part, count in TINY.pictures.items():
        folder = tmp_path / "case/DataSets" / part
        images = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.png"))
        assert len(images) == count
        assert sorted(row["image"] for row in rows(folder / "parameters.csv")) == images
        assert sorted(row["image"] for row in rows(tmp_path / f"case/GroundTruth/{part}.csv")) == images


def test_images_lie_in_the_folders_of_their_classes(tmp_path):
    simulate(order("GD"), tmp_path / "case")
    folder = tmp_path / "case/DataSets/TestSet"
    assert sorted(path.name for path in folder.iterdir() if path.is_dir()) == list(CASES["GD"].classes)
    (block,) = draw_set(order("GD"), "TestSet")
    for number, label in enumerate(block.sample.targets):
        with Image.open(folder / CASES["GD"].classes[label] / f"{number:06d}.png") as image:
            np.testing.assert_array_equal(np.asarray(image), block.pictures[number, ..., 0])


def test_table_of_parameters_is_enough_to_draw_the_image_again(tmp_path):
    simulate(order("HPD"), tmp_path / "case")
    folder = tmp_path / "case/DataSets/TestSet"
    row = rows(folder / "parameters.csv")[5]
    again = nominal(1, **{name: np.float32(row[name]) for name in RANGES})
    again = type(again)(
        **{name: getattr(again, name) for name in RANGES}, noise_key=noise_keys(image_keys(3, "HPD/TestSet", 5))
    )
    with Image.open(folder / row["image"]) as image:
        np.testing.assert_array_equal(np.asarray(image), as_bytes(render("face", again))[0, ..., 0])


def test_landmarks_stand_in_a_table_at_full_precision(tmp_path):
    simulate(order("FLD"), tmp_path / "case")
    (block,) = draw_set(order("FLD"), "TestSet")
    table = rows(tmp_path / "case/DataSets/TestSet/targets.csv")
    assert list(table[0])[:3] == ["image", "left_brow_outer_x", "left_brow_outer_y"]
    read = np.array([[np.float32(value) for value in list(row.values())[1:]] for row in table])
    np.testing.assert_array_equal(read, block.sample.targets)


@pytest.mark.parametrize(("name", "array", "shape"), [("GD", "labels", (9,)), ("FLD", "targets", (9, 54))])
def test_large_case_has_one_array_per_set(tmp_path, name, array, shape):
    simulate(order(name, ARRAYS), tmp_path / "case")
    file = tmp_path / "case/DataSets/TestSet/images.npz"
    assert open_images(file).shape == (9, 64, 64, 1)
    with np.load(file) as found:
        assert set(found) == {"images", array}
        assert found[array].shape == shape
    assert rows(tmp_path / "case/DataSets/TestSet/parameters.csv")[8]["image"] == "images-00008"


def test_colour_gives_images_with_three_channels(tmp_path):
    simulate(order("GD", colour="rgb"), tmp_path / "case")
    image = next((tmp_path / "case/DataSets/TestSet").rglob("*.png"))
    with Image.open(image) as opened:
        assert opened.mode == "RGB"


def test_case_file_says_task_preprocessing_and_causes(tmp_path):
    simulate(order("GD", prevalence=0.005), tmp_path / "case")
    said = tomllib.loads((tmp_path / "case/case.toml").read_text())
    assert said["case"]["name"] == "GD"
    assert said["case"]["kind"] == "classification"
    assert said["case"]["classes"] == list(CASES["GD"].classes)
    assert said["case"]["seed"] == 3
    assert (tmp_path / "case" / said["case"]["model"]).is_file()
    assert set(said["preprocessing"]) == set(Preprocessing.__dataclass_fields__)
    assert said["preprocessing"] == {"size": [64, 64], "colour": "gray", "scale": 1 / 255, "offset": 0.0}
    assert said["causes"]["C1"]["test"] == 0.005
    assert said["causes"]["C8"]["train"] == 0.95
    assert "test" not in said["causes"]["C6"]


def test_case_file_of_a_regression_names_the_landmarks(tmp_path):
    simulate(order("FLD"), tmp_path / "case")
    said = tomllib.loads((tmp_path / "case/case.toml").read_text())["case"]
    assert said["kind"] == "regression"
    assert len(said["outputs"]) == 27
    assert said["failures"] == "loss>2"
    assert "classes" not in said


def test_truth_names_causes_of_failing_images_only(tmp_path):
    simulate(order("GD"), tmp_path / "case")
    table = rows(tmp_path / "case/GroundTruth/TrainingSet.csv")
    assert {row["result"] for row in table} == {"Correct", "Wrong"}
    for row in table:
        assert (row["result"] == "Wrong") == (row["expected"] != row["predicted"])
        assert row["predicted"] == "top_right"  # what the stand-in always says
        if row["result"] == "Correct":
            assert row["causes"] == row["repaired_by"] == ""
        assert set(row["causes"].split()) <= set(row["planted"].split())


def test_same_order_gives_the_same_bytes_and_another_seed_others(tmp_path):
    for name, seed in (("one", 3), ("two", 3), ("three", 4)):
        simulate(order("GD", seed=seed), tmp_path / name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") != contents(tmp_path / "three")


@pytest.mark.parametrize("size", [TINY, ARRAYS])
@pytest.mark.parametrize("name", STAGES)
def test_stopped_run_goes_on_and_ends_with_the_same_bytes(tmp_path, name, size):
    simulate(order(size=size), tmp_path / "whole")
    with pytest.raises(Stop):
        simulate(order(size=size), tmp_path / "stopped", stopping_at(name))
    assert not (tmp_path / "stopped/case.toml").exists()
    finished = contents(tmp_path / "stopped")
    begun = []
    simulate(order(size=size), tmp_path / "stopped", lambda stage, _: begun.append(stage) or (lambda _: None))
    assert begun == STAGES[STAGES.index(name) :]
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    kept = {path: content for path, content in finished.items() if "/." not in path and not path.startswith(".")}
    assert kept.items() <= contents(tmp_path / "whole").items()


def test_set_that_was_not_finished_does_not_have_its_name(tmp_path):
    with pytest.raises(Stop):
        simulate(order(), tmp_path / "case", stopping_at("Drawing the TestSet"))
    folders = sorted(path.name for path in (tmp_path / "case/DataSets").iterdir())
    assert folders == [".TestSet.part", "TrainingSet"]


def test_complete_case_is_left_as_it_is(tmp_path, no_network):
    first = simulate(order(), tmp_path / "case")
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "case").rglob("*")}

    def stage(name, total):
        raise AssertionError(name)

    assert simulate(order(), tmp_path / "case", stage) == first
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "case").rglob("*")} == times
    assert len(no_network) == 1


def test_part_that_was_removed_is_made_again(tmp_path):
    simulate(order(), tmp_path / "case")
    before = contents(tmp_path / "case")
    (tmp_path / "case/GroundTruth/TestSet.csv").unlink()
    simulate(order(), tmp_path / "case")
    assert contents(tmp_path / "case") == before


def test_folder_with_other_files_is_refused_and_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match=r"holds files that are no simulated case, such as 'thesis.txt'.*nothing was"):
        simulate(order(), tmp_path)
    assert contents(tmp_path) == {"thesis.txt": b"years of work"}


def test_another_case_is_refused_and_left_alone(tmp_path):
    simulate(order(), tmp_path / "case")
    before = contents(tmp_path / "case")
    with pytest.raises(UsageError, match=r"holds another case .* there `seed = 3`, here `seed = 4`\. Choose another"):
        simulate(order(seed=4), tmp_path / "case")
    assert contents(tmp_path / "case") == before


def test_begun_case_is_not_taken_for_another_one(tmp_path):
    with pytest.raises(Stop):
        simulate(order(), tmp_path / "case", stopping_at("Drawing the TestSet"))
    with pytest.raises(UsageError, match='there `colour = "gray"`, here `colour = "rgb"`'):
        simulate(order(colour="rgb"), tmp_path / "case")


def test_empty_folder_is_used(tmp_path):
    simulate(order(), tmp_path)
    assert (tmp_path / "case.toml").is_file()


def test_file_in_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "case").write_text("")
    with pytest.raises(UsageError, match="is a file; expected a new or empty folder"):
        simulate(order(), tmp_path / "case")


def test_folder_that_cannot_be_made_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot be written to"):
        simulate(order(), tmp_path / "file" / "case")


def test_truth_that_is_no_table_is_a_clear_error(tmp_path):
    simulate(order(), tmp_path / "case")
    (tmp_path / "case/GroundTruth/TestSet.csv").write_text("image\n1\n")
    with pytest.raises(UsageError, match=r"ground truth .* cannot be read.*Remove the file and run"):
        simulate(order(), tmp_path / "case")


def test_summary_counts_what_is_there(tmp_path):
    text = simulate(order(), tmp_path / "case")
    table = rows(tmp_path / "case/GroundTruth/TestSet.csv")
    failing = sum(row["result"] == "Wrong" for row in table)
    assert text.startswith("GD: gaze direction, 8 sectors; tiny, seed 3, gray\n")
    assert "images    14 training, 9 test, 11 improvement" in text
    assert f"failing   {failing} test images" in text
    assert f"{1 - failing / 9:.1%} test" in text
    planted = sum("C8" in row["planted"].split() for row in table)
    (line,) = (line for line in text.splitlines() if line.startswith("C8 "))
    assert line.split()[1:3] == [str(planted), f"{planted / 9:.1%}"]
