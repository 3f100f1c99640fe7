"""Every architecture becomes a model, and rows their settings."""

import dataclasses

import keras
import pytest

from benchmarks.models444.build import build, stack
from benchmarks.models444.manifest import architectures, read_manifest

OUTPUTS = {"Blob": 3, "Circle": 1, "MNIST": 10, "CIFAR": 10}


@pytest.mark.slow
def test_every_architecture_builds_and_has_the_outputs_of_its_data():
    for name, architecture in architectures().items():
        model = stack(architecture)
        assert model.output_shape == (None, OUTPUTS[name.split("/")[0]]), name
        assert len(model.layers) == len(architecture["layers"])


@pytest.mark.slow
def test_row_has_its_own_settings():
    row = next(row for row in read_manifest() if row.optimizer == "RMSprop" and row.optimizer_options)
    model = build(row)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert float(model.optimizer.learning_rate) == pytest.approx(row.learning_rate)
    assert model.optimizer.rho == row.optimizer_options["rho"]
    assert model.loss == row.loss


def test_what_is_not_known_is_named_with_what_is():
    row = read_manifest()[0]
    with pytest.raises(ValueError, match=r"no architecture 'Blob/other'; known: Blob/exact"):
        build(dataclasses.replace(row, architecture="Blob/other"))
    with pytest.raises(ValueError, match=r"no layer 'Lambda'; known: Activation, "):
        stack({"input": [2], "layers": [["Lambda", {}]]})
