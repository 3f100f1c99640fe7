import dataclasses
import json

import numpy as np
import pytest

from deepdebug.errors import UsageError
from deepdebug.hudd.heatmaps import ACTIVATIONS, PIXELS, Origin, make_heatmaps, open_heatmaps

IMAGES = tuple(f"cat/{number}.png" for number in range(7))
ARRAYS = {
    "conv/1": np.random.default_rng(0).normal(size=(7, 4, 4, 1)).astype("float32"),
    "conv/2": np.random.default_rng(1).normal(size=(7, 2, 2, 3)).astype("float32"),
    ACTIVATIONS: np.random.default_rng(2).random((7, 5), dtype="float32"),
    PIXELS: np.random.default_rng(3).random((7, 4, 4, 1), dtype="float32") * 255,
}


def shapes():
    return {name: array.shape[1:] for name, array in ARRAYS.items()}


def origin(**changes):
    return dataclasses.replace(
        Origin(
            images=IMAGES,
            hashes=tuple("abcdefg"),
            model="m",
            composite="z-plus",
            target="predicted",
            reference=None,
            layers=("conv/1", "conv/2"),
            activations="conv/2",
            turned=True,
            dtype="float32",
            summed=False,
            sketched=None,
            batch_size=2,
            reading={},
        ),
        **changes,
    )


class Batches:
    """Yields the arrays, stops after some batches as if killed, and remembers where it was asked to begin."""

    def __init__(self, stop_after=99):
        self.begun = []
        self._stop_after = stop_after

    def __call__(self, done):
        self.begun.append(done)
        for number, first in enumerate(range(done, 7, 2)):
            if number == self._stop_after:
                raise KeyboardInterrupt
            yield {name: array[first : first + 2] for name, array in ARRAYS.items()}


def test_arrays_are_kept_and_come_back_by_layer(tmp_path):
    found = make_heatmaps(tmp_path, origin(), shapes, Batches())
    assert found.images == IMAGES
    assert list(found.layers) == ["conv/1", "conv/2"]
    for name, array in found.layers.items():
        assert isinstance(array, np.memmap)
        np.testing.assert_array_equal(array, ARRAYS[name])
    np.testing.assert_array_equal(found.activations, ARRAYS[ACTIVATIONS])
    index = json.loads((tmp_path / "index.json").read_text())
    assert (index["complete"], index["images"], index["composite"]) == (True, list(IMAGES), "z-plus")


@pytest.mark.parametrize("batches", [0, 1, 2, 3])
def test_interrupted_run_goes_on_at_the_last_whole_batch_and_gives_the_same_bytes(tmp_path, batches):
    make_heatmaps(tmp_path / "whole", origin(), shapes, Batches())
    with pytest.raises(KeyboardInterrupt):
        make_heatmaps(tmp_path / "parts", origin(), shapes, Batches(batches))
    with pytest.raises(UsageError, match="no finished heatmaps"):
        open_heatmaps(tmp_path / "parts")
    rest = Batches()
    make_heatmaps(tmp_path / "parts", origin(), shapes, rest)
    assert rest.begun == [2 * batches]
    for path in (tmp_path / "whole").iterdir():
        assert (tmp_path / "parts" / path.name).read_bytes() == path.read_bytes()


def test_kill_between_two_arrays_costs_one_batch(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        make_heatmaps(tmp_path, origin(), shapes, Batches(2))
    part = tmp_path / "conv_2.npy.part"
    part.write_bytes(part.read_bytes()[:-4])
    rest = Batches()
    found = make_heatmaps(tmp_path, origin(), shapes, rest)
    assert rest.begun == [2]
    np.testing.assert_array_equal(found.layers["conv/2"], ARRAYS["conv/2"])


def test_finished_heatmaps_are_not_made_again(tmp_path):
    make_heatmaps(tmp_path, origin(), shapes, Batches())
    again = Batches()
    make_heatmaps(tmp_path, origin(), lambda: pytest.fail("nothing is left to explain"), again)
    assert again.begun == []


@pytest.mark.parametrize("change", [{"model": "n"}, {"hashes": tuple("abcdefX")}, {"composite": "hudd"}])
def test_changed_inputs_are_noticed(tmp_path, change):
    make_heatmaps(tmp_path, origin(), shapes, Batches())
    again = Batches()
    make_heatmaps(tmp_path, origin(**change), shapes, again)
    assert again.begun == [0]


def test_half_precision_keeps_the_pattern_of_tiny_values(tmp_path):
    tiny = {name: 1e-9 * array for name, array in ARRAYS.items()}
    found = make_heatmaps(tmp_path, origin(dtype="float16", batch_size=7), shapes, lambda _: [tiny])
    kept = found.layers["conv/1"]
    assert kept.dtype == np.float16
    for row, array in zip(kept, ARRAYS["conv/1"], strict=True):
        np.testing.assert_allclose(row, array / np.abs(array).max(), rtol=2e-3, atol=1e-6)


def test_index_that_is_none_is_told(tmp_path):
    (tmp_path / "index.json").write_text("{")
    with pytest.raises(UsageError, match="cannot be read"):
        make_heatmaps(tmp_path, origin(), shapes, Batches())


def test_nothing_outside_the_folder_is_removed(tmp_path):
    outside = tmp_path / "keep.npy"
    outside.touch()
    folder = tmp_path / "heat"
    folder.mkdir()
    (folder / "index.json").write_text(json.dumps({"fingerprint": "x", "files": {"a": "../keep.npy"}}))
    make_heatmaps(folder, origin(), shapes, Batches())
    assert outside.exists()
