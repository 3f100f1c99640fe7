"""A case of a few pictures, and a model that is no network."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from deepdebug.simulate import CASES
from deepdebug.simulate.order import Order, Size

TINY = Size("tiny", {"TrainingSet": 14, "TestSet": 9, "ImprovementSet": 11}, epochs=2, as_files=True)
ARRAYS = Size("tiny", TINY.pictures, epochs=2, as_files=False)


def order(name="GD", size=TINY, **values):
    return Order(CASES[name], size, **{"seed": 3, **values})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def no_network(monkeypatch):
    """Put a stand-in in the place of the training; returns the list of its trainings."""
    trained = []

    def train(case, pictures, targets, *, seed, epochs, on_epoch):
        trained.append((case.name, pictures.shape, targets.shape, seed))
        for epoch in range(epochs):
            on_epoch(epoch + 1)
        return (len(case.classes) or 54,)

    def predictor(model):
        return lambda pictures: np.tile(np.arange(model[0], dtype=np.float32), (len(pictures), 1))

    training = ModuleType("deepdebug.simulate.training")
    training.train, training.predictor = train, predictor
    training.load = lambda path: (int(path.read_text()),)
    monkeypatch.setitem(sys.modules, "deepdebug.simulate.training", training)
    saved = ModuleType("deepdebug.model.saved")
    saved.save_model = save_model
    monkeypatch.setitem(sys.modules, "deepdebug.model.saved", saved)
    return trained


def save_model(target, model):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(str(model[0]))
