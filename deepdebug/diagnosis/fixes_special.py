"""Fixes of the layers with rules of their own: embedding, dropout, normalisation, recurrent layers and masks."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from deepdebug.diagnosis.case import Case, Remedy
from deepdebug.diagnosis.fixes_layers import is_stack, named
from deepdebug.diagnosis.snippets import compile_code, getter_code, identifier, layers_code
from deepdebug.records import Fix


def embedding_range(case: Case) -> Remedy:
    """Make the embedding fit the ids."""
    first = case.findings[0]
    layer = case.run.facts.layer(first.layer)
    name = layer.name if layer is not None else "embedding"
    largest, width = _largest_id(case), (layer.output_shape or (64,))[-1] if layer is not None else 64
    if first.severity == "error" and first.value is None:
        advice = "Pass whole numbers: the embedding cuts off what stands behind the point."
        return Remedy(
            "Ids that are not whole numbers", "MSG0", Fix(advice, 'x_train = x_train.round().astype("int32")')
        )
    if first.severity == "info" and first.value is None:
        code = layers_code(case.run, (name,), {"mask_zero": True}) or "mask_zero = True"
        return Remedy("Padding is not masked", "STRUCTURE", Fix("Mask the padding with `mask_zero=True`.", code))
    size = int(largest) + 1 if largest is not None else "int(x_train.max()) + 1"
    code = f"{identifier(name)} = keras.layers.Embedding(input_dim={size}, output_dim={width or 64})"
    if first.severity == "info":
        advice = "A smaller table is enough: the largest id plus one."
        return Remedy(f"Table of embedding '{name}' is mostly unused", "STRUCTURE", Fix(advice, code))
    advice = "Make `input_dim` the largest id plus one, and keep every id at 0 or above."
    return Remedy(f"Ids outside the table of embedding '{name}'", "STRUCTURE", Fix(advice, code))


def _largest_id(case: Case) -> float | None:
    data = case.run.facts.data
    whole = [one.maximum for one in data.inputs if one.integer and one.maximum is not None] if data is not None else []
    return max(whole, default=None)


def dropout(case: Case) -> Remedy:
    """Drop fewer units, and none of the predictions."""
    first = case.findings[0]
    if first.threshold is None and first.layer is not None:
        code = _without_code(case, first.layer)
        advice = "Take the layer out: it disturbs the predictions themselves."
        return Remedy(f"Layer '{first.layer}' stands behind the output", "REGULARISE", Fix(advice, code))
    code = layers_code(case.run, named(case, "DD422"), {"rate": 0.3}) or "rate = 0.3"
    return Remedy("Dropout too strong", "REGULARISE", Fix("Use rates of 0.1 to 0.5.", code))


def _without_code(case: Case, name: str) -> str:
    if not is_stack(case.run.facts):
        return f"model.summary()  # build the model without layer '{name}'"
    stack = f'[layer for layer in model.layers if layer.name != "{name}"]'
    return f"model = keras.Sequential([keras.Input(model.input_shape[1:]), *{stack}])\n{compile_code(case.run)}"


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
    fault = "Moving statistics of BatchNormalization lag behind"
    return Remedy(fault, "STRUCTURE", Fix(advice, code))


def recurrent(case: Case) -> Remedy:
    """Return the last state only, and clip the gradient."""
    names = named(case)
    layer = case.run.facts.layer(names[0] if names else None)
    returns = layer is not None and layer.config.get("return_sequences")
    change = {"return_sequences": False} if returns else {"activation": "tanh"}
    code = layers_code(case.run, names, change) or compile_code(case.run, settings={"clipnorm": "1.0"})
    advice = "Let the last recurrent layer return one vector per row, keep tanh inside, and clip the gradient."
    return Remedy("Unsuitable recurrent layer", "STRUCTURE", Fix(advice, code))


def dropped_mask(case: Case) -> Remedy:
    """Carry the mask to the recurrent layer."""
    names = named(case)
    getter = getter_code(names[0]) if names else "model.layers[1]"
    code = f"print({getter}.supports_masking)  # must be True on the way from the embedding"
    advice = "Use only layers that pass the mask on between the embedding and the recurrent layer."
    return Remedy("The padding mask is lost", "STRUCTURE", Fix(advice, code))


REMEDIES: Mapping[str, Callable[[Case], Remedy]] = {
    "embedding_range": embedding_range,
    "dropout": dropout,
    "batch_norm": batch_norm,
    "batch_norm_gap": batch_norm_gap,
    "recurrent": recurrent,
    "dropped_mask": dropped_mask,
}
