"""What the model says about images, and why, as one short vector per image.

Whole heatmaps of a large improvement set would take terabytes. Each view of an image is normalised as it was for the
clusters, projected to 256 values with the signs of `Projection`, and weighed by the root of its share over its mean
squared distance among the failures; the sum keeps the squared distances of `views.combined` to a relative error of
sqrt(2 / 256), 9 %.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deepdebug.case.sources import Batch
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.explaining import HeatmapSettings, Subject, kept_relevance
from deepdebug.hudd.heatmap_layers import convolutions
from deepdebug.hudd.images import Array, Images
from deepdebug.hudd.projection import DIMS, Projection
from deepdebug.hudd.sketch import mean_squared_distance
from deepdebug.hudd.views import View
from deepdebug.lrp import Explainer
from deepdebug.lrp.forward import Forward

BLOCK = 256  # members that are projected at once
BESIDE = ("activations", "hidden", "embedding")  # views that are no relevance
MANY = 1_000_000  # no model has as many layers; tells their signs from those of layers


@dataclass(frozen=True, slots=True)
class Scale:
    """How a view enters the short vectors.

    Args:
        name: Name of the view: a layer, "activations" or "hidden".
        projection: To 256 values.
        projected: Whether the members come projected.
        factor: What the projected values are multiplied by.
    """

    name: str
    projection: Projection
    projected: bool
    factor: float


def clustered_views(views: Sequence[View], analysis: Analysis) -> list[View]:
    """Return the views that the clusters come from: all, or in mode "hudd" the layer that was chosen.

    Args:
        views: The views of the failures.
        analysis: Their clusters.
    """
    chosen = {one.name for one in analysis.layers if one.chosen}
    return [view for view in views if not chosen or view.name in chosen]


def member_vectors(
    views: Sequence[View], sketched: str | None = None, layers: Sequence[str] = ()
) -> tuple[npt.NDArray[np.float32], tuple[Scale, ...]]:
    """Return the short vectors of the failures, and how those of other images are made.

    Args:
        views: What the failures were clustered by.
        sketched: How heatmaps were normalised before they were stored projected. Defaults to `None`: they are whole.
        layers: All layers that heatmaps were made of, in their order, which tells how each was projected. Defaults to
            none: those among the views.

    Returns:
        Array of shape (failures, 256), float32, and a scale per view.
    """
    total = np.zeros((len(views[0].rows), DIMS), np.float32)
    weight = sum(view.weight for view in views)
    scales = []
    layers = list(layers) or [view.name for view in views if view.name not in BESIDE]
    for view in views:
        is_layer = view.name in layers
        is_short = is_layer and sketched is not None
        key = layers.index(view.name) if is_layer else MANY + BESIDE.index(view.name)
        projection = Projection(key, sketched if is_layer and sketched is not None else view.normalise)
        own = np.concatenate([block if is_short else projection(block) for _, block in view.rows.blocks(BLOCK)])
        mean = mean_squared_distance(own - own.mean(axis=0))
        factor = float(np.sqrt(view.weight / weight / mean)) if mean > 0 else 0.0
        scales.append(Scale(view.name, projection, is_short, factor))
        total += np.float32(factor) * own
    return total, tuple(scales)


@dataclass(frozen=True, slots=True)
class Seen:
    """A batch of images.

    Args:
        vectors: Array of shape (rows, 256), float32.
        scores: Array of shape (rows, outputs): before the last activation.
        outputs: Array of shape (rows, outputs): as the model gives them.
    """

    vectors: npt.NDArray[np.float32]
    scores: Array
    outputs: Array


class Looker:
    """Looks at images with a model; compiled at the first batch.

    Args:
        subject: The model.
        settings: Which heatmaps were made of the failures.
        scales: From `member_vectors`.
    """

    def __init__(self, subject: Subject, settings: HeatmapSettings, scales: Sequence[Scale]) -> None:
        self._settings, self._scales = settings, tuple(scales)
        self._last = convolutions(subject.model)[-1:]
        self._explain = Explainer(
            subject.model, composite=settings.composite, layers=settings.layers, reference=settings.reference
        )
        self._forward = Forward(subject.model, self._last)

    def __call__(self, images: Images, batch: Batch) -> Seen:
        """Look at a batch.

        Args:
            images: The set that it is of.
            batch: Images that were read.
        """
        x = images.inputs(batch)
        found = self._explain(x, self._settings.target)
        passed = self._forward(x)
        beside: Mapping[str, Array | None] = {
            "activations": passed.activations[self._last[0]] if self._last else None,
            "hidden": passed.hidden,
        }
        vectors = np.zeros((len(x), DIMS), np.float32)
        for scale in self._scales:
            # A layer may be called like one of the other views; then its relevance was compared.
            values = None if scale.name in self._settings.layers else beside.get(scale.name)
            if values is None:
                values = kept_relevance(found, scale.name, self._settings)
            vectors += np.float32(scale.factor) * scale.projection(values)
        return Seen(vectors, passed.scores, passed.outputs)
