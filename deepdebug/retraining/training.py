"""One retraining: from the original weights, on the training set and a bag of newly labelled images."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from deepdebug.callback import Diagnose
from deepdebug.errors import UsageError
from deepdebug.lrp.signs import own_activation
from deepdebug.lrp.target import HEAD_OPERATIONS
from deepdebug.retraining.asked import TrainSettings

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]
LARGE = 256  # examples of a validation batch
Inputs = Callable[[Ints], Array]  # rows of a set -> what the model takes


@dataclass(frozen=True, slots=True)
class Examples:
    """Labelled images of a set, some of them perhaps several times.

    Args:
        inputs: Returns images as the model takes them.
        expected: What it should say, of every image of the set: classes of shape (images,), or values of shape
            (images, outputs).
        rows: Which images, shape (examples,).
    """

    inputs: Inputs
    expected: Array
    rows: Ints

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.rows)


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Examples of several sets in batches, in another order in every epoch that depends on the seed alone.

    Keras fetches ahead, in a thread of its own: it may ask for a batch of the next epoch before it tells that the one
    before has ended, or after. So a new order begins where all batches were asked for, and what Keras tells does not
    count. Where one batch holds everything there is nothing to reorder.

    Args:
        parts: The examples.
        encode: Turns labels into what the loss of the model takes.
        batch_size: Examples of a batch.
        seed: Of the order. Defaults to `None`: the examples stay in order.
    """

    def __init__(
        self, parts: Sequence[Examples], encode: Callable[[Array], Array], batch_size: int, seed: int | None = None
    ) -> None:
        super().__init__()
        self._parts = tuple(part for part in parts if len(part))
        self._encode = encode
        self._batch_size = batch_size
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])
        self._seed = seed
        self._lock = threading.Lock()
        self._epoch = 0
        self._asked: set[int] = set()
        self._order = self._shuffled()

    @property
    def num_examples(self) -> int:
        """Number of examples of an epoch."""
        return int(self._starts[-1])

    def __len__(self) -> int:
        """Return the number of batches."""
        return math.ceil(self.num_examples / self._batch_size)

    def __getitem__(self, number: int) -> tuple[Array, Array]:
        """Return the images and labels of a batch."""
        chosen = self._in_order(number)[number * self._batch_size : (number + 1) * self._batch_size]
        x, y = [], []
        for start, part in zip(self._starts, self._parts, strict=False):
            rows = part.rows[chosen[(chosen >= start) & (chosen < start + len(part))] - start]
            if len(rows):
                x.append(part.inputs(rows))
                y.append(part.expected[rows])
        return np.concatenate(x), self._encode(np.concatenate(y))

    def _in_order(self, number: int) -> Ints:
        """Return the order of the epoch to which a request for a batch belongs."""
        with self._lock:
            if len(self._asked) == len(self) > 1:
                self._epoch += 1
                self._asked.clear()
                self._order = self._shuffled()
            self._asked.add(number)
            return self._order

    def _shuffled(self) -> Ints:
        if self._seed is None:
            return np.arange(self.num_examples)
        return np.random.default_rng([self._seed, self._epoch]).permutation(self.num_examples)


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is trained with.

    Args:
        training: Batches of images and labels, in the form that the loss of the model takes: training set and bag.
        validation: What was kept apart of both, to choose among epochs; nothing of it is in the test set.
        seed: Of the order of the examples, and of random layers.
    """

    training: Batches
    validation: Batches
    seed: int

    @classmethod
    def of(
        cls, model: keras.Model, parts: Sequence[Examples], apart: Sequence[Examples], batch_size: int, seed: int
    ) -> Data:
        """Return what a compiled model is trained with.

        Args:
            model: The model.
            parts: What it is trained on.
            apart: What the epoch is chosen by.
            batch_size: Examples of a step.
            seed: Of the order of the examples.
        """
        encode = encoder(model)
        return cls(Batches(parts, encode, batch_size, seed), Batches(apart, encode, max(batch_size, LARGE)), seed)


Train = Callable[[keras.Model, Data], keras.Model]


class FiniteLoss(keras.callbacks.Callback):  # type: ignore[misc]
    """Ends a training whose loss stops being finite, and remembers it."""

    def __init__(self) -> None:
        super().__init__()
        self.lost = False

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Look at the loss; called by Keras."""
        if not math.isfinite(float((logs or {}).get("loss", 0.0))):
            self.lost = True
            self.model.stop_training = True


@dataclass(frozen=True, slots=True)
class Trained:
    """What came of a retraining.

    Args:
        model: The model with the weights of the best epoch.
        curves: Loss and metrics of every epoch, by name.
        best_epoch: The epoch whose weights were kept, from 1; 0 where the loss stopped being finite.
        seconds: Time it took.
        findings: Number of findings of `Diagnose` of severity "warn" or worse.
    """

    model: keras.Model
    curves: dict[str, list[float]]
    best_epoch: int
    seconds: float
    findings: int

    @property
    def diverged(self) -> bool:
        """Whether the loss stopped being finite, after which no epoch is to be trusted."""
        return self.best_epoch == 0


def train(
    model: keras.Model,
    data: Data,
    settings: TrainSettings,
    *,
    log_dir: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> Trained:
    """Train a compiled model further.

    Args:
        model: The model with the weights to start from.
        data: What it is trained with.
        settings: How.
        log_dir: Folder for the report of `Diagnose`. Defaults to `None`: none is written.
        callbacks: More callbacks. Defaults to none.

    Raises:
        UsageError: When nothing is kept apart to choose the epoch by.
    """
    if not len(data.validation):
        raise UsageError(
            f"None of the {data.training.num_examples} images is kept apart to choose the epoch by: the share of "
            f"{settings.validation} is less than half an image. Pass a larger --validation, or add images to the "
            "TrainingSet."
        )
    start = time.perf_counter()
    keras.utils.set_random_seed(data.seed)
    doctor = Diagnose(verbose=0, log_dir=log_dir)
    stopping = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=settings.patience, restore_best_weights=True
    )
    finite = FiniteLoss()
    history = model.fit(
        data.training,
        validation_data=data.validation,
        epochs=settings.epochs,
        shuffle=False,  # the batches are; Keras would do it with a state that other threads change as well
        verbose=0,
        callbacks=[finite, doctor, stopping, *callbacks],
    )
    curves = {name: [float(value) for value in values] for name, values in history.history.items()}
    curves.pop("deepdebug_findings", None)
    losses = np.array(curves.get("val_loss", []))
    is_usable = len(losses) > 0 and bool(np.isfinite(losses).all()) and not finite.lost
    best = int(np.argmin(losses)) + 1 if is_usable else 0
    findings = sum(one.severity != "info" for one in doctor.report.findings)
    return Trained(model, curves, best, time.perf_counter() - start, findings)


def train_by(own: Train, model: keras.Model, data: Data) -> Trained:
    """Let a function of the user's own train a model.

    Args:
        own: Takes a compiled model with the original weights and what it is trained with, and returns the model.
        model: The model.
        data: What it is trained with.

    Raises:
        UsageError: When it returns something else.
    """
    start = time.perf_counter()
    keras.utils.set_random_seed(data.seed)
    found = own(model, data)
    if not isinstance(found, keras.Model):
        raise UsageError(f"`train` returned {type(found).__name__}; expected the trained Keras model.")
    is_finite = all(np.isfinite(one).all() for one in found.get_weights())
    return Trained(found, {}, int(is_finite), time.perf_counter() - start, 0)


def compiled(model: keras.Model, settings: TrainSettings, is_class: bool) -> keras.Model:
    """Give a model the settings to train with: its own, as far as nothing else is asked for.

    The optimizer begins anew, so that all arms start alike; one with a schedule begins its schedule again. Metrics,
    weights of losses and how it is run stay those of the model.

    Args:
        model: The model as it was loaded, compiled or not.
        settings: What is asked for.
        is_class: Whether it is a classifier.

    Raises:
        UsageError: When there is no such optimizer.
    """
    optimizer, own = _optimizer(model, settings), _own_settings(model)
    if model.compiled and model.loss is not None:
        loss: Any = model.loss
    elif not is_class:
        loss = "mse"
    elif int(model.output_shape[-1]) == 1:
        loss = keras.losses.BinaryCrossentropy(from_logits=not _ends_in(model, "sigmoid"))
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=not _ends_in(model, "softmax"))
    own["metrics"] = own.get("metrics") or (["accuracy"] if is_class else ["mae"])
    model.compile(**{**own, "optimizer": optimizer, "loss": loss})
    return model


def encoder(model: keras.Model) -> Callable[[Array], Array]:
    """Return what turns labels into the form that the loss of a compiled model takes.

    Args:
        model: The model. A loss with "sparse" in its name takes class numbers; others take one column per class, or,
            of a model with one output, a column of 0 and 1.
    """
    loss, outputs = model.loss, int(model.output_shape[-1])
    name = loss if isinstance(loss, str) else getattr(loss, "name", None) or getattr(loss, "__name__", "")

    def encode(labels: Array) -> Array:
        if labels.ndim > 1:
            return labels
        if "sparse" in str(name):
            return labels
        if outputs == 1:
            return labels.astype(np.float32)[:, None]
        return np.eye(outputs, dtype=np.float32)[labels]

    return encode


def named_optimizer(name: str | None) -> keras.optimizers.Optimizer:
    """Return one of Keras's optimizers.

    Args:
        name: Its name; `None` for "adam".

    Raises:
        UsageError: When there is none of this name.
    """
    try:
        return keras.optimizers.get(name or "adam")
    except ValueError as error:
        raise UsageError(
            f"`--optimizer` got {name!r}, which Keras does not know; expected a name such as 'adam', 'sgd' or "
            "'rmsprop'."
        ) from error


def _optimizer(model: keras.Model, settings: TrainSettings) -> keras.optimizers.Optimizer:
    own = model.optimizer if model.compiled else None
    if settings.optimizer is None and own is not None:
        found = type(own).from_config(own.get_config())
    else:
        found = named_optimizer(settings.optimizer)
    if settings.learning_rate is not None:
        found = type(found).from_config({**found.get_config(), "learning_rate": settings.learning_rate})
    return found


def _own_settings(model: keras.Model) -> dict[str, Any]:
    """Return what a model was compiled with; nothing for one that was not."""
    config = model.get_compile_config() if model.compiled else None
    return dict(keras.saving.deserialize_keras_object(config)) if config else {}


def _ends_in(model: keras.Model, activation: str) -> bool:
    """Tell whether the last operation of a model, however deeply nested, has an activation."""
    last: Any = model
    while inner := getattr(last, "operations", None) or getattr(last, "layers", None):
        last = inner[-1]
    return (HEAD_OPERATIONS.get(type(last).__name__) or own_activation(last)) == activation
