"""Every architecture becomes a model, and rows their settings."""

import dataclasses

import keras
import numpy as np
import pytest

from benchmarks.models444.build import build, stack
from benchmarks.models444.data import Size
from benchmarks.models444.manifest import architectures, fixed, read_manifest
from benchmarks.models444.preparing import prepared


@pytest.mark.slow
def test_every_architecture_builds():
    for name, architecture in architectures().items():
        model = stack(architecture)
        assert len(model.layers) == len(architecture["layers"]), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:(?s).*softmax over axis")  # which is the fault of some programs
def test_every_program_fits_its_data(tmp_path):
    """Those with fetched pictures are checked by the size of their input alone."""
    sizes = {
        "mnist": 784,
        "cifar10": 3072,
        "blurred": 64 * 64 * 3,
        "cats_and_dogs": 64 * 64 * 3,
        "grey_animals": 64 * 64,
    }
    rows = [row for row in read_manifest() if row.kind == "program"]
    for row in (*rows, *(one for one in map(fixed, rows) if one is not None)):
        given = tuple(architectures()[row.architecture]["input"])
        if row.data in sizes:
            assert np.prod(given) == sizes[row.data], row.id
            continue
        data = prepared(row.data, row.prepared, Size(50, 50), tmp_path)
        assert (data.x.shape[1:] or (1,)) == given, row.id
        model = build(row)
        said = model(data.x[:4].reshape(-1, *given)).shape[1:]
        labels = data.y.shape[1:] or (1,)
        assert labels == ((1,) if "sparse" in row.loss else said), row.id


@pytest.mark.slow
def test_row_has_its_own_settings():
    row = next(row for row in read_manifest() if row.optimizer == "RMSprop" and row.optimizer_options.get("rho"))
    model = build(row)
    assert isinstance(model.optimizer, keras.optimizers.RMSprop)
    assert float(model.optimizer.learning_rate) == pytest.approx(row.learning_rate)
    assert model.optimizer.rho == row.optimizer_options["rho"]
    assert model.loss == row.loss


@pytest.mark.slow
def test_decay_is_that_of_keras_2():
    row = next(row for row in read_manifest() if row.decay)
    rate = build(dataclasses.replace(row, decay=0.5)).optimizer.learning_rate
    assert float(rate) == pytest.approx(row.learning_rate)
    schedule = keras.optimizers.schedules.InverseTimeDecay(row.learning_rate, 1, 0.5)
    assert float(schedule(4)) == pytest.approx(row.learning_rate / (1 + 0.5 * 4))


def test_what_is_not_known_is_named_with_what_is():
    row = read_manifest()[0]
    with pytest.raises(ValueError, match=r"no architecture 'Blob/other'; known: "):
        build(dataclasses.replace(row, architecture="Blob/other"))
    with pytest.raises(ValueError, match=r"no layer 'Lambda'; known: Activation, "):
        stack({"input": [2], "layers": [["Lambda", {}]]})
