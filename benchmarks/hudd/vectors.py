"""What is clustered: relevance, activations, features and pixels of the failing pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from benchmarks.hudd import embedding
from benchmarks.hudd.failures import Failures
from deepdebug.hudd import embed
from deepdebug.hudd.heatmap_layers import convolutions, heatmap_layers
from deepdebug.lrp import Explainer
from deepdebug.lrp.forward import Forward
from deepdebug.model.families import family_of
from deepdebug.simulate.training import SCALE

Floats = npt.NDArray[np.floating[Any]]
Maps = Mapping[str, Floats]
READING = ("convolution", "pooling", "dense")  # layers at whose input HUDD keeps relevance
BATCH = 100


class Vectors:
    """Vectors of failing pictures, each made when it is first asked for.

    Args:
        model: The model.
        failures: The pictures.
    """

    def __init__(self, model: keras.Model, failures: Failures) -> None:
        self.failures = failures
        self._model = model
        self._inputs = failures.pictures * np.float32(SCALE)
        self._kept: dict[tuple[str, ...], Maps] = {}

    @property
    def is_classification(self) -> bool:
        """Whether there are classes."""
        return bool(self.failures.targets.ndim == 1)

    def relevance(self, composite: str = "z-plus", with_labels: bool = False) -> Maps:
        """Return the relevance at the input of every layer that is clustered.

        Explained is the predicted class; of a regression the output that is least usual.

        Args:
            composite: The rules. Defaults to "z-plus".
            with_labels: Whether the output of a regression is explained that is farthest from what is right, which
                only labels tell. Defaults to `False`.
        """
        return self._explained(composite, with_labels, heatmap_layers(self._model))

    def published(self) -> Maps:
        """Return the relevance that HUDD keeps, that of the input first; it looks at the labels of a regression."""
        layers = [layer.name for layer in self._model.layers if family_of(layer) in READING]
        return self._explained("hudd", True, layers)

    def activations(self) -> Floats:
        """Return what the last convolution says."""
        last = convolutions(self._model)[-1]

        def make() -> Maps:
            forward = Forward(self._model, [last])
            return self._in_batches(lambda x, _: forward(x).activations)

        return self._once(("activations",), make)[last]

    def embedding(self) -> Floats:
        """Return the features of a network that was trained on other pictures."""
        pictures = self.failures.pictures
        return self._once(("embedding",), lambda: {"": embed(embedding.embed_pictures, pictures, batch=50)})[""]

    def _explained(self, composite: str, with_labels: bool, layers: Sequence[str]) -> Maps:
        def make() -> Maps:
            reference = None if self.is_classification else self.failures.usual
            explain = Explainer(self._model, composite=composite, layers=layers, reference=reference)
            target: Literal["predicted", "worst"] = "predicted" if self.is_classification else "worst"
            labels = with_labels and not self.is_classification
            turned = composite != "hudd"  # as in `deepdebug hudd`, which the published pipeline does not do

            def relevance(x: Floats, y: Any) -> Maps:
                one = explain(x, target, y if labels else None)
                signs = np.where((one.explained.scores < 0) & turned, -1, 1).astype(np.float32)
                return {name: one[name] * signs.reshape(-1, *(1,) * (one[name].ndim - 1)) for name in layers}

            found = self._in_batches(relevance)
            return {name: found[name] for name in layers}  # in the order of the model

        return self._once((composite, str(with_labels), *layers), make)

    def _in_batches(self, function: Callable[[Any, Any], Maps]) -> Maps:
        """Return what a function says of all pictures; its batches are always full, for it is compiled for one size."""
        count = len(self._inputs)
        parts = []
        for start in range(0, count, BATCH):
            rows = np.minimum(np.arange(start, start + BATCH), count - 1)
            parts.append(function(self._inputs[rows], self.failures.targets[rows]))
        return {name: np.concatenate([part[name] for part in parts])[:count] for name in parts[0]}

    def _once(self, name: tuple[str, ...], make: Callable[[], Maps]) -> Maps:
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]
