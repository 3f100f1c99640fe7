"""What is known before the first update: the model, the compile arguments, the fit arguments and the data.

Everything is a frozen record of numbers and strings, so that a recorded run can be judged again without the model.
`None` always means "not known".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Scalar = int | float | str | bool | None
Shape = tuple[int | None, ...]

FAMILIES = (
    "dense", "convolution", "recurrent", "attention", "embedding", "normalization", "dropout", "activation",
    "reshape", "pooling", "merge", "preprocessing", "other",
)  # fmt: skip
LEARNING_FAMILIES = ("dense", "convolution", "recurrent", "attention", "embedding")


@dataclass(frozen=True, slots=True)
class LayerFacts:
    """One layer, or one operation of a functional graph, in the order in which data flows.

    Args:
        name: Name, unique in the model; layers of nested models are written "outer/inner".
        kind: Class name, such as "Dense".
        family: One of `FAMILIES`.
        activation: Name of the function applied last inside the layer, recognised by what it computes ("relu",
            "leaky_relu", "sigmoid", "tanh", "softmax", "linear", ...); "unknown" for a function that matches none.
        inputs: Names of the layers that feed it ("input" stands for a model input); `None` when the data flow could
            not be followed.
        input_shape: Shape of its (first) input without the batch axis.
        output_shape: Shape of its (first) output without the batch axis.
        trainable: Whether `layer.trainable` is set.
        uses: How often it is called in one forward pass; above 1 for a shared layer.
        config: The configuration values that are numbers, strings or flags (`units`, `rate`, `momentum`, `input_dim`,
            `mask_zero`, `return_sequences`, `use_bias`, ...), and the class names of initialisers and regularisers.
    """

    name: str
    kind: str
    family: str = "other"
    activation: str = "linear"
    inputs: tuple[str, ...] | None = None
    input_shape: Shape | None = None
    output_shape: Shape | None = None
    trainable: bool = True
    uses: int = 1
    config: Mapping[str, Scalar] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VariableFacts:
    """One weight variable.

    Args:
        path: Keras path, such as "sequential/dense/kernel"; made unique where a model repeats one.
        layer: Name of the layer that owns it (`LayerFacts.name`), or `None`.
        role: Last part of the path: "kernel", "bias", "gamma", "moving_mean", "embeddings", ...
        shape: Shape.
        dtype: Data type, such as "float32".
        trainable: Whether the optimizer may change it.
        initializer: Class name of its initialiser, such as "GlorotUniform", where known.
        fan_in: Number of inputs that each output sums over, for kernels.
        fan_out: Number of outputs that each input feeds, for kernels.
    """

    path: str
    layer: str | None
    role: str
    shape: tuple[int, ...]
    dtype: str = "float32"
    trainable: bool = True
    initializer: str | None = None
    fan_in: int | None = None
    fan_out: int | None = None


@dataclass(frozen=True, slots=True)
class LossFacts:
    """The loss of one output.

    Args:
        kind: Keras function name, such as "categorical_crossentropy" or "mean_squared_error"; "custom" when it is not
            a Keras loss, `"none"` when the output has no loss.
        name: The name as the user knows it (class or function name).
        from_logits: The `from_logits` flag, or `None` for losses without one.
        is_function: Whether it is a plain function (ranks are aligned by Keras) and not a `keras.losses.Loss` subclass.
        ignore_class: The class that the loss leaves out, where it has such a setting.
    """

    kind: str
    name: str = ""
    from_logits: bool | None = None
    is_function: bool = False
    ignore_class: int | None = None


@dataclass(frozen=True, slots=True)
class OutputFacts:
    """One output of the model.

    Args:
        name: Name of the output.
        layer: Name of the layer that computes it (reshaping layers passed over), or `None` when not known.
        activation: Activation that shapes the output's values; "unknown" when the data flow could not be followed.
        activation_layer: Name of the layer that applies it.
        shape: Shape without the batch axis; `()` for one number per row.
        loss: The loss compiled for it.
    """

    name: str
    layer: str | None
    activation: str
    activation_layer: str | None
    shape: Shape | None
    loss: LossFacts

    @property
    def units(self) -> int | None:
        """Size of the last axis."""
        return self.shape[-1] if self.shape else None


@dataclass(frozen=True, slots=True)
class OptimizerFacts:
    """The optimizer as compiled.

    Args:
        name: Class name, such as "Adam".
        learning_rate: Learning rate before the first update.
        scheduled: Whether the learning rate follows a `LearningRateSchedule`.
        epsilon: The constant that Adam-like optimizers add to the denominator; `None` for the others.
        momentum: Momentum of SGD and RMSprop.
        clipnorm: Largest of the clipping settings (`clipnorm`, `global_clipnorm`), or `None`.
    """

    name: str
    learning_rate: float | None
    scheduled: bool = False
    epsilon: float | None = None
    momentum: float | None = None
    clipnorm: float | None = None


@dataclass(frozen=True, slots=True)
class FitFacts:
    """The arguments of the running `fit`.

    Args:
        source: Kind of training data: "arrays", "tf.data", "PyDataset", "generator", "DataLoader", "grain" or
            "unknown".
        rows: Number of training rows, where known.
        batch_size: Rows per batch.
        steps_per_epoch: Optimizer updates in one epoch.
        epochs: Number of the last planned epoch, counted from 1, as in `fit`.
        initial_epoch: Number of the first epoch, counted from 0; above 0 for a training that is taken up again.
        shuffle: Whether `fit` shuffles the rows; `None` when that is up to the data source.
        validation: Kind of validation data: "none", "split" (`validation_split`) or "given".
        validation_rows: Number of validation rows, where known.
        class_weight: Whether `class_weight` was given.
        sample_weight: Whether `sample_weight` was given.
        custom_train_step: Whether the model overrides `train_step`, so that its real gradient is not ours.
        callbacks: Class names of all callbacks, those of Keras's own and `Diagnose` among them.
        threaded: Whether a thread draws the batches ahead, while the model trains.
    """

    source: str = "unknown"
    rows: int | None = None
    batch_size: int | None = None
    steps_per_epoch: int | None = None
    epochs: int | None = None
    initial_epoch: int = 0
    shuffle: bool | None = None
    validation: str = "none"
    validation_rows: int | None = None
    class_weight: bool = False
    sample_weight: bool = False
    custom_train_step: bool = False
    callbacks: tuple[str, ...] = ()
    threaded: bool = False

    @property
    def planned_epochs(self) -> int | None:
        """Number of epochs that this `fit` is to make."""
        return None if self.epochs is None else self.epochs - self.initial_epoch


@dataclass(frozen=True, slots=True)
class InputFacts:
    """The values of one model input, over the examined rows.

    Args:
        name: Name of the input.
        shape: Shape of one row.
        dtype: Data type as the user passed it.
        numeric: Whether the values are numbers (strings are not).
        integer: Whether every value is a whole number.
        minimum: Smallest finite value.
        maximum: Largest finite value.
        non_finite: Number of NaN and infinite values.
        first_non_finite: Row and flat column of the first one, as "row 17, column 3".
        distinct: Number of distinct values, of whole numbers only; not counted in very large or wide-ranging data.
        zero_rows: Share of rows whose values are all 0; for inputs of whole numbers with several positions per row.
        features: Number of features (last axis).
        constant_features: Number of features with one single value.
        median_absolute: Median absolute value over all elements.
        largest_median: Largest median absolute value of a feature.
        scale_ratio: Largest divided by smallest interquartile range over the features that vary.
        extreme_features: "index: interquartile range" of the features with the largest ranges, at most 5.
        first_learning_layer: Name of the first layer with weights that this input reaches.
        normalized_by: Name of a normalising or rescaling layer that stands before that layer, or `None`.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    numeric: bool = True
    integer: bool = False
    minimum: float | None = None
    maximum: float | None = None
    non_finite: int = 0
    first_non_finite: str | None = None
    distinct: int | None = None
    zero_rows: float | None = None
    features: int | None = None
    constant_features: int = 0
    median_absolute: float | None = None
    largest_median: float | None = None
    scale_ratio: float | None = None
    extreme_features: tuple[str, ...] = ()
    first_learning_layer: str | None = None
    normalized_by: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFacts:
    """The labels of one output, over the examined rows.

    Args:
        name: Name of the output.
        shape: Shape of one row's label; `()` for a vector of labels.
        dtype: Data type as the user passed it.
        rows: Rows examined.
        integer: Whether every value is a whole number.
        minimum: Smallest finite value.
        maximum: Largest finite value.
        mean: Mean of all values.
        variance: Mean over the columns of the variance over rows: the mean squared error of the best constant.
        median_deviation: Mean absolute deviation from the column medians: the mean absolute error of the best constant.
        distinct: Number of distinct values, counted up to 1001.
        one_hot: Whether every row holds one 1 and otherwise 0.
        rows_sum_to_one: Whether every row is non-negative and sums to 1.
        non_finite: Number of NaN and infinite values.
        first_non_finite: Row of the first one.
        class_counts: Rows per class where labels are classes (whole numbers or one-hot, at most 1000 classes): index is
            the class.
        sorted_fraction: Share of rows that stand in the order of their class (1 when fully sorted, about 1 / number of
            runs when shuffled): 1 - (changes between neighbours - (classes - 1)) / expected changes when shuffled,
            clipped to [0, 1].
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    rows: int
    integer: bool = False
    minimum: float | None = None
    maximum: float | None = None
    mean: float | None = None
    variance: float | None = None
    median_deviation: float | None = None
    distinct: int | None = None
    one_hot: bool = False
    rows_sum_to_one: bool = False
    non_finite: int = 0
    first_non_finite: str | None = None
    class_counts: tuple[int, ...] = ()
    sorted_fraction: float | None = None


@dataclass(frozen=True, slots=True)
class DataFacts:
    """The training and validation data.

    Args:
        rows: Rows examined (all of them, or a sample).
        complete: Whether all training rows were examined.
        inputs: One record per model input.
        labels: One record per output that has labels.
        validation_inputs: The inputs of the validation data.
        validation_labels: The labels of the validation data.
        duplicate_fraction: Share of training rows whose inputs repeat an earlier row.
        conflict_fraction: Share of training rows whose inputs occur with more than one label.
        overlap_fraction: Share of validation rows whose inputs also occur in the training rows.
        overlap_expected: The same share expected by chance alone (from duplicates inside the training rows).
    """

    rows: int
    complete: bool
    inputs: tuple[InputFacts, ...] = ()
    labels: tuple[LabelFacts, ...] = ()
    validation_inputs: tuple[InputFacts, ...] = ()
    validation_labels: tuple[LabelFacts, ...] = ()
    duplicate_fraction: float | None = None
    conflict_fraction: float | None = None
    overlap_fraction: float | None = None
    overlap_expected: float | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known before the first update.

    Args:
        model: Name of the model.
        layers: Layers in the order in which data flows.
        variables: Weight variables, in `model.weights` order.
        outputs: Outputs, in the model's order.
        optimizer: The optimizer, or `None` when none was compiled.
        fit: The arguments of `fit`.
        data: The data, or `None` when it could not be examined (or not yet).
        backend: Keras backend.
        versions: Versions of deepdebug, keras and the backend.
    """

    model: str
    layers: tuple[LayerFacts, ...] = ()
    variables: tuple[VariableFacts, ...] = ()
    outputs: tuple[OutputFacts, ...] = ()
    optimizer: OptimizerFacts | None = None
    fit: FitFacts = FitFacts()
    data: DataFacts | None = None
    backend: str = ""
    versions: Mapping[str, str] = field(default_factory=dict)

    def layer(self, name: str | None) -> LayerFacts | None:
        """Return the layer of that name, or `None`."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def trainable_variables(self) -> tuple[VariableFacts, ...]:
        """Return the variables that the optimizer may change."""
        return tuple(variable for variable in self.variables if variable.trainable)

    def has_kind(self, *kinds: str) -> bool:
        """Tell whether the model holds a layer of one of these classes."""
        return any(layer.kind in kinds for layer in self.layers)
