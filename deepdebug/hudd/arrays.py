"""HUDD on arrays in memory, in one call."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.errors import UsageError
from deepdebug.hudd.analysing import About, Failures, analyse
from deepdebug.hudd.analysis import Analysis
from deepdebug.hudd.clusters import ClusterSettings
from deepdebug.hudd.explaining import HeatmapSettings, Labelled, Subject, ask, explain_failures
from deepdebug.hudd.heatmap_layers import heatmap_layers, original_layers
from deepdebug.hudd.heatmaps import Heatmaps
from deepdebug.hudd.images import ArrayImages, arrays_hash
from deepdebug.hudd.linkage import Labels
from deepdebug.hudd.page import write_page
from deepdebug.hudd.slicers import Slicer
from deepdebug.hudd.tested import FailureRule, Tested, parse_rule
from deepdebug.hudd.viewing import failing, settings_rows, views_of
from deepdebug.hudd.views import View, embed

Array = npt.NDArray[Any]
Embedding = Callable[[Array], npt.ArrayLike] | npt.ArrayLike
SET, HEATMAPS = "x", "Heatmaps"


class _Temporary:
    """A folder that goes with the object."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="deepdebug-"))
        weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """What failures were found with, for what comes after.

    Args:
        subject: The model.
        labelled: The images, and what is right about them.
        rule: When an answer is a failure.
        settings: Which heatmaps were made.
        views: What the failures were grouped by.
        tested: What the model says about the images that could be tested.
    """

    subject: Subject
    labelled: Labelled
    rule: FailureRule
    settings: HeatmapSettings
    views: tuple[View, ...]
    tested: Tested


@dataclass(frozen=True, slots=True, repr=False)
class Result:
    """What was found about the failures of a model.

    Args:
        analysis: Everything that is said of them.
        rows: Array of shape (failures,): their rows in `x`.
        labels: Array of shape (failures,): the cluster of each, 0 for the largest, which the page calls 1; -1 for none.
        heatmaps: Their relevance, on disk.
        asked: What they were found with; see `hudd.retrain`.
    """

    analysis: Analysis
    rows: npt.NDArray[np.intp]
    labels: Labels
    heatmaps: Heatmaps
    asked: Asked
    _folder: _Temporary | None = None

    def save(self, path: str | Path) -> Path:
        """Write the page about the failures.

        Args:
            path: The `.html` file.

        Returns:
            The file.

        Raises:
            UsageError: When it cannot be written.
        """
        return write_page(Path(path), self.analysis, self.heatmaps)

    def __repr__(self) -> str:
        """Say how many failures and clusters there are."""
        groups = len(self.analysis.groups)
        return f"Result({len(self.rows)} failures of model '{self.analysis.model}' in {groups} clusters)"


def run(
    model: keras.Model,
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    classes: Sequence[str] = (),
    failures: str = "label",
    layers: Sequence[str] = (),
    composite: str | None = None,
    target: Literal["predicted", "largest"] = "predicted",
    normalise: str = "sqrt",
    embedding: Embedding | None = None,
    views: Sequence[str] = (),
    parameters: Mapping[str, npt.ArrayLike] | None = None,
    angles: Sequence[str] = (),
    mode: str = "default",
    k: int | None = None,
    detail: str = "coarse",
    linkage: str = "ward",
    slicer: str | Slicer = "hierarchy",
    seed: int = 0,
    batch_size: int = 64,
    out: str | Path | None = None,
) -> Result:
    """Find the failures of a model, explain them and group them by their causes.

    Args:
        model: A built model with one input and one output.
        x: Array of shape (N, ...) of images as the model takes them.
        y: Right classes of shape (N,), whole numbers, or one-hot of shape (N, classes); or the right values of a
            regression, of shape (N, outputs).
        classes: Names of the classes in the order of the outputs. Defaults to none: their numbers.
        failures: "label" for a wrong class, "loss>NUMBER" or "quantile=NUMBER". Defaults to "label".
        layers: Layers whose relevance is clustered. Defaults to none: the convolutions, or in mode "hudd" what HUDD as
            published looks at.
        composite: Rules of relevance, a name of `deepdebug.lrp.COMPOSITES`. Defaults to `None`: "z-plus", or "hudd" in
            that mode.
        target: The explained output of a classifier, "predicted" or "largest". Defaults to "predicted".
        normalise: What is done to every heatmap before it is compared: "sqrt", "l2", "sum", "max" or "none". Defaults
            to "sqrt".
        embedding: A function from images of shape (rows, ...) to vectors of shape (rows, ...), or an array of shape
            (N, ...); the failures are then grouped by what they look like as well. Defaults to `None`.
        views: What the failures are grouped by: some of "relevance", "activations", "hidden" and "embedding". Defaults
            to none: relevance, and with an embedding the activations and the embedding.
        parameters: What is known of each image: arrays of shape (N,) by name. Defaults to nothing.
        angles: Names of parameters that are angles in degrees. Defaults to none.
        mode: "hudd" for the pipeline as published. Defaults to "default".
        k: Number of clusters. Defaults to `None`: it is found.
        detail: "coarse", or "fine" for about 25 clusters. Defaults to "coarse".
        linkage: Of the hierarchy: "ward", "average", "complete", "single" or "weighted". Defaults to "ward".
        slicer: "hierarchy", "kmeans", "mixture", "umap-hdbscan", "random", or a function. Defaults to "hierarchy".
        seed: Of everything random. Defaults to 0.
        batch_size: Images that go through the model together. Defaults to 64.
        out: Folder; the heatmaps lie in `Heatmaps` inside it, where a run that was stopped goes on. Defaults to
            `None`: a temporary one, which goes with the result.

    Returns:
        The failures, their groups, and everything that is said of them.

    Raises:
        UsageError: When model and arrays do not fit together, or nothing fails.

    Example:

    >>> from deepdebug import hudd
    >>> found = hudd.run(model, x_test, y_test)  # doctest: +SKIP
    >>> found.save("failures.html")  # doctest: +SKIP
    """
    _check(model, batch_size)
    layers = (layers,) if isinstance(layers, str) else tuple(layers)
    labelled = labelled_images(model, x, y, classes, batch_size)
    subject = Subject(model, model.name, _hash(model))
    rule = parse_rule(failures)
    answered = ask(subject, labelled, rule)
    settings = ClusterSettings(k=k, detail=detail, mode=mode, linkage=linkage, slicer=slicer, seed=seed)
    as_published = mode == "hudd"
    chosen = original_layers(model) if as_published and not layers else heatmap_layers(model, layers)
    rules, how = ("hudd", "none") if as_published else ("z-plus", normalise)
    wanted = HeatmapSettings(chosen, composite or rules, target, turned=not as_published, normalise=how)
    if not labelled.classes:
        wanted = replace(wanted, target="worst", reference=labelled.expected)
    folder = _Temporary() if out is None else None
    where = folder.path if folder else Path(str(out)) / HEATMAPS
    heatmaps = explain_failures(subject, labelled.images, answered, wanted, where)
    rows = np.array(answered.failing_rows)
    known = {name: _column(name, values, len(labelled.expected))[rows] for name, values in (parameters or {}).items()}
    compared = views_of(heatmaps, mode, normalise, _embedded(embedding, np.asarray(x), rows), views)
    about = About(
        case=model.name,
        model=model.name,
        settings=settings_rows(settings, rule, wanted, normalise, compared),
        sets=((SET, len(answered.tested.images), len(rows)),),
        left_out=answered.left_out,
    )
    found = analyse(
        about, Failures(failing(answered.tested), compared, heatmaps.pixels, known, tuple(angles)), settings
    )
    asked = Asked(subject, labelled, rule, wanted, tuple(compared), answered.tested)
    return Result(found.analysis, rows, _labels(found.analysis), heatmaps, asked, folder)


def _check(model: keras.Model, batch_size: int) -> None:
    if not isinstance(model, keras.Model) or not model.built:
        raise UsageError(f"`model` is {model!r}; expected a built Keras model. Call it on some images first.")
    outputs = model.output_shape
    if isinstance(outputs, list | dict) or len(outputs) < 2 or outputs[-1] is None:
        raise UsageError(f"The model '{model.name}' has outputs of shape {outputs}; expected one, (rows, outputs).")
    if batch_size < 1:
        raise UsageError(f"`batch_size` is {batch_size}; expected 1 or more.")


def labelled_images(
    model: keras.Model, x: npt.ArrayLike, y: npt.ArrayLike, classes: Sequence[str], batch_size: int
) -> Labelled:
    """Return images with what is right about them, checked against the model.

    Args:
        model: The model.
        x: Array of shape (N, ...).
        y: See `run`.
        classes: Names of the classes; none: their numbers.
        batch_size: Images that go through the model together.

    Raises:
        UsageError: When they do not fit together.
    """
    images, expected = ArrayImages(x, batch_size=batch_size), np.asarray(y)
    if expected.ndim < 1 or len(expected) != len(images.names):
        if expected.ndim < 1:
            raise UsageError(f"`y` is {y!r}; expected one class, or one row of values, per image.")
        raise UsageError(f"`y` has {len(expected)} rows for {len(images.names)} images; expected one each.")
    outputs = int(model.output_shape[-1])
    if expected.ndim == 2 and expected.shape[1] == outputs > 1 and _is_one_hot(expected):
        expected = expected.argmax(axis=1)
    if expected.ndim == 2 and expected.shape[1] == 1 and expected.dtype.kind in "iub":
        expected = expected[:, 0]
    if expected.ndim == 1 and expected.dtype.kind in "iub":
        names = tuple(classes) or tuple(str(one) for one in range(max(outputs, 2)))
        expected = expected.astype(np.int64)
        if expected.min() < 0 or expected.max() >= len(names):
            raise UsageError(
                f"The classes in `y` go from {expected.min()} to {expected.max()}; expected 0 to {len(names) - 1}."
            )
        return Labelled(images, expected, names, "`x`")
    if expected.dtype.kind not in "iuf":
        raise UsageError(f"`y` has the type {expected.dtype}; expected classes as whole numbers, or values.")
    values = expected.reshape(len(expected), -1)
    if values.shape[1] != outputs:
        raise UsageError(
            f"`y` has {values.shape[1]} values of type {expected.dtype} per image, and the model {outputs} outputs; "
            "expected as many, or classes as whole numbers (`y.astype(int)`)."
        )
    return Labelled(images, expected.reshape(len(expected), -1).astype(np.float32), (), "`x`")


def _is_one_hot(expected: Array) -> bool:
    return bool(np.isin(expected, (0, 1)).all() and (expected.sum(axis=1) == 1).all())


def _column(name: str, values: npt.ArrayLike, images: int) -> Array:
    try:
        column = np.asarray(values, np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"The parameter {name!r} holds {error}; expected numbers.") from error
    if column.shape != (images,):
        raise UsageError(
            f"The parameter {name!r} has shape {column.shape}; expected one number per image, ({images},)."
        )
    return column


def _embedded(embedding: Embedding | None, x: Array, rows: npt.NDArray[np.intp]) -> Array | None:
    if embedding is None:
        return None
    if callable(embedding):
        return embed(embedding, x[rows])
    known = np.asarray(embedding)
    if known.ndim < 2 or len(known) != len(x):
        raise UsageError(f"`embedding` has shape {known.shape}; expected one row for each of the {len(x)} images.")
    return known[rows]


def _labels(analysis: Analysis) -> Labels:
    labels = np.full(len(analysis.images), -1, np.intp)
    for group in analysis.groups:
        labels[list(group.members)] = group.number - 1
    return labels


def _hash(model: keras.Model) -> str:
    layers = str([(layer.name, type(layer).__name__) for layer in model.layers])
    return hashlib.sha256((layers + arrays_hash(model.get_weights())).encode()).hexdigest()
