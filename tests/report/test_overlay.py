import numpy as np
import pytest

from deepdebug.report.overlay import (
    AGAINST,
    BRIGHTEST,
    DARKEST,
    FOR,
    as_shown,
    blended,
    enlarged,
    heat,
    is_map,
    overlay,
    strength,
    to_image,
)

BLACK = np.zeros((4, 4, 1))


def brightness(colour):
    """Return the relative luminance of a colour, by which people without colour vision tell it from others."""
    linear = [(one / 255 / 12.92) if one <= 10 else ((one / 255 + 0.055) / 1.055) ** 2.4 for one in colour]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_relevance_for_is_orange_and_against_is_blue():
    values = np.zeros((4, 4))
    values[0, 0], values[3, 3] = 2.0, -2.0
    picture = overlay(BLACK, values)
    assert tuple(picture[0, 0]) == FOR
    assert tuple(picture[-1, -1]) == AGAINST


def test_colours_are_about_equally_strong():
    assert 0.8 < brightness(FOR) / brightness(AGAINST) < 1.5


def test_map_is_symmetric_about_zero():
    values = np.linspace(-1, 1, 9).reshape(3, 3)
    np.testing.assert_allclose(strength(values), -strength(values[::-1, ::-1]))


def test_image_shows_where_nothing_is_relevant():
    image = np.array([[[0.0], [255.0]]])
    picture = overlay(image, np.zeros((1, 2)))
    assert tuple(picture[0, 0]) == (DARKEST,) * 3
    assert tuple(picture[0, -1]) == (BRIGHTEST,) * 3


@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_every_image_is_drawn_by_its_own_strength(size):
    values = np.random.default_rng(0).normal(size=(8, 8))
    np.testing.assert_array_equal(overlay(np.zeros((8, 8, 1)), values * size), overlay(np.zeros((8, 8, 1)), values))


def test_one_extreme_pixel_does_not_hide_the_rest():
    values = np.ones((40, 40))
    values[0, 0] = 1e6
    assert strength(values)[5, 5] == 1.0


def test_single_relevant_pixel_is_seen():
    values = np.zeros((40, 40))
    values[7, 7] = 1e-3
    assert strength(values)[7, 7] == 1.0


def test_values_that_are_not_finite_are_left_out():
    values = np.array([[np.nan, np.inf], [1.0, -0.5]])
    assert strength(values)[0].tolist() == [0.0, 0.0]
    assert np.isfinite(strength(values)).all()


def test_picture_is_enlarged_without_mixing_pixels():
    assert overlay(np.zeros((28, 20, 1)), np.zeros((28, 20))).shape == (280, 200, 3)
    assert overlay(np.zeros((300, 200, 3)), np.zeros((300, 200))).shape == (300, 200, 3)
    small = np.arange(12, dtype="uint8").reshape(2, 2, 3)
    assert set(map(tuple, enlarged(small).reshape(-1, 3))) == set(map(tuple, small.reshape(-1, 3)))


def test_inner_layers_are_summed_over_channels_and_brought_to_the_size_of_the_image():
    relevance = np.zeros((2, 2, 3))
    relevance[0, 1] = [1.0, 2.0, -1.0]
    assert heat(relevance).tolist() == [[0.0, 2.0], [0.0, 0.0]]
    picture = overlay(np.zeros((8, 8, 1)), heat(relevance))
    side = picture.shape[0] // 2
    assert (picture[:side, side:] == FOR).all()
    assert (picture[side:] == DARKEST).all()


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((13, 13, 16), True),
        ((28, 28), True),
        ((28, 28, 1), True),
        ((64,), False),
        ((10, 64), False),
        ((1, 1, 64), False),
    ],
)
def test_only_relevance_with_height_and_width_is_drawn(shape, expected):
    assert is_map(shape, (28, 28)) is expected


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.0, 128.0], [0, 128]),
        ([0.0, 0.5], [0, 128]),
        ([-1.0, 1.0], [0, 255]),
        ([3.0, 3.0], [3, 3]),
        ([-2.0, -2.0], [0, 0]),
    ],
)
def test_range_of_an_image_is_recognised(values, shown):
    assert as_shown(np.array(values).reshape(1, 2, 1))[0, :, 0].tolist() == shown


def test_image_with_other_numbers_of_channels_is_gray():
    assert as_shown(np.full((2, 2, 5), 100.0)).shape == (2, 2, 3)


def test_picture_can_be_written(tmp_path):
    to_image(blended(np.zeros((2, 2, 1)), np.ones((2, 2)))).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size > 0
