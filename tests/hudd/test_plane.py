import numpy as np
from scipy.spatial.distance import pdist

from deepdebug.hudd import plane as module
from deepdebug.hudd.plane import plane
from deepdebug.hudd.space import ExactSpace


def space(groups=3, members=20, seed=0):
    random = np.random.default_rng(seed)
    centres = np.repeat(random.normal(size=(groups, 10)) * 8, members, axis=0)
    return ExactSpace(pdist(centres + random.normal(size=centres.shape)), groups * members)


def nearest_is_of_same_group(places, members=20):
    apart = np.linalg.norm(places[:, None] - places, axis=2)
    np.fill_diagonal(apart, np.inf)
    return float((apart.argmin(axis=1) // members == np.arange(len(places)) // members).mean())


def test_near_images_lie_near():
    places = plane(space())
    assert places.shape == (60, 2)
    assert np.abs(places).max() == 1.0
    assert nearest_is_of_same_group(places) == 1.0


def test_same_distances_give_the_same_map():
    np.testing.assert_array_equal(plane(space()), plane(space()))


def test_images_beyond_the_landmarks_lie_beside_the_nearest(monkeypatch):
    monkeypatch.setattr(module, "LANDMARKS", 30)
    places = plane(space())
    assert len(np.unique(places, axis=0)) == 30
    assert nearest_is_of_same_group(places) == 1.0


def test_few_or_equal_images_are_no_error():
    assert plane(ExactSpace(np.ones(3), 3)).shape == (0, 2)
    np.testing.assert_array_equal(plane(ExactSpace(np.zeros(45), 10)), np.zeros((10, 2)))
