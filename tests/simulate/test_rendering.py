import numpy as np
import pytest

from deepdebug.simulate import CASES, RANGES, nominal, render, sample
from deepdebug.simulate.camera import as_bytes
from deepdebug.simulate.scene_eye import iris_centre

# Where a parameter can be seen only beside another one.
BESIDE = {
    "gaze_angle": {"gaze_mag": 0.8},
    "glare": {"glasses": 1.0},
    "frame_width": {"glasses": 1.0},
    "ambient": {"light_dir": 60.0},
    "background": {"head_yaw": 50.0},
}
# Two values each between which a person sees a difference; elsewhere the ends of the range.
VALUES = {"gaze_angle": (0.0, 180.0)}


@pytest.mark.parametrize("scene", ["eye", "face"])
def test_picture_is_the_same_alone_and_among_others(scene):
    parameters = sample(CASES["GD"], 5, "TestSet", np.arange(70)).parameters
    together = render(scene, parameters)
    for number in (0, 31, 32, 69):
        alone = render(scene, parameters.take(np.array([number])))
        np.testing.assert_array_equal(alone[0], together[number])


@pytest.mark.parametrize("scene", ["eye", "face"])
def test_pictures_are_grays_from_black_to_white(scene):
    pictures = render(scene, sample(CASES["GD"], 0, "TestSet", np.arange(40)).parameters)
    assert pictures.shape == (40, 64, 64, 1)
    assert pictures.dtype == np.float32
    assert 0 <= pictures.min() < 0.05
    assert 0.95 < pictures.max() <= 1
    assert np.isfinite(pictures).all()


@pytest.mark.parametrize("scene", ["eye", "face"])
@pytest.mark.parametrize("name", RANGES)
def test_parameter_changes_the_picture(scene, name):
    low, high = VALUES.get(name, (RANGES[name].low, RANGES[name].high))
    beside = {"noise_sigma": 0.0, **BESIDE.get(name, {})}
    before, after = as_bytes(render(scene, nominal(2, **{**beside, name: [low, high]}))).astype(int)
    assert np.mean(np.abs(before - after)) > 0.05
    assert np.abs(before - after).max() > 20


@pytest.mark.parametrize("scene", ["eye", "face"])
def test_noise_is_another_one_in_each_picture(scene):
    pictures = render(scene, nominal(2, noise_sigma=0.05))
    assert np.std(pictures[0] - pictures[1]) == pytest.approx(0.05 * 2**0.5, rel=0.1)


@pytest.mark.parametrize("scene", ["eye", "face"])
def test_size_is_a_matter_of_resolution_only(scene):
    parameters = nominal(1, noise_sigma=0.0, head_yaw=20.0, glasses=1.0)
    small = render(scene, parameters, size=32)
    large = render(scene, parameters, size=128).reshape(1, 32, 4, 32, 4, 1).mean(axis=(2, 4))
    assert np.abs(small - large).mean() < 0.02


@pytest.mark.parametrize("scene", ["eye", "face"])
def test_colour_has_three_channels_that_look_like_the_gray_picture(scene):
    parameters = nominal(1, noise_sigma=0.0)
    gray, colour = render(scene, parameters), render(scene, parameters, colour="rgb")
    assert colour.shape == (1, 64, 64, 3)
    assert colour[..., 0].mean() > colour[..., 2].mean()  # skin
    assert np.corrcoef(gray.ravel(), colour.mean(axis=-1).ravel())[0, 1] > 0.97


@pytest.mark.parametrize(("angle", "mag"), [(0, 1), (90, 0.5), (180, 1), (225, 0.5), (300, 0)])
def test_iris_lies_where_the_gaze_says(angle, mag):
    fields = {"gaze_angle": float(angle), "gaze_mag": float(mag), "openness": 1.0, "noise_sigma": 0.0}
    dark, bright = render("eye", nominal(2, iris_tone=[0.1, 0.6], iris_size=0.18, **fields))[..., 0]
    weight = np.abs(bright - dark)
    middle = np.arange(64) + 0.5
    x, y = (one[0] for one in iris_centre(nominal(1, **fields)))
    assert (weight.sum(axis=0) @ middle) / weight.sum() == pytest.approx(x, abs=0.6)
    assert (weight.sum(axis=1) @ middle) / weight.sum() == pytest.approx(y, abs=1.5)  # a lid may hide a part


def test_patch_is_three_white_pixels_wide_and_lies_in_the_corner():
    without, patched = render("eye", nominal(2, patch=[0.0, 1.0], noise_sigma=0.0))[..., 0]
    assert (patched[:3, :3] == 1).all()
    changed = patched != without
    assert changed[:3, :3].all()
    assert changed.sum() == 9


def test_blur_takes_no_light_away_at_the_border():
    sharp, blurred = render("eye", nominal(2, blur_sigma=[0.0, 1.5], noise_sigma=0.0, light_dir=0.0))
    assert blurred[:2].mean() == pytest.approx(sharp[:3].mean(), rel=0.1)


def test_no_pictures_give_an_empty_array():
    assert render("face", nominal(0)).shape == (0, 64, 64, 1)
