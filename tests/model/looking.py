"""Looking at a model the way the callback does, without a `fit`."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from deepdebug.facts import FitFacts
from deepdebug.model.observer import Observer
from deepdebug.model.sample import Sample
from deepdebug.observation import Observation

SEED = np.random.RandomState(0)
X = SEED.normal(size=(16, 4)).astype("float32")
Y = SEED.normal(size=(16, 2)).astype("float32")
CLASSES = SEED.randint(0, 3, 16)


def observer(model: keras.Model, x: Any = X, y: Any = Y, source: str = "arrays") -> Observer:
    return Observer(model, FitFacts(source), Sample(x, y))


def look(model: keras.Model, x: Any = X, y: Any = Y) -> Observation:
    return observer(model, x, y).observe(-1, "begin", {}, Sample(x, y))
