"""What the detectors of contradictions in configuration and data share; these hold before the first update."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from deepdebug.detectors.findings import finding
from deepdebug.detectors.registry import Detector
from deepdebug.errors import NotJudged
from deepdebug.facts import DataFacts, Facts, LabelFacts, LayerFacts, OutputFacts
from deepdebug.records import Confidence, Finding, Location, Number, Severity

CATEGORICAL = ("categorical_crossentropy", "categorical_focal_crossentropy")
SPARSE = ("sparse_categorical_crossentropy",)
BINARY = ("binary_crossentropy", "binary_focal_crossentropy")
CROSS_ENTROPIES = (*CATEGORICAL, *SPARSE, *BINARY)
PLAIN_CROSS_ENTROPIES = ("categorical_crossentropy", *SPARSE, "binary_crossentropy")  # those that are entropies
REGRESSIONS = (
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error",
    "huber", "log_cosh",
)  # fmt: skip
UNKNOWN_LOSSES = ("custom", "none")


def static_finding(
    detector: Detector,
    severity: Severity,
    message: str,
    *,
    layer: str | None = None,
    subject: str | None = None,
    location: Location = "CONFIG",
    confidence: Confidence = "certain",
    value: float | None = None,
    threshold: float | None = None,
    healthy: str = "",
    evidence: Mapping[str, Number] | None = None,
) -> Finding:
    """Return a finding of `detector` that held before the first update."""
    return finding(
        detector,
        None,
        severity,
        message,
        location=location,
        layer=layer,
        subject=subject,
        confidence=confidence,
        value=value,
        threshold=threshold,
        healthy=healthy,
        evidence=evidence,
    )


def outputs_with_loss(facts: Facts) -> list[OutputFacts]:
    """Return the outputs whose loss is one of Keras.

    Raises:
        NotJudged: When there is none, or the model computes its loss in a `train_step` of its own.
    """
    if facts.fit.custom_train_step:
        raise NotJudged("the model overrides `train_step`, so the loss that it trains with is not known")
    known = [output for output in facts.outputs if output.loss.kind not in UNKNOWN_LOSSES]
    if not known:
        custom = [f"'{output.loss.name}'" for output in facts.outputs if output.loss.kind == "custom"]
        found = f"{custom[0]} is not one" if custom else "none was compiled"
        raise NotJudged(f"needs a loss of Keras; {found}")
    return known


def examined_data(facts: Facts, sample_rows: int = 0) -> DataFacts:
    """Return the facts of the data.

    Args:
        facts: What is known before training.
        sample_rows: Fewest rows needed where they are a sample, such as the first batch of a pipeline. Defaults to `0`.

    Raises:
        NotJudged: When the data were not examined, or too few of them.
    """
    if facts.data is None:
        raise NotJudged("the data were not examined; pass them with `Diagnose(data=(x, y))`")
    if not facts.data.complete and facts.data.rows < sample_rows:
        raise NotJudged(f"needs {sample_rows} rows of data, has seen {facts.data.rows}; more come with the first epoch")
    return facts.data


def labels_of(facts: Facts, output: OutputFacts) -> LabelFacts | None:
    """Return what is known of the training labels of an output."""
    labels = facts.data.labels if facts.data is not None else ()
    by_name = next((one for one in labels if one.name == output.name), None)
    return labels[0] if by_name is None and len(labels) == len(facts.outputs) == 1 else by_name


def labelled_outputs(facts: Facts, outputs: Sequence[OutputFacts]) -> list[tuple[OutputFacts, LabelFacts]]:
    """Return those of the outputs whose labels were examined, each with its labels.

    Raises:
        NotJudged: When there is none.
    """
    pairs = [(output, labels_of(facts, output)) for output in outputs]
    known = [(output, labels) for output, labels in pairs if labels is not None]
    if not known:
        raise NotJudged("needs the labels; pass them with `Diagnose(data=(x, y))`")
    return known


def has_other_task(facts: Facts) -> bool:
    """Tell whether every output has a loss of Keras that is no cross-entropy, so that there are no classes."""
    kinds = [output.loss.kind for output in facts.outputs]
    return bool(kinds) and not any(kind in (*CROSS_ENTROPIES, *UNKNOWN_LOSSES) for kind in kinds)


def place(output: OutputFacts) -> str:
    """Return the name of the layer that shapes an output's values, or else of the output."""
    return output.activation_layer or output.layer or output.name


def is_constant_softmax(output: OutputFacts) -> bool:
    """Tell whether an output is softmax over one unit, and so the constant 1."""
    return output.activation == "softmax" and output.units == 1


def shapes_last(facts: Facts, output: OutputFacts) -> bool:
    """Tell whether the output's activation is known and nothing but reshaping follows it."""
    layer = facts.layer(output.activation_layer)
    is_known = layer is None or layer.family in ("dense", "convolution", "recurrent", "activation")
    return output.activation != "unknown" and is_known


def following(facts: Facts) -> dict[str, list[LayerFacts]]:
    """Return, per layer, the layers that it feeds.

    Raises:
        NotJudged: When the data flow of the model could not be followed.
    """
    if not facts.layers or any(layer.inputs is None for layer in facts.layers):
        raise NotJudged("the data flow of the model could not be followed")
    fed: dict[str, list[LayerFacts]] = defaultdict(list)
    for layer in facts.layers:
        for name in layer.inputs or ():
            fed[name].append(layer)
    return fed


def config_number(layer: LayerFacts, key: str) -> float | None:
    """Return a number of a layer's configuration, or `None` where it has none of that name."""
    value = layer.config.get(key)
    return None if value is None or isinstance(value, str | bool) else float(value)
