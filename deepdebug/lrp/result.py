"""What an explanation is: relevance by layer, and how much of it each layer kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Conservation:
    """How much relevance went into a layer and how much came out on the other side, summed over rows and elements.

    Args:
        layer: Name of the layer.
        outputs: Relevance at its output.
        inputs: Relevance at its inputs.
    """

    layer: str
    outputs: float
    inputs: float

    @property
    def absorbed(self) -> float:
        """Share that bias, epsilon or padding took; negative where it was added."""
        return 0.0 if self.outputs == 0 else 1.0 - self.inputs / self.outputs


@dataclass(frozen=True, slots=True)
class Explained:
    """What was explained in every row.

    Args:
        indices: Array of shape (rows,): index of the explained output; where the loss is explained, of the predicted
            one.
        scores: Array of shape (rows,): the relevance that started, which is the explained score or the loss.
        outputs: Array of shape (rows,): the output of that index as the model gives it, such as a probability.
        predicted: Array of shape (rows,): index of the output with the largest score.
    """

    indices: npt.NDArray[np.integer[Any]]
    scores: Array
    outputs: Array
    predicted: npt.NDArray[np.integer[Any]]


class Relevance(Mapping[str, Array]):
    """Relevance at the input of every layer by layer name, in the order in which data flows.

    Where several layers read one tensor, each has the part that flows through it.

    Args:
        arrays: Arrays of shape (rows, *shape of the layer's first input); read-only, because some share the memory of
            the backend's tensors.
        conservation: One record per layer.
        inputs: Relevance of the model's inputs, one array of the shape of each; what flows through all layers that
            read it, added up.
        explained: What was explained.
    """

    def __init__(
        self,
        arrays: Mapping[str, Array],
        conservation: Sequence[Conservation],
        inputs: Sequence[Array],
        explained: Explained,
    ) -> None:
        self._arrays = dict(arrays)
        self.conservation = tuple(conservation)
        self.inputs = tuple(inputs)
        self.explained = explained

    def __getitem__(self, layer: str) -> Array:
        if layer not in self._arrays:
            raise KeyError(f"no relevance of {layer!r}; there is that of {', '.join(self._arrays)}")
        return self._arrays[layer]

    def __repr__(self) -> str:
        """Return the layers and the share of the explained scores that arrived at the inputs."""
        started, arrived = float(self.explained.scores.sum()), sum(float(one.sum()) for one in self.inputs)
        share = f", {arrived / started:.1%} of the scores at the inputs" if started else ""
        return f"Relevance({', '.join(self._arrays)}{share})"

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


def numbered(layers: Sequence[str]) -> list[str]:
    """Return the names of calls: that of the layer, with "#2" and so on from the second call of a shared layer on.

    Args:
        layers: Name of the layer of each call.
    """
    uses: Counter[str] = Counter()
    names = []
    for layer in layers:
        uses[layer] += 1
        names.append(layer if uses[layer] == 1 else f"{layer}#{uses[layer]}")
    return names
