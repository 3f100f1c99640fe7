"""Views are added up so that none weighs more because its numbers are larger."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from deepdebug.errors import UsageError
from deepdebug.hudd import View, embed, feature_views, heatmap_views, pair_partition, pixel_view
from deepdebug.hudd.normalise import normalise
from deepdebug.hudd.views import combined

RANDOM = np.random.default_rng(0)
LAYERS = {"input": RANDOM.normal(size=(30, 4, 4, 1)), "conv1": 1e6 * RANDOM.normal(size=(30, 3, 3, 5))}
FEATURES = RANDOM.normal(size=(30, 7))


def squares(vectors, how):
    found = pdist(normalise(vectors.reshape(len(vectors), -1).copy(), how)) ** 2
    return found / found.mean()


def test_heatmaps_share_one_weight_and_features_have_one_each():
    views = heatmap_views(LAYERS) + feature_views(FEATURES, FEATURES**2)
    assert [view.weight for view in views] == [0.5, 0.5, 1, 1]
    assert [view.normalise for view in views] == ["sqrt", "sqrt", "l2", "l2"]
    wanted = sum(0.5 * squares(vectors, "sqrt") for vectors in LAYERS.values())
    wanted = wanted + squares(FEATURES, "l2") + squares(FEATURES**2, "l2")
    np.testing.assert_allclose(combined(views)[0] ** 2, wanted / 3, rtol=1e-4)  # of which the mean is 1


def test_scaling_a_whole_view_changes_nothing():
    views = [View("a", FEATURES, normalise="none"), View("b", FEATURES**2, normalise="none")]
    scaled = [View("a", 1e-9 * FEATURES, normalise="none"), View("b", 1e9 * FEATURES**2, normalise="none")]
    np.testing.assert_allclose(combined(views)[0], combined(scaled)[0], rtol=1e-4)


def test_distances_can_stand_for_vectors():
    whole = combined([View("a", FEATURES, normalise="none")])[0]
    np.testing.assert_allclose(combined([View("a", distances=pdist(FEATURES))])[0], whole, rtol=1e-5)


def test_view_in_which_all_images_are_equal_counts_for_nothing():
    views = [View("a", FEATURES), View("flat", np.ones((30, 3)))]
    distances, notes = combined(views)
    np.testing.assert_allclose(distances, combined(views[:1])[0])
    assert [(note.code, note.warning) for note in notes] == [("constant-view", True)]


def test_folder_keeps_the_distances_of_every_view(tmp_path):
    views = [*heatmap_views(LAYERS), View("../combined", FEATURES)]
    distances, _ = combined(views, folder=tmp_path)
    assert isinstance(distances, np.memmap)
    np.testing.assert_array_equal(distances, combined(views)[0])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "combined-2.npy", "combined.npy", "conv1.npy", "input.npy",
    ]  # fmt: skip


def test_embedding_is_called_batch_by_batch():
    calls = []

    def embedding(images):
        calls.append(images.shape)
        return images.mean(axis=(1, 2))

    found = embed(embedding, LAYERS["conv1"], batch=13)
    assert calls == [(13, 3, 3, 5), (13, 3, 3, 5), (4, 3, 3, 5)]
    np.testing.assert_allclose(found, LAYERS["conv1"].mean(axis=(1, 2)), rtol=1e-5)
    assert embed(embedding, np.zeros((0, 3, 3, 1))).shape == (0, 0)


def test_embedding_with_another_number_of_rows_is_an_error():
    with pytest.raises(UsageError, match=r"shape \(1, 2\) for the 30 images"):
        embed(lambda images: np.zeros((1, 2)), FEATURES)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "either `vectors` or `distances`"),
        ({"vectors": FEATURES, "distances": pdist(FEATURES)}, "either `vectors` or `distances`"),
        ({"vectors": FEATURES, "weight": 0.0}, "weight 0.0"),
        ({"vectors": FEATURES, "weight": float("nan")}, "weight nan"),
        ({"vectors": FEATURES, "normalise": "L2"}, "`normalise` 'L2'"),
    ],
)
def test_impossible_view_is_an_error(arguments, message):
    with pytest.raises(UsageError, match=message):
        View("a", **arguments)


@pytest.mark.parametrize("wrong", [-1.0, np.nan, np.inf])
def test_impossible_distances_are_an_error(wrong):
    with pytest.raises(UsageError, match="negative or not finite"):
        combined([View("a", distances=np.array([1.0, wrong, 1.0]))])


def test_pixels_are_an_l2_view():
    assert pixel_view(FEATURES).normalise == "l2"


def test_pairs_of_classes_are_clusters():
    assert pair_partition([1, 1, 2, 2, 2], [2, 2, 1, 1, 0]).tolist() == [0, 0, 1, 1, 2]
    assert pair_partition(["a", "a"], ["b", "b"]).tolist() == [0, 0]
    assert pair_partition([], []).tolist() == []
    with pytest.raises(UsageError, match="one class per image"):
        pair_partition([1], [1, 2])
