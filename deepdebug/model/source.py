"""Finds the data of the running `fit`: what kind it is, which rows to probe with, and what all of it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras
from scipy import sparse

from deepdebug.facts import DataFacts, FitFacts
from deepdebug.model import private
from deepdebug.model.budget import rows_to_keep
from deepdebug.model.sample import Sample, named_arrays, row_count, take
from deepdebug.observe.data import describe_data, stratified_rows

KINDS = {
    "ArrayDataAdapter": "arrays",
    "TFDatasetAdapter": "tf.data",
    "PyDatasetAdapter": "PyDataset",
    "GeneratorDataAdapter": "generator",
    "TorchDataLoaderAdapter": "DataLoader",
    "GrainDatasetAdapter": "grain",
}
# Our first settings: a look of a thousandth of an epoch's work is not felt, fewer than 32 rows tell little of a unit,
# and among 1024 rows a unit that fires for 1 % of them is missed with a chance of 3e-5.
SCREEN_SHARE = 0.005  # rows looked at at each epoch end, as a share of the rows trained on
SCREEN_ROWS = (32, 512)
CONFIRM_ROWS = 1024
SEED = 20220521


@dataclass(frozen=True, slots=True)
class Source:
    """The training data of one `fit`.

    Args:
        fit: The arguments of `fit`.
        arrays: (x, y) where the data are arrays, else `None`: then rows must be tapped from the training itself.
        validation: (x, y) of the validation arrays, or `None`.
    """

    fit: FitFacts
    arrays: tuple[Any, Any] | None = None
    validation: tuple[Any, Any] | None = None


def find_source(model: keras.Model, params: Mapping[str, Any]) -> Source:
    """Read the running `fit`; what cannot be found stays `None`.

    Args:
        model: The model in training.
        params: `Callback.params`.
    """
    arguments = private.fit_arguments()
    epochs, steps = params.get("epochs"), params.get("steps")
    custom = private.overrides_train_step(model)
    if arguments is None:
        return Source(FitFacts(epochs=epochs, steps_per_epoch=steps, custom_train_step=custom, threaded=True))
    kind = KINDS.get(private.adapter_name(arguments), "unknown")
    is_arrays = kind == "arrays"
    validation = arguments.get("validation_data")
    validation_arrays = _validation_arrays(arguments) if validation is not None else None
    shuffle = arguments.get("shuffle")
    fit = FitFacts(
        source=kind,
        rows=row_count(arguments["x"]) if is_arrays else None,
        batch_size=private.iterator_batch_size(arguments),
        steps_per_epoch=steps,
        epochs=epochs,
        initial_epoch=int(arguments.get("initial_epoch") or 0),
        shuffle=bool(shuffle) if kind in ("arrays", "PyDataset") else None,
        validation="none" if validation is None else "split" if arguments.get("validation_split") else "given",
        validation_rows=row_count(validation_arrays[0]) if validation_arrays else None,
        class_weight=arguments.get("class_weight") is not None,
        sample_weight=arguments.get("sample_weight") is not None,
        custom_train_step=custom,
        callbacks=private.callback_names(arguments),
        threaded=private.draws_in_threads(arguments),
    )
    return Source(fit, (arguments["x"], arguments.get("y")) if is_arrays else None, validation_arrays)


def _validation_arrays(arguments: Mapping[str, Any]) -> tuple[Any, Any] | None:
    x, y = arguments.get("val_x"), arguments.get("val_y")
    flat = keras.tree.flatten((x, y))
    return (x, y) if y is not None and all(hasattr(one, "shape") for one in flat) else None


def screen_rows(fit: FitFacts, available: int) -> int:
    """Return how many rows to probe at each check, from the number of rows trained on in an epoch."""
    trained = fit.rows or (fit.steps_per_epoch or 0) * (fit.batch_size or 0)
    least, most = SCREEN_ROWS
    return min(available, max(least, min(most, int(trained * SCREEN_SHARE))))


def sample_arrays(x: Any, y: Any, rows: int = CONFIRM_ROWS) -> Sample:
    """Return a seeded, class-proportional sample of rows in random order.

    Args:
        x: Inputs, in the model's structure.
        y: Labels likewise, or `None`.
        rows: Number of rows, at most. Defaults to `1024`.
    """
    flat = [one for _, one in named_arrays(y, [])]
    total = row_count(x)
    chosen = stratified_rows(flat[0] if flat else None, total, min(rows, total), SEED)
    return Sample(take(x, chosen), take(y, chosen))


def _is_sparse(structure: Any) -> bool:
    return any(sparse.issparse(one) for one in keras.tree.flatten(structure))


def _dense(fit: FitFacts, arrays: tuple[Any, Any] | None) -> tuple[Any, Any] | None:
    """Return arrays as they are; of sparse matrices, which may be too large written out, a sample of rows."""
    if arrays is None or not _is_sparse(arrays):
        return arrays
    sample = sample_arrays(*arrays, rows_to_keep(fit, arrays[0]))
    return sample.x, sample.y


def describe(
    source: Source, sample: Sample | None, input_names: list[str], output_names: list[str]
) -> DataFacts | None:
    """Return the facts of the data: of all rows where they are arrays, of a sample where they are sparse or tapped."""
    complete = source.arrays is not None and not _is_sparse(source.arrays)
    arrays = _dense(source.fit, source.arrays) or (None if sample is None else (sample.x, sample.y))
    if arrays is None:
        return None
    x, y = arrays
    validation_x, validation_y = _dense(source.fit, source.validation) or (None, None)
    return describe_data(
        named_arrays(x, input_names),
        named_arrays(y, output_names),
        complete=complete,
        validation_inputs=named_arrays(validation_x, input_names),
        validation_labels=named_arrays(validation_y, output_names),
    )
