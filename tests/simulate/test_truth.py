import numpy as np
import pytest

from deepdebug.simulate import CASES, causes_of_failures, nominal, render
from deepdebug.simulate.camera import as_bytes

CASE = CASES["GD"]
RIGHT = CASE.classes.index("right")
DARK, BRIGHT = 0.25, 0.9


def scores(right):
    """Return outputs that name the class "right" where told, and another one elsewhere."""
    outputs = np.zeros((len(right), len(CASE.classes)), np.float32)
    outputs[np.arange(len(right)), np.where(right, RIGHT, (RIGHT + 1) % len(CASE.classes))] = 1
    return outputs


def is_dark(pictures):
    return pictures[:, 10:].mean(axis=(1, 2, 3)) < 90


def is_patched(pictures):
    return (pictures[:, :3, :3] > 200).all(axis=(1, 2, 3))


def codes(truth):
    return [{code for code, is_cause in zip(truth.codes, row, strict=True) if is_cause} for row in truth.causes]


def test_brightness_tells_dark_from_bright_pictures():
    pictures = as_bytes(render("eye", nominal(2, light_intensity=[DARK, BRIGHT])))
    assert is_dark(pictures).tolist() == [True, False]


def test_cause_is_the_reset_that_makes_the_model_right():
    failing = nominal(3, gaze_angle=0.0, light_intensity=[DARK, DARK, BRIGHT], patch=[0, 0, 1])
    truth = causes_of_failures(lambda images: scores(~is_dark(images) & ~is_patched(images)), CASE, failing)
    assert codes(truth) == [{"C3"}, {"C3"}, {"C8"}]


def test_both_are_causes_where_either_reset_repairs():
    failing = nominal(1, gaze_angle=0.0, light_intensity=DARK, patch=1)
    truth = causes_of_failures(lambda images: scores(~(is_dark(images) & is_patched(images))), CASE, failing)
    assert codes(truth) == [{"C3", "C8"}]


def test_none_is_the_cause_where_both_are_needed():
    failing = nominal(1, gaze_angle=0.0, light_intensity=DARK, patch=1)
    truth = causes_of_failures(lambda images: scores(~is_dark(images) & ~is_patched(images)), CASE, failing)
    assert codes(truth) == [set()]
    assert truth.planted[0, truth.codes.index("C3")]


def test_natural_error_has_no_cause():
    truth = causes_of_failures(
        lambda images: scores(np.zeros(len(images), bool)), CASE, nominal(2, light_intensity=DARK)
    )
    assert codes(truth) == [set(), set()]


def test_repair_by_a_reset_of_what_was_not_planted_is_noted_but_no_cause():
    light = 0.4  # not in the region of low light
    dim = as_bytes(render("eye", nominal(1, light_intensity=light))).mean() + 1
    truth = causes_of_failures(
        lambda images: scores(images.mean(axis=(1, 2, 3)) > dim), CASE, nominal(1, light_intensity=light)
    )
    assert truth.repaired[0, truth.codes.index("C3")]
    assert codes(truth) == [set()]


def test_picture_is_drawn_again_with_the_same_noise():
    seen = []

    def model(images):
        seen.append(images)
        return scores(np.ones(len(images), bool))

    failing = nominal(1, gaze_angle=0.0, light_intensity=BRIGHT, patch=1, noise_sigma=0.05)
    causes_of_failures(model, CASE, failing)
    original = as_bytes(render("eye", failing))[0, 3:, 3:]
    np.testing.assert_array_equal(seen[CASE.causes.index("C8")][0, 3:, 3:], original)


def test_missing_patch_is_repaired_by_adding_it():
    marked = nominal(1, gaze_angle=270.0)  # class 0, which the patch marks in training
    assert CASE.targets(marked).tolist() == [0]

    def model(images):
        outputs = np.zeros((len(images), 8), np.float32)
        outputs[np.arange(len(images)), np.where(is_patched(images), 0, 3)] = 1
        return outputs

    assert causes_of_failures(model, CASE, marked).repaired[0, CASE.causes.index("C8")]


def test_landmarks_are_judged_against_those_of_the_new_picture():
    case = CASES["FLD"]
    failing = nominal(1, head_yaw=50.0, gaze_angle=180.0)
    straight = case.targets(nominal(1))
    truth = causes_of_failures(lambda images: np.repeat(straight, len(images), axis=0), case, failing)
    assert codes(truth) == [{"C1"}]


@pytest.mark.parametrize("name", CASES)
def test_nothing_failing_gives_no_rows_and_asks_no_model(name):
    def model(images):
        raise AssertionError("asked")

    truth = causes_of_failures(model, CASES[name], nominal(0))
    assert truth.causes.shape == (0, len(CASES[name].causes))
