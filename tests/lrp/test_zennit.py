"""The rules beside zennit's, on the same network; runs where zennit is installed (`pip install --no-deps zennit`)."""

import importlib
import sys
import types
from unittest import mock

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.lrp import Composite, relevance
from deepdebug.lrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox, ZPlus

torch = pytest.importorskip("torch")


def zennit_rules():
    """Return zennit's rules; it imports torchvision too, of which the rules need nothing."""
    stand_ins = {name: types.ModuleType(name) for name in ("torchvision", "torchvision.models")}
    for name in ("resnet", "vgg"):
        stand_ins[f"torchvision.models.{name}"] = mock.MagicMock()
    with mock.patch.dict(sys.modules, stand_ins):
        return importlib.import_module("zennit.rules")


try:
    rules = zennit_rules()
except ImportError:
    pytest.skip("zennit is not installed", allow_module_level=True)

pytestmark = pytest.mark.slow
X = np.random.default_rng(0).normal(size=(5, 10, 10, 2)).astype("float32")
STABILISER = 1e-9
WITHOUT_BIAS = {"stabilizer": STABILISER, "zero_params": "bias"}
RULES = {
    "epsilon": (Epsilon(0.01), lambda: rules.Epsilon(0.01)),
    "z-plus": (ZPlus(), lambda: rules.ZPlus(**WITHOUT_BIAS)),
    "gamma": (Gamma(0.25), lambda: rules.Gamma(0.25, stabilizer=STABILISER)),
    "alpha2beta1": (AlphaBeta(2.0, 1.0), lambda: rules.AlphaBeta(2.0, 1.0, stabilizer=STABILISER)),
    "alpha1beta0": (AlphaBeta(1.0, 0.0), lambda: rules.AlphaBeta(1.0, 0.0, stabilizer=STABILISER)),
    "w-square": (WSquare(), lambda: rules.WSquare(**WITHOUT_BIAS)),
    "flat": (Flat(), lambda: rules.Flat(**WITHOUT_BIAS)),
}


def networks():
    """Return the same network in Keras and in torch."""
    keras.utils.set_random_seed(2)
    ours = keras.Sequential(
        [
            keras.Input((10, 10, 2)),
            layers.Conv2D(4, 3, name="first"),
            layers.ReLU(),
            layers.Conv2D(6, 3, strides=2),
            layers.ReLU(),
            layers.Permute((3, 1, 2)),
            layers.Flatten(),
            layers.Dense(8),
            layers.ReLU(),
            layers.Dense(3),
        ]
    )
    theirs = torch.nn.Sequential(
        torch.nn.Conv2d(2, 4, 3), torch.nn.ReLU(), torch.nn.Conv2d(4, 6, 3, stride=2), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(54, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3),
    )  # fmt: skip
    random = np.random.default_rng(3)
    weighted = [layer for layer in ours.layers if layer.get_weights()]
    for layer, module in zip(weighted, [one for one in theirs if hasattr(one, "weight")], strict=True):
        kernel = layer.get_weights()[0]
        bias = 0.1 * random.normal(size=kernel.shape[-1]).astype("float32")
        layer.set_weights([kernel, bias])
        axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
        with torch.no_grad():
            module.weight.copy_(torch.tensor(kernel.transpose(axes)))
            module.bias.copy_(torch.tensor(bias))
    return ours, theirs


def zennit_relevance(network, first, others):
    x = torch.tensor(X.transpose(0, 3, 1, 2)).requires_grad_()
    modules = [one for one in network if hasattr(one, "weight")]
    handles = [(first if place == 0 else others)().register(one) for place, one in enumerate(modules)]
    handles += [rules.Pass().register(one) for one in network if isinstance(one, torch.nn.ReLU)]
    outputs = network(x)
    start = outputs * torch.nn.functional.one_hot(outputs.argmax(1), 3)
    (found,) = torch.autograd.grad(outputs, x, start.detach())
    for handle in handles:
        handle.remove()
    return found.detach().numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize("name", RULES)
def test_check_06_rule_gives_the_relevance_of_zennit(name):
    ours, theirs = networks()
    mine, other = RULES[name]
    expected = zennit_relevance(theirs, other, other)
    found = relevance(ours, X, composite=Composite(mine, mine)).inputs[0]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()


def test_check_06_box_rule_gives_the_relevance_of_zennit():
    ours, theirs = networks()
    low, high = torch.full((1, 2, 10, 10), -4.0), torch.full((1, 2, 10, 10), 4.0)
    expected = zennit_relevance(theirs, lambda: rules.ZBox(low, high, **WITHOUT_BIAS), RULES["epsilon"][1])
    composite = Composite(Epsilon(0.01), Epsilon(0.01), first=ZBox(-4.0, 4.0))
    found = relevance(ours, X, composite=composite).inputs[0]
    assert np.abs(found - expected).max() <= 1e-5 * np.abs(expected).max()
