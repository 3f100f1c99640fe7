"""Every kind of layer hands relevance on without losing any, where nothing is added and epsilon is 0."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

import deepdebug
from deepdebug.lrp import Composite, relevance
from deepdebug.lrp.rules import Epsilon

ZERO = Composite(Epsilon(0.0), Epsilon(0.0), Epsilon(0.0))
# What stands between the input and a dense layer, with the shape of the input.
BODIES = {
    "time-distributed": ((5, 4), lambda: [layers.TimeDistributed(layers.Dense(3, "relu", use_bias=False))]),
    "time-distributed-conv": (
        (2, 6, 6, 1), lambda: [layers.TimeDistributed(layers.Conv2D(2, 3, activation="relu", use_bias=False))]
    ),
    "einsum": ((5, 4), lambda: [layers.EinsumDense("abc,cd->abd", output_shape=(5, 6))]),
    "conv1d-dilated": ((9, 4), lambda: [layers.Conv1D(3, 3, use_bias=False, padding="same", dilation_rate=2)]),
    "conv1d-causal": ((9, 4), lambda: [layers.Conv1D(3, 3, use_bias=False, padding="causal")]),
    "conv3d": ((6, 6, 6, 2), lambda: [layers.Conv3D(3, 3, strides=2, use_bias=False)]),
    "transposed-1d": ((6, 2), lambda: [layers.Conv1DTranspose(3, 3, strides=2, use_bias=False)]),
    "transposed-3d": ((4, 4, 4, 2), lambda: [layers.Conv3DTranspose(3, 3, strides=2, use_bias=False)]),
    "depthwise-1d": ((6, 2), lambda: [layers.DepthwiseConv1D(3, use_bias=False)]),
    "separable-1d": ((6, 2), lambda: [layers.SeparableConv1D(3, 3, use_bias=False)]),
    "separable-2d": ((6, 6, 2), lambda: [layers.SeparableConv2D(3, 3, use_bias=False, padding="same")]),
    "average-overlapping": ((6, 6, 2), lambda: [layers.AveragePooling2D(3, 1)]),
    "average-same": ((7, 7, 2), lambda: [layers.AveragePooling2D(3, 2, padding="same")]),
    "max-same": ((7, 7, 2), lambda: [layers.MaxPooling2D(3, 2, padding="same")]),
    "global-max-3d": ((4, 4, 4, 2), lambda: [layers.GlobalMaxPooling3D()]),
    "upsampling": ((4, 4, 2), lambda: [layers.UpSampling2D()]),
    "upsampling-bilinear": ((4, 4, 2), lambda: [layers.UpSampling2D(interpolation="bilinear")]),
    "cropping": ((6, 6, 2), lambda: [layers.ZeroPadding2D(2), layers.Cropping2D(1)]),
    "permute": ((6, 5, 2), lambda: [layers.Permute((3, 1, 2))]),
    "repeat": ((6,), lambda: [layers.RepeatVector(3)]),
    "noise": ((6, 2), lambda: [layers.SpatialDropout1D(0.5), layers.GaussianNoise(0.1), layers.AlphaDropout(0.1)]),
    "rescaling": ((6, 6, 2), lambda: [layers.Rescaling(2.0)]),
    "activations": ((6,), lambda: [layers.PReLU(), layers.ELU(), layers.LeakyReLU(), layers.Identity()]),
    "images": ((6, 6, 2), lambda: [layers.RandomFlip(), layers.CenterCrop(5, 5), layers.Resizing(4, 4)]),
}  # fmt: skip
MERGES = (
    layers.Add, layers.Subtract, layers.Multiply, layers.Average, layers.Maximum, layers.Minimum, layers.Concatenate,
)  # fmt: skip


def assert_conserved(model, x):
    found = relevance(model, x, composite=ZERO)
    arrived = sum(one.reshape(len(x), -1).sum(axis=1) for one in found.inputs)
    np.testing.assert_allclose(arrived, found.explained.scores, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("kind", BODIES)
def test_check_01_kind_of_layer_conserves(kind):
    keras.utils.set_random_seed(1)
    shape, body = BODIES[kind]
    model = keras.Sequential([keras.Input(shape), *body(), layers.Flatten(), layers.Dense(3, use_bias=False)])
    assert_conserved(model, np.random.default_rng(0).random((4, *shape), dtype="float32"))


@pytest.mark.slow
@pytest.mark.parametrize("merge", MERGES, ids=lambda one: one.__name__)
def test_check_01_merge_conserves(merge):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((6,))
    branches = [layers.Dense(4, use_bias=False)(inputs) for _ in range(2)]
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(merge()(branches)))
    assert_conserved(model, np.random.default_rng(0).random((4, 6), dtype="float32"))


def test_word_has_the_relevance_of_its_vector():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((5,), dtype="int32")
    model = keras.Model(inputs, layers.Dense(2, use_bias=False)(layers.Flatten()(layers.Embedding(9, 4)(inputs))))
    found = relevance(model, np.arange(20).reshape(4, 5) % 9, composite=ZERO)
    assert found.inputs[0].shape == (4, 5)
    np.testing.assert_allclose(found.inputs[0].sum(axis=1), found.explained.scores, rtol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize("file", ["gamma", "alpha_beta", "flat", "z_plus"])
def test_rule_file_may_be_deleted_and_another_renamed_without_touching_the_rest(tmp_path, file):
    package = Path(deepdebug.__file__).parent
    shutil.copytree(package, tmp_path / "deepdebug", ignore=shutil.ignore_patterns("__pycache__", ".mypy_cache"))
    rules = tmp_path / "deepdebug" / "lrp" / "rules"
    (rules / f"{file}.py").unlink()
    (rules / "epsilon.py").rename(rules / "stabilised.py")
    program = """
import keras, numpy as np
from deepdebug.lrp import relevance
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
print(relevance(model, np.ones((2, 4), "float32"), composite="epsilon").inputs[0].shape)
"""
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", program], check=False, env=environment, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.stdout.strip() == "(2, 4)", done.stderr
