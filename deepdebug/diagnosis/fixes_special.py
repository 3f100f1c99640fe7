"""Fixes of the layers with rules of their own: embedding, dropout, normalisation, recurrent layers and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from deepdebug.detectors.dropout_rate import RATES
from deepdebug.detectors.static import config_number
from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.fixes_data import part_of
from deepdebug.diagnosis.fixes_layers import START_AGAIN, is_stack, named
from deepdebug.diagnosis.fixes_rows import rows_code
from deepdebug.diagnosis.snippets import compile_code, getter_code, layer_code, layers_code
from deepdebug.facts import InputFacts, LayerFacts
from deepdebug.records import Fix

MIN_FILLED = 0.5  # share of the ids up to the largest that must be used, or they are numbered anew; our first setting


def embedding_range(case: Case) -> Remedy:
    """Make the embedding fit the ids."""
    first = case.findings[0]
    layer = case.run.facts.layer(first.layer)
    name, ids = layer.name if layer is not None else "embedding", _ids_of(case, layer)
    before, part = part_of(case, ids.name if ids is not None else None)
    if first.severity == "error" and first.value is None:
        advice = "Pass whole numbers: the embedding cuts off what stands behind the point."
        code = f'{before}{part} = {part}.round().astype("int32")'
        return Remedy("ids that are not whole numbers", "MSG0", Fix(advice, code))
    if first.severity == "info" and first.value is None:
        code = layers_code(case.run, (name,), {"mask_zero": True}) or "mask_zero = True"
        return Remedy("padding is not masked", "STRUCTURE", Fix("Mask the padding with `mask_zero=True`.", code))
    low = min(0, int(ids.minimum)) if ids is not None and ids.minimum is not None else 0
    code = _table_code(layer, None if ids is None or ids.maximum is None else int(ids.maximum) - low + 1)
    if first.severity == "info":
        fix = Fix("A smaller table is enough: the largest id plus one.", code)
        if layer is not None and ids is not None and _has_gaps(ids):
            fix = _renumbering(layer, ids, before, part)
        return Remedy(f"table of embedding '{name}' is mostly unused", "STRUCTURE", fix)
    advice = "Make `input_dim` the largest id plus one, and keep every id at 0 or above."
    if low < 0:
        advice = "Shift the ids so that they start at 0, in all data, and make `input_dim` the largest one plus one."
        code = f"{before}{part} = {part} + {-low}\n{code}"
    return Remedy(f"ids outside the table of embedding '{name}'", "STRUCTURE", Fix(advice, code))


def _ids_of(case: Case, layer: LayerFacts | None) -> InputFacts | None:
    """Return the input that an embedding receives; the only one where the data flow is not known."""
    inputs = case.run.facts.data.inputs if case.run.facts.data is not None else ()
    fed = [one for one in inputs if layer is not None and f"input:{one.name}" in (layer.inputs or ())]
    return next(iter(fed), inputs[0] if len(inputs) == 1 else None)


def _has_gaps(ids: InputFacts) -> bool:
    """Tell whether most ids up to the largest one are used by no row."""
    return ids.distinct is not None and ids.maximum is not None and ids.distinct < MIN_FILLED * (ids.maximum + 1)


def _renumbering(layer: LayerFacts, ids: InputFacts, before: str, part: str) -> Fix:
    """Return the fix that numbers the ids anew; the mask keeps its id 0."""
    start = int(layer.config.get("mask_zero") is True and (ids.minimum or 0.0) > 0)
    code = (
        f"import numpy as np\n{before}"
        f"ids, numbers = np.unique({part}, return_inverse=True)\n"
        f"{part} = numbers.reshape({part}.shape){f' + {start}' if start else ''}\n"
        f"{layer_code(layer, {'input_dim': (ids.distinct or 0) + start})}"
    )
    advice = f"Number the {ids.distinct} ids that occur anew, in all data alike, and make `input_dim` their number."
    return Fix(advice, code)


def _table_code(layer: LayerFacts | None, size: int | None) -> str:
    if layer is not None and size is not None:
        return layer_code(layer, {"input_dim": size})
    rows = size if size is not None else "int(x_train.max()) + 1"
    return f"embedding = keras.layers.Embedding(input_dim={rows}, output_dim=64)"


def dropout(case: Case) -> Remedy:
    """Drop fewer units, and none of the predictions."""
    first = case.findings[0]
    if first.threshold is None and first.layer is not None:
        code = _without_code(case, first.layer)
        advice = "Take the layer out: it disturbs the predictions themselves."
        return Remedy(f"layer '{first.layer}' stands behind the output", "REGULARISE", Fix(advice, code))
    layers = [case.run.facts.layer(name) for name in named(case, "DD422")]
    lines = [layer_code(layer, _lower_rates(layer, first.threshold or 0.0)) for layer in layers if layer is not None]
    code = "\n".join(lines) or "rate = 0.3"
    return Remedy("dropout too strong", "REGULARISE", Fix("Use rates of 0.1 to 0.5.", code))


def _lower_rates(layer: LayerFacts, most: float) -> dict[str, object]:
    high = [key for key in RATES if (config_number(layer, key) or 0.0) > most]
    return dict.fromkeys(high or ["rate"], 0.3)


def _without_code(case: Case, name: str) -> str:
    if not is_stack(case.run.facts):
        return f"model.summary()  # build the model without layer '{name}'"
    return (
        f'stack = [layer for layer in model.layers if layer.name != "{name}"]\n'
        "stack = [layer for layer in stack if not isinstance(layer, keras.layers.InputLayer)]\n"
        "model = keras.Sequential([keras.Input(model.input_shape[1:]), *stack])\n"
        f"{compile_code(case.run)}"
    )


def batch_norm(case: Case) -> Remedy:
    """Give BatchNormalization batches of several rows."""
    first, fit = case.findings[0], case.run.facts.fit
    if first.severity == "info" and first.confidence != "certain":
        advice = "Put BatchNormalization in front of the dropout, whose noise shifts its statistics."
        code = "x = keras.layers.Dropout(0.3)(keras.layers.BatchNormalization()(x))"
        return Remedy("BatchNormalization behind dropout", "STRUCTURE", Fix(advice, code))
    size = 32 if (fit.rows or 0) % 32 != 1 else 33
    advice = f"Use batches of {size} rows, none of which may hold a single row, or LayerNormalization."
    return Remedy(
        "BatchNormalization over single rows",
        "STRUCTURE",
        Fix(advice, f"model.fit(x_train, y_train, batch_size={size})"),
    )


def batch_norm_gap(case: Case) -> Remedy:
    """Let the moving statistics follow faster."""
    normalizing = tuple(one.name for one in case.run.facts.layers if one.kind == "BatchNormalization")
    code = layers_code(case.run, named(case, "DD211") or normalizing, {"momentum": 0.9}) or "momentum = 0.9"
    advice = "Use a momentum of about 0.9 and larger batches, so that the moving statistics follow the real ones."
    fault = "moving statistics of BatchNormalization lag behind"
    return Remedy(fault, "STRUCTURE", Fix(advice, code))


def recurrent(case: Case) -> Remedy:
    """Return the last state only, or bound the state."""
    names = named(_like_the_first(case), "DD424")
    if case.findings[0].evidence.get("cause") == "spectral_radius":
        changes = {"recurrent_initializer": "orthogonal", "activation": "tanh"}
        code = layers_code(case.run, names, changes) or 'activation = "tanh"'
        advice = f"Use tanh and an orthogonal recurrent kernel, or `keras.layers.LSTM`; {START_AGAIN}."
        return Remedy("recurrent state that grows with every time step", "MSG2", Fix(advice, code))
    code = layers_code(case.run, names, {"return_sequences": False}) or "return_sequences = False"
    advice = "Let the last recurrent layer return one vector per row, or give a label for every time step."
    return Remedy("recurrent layer returns every time step", "STRUCTURE", Fix(advice, code))


def dropped_mask(case: Case) -> Remedy:
    """Carry the mask to the recurrent layer, or drop the rows of which it leaves nothing."""
    if case.findings[0].evidence.get("cause") == "empty_rows":
        return _empty_rows(case)
    names = named(_like_the_first(case), "DD425")
    getter = getter_code(names[0]) if names else "model.layers[1]"
    code = f"print({getter}.supports_masking)  # must be True on the way from the embedding"
    advice = "Use only layers that pass the mask on between the embedding and the recurrent layer."
    return Remedy("the padding mask is lost", "STRUCTURE", Fix(advice, code))


def _empty_rows(case: Case) -> Remedy:
    ids = _ids_of(case, case.run.facts.layer(case.findings[0].layer))
    before, part = part_of(case, ids.name if ids is not None else None)
    code = f"{before}keep = ({part} != 0).reshape(len({part}), -1).any(axis=1)\n{rows_code(case, 'keep')}"
    advice = "Drop the rows that hold padding only, in the training and the validation data, or mend what emptied them."
    return Remedy("rows of padding only", "MSG0", Fix(advice, code))


def _like_the_first(case: Case) -> Case:
    """Return the case with those findings alone that have the cause of the most telling one."""
    cause = case.findings[0].evidence.get("cause")
    return replace(case, findings=tuple(one for one in case.findings if one.evidence.get("cause") == cause))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "embedding_range": embedding_range,
    "dropout": dropout,
    "batch_norm": batch_norm,
    "batch_norm_gap": batch_norm_gap,
    "recurrent": recurrent,
    "dropped_mask": dropped_mask,
}
