import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from deepdebug.case.dataset import read_dataset
from deepdebug.case.preprocessing import Preprocessing
from deepdebug.errors import UsageError
from deepdebug.hudd.explaining import HeatmapSettings, Labelled, Subject, ask, explain_failures
from deepdebug.hudd.heatmap_layers import heatmap_layers
from deepdebug.hudd.images import FileImages
from deepdebug.hudd.tested import FailureRule
from deepdebug.lrp import relevance

LABEL = FailureRule("label")
PREPROCESSING = Preprocessing((8, 8), "gray", 1 / 255, 0.0)


@pytest.fixture
def dataset(tmp_path):
    random = np.random.default_rng(0)
    for number in range(11):
        path = tmp_path / "set" / "ab"[number % 2] / f"{number:02d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(random.integers(0, 255, (8, 8), dtype="uint8")).save(path)
    return read_dataset(tmp_path / "set")


@pytest.fixture
def subject():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(3, 3, activation="relu", name="conv1"),
            layers.Conv2D(4, 3, activation="relu", name="conv2"),
            layers.Flatten(),
            layers.Dense(2, activation="softmax", name="dense"),
        ]
    )
    return Subject(model, "model", "hash")


@pytest.fixture
def labelled(dataset):
    images = FileImages(dataset.names, dataset.sources, PREPROCESSING, 1, 4)
    return Labelled(images, dataset.expected, dataset.classes)


def pixels(dataset, names):
    places = [dataset.names.index(name) for name in names]
    images = [np.asarray(Image.open(dataset.sources[place].path), "float32") for place in places]
    return np.stack(images)[..., None] / 255


def test_answers_are_those_of_the_model(subject, dataset, labelled):
    done = []
    found = ask(subject, labelled, LABEL, advance=done.append).tested
    expected = subject.model.predict(pixels(dataset, dataset.names), verbose=0)
    np.testing.assert_array_equal(found.predicted, expected.argmax(axis=1))
    np.testing.assert_array_equal(found.failed, expected.argmax(axis=1) != dataset.expected)
    assert sum(done) == 11


def test_image_that_cannot_be_read_is_left_out_and_named(subject, dataset, labelled):
    dataset.sources[3].path.write_bytes(b"no image")
    found = ask(subject, labelled, LABEL)
    assert dataset.names[3] not in found.tested.images
    assert len(found.tested.images) == len(found.rows) == 10
    assert [name for name, _ in found.left_out] == [dataset.names[3]]


def test_set_without_a_readable_image_is_told(subject, dataset, labelled):
    for source in dataset.sources:
        source.path.write_bytes(b"")
    with pytest.raises(UsageError, match="None of the 11 images"):
        ask(subject, labelled, LABEL)


def test_heatmaps_are_the_relevance_of_the_failures(subject, dataset, labelled, tmp_path):
    answered = ask(subject, labelled, LABEL)
    settings = HeatmapSettings(heatmap_layers(subject.model))
    found = explain_failures(subject, labelled.images, answered, settings, tmp_path / "Heatmaps")
    failed = [name for name, one in zip(dataset.names, answered.tested.failed, strict=True) if one]
    assert list(found.images) == failed
    expected = relevance(subject.model, pixels(dataset, failed), composite="z-plus")
    signs = np.where(expected.explained.scores < 0, -1, 1).reshape(
        -1, 1, 1, 1
    )  # of negative scores it is turned around
    for name in ("conv1", "conv2"):
        worst = np.abs(found.layers[name] - signs * expected[name]).max()
        assert worst <= 1e-4 * np.abs(expected[name]).max()
    assert found.activations.shape == (len(failed), 4, 4, 4)
    np.testing.assert_array_equal(found.pixels, pixels(dataset, failed) * np.float32(255))


def test_interrupted_explanation_goes_on_with_equal_bytes(subject, labelled, tmp_path):
    answered = ask(subject, labelled, FailureRule("quantile", 0.01))
    settings = HeatmapSettings(("conv2",))

    def interrupt(images):
        if images:
            raise KeyboardInterrupt

    explain_failures(subject, labelled.images, answered, settings, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        explain_failures(subject, labelled.images, answered, settings, tmp_path / "parts", advance=interrupt)
    done = []
    explain_failures(subject, labelled.images, answered, settings, tmp_path / "parts", advance=done.append)
    assert done == [4, 4, 2]
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "parts" / path.name).read_bytes() == path.read_bytes()


def test_model_without_failures_is_told(subject, labelled, tmp_path):
    answered = ask(subject, labelled, FailureRule("loss", 1e9))
    with pytest.raises(UsageError, match="fails on none of the images"):
        explain_failures(subject, labelled.images, answered, HeatmapSettings(("conv2",)), tmp_path)


def test_layers_are_the_convolutions_or_those_that_were_chosen(subject):
    assert heatmap_layers(subject.model) == ("conv1", "conv2")
    assert heatmap_layers(subject.model, ["dense", "dense"]) == ("dense",)
    with pytest.raises(UsageError, match="`--layers` got none"):
        heatmap_layers(subject.model, ["none"])


def test_of_many_convolutions_one_per_size_is_taken():
    body = [
        layer
        for _ in range(3)
        for layer in (*(layers.Conv2D(2, 3, padding="same") for _ in range(3)), layers.MaxPooling2D())
    ]
    model = keras.Sequential([keras.Input((16, 16, 1)), *body])
    found = heatmap_layers(model)
    assert [model.get_layer(name).input.shape[1] for name in found] == [16, 8, 4]


def test_model_without_convolutions_is_told():
    with pytest.raises(UsageError, match="has no convolution"):
        heatmap_layers(keras.Sequential([keras.Input((4,)), layers.Dense(2)]))
