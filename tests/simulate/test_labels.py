import numpy as np
import pytest

from deepdebug.simulate import CASES, labels, nominal


def named(classes, numbers):
    return [classes[number] for number in numbers]


def test_sectors_change_at_their_borders():
    angles = [0, 22.4, 22.6, 67.4, 67.6, 112.4, 112.6, 157.6, 202.6, 247.6, 292.6, 337.4, 337.6, 359.9, 360]
    expected = [
        "right", "right", "top_right", "top_right", "top", "top", "top_left", "left", "bottom_left", "bottom",
        "bottom_right", "bottom_right", "right", "right", "right",
    ]  # fmt: skip
    assert named(labels.GAZE, labels.gaze(nominal(15, gaze_angle=angles))) == expected


@pytest.mark.parametrize(("angle", "distance"), [(22.5, 0), (18.5, 4), (0, 22.5), (359, 21.5), (337.5, 0), (45, 22.5)])
def test_distance_to_the_border_counts_from_both_sides(angle, distance):
    assert labels.from_border(nominal(1, gaze_angle=angle))[0] == pytest.approx(distance, abs=1e-4)


def test_middle_of_the_sector_has_the_same_label():
    parameters = nominal(360, gaze_angle=np.arange(360) + 0.25)
    moved = parameters.changed(gaze_angle=labels.sector_middle(parameters))
    np.testing.assert_array_equal(labels.gaze(parameters), labels.gaze(moved))
    assert (labels.from_border(moved) == 22.5).all()


def test_eye_is_closed_below_a_quarter():
    assert named(labels.EYE, labels.eye(nominal(3, openness=[0.249, 0.25, 0.9]))) == ["closed", "open", "open"]


def test_head_looks_ahead_up_to_ten_degrees():
    yaw, pitch = [-10.1, -9.9, 9.9, 10.1, 0, 0], [0, 0, 0, 0, 10.1, -10.1]
    expected = ["level_left", "level_front", "level_front", "level_right", "up_front", "down_front"]
    assert named(labels.POSE, labels.pose(nominal(6, head_yaw=yaw, head_pitch=pitch))) == expected


def test_glasses_are_told_from_none():
    assert named(labels.GLASSES, labels.glasses(nominal(2, glasses=[1, 0]))) == ["with_glasses", "without_glasses"]


@pytest.mark.parametrize(("name", "count"), [("GD", 8), ("OC", 2), ("HPD", 9), ("OD", 2), ("FLD", 0)])
def test_classes_are_numbered_as_readers_of_folders_number_them(name, count):
    classes = CASES[name].classes
    assert len(classes) == count
    assert list(classes) == sorted(classes)


def test_targets_of_a_regression_are_the_landmarks_in_pixels():
    targets = CASES["FLD"].targets(nominal(2))
    assert targets.shape == (2, 54)
    assert 0 < targets.min() < targets.max() < 64
