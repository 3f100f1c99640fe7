"""Every fix is code that Python accepts; the common ones are run on a real model."""

from __future__ import annotations

from dataclasses import replace

import keras
import numpy as np
import pytest

from deepdebug.detectors.static import CROSS_ENTROPIES
from deepdebug.diagnosis import diagnose
from deepdebug.diagnosis.case import Case
from deepdebug.diagnosis.causes import CAUSES
from deepdebug.diagnosis.fixes import remedy
from deepdebug.diagnosis.heads import suitable_head
from deepdebug.diagnosis.tree import improper_data, tune_learn, weight_initialization
from deepdebug.facts import Facts, LayerFacts, LossFacts, OptimizerFacts, OutputFacts
from deepdebug.observation import Run
from tests.diagnosis.cases import class_labels, data, facts_with, finding, history, inputs, labels, sgd
from tests.factory import change_layer, classifier_facts

CE = "categorical_crossentropy"
ACTIONS = {f"MSG{number}" for number in range(6)} | {"SHAPE", "LABELS", "REGULARISE", "TRAIN", "CONNECT", "STRUCTURE"}
PROPER_NAMES = ("NaN", "BatchNormalization")
TWO_CLASSES = class_labels(maximum=1.0, distinct=2)
REGRESSION_LABELS = labels(
    shape=(), one_hot=False, rows_sum_to_one=False, integer=False, minimum=-300.0, maximum=900.0, distinct=1001,
    class_counts=(),
)  # fmt: skip


def bare_facts() -> Facts:
    """A model of which next to nothing is known."""
    return Facts("model")


def many_facts() -> Facts:
    """Two inputs, two outputs, nested names, a custom loss, an unknown optimizer."""
    base = facts_with("softmax", CE)
    layers = (
        LayerFacts("encoder/1st layer", "Conv2D", "convolution", "relu", ("input",), trainable=False),
        LayerFacts("class", "LSTM", "recurrent", "tanh", ("encoder/1st layer",), config={"return_sequences": True}),
        LayerFacts("drop", "Dropout", "dropout", config={"rate": 0.9}),
        LayerFacts("norm", "BatchNormalization", "normalization", config={"momentum": 0.999}),
        LayerFacts("ids", "Embedding", "embedding", output_shape=(7, 16)),
        *base.layers,
    )
    other = OutputFacts('odd "name"', "class", "tanh", "class", (5, 1), LossFacts("custom", "my_loss"))
    both = replace(data(), inputs=(inputs(), inputs(name="ids", integer=True, maximum=99.0, non_finite=2)))
    return replace(
        base, layers=layers, outputs=(*base.outputs, other), optimizer=OptimizerFacts("Mine", 0.1), data=both
    )


FACTS = [
    bare_facts(),
    many_facts(),
    facts_with("softmax", "binary_crossentropy", units=1, data=data(label=TWO_CLASSES)),
    facts_with("linear", CE),
    facts_with("tanh", "mean_squared_error", units=1, data=data(label=REGRESSION_LABELS)),
    facts_with("sigmoid", "sparse_categorical_crossentropy", data=data(label=class_labels(maximum=9.0))),
    facts_with("sigmoid", "binary_crossentropy", units=1, data=data({"non_finite": 1}, class_labels(minimum=1.0))),
    facts_with("linear", "mean_squared_error", units=4, data=data(label=replace(REGRESSION_LABELS, shape=(1,)))),
]


def case_of(run: Run, *findings) -> Case:
    answers = (improper_data(run), weight_initialization(run), tune_learn(run))
    return Case(run, findings, {answer.test: answer for answer in answers})


CASES = [
    (case_of(history(facts, ratio, epochs=2)), layer)
    for facts in FACTS
    for ratio, layer in ((3.0, "head"), (1e-9, None), (None, "encoder/1st layer"), (1e-3, "gone"))
]


@pytest.mark.parametrize("severity", ["info", "error"])
@pytest.mark.parametrize("cause", CAUSES, ids=lambda cause: cause.name)
def test_every_fix_is_valid_python_with_an_allowed_action(cause, severity):
    for case, layer in CASES:
        for code in cause.needs or cause.weights:
            answer = remedy(cause.name, replace(case, findings=(finding(code, severity, layer),)))
            compile(answer.fix.snippet, "<fix>", "exec")
            assert answer.action in ACTIONS
            assert answer.fix.advice.endswith(".")
            assert answer.fault.startswith(PROPER_NAMES) or not answer.fault[0].isupper()


def test_run_without_observations_has_fixes_too():
    for cause in CAUSES:
        snippet = remedy(cause.name, case_of(Run(FACTS[2]), finding("DD402", layer="head"))).fix.snippet
        compile(snippet, "<fix>", "exec")


# ---- which head suits the labels


@pytest.mark.parametrize(
    ("activation", "loss", "units", "label", "expected"),
    [
        ("softmax", "binary_crossentropy", 1, TWO_CLASSES, (1, "sigmoid", "binary_crossentropy")),
        ("sigmoid", CE, 3, labels(), (3, "softmax", CE)),
        ("linear", CE, 3, labels(), (3, "softmax", CE)),
        ("softmax", "mean_squared_error", 1, REGRESSION_LABELS, (1, "linear", "mean_squared_error")),
        ("tanh", "mean_absolute_error", 1, REGRESSION_LABELS, (1, "linear", "mean_absolute_error")),
        ("softmax", "sparse_categorical_crossentropy", 3, class_labels(maximum=9.0, distinct=10),
         (10, "softmax", "sparse_categorical_crossentropy")),
        ("softmax", CE, 3, class_labels(), (3, "softmax", "sparse_categorical_crossentropy")),
        ("softmax", CE, 3, labels(one_hot=False, rows_sum_to_one=False), (3, "sigmoid", "binary_crossentropy")),
        ("relu", "binary_crossentropy", 1, None, (1, "sigmoid", "binary_crossentropy")),
        ("relu", CE, 3, None, (3, "softmax", CE)),
        ("softmax", "mean_squared_error", 3, class_labels(), (3, "softmax", "sparse_categorical_crossentropy")),
        ("sigmoid", "poisson", 1, class_labels(maximum=9.0, distinct=10), (1, "softplus", "poisson")),
        ("sigmoid", "poisson", 1, None, (1, "softplus", "poisson")),
    ],
)  # fmt: skip
def test_head_follows_the_labels(activation, loss, units, label, expected):
    output = OutputFacts("output", "head", activation, "head", (units,), LossFacts(loss))
    head = suitable_head(output, label)
    assert (head.units, head.activation, head.loss) == expected


def test_classes_counted_from_1_are_counted_from_0_where_the_units_suffice():
    facts = facts_with(
        "softmax", "sparse_categorical_crossentropy", data=data(label=class_labels(minimum=1.0, maximum=3.0))
    )
    case = case_of(history(facts), finding("DD404", "error", "head"))
    assert remedy("labels", case).fix.snippet == "y_train = y_train - 1  # and so in validation and test data"


# ---- fixes run on a real model


def real_model(optimizer=None) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(8, activation="relu", name="hidden"),
            keras.layers.Dense(3, activation="softmax", name="head"),
        ]
    )
    model.compile(optimizer=optimizer or keras.optimizers.SGD(10.0, momentum=0.5), loss=CE, metrics=["accuracy"])
    return model


def run_fix(facts: Facts, *findings, ratio: float | None = 1e-3, **seen) -> dict[str, object]:
    """Run the fix of the first diagnosis where `model`, `x_train` and `y_train` exist; return its names."""
    run = history(facts, ratio, **seen)
    rows = np.random.default_rng(0).normal(100.0, 50.0, (32, 4)).astype("float32")
    names: dict[str, object] = {
        "keras": keras, "np": np, "model": real_model(), "x_train": rows, "x_val": rows[:5].copy(),
        "y_train": np.eye(3, dtype="float32")[np.arange(32) % 3], "y_val": np.eye(3, dtype="float32")[np.arange(5) % 3],
    }  # fmt: skip
    execute(diagnose(run, findings)[0].fix.snippet, names)
    return names


def execute(snippet: str, names: dict[str, object]) -> None:
    exec(compile(snippet, "<fix>", "exec"), names)  # noqa: S102  the code under test is our own text


@pytest.mark.parametrize("rate", [-1000.0, -1e-9])
def test_negative_learning_rate_is_diagnosed_and_the_fix_gives_a_usual_one(rate):
    run = history(classifier_facts())
    run = replace(run, observations=[replace(one, learning_rate=rate) for one in run.observations])
    (found,) = diagnose(run, [finding("DD207", "error", value=rate), finding("DD301", "fatal")])
    assert (found.cause, found.fault) == ("learning_rate_high", "learning rate is negative")
    assert "learning_rate=0.001" in found.fix.snippet
    assert found.fix.advice.startswith(f"Raise the learning rate from {rate:.3g} to about 1e-03")


def rate_of(names: dict[str, object]) -> float:
    return float(names["model"].optimizer.learning_rate.value)


def test_learning_rate_fix_keeps_optimizer_momentum_and_loss():
    facts = classifier_facts(data=data(), optimizer=replace(sgd(10.0), momentum=0.5))
    names = run_fix(facts, finding("DD305", "error"), ratio=33.0, learning_rate=10.0)
    optimizer = names["model"].optimizer
    assert type(optimizer).__name__ == "SGD"
    assert (rate_of(names), optimizer.momentum, optimizer.clipnorm) == (pytest.approx(0.01), 0.5, 1.0)
    assert names["model"].loss == CE


def test_rate_too_high_is_lowered_by_a_hundredth_at_most():
    names = run_fix(classifier_facts(data=data()), finding("DD207", "error"), ratio=0.3)
    assert rate_of(names) == pytest.approx(1e-5)


def test_rate_of_adadelta_is_lowered_to_that_of_its_paper():
    facts = classifier_facts(data=data(), optimizer=OptimizerFacts("Adadelta", 1000.0))
    names = run_fix(facts, finding("DD207", "error"), ratio=30.0, learning_rate=1000.0)
    assert rate_of(names) == pytest.approx(1.0)


def test_low_learning_rate_is_raised_to_moves_of_a_thousandth():
    names = run_fix(classifier_facts(data=data()), finding("DD208"), ratio=3e-6)
    assert rate_of(names) == pytest.approx(0.1)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # Keras on torch
def test_scaling_fix_standardises_what_reaches_the_first_layer():
    facts = classifier_facts(data=data({"median_absolute": 120.0}))
    names = run_fix(facts, finding("DD411", "error"))
    scaled = keras.ops.convert_to_numpy(names["scale"](names["x_train"]))
    assert np.allclose(scaled.mean(axis=0), 0, atol=1e-4)
    names["model"].fit(names["x_train"], names["y_train"], verbose=0)


def test_activation_fix_builds_the_hidden_layer_anew():
    names = run_fix(classifier_facts(data=data()), finding("DD101", "error", "hidden"))
    assert (names["hidden"].units, names["hidden"].activation.__name__) == (8, "leaky_relu")


def test_initialiser_fix_suits_the_activation():
    names = run_fix(classifier_facts(data=data()), finding("DD209", "error", "hidden"))
    assert isinstance(names["hidden"].kernel_initializer, keras.initializers.HeNormal)


def test_output_fix_for_one_unit_is_a_sigmoid():
    facts = facts_with("softmax", "binary_crossentropy", units=1, data=data(label=TWO_CLASSES))
    names = run_fix(facts, finding("DD402", "error", "head"))
    assert (names["head"].units, names["head"].activation.__name__) == (1, "sigmoid")
    assert names["model"].loss == "binary_crossentropy"


def test_overflow_fix_computes_the_loss_from_logits():
    names = run_fix(classifier_facts(data=data()), finding("DD301", "fatal"))
    assert names["head"].activation.__name__ == "linear"
    assert names["model"].loss.from_logits


def test_depth_fix_puts_normalisation_between_the_layers():
    facts = classifier_facts(data=data())
    run = history(facts)
    names: dict[str, object] = {"keras": keras, "model": real_model()}
    execute(remedy("depth", case_of(run, finding("DD206", "error", "hidden"))).fix.snippet, names)
    assert [type(layer).__name__ for layer in names["model"].layers] == ["Dense", "BatchNormalization", "Dense"]


def test_row_fixes_keep_rows_and_labels_together():
    facts = classifier_facts(data=data({"non_finite": 1}))
    for code in ("DD401", "DD414", "DD416"):
        names = run_fix(facts, finding(code, "error"))
        assert len(names["x_train"]) == len(names["y_train"]) == 32
    assert len(run_fix(facts, finding("DD415", "error"))["x_val"]) == 0


def test_schedule_fix_ends_with_the_planned_training():
    facts = classifier_facts(data=data())
    names: dict[str, object] = {"keras": keras}
    execute(remedy("schedule", case_of(history(facts), finding("DD303"))).fix.snippet, names)
    assert isinstance(names["optimizer"], keras.optimizers.Adam)
    assert names["schedule"].decay_steps == 1000


def test_training_taken_up_again_counts_the_epochs_of_its_own():
    facts = classifier_facts(fit=replace(classifier_facts().fit, initial_epoch=8))
    names: dict[str, object] = {"keras": keras}
    execute(remedy("schedule", case_of(history(facts), finding("DD303"))).fix.snippet, names)
    assert names["schedule"].decay_steps == 200
    assert "epochs=4" in remedy("too_few_epochs", case_of(history(facts), finding("DD308"))).fix.snippet


def test_training_that_had_hardly_begun_is_to_go_on_for_some_hundred_updates():
    run = history(classifier_facts(), epochs=2)
    fix = remedy("too_few_epochs", case_of(run, finding("DD308", "error", step=4))).fix
    assert "epochs=250" in fix.snippet
    assert "After 4 updates" in fix.advice


def test_layers_other_than_dense_are_built_from_their_own_configuration():
    facts = classifier_facts(layers=(LayerFacts("hidden", "MyDense", "dense", "relu"),), data=data())
    names = run_fix(facts, finding("DD101", "error", "hidden"))
    assert (names["hidden"].units, names["hidden"].activation.__name__) == (8, "leaky_relu")


def test_frozen_model_fix_unfreezes_the_last_layer():
    names: dict[str, object] = {"keras": keras, "model": real_model()}
    names["model"].trainable = False
    execute(remedy("frozen", case_of(history(classifier_facts()), finding("DD203"))).fix.snippet, names)
    assert names["model"].get_layer("head").trainable


@pytest.mark.parametrize("kind", CROSS_ENTROPIES)
def test_overflow_has_a_fix_for_every_cross_entropy(kind):
    snippet = remedy("overflow", case_of(history(facts_with("softmax", kind)), finding("DD301", "fatal"))).fix.snippet
    execute(snippet, {"keras": keras, "model": real_model()})


def test_units_are_called_dead_from_the_start_only_where_that_was_seen():
    facts = classifier_facts(data=data())
    dead = finding("DD101", "error", "hidden", value=1.0)
    seen = change_layer(history(facts), "hidden", dead_fraction=1.0)
    assert remedy("initialization", case_of(seen, dead)).fault == "units of layer 'hidden' are dead from the start"
    assert remedy("initialization", case_of(Run(facts), dead)).fault == "units of layer 'hidden' never fire"


# ---- one fault, several forms


def fault_of(facts: Facts, *findings) -> str:
    return diagnose(history(facts), findings)[0].fault


def test_embedding_fix_tells_its_four_findings_apart():
    ids = data({"integer": True, "minimum": 0.0, "maximum": 99.0})
    layer = LayerFacts("ids", "Embedding", "embedding", output_shape=(7, 16), config={"input_dim": 50})
    facts = classifier_facts(layers=(layer,), data=ids)
    outside = diagnose(history(facts), [finding("DD426", "fatal", "ids", value=99.0)])[0]
    assert '| {"input_dim": 100}' in outside.fix.snippet
    assert fault_of(facts, finding("DD426", "error", "ids", value=None)) == "ids that are not whole numbers"
    assert fault_of(facts, finding("DD426", "info", "ids", value=9.0)).endswith("is mostly unused")
    assert fault_of(facts, finding("DD426", "info", "ids", value=None)) == "padding is not masked"


def test_dropout_behind_the_output_is_taken_out():
    facts = facts_with("softmax", CE)
    late = LayerFacts("late", "Dropout", "dropout", inputs=("head",), config={"rate": 0.5})
    run = history(replace(facts, layers=(*facts.layers, late)))
    model = keras.Sequential([keras.Input((4,)), *real_model().layers, keras.layers.Dropout(0.5, name="late")])
    names: dict[str, object] = {"keras": keras, "model": model}
    execute(diagnose(run, [finding("DD422", "warn", "late", threshold=None)])[0].fix.snippet, names)
    assert [layer.name for layer in names["model"].layers] == ["hidden", "head"]


def test_batch_normalisation_fix_leaves_no_single_row():
    facts = classifier_facts(fit=replace(classifier_facts().fit, rows=3201, batch_size=64))
    diagnosis = diagnose(history(facts), [finding("DD423", "error", "norm", confidence="certain")])[0]
    assert "batch_size=33" in diagnosis.fix.snippet
    assert fault_of(facts, finding("DD423", "info", "norm")) == "BatchNormalization behind dropout"


def test_pixels_are_divided_by_255():
    pixels = {"shape": (28, 28, 1), "integer": True, "minimum": 0.0, "maximum": 255.0, "median_absolute": 0.0}
    snippet = diagnose(history(classifier_facts(data=data(pixels))), [finding("DD411")])[0].fix.snippet
    assert snippet.startswith("scale = keras.layers.Rescaling(1 / 255)")
    assert "keras.Input((28, 28, 1))" in snippet


def test_constant_input_is_told_from_a_constant_target():
    constant = classifier_facts(data=data({"constant_features": 4}))
    assert fault_of(constant, finding("DD412", "error")) == "constant input input"
    assert fault_of(classifier_facts(data=data()), finding("DD412", "error")) == "constant target"
    assert fault_of(classifier_facts(data=data()), finding("DD412", "info")) == "constant features"


def test_second_activation_is_told_from_a_missing_one():
    twice = finding("DD405", "warn", "hidden", evidence={"first_layer": "before"})
    assert fault_of(classifier_facts(), twice) == "second activation in layer 'hidden'"
    assert fault_of(classifier_facts(), finding("DD405", "error", "hidden")) == "no activation in layer 'hidden'"


@pytest.mark.parametrize(
    ("output", "label", "code"),
    [
        ((1,), (), "y_train = y_train.reshape(len(y_train), 1)"),
        ((4,), (1,), "head = keras.layers.Dense(1, "),
        ((10, 1), (), "keras.layers.Flatten()"),
    ],
)
def test_shape_fix_changes_the_side_that_is_wrong(output, label, code):
    facts = facts_with(
        "linear", "mean_squared_error", units=4, data=data(label=replace(REGRESSION_LABELS, shape=label))
    )
    facts = replace(facts, outputs=(replace(facts.outputs[0], shape=output),))
    assert code in diagnose(history(facts), [finding("DD406", "error", "head")])[0].fix.snippet


def test_many_layers_are_named_in_a_comment():
    names = [f"h{index}" for index in range(7)]
    layers = tuple(LayerFacts(name, "Dense", "dense", "relu", config={"units": 4}) for name in names)
    findings = [finding("DD101", "error", name) for name in names]
    snippet = diagnose(history(classifier_facts(layers=layers, data=data())), findings)[0].fix.snippet
    assert snippet.endswith('# the same for "h5", "h6"')
