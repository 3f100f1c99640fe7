from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.diagnosis import diagnose
from deepdebug.diagnosis.case import Case
from deepdebug.diagnosis.evidence_rate import unusual_high_rate
from deepdebug.facts import FitFacts, LayerFacts, OptimizerFacts
from deepdebug.observation import Run
from tests.diagnosis.cases import class_labels, data, facts_with, finding, history, labels, sgd
from tests.factory import change_layer, change_variable, classifier_facts, dense, healthy_run, kernel, with_metric

CE = "categorical_crossentropy"
HEALTHY = classifier_facts(data=data())
KNOWN_CODES = [
    *(f"DD{number}" for number in (*range(101, 108), *range(201, 212), *range(301, 312), *range(401, 407))),
    *(f"DD{number}" for number in (*range(411, 417), *range(421, 427))),
]  # fmt: skip


def only(run, *findings):
    (diagnosis,) = diagnose(run, findings)
    return diagnosis


def constant_softmax_run() -> Run:
    facts = facts_with(
        "softmax", "binary_crossentropy", units=1, data=data(label=class_labels(maximum=1.0, distinct=2))
    )
    return history(facts)


def with_skill(run: Run, skill: float, input_use: float) -> Run:
    """The run with this skill against the best constant and this use of the input at every check."""
    seen = [
        replace(
            one,
            loss=1.0,
            permuted_loss=1 / (1 - input_use),
            outputs=(replace(one.outputs[0], loss=1 - skill, constant_loss=1.0, accuracy=0.5),),
        )
        for one in run.observations
    ]
    return replace(run, observations=seen)


def deep_facts(activation: str, depth: int = 8):
    names = [f"h{index}" for index in range(depth)]
    befores = ["input", *names]
    layers = [dense(name, 8, activation, (before,)) for name, before in zip(names, befores[:-1], strict=True)]
    return classifier_facts(
        layers=(*layers, dense("head", 3, "softmax", (names[-1],))),
        variables=(*(kernel(name, (8, 8)) for name in names), kernel("head", (8, 3))),
        data=data(),
    )


# ---- the motivating example and the grouping


def test_softmax_over_one_unit_with_a_flat_loss_is_one_certain_diagnosis():
    findings = [
        finding("DD303", "error"),
        finding("DD310", "error"),
        finding("DD105", "error", "head"),
        finding("DD106", "error"),
        finding("DD402", "error", "head", confidence="certain"),
        finding("DD204", "error", "hidden"),
        finding("DD208"),
    ]
    diagnosis = only(constant_softmax_run(), *findings)
    assert (diagnosis.action, diagnosis.confidence) == ("MSG2", "certain")
    assert "'head'" in diagnosis.fault
    assert diagnosis.findings[0].code == "DD402"
    assert 'activation="sigmoid"' in diagnosis.fix.snippet


def test_dead_layer_flat_loss_zero_gradient_and_huge_rate_are_one_diagnosis():
    run = history(classifier_facts(data=data(), optimizer=sgd(10.0)), 30.0)
    run = change_layer(run, "hidden", only=range(5), dead_fraction=1.0)
    findings = [
        finding("DD101", "fatal", "hidden", value=1.0),
        finding("DD303", "error"),
        finding("DD204", "error", "hidden"),
        finding("DD310", "error"),
    ]
    diagnosis = only(run, *findings)
    assert (diagnosis.action, diagnosis.fault) == ("MSG3", "learning rate too high")
    assert diagnosis.cause == "learning_rate_high"
    assert {one.code for one in diagnosis.findings} == {"DD101", "DD303", "DD204", "DD310"}
    assert any("2% of the units" in text for text in diagnosis.supporting)


@given(
    st.lists(st.tuples(st.sampled_from([*KNOWN_CODES, "XY100"]), st.sampled_from(["info", "warn", "error", "fatal"])))
)
def test_every_finding_is_in_exactly_one_diagnosis(chosen):
    findings = [finding(code, severity, "hidden", step=index) for index, (code, severity) in enumerate(chosen)]
    found = [one for diagnosis in diagnose(history(HEALTHY), findings) for one in diagnosis.findings]
    assert sorted(one.step for one in found) == list(range(len(findings)))


@pytest.mark.parametrize("code", KNOWN_CODES)
def test_every_code_of_ours_has_a_cause_and_a_fix_of_its_own(code):
    diagnosis = only(history(HEALTHY), finding(code, "error", "hidden"))
    assert not diagnosis.fix.advice.startswith("Read the page")
    assert diagnosis.fix.snippet
    assert diagnosis.silence == f'Diagnose(ignore=["{code}"])'


def test_finding_of_a_foreign_detector_points_to_its_page():
    diagnosis = only(history(HEALTHY), finding("XY100"))
    assert "deepdebug explain XY100" in diagnosis.fix.advice


def test_no_finding_gives_no_diagnosis():
    assert diagnose(healthy_run(), ()) == ()


def test_run_without_any_observation_is_diagnosed():
    assert only(Run(HEALTHY), finding("DD402", "error", "head")).action == "MSG2"


def test_independent_advice_ranks_below_the_fault():
    diagnoses = diagnose(history(HEALTHY, 3.0), [finding("DD421", "info"), finding("DD305", "error")])
    assert [one.action for one in diagnoses] == ["MSG3", "TRAIN"]
    assert diagnoses[0].score > diagnoses[1].score


def test_advice_does_not_take_a_symptom_away():
    diagnoses = diagnose(history(HEALTHY, 3.0), [finding("DD421", "info"), finding("DD306")])
    assert [[one.code for one in diagnosis.findings] for diagnosis in diagnoses] == [["DD306"], ["DD421"]]


def test_learning_rate_keeps_its_own_diagnosis_beside_a_contradiction():
    findings = [finding("DD403", "error", "head", confidence="certain"), finding("DD207", "error"), finding("DD303")]
    first, second = diagnose(history(facts_with("relu", CE), 3.0), findings)
    assert [one.code for one in first.findings] == ["DD403", "DD303"]
    assert (second.action, [one.code for one in second.findings]) == ("MSG3", ["DD207"])


def test_mere_warning_about_the_loss_does_not_outrank_a_strong_cause():
    findings = [finding("DD403", "warn", "head"), finding("DD305", "error"), finding("DD207", "error")]
    assert diagnose(history(HEALTHY, 3.0), findings)[0].action == "MSG3"


def test_contradictions_at_two_outputs_are_two_diagnoses():
    findings = [finding("DD402", "error", "one"), finding("DD402", "error", "two"), finding("DD303")]
    diagnoses = diagnose(constant_softmax_run(), findings)
    assert sorted(one.findings[0].layer for one in diagnoses) == ["one", "two"]


def test_path_holds_the_tests_taken_and_ends_with_the_action():
    path = only(history(HEALTHY, 3.0), finding("DD305", "error")).path
    assert [line.split("?")[0] for line in path[:-1]] == [
        "SatisfiedCondition", "ImproperData", "WeightInitialization", "TuneLearn",
    ]  # fmt: skip
    assert path[1].startswith("ImproperData? no: input 'input' has values from -2 to 2")
    assert path[3].startswith("TuneLearn? yes: one update moves the weights by 3 of their size")
    assert path[-1] == "MSG3: learning rate too high"


def test_confidence_is_lowered_when_every_cause_is_contradicted():
    healthy = only(history(HEALTHY), finding("DD305"))
    assert healthy.contradicting
    assert healthy.confidence == "weak"
    assert only(history(HEALTHY, 3.0), finding("DD305")).confidence == "strong"


def test_inferred_cause_is_never_certain():
    diagnosis = only(history(HEALTHY, 3.0), finding("DD201", "fatal", "hidden", confidence="certain"))
    assert diagnosis.confidence == "strong"


# ---- exoneration


def test_healthy_update_ratio_exonerates_the_learning_rate():
    diagnosis = only(history(HEALTHY, 1e-3), finding("DD101", "error", "hidden"))
    assert diagnosis.action != "MSG3"


def test_scaled_data_and_healthy_start_exonerate_both():
    run = history(HEALTHY, 1e-3)
    for code in ("DD101", "DD102", "DD303", "DD304"):
        assert only(run, finding(code, "error", "hidden")).action not in ("MSG0", "MSG3", "MSG4")


# ---- data flow of the stop class


def test_non_finite_data_explain_every_later_number():
    facts = classifier_facts(data=data({"non_finite": 3, "first_non_finite": "row 17, column 3"}))
    findings = [
        finding("DD301", "fatal"), finding("DD202", "fatal", "head"), finding("DD201", "fatal", "hidden"),
        finding("DD401", "fatal", confidence="certain"), finding("DD103", "fatal", "head"), finding("DD303"),
    ]  # fmt: skip
    diagnosis = only(history(facts, 3.0), *findings)
    assert (diagnosis.action, diagnosis.confidence) == ("MSG0", "certain")
    assert [one.code for one in diagnosis.findings[:5]] == ["DD401", "DD201", "DD103", "DD301", "DD202"]
    assert "row 17, column 3" in diagnosis.fix.advice


def test_labels_outside_the_classes_explain_numeric_faults():
    findings = [finding("DD301", "fatal"), finding("DD201", "fatal", "head"), finding("DD404", "error", "head")]
    facts = facts_with("softmax", "sparse_categorical_crossentropy", data=data(label=class_labels(maximum=9.0)))
    diagnosis = only(history(facts), *findings)
    assert diagnosis.action == "LABELS"
    assert "Dense(10" in diagnosis.fix.snippet


# ---- Table III: every symptom leads to a sensible cause


@pytest.mark.parametrize(
    ("run", "action"),
    [
        (history(HEALTHY, 3.0), "MSG3"),
        (history(classifier_facts(data=data({"median_absolute": 120.0}))), "MSG0"),
        (history(HEALTHY, std=30.0), "MSG4"),
    ],
)
@pytest.mark.parametrize("code", ["DD201", "DD103", "DD101", "DD102"])
def test_numeric_dead_and_saturated_symptoms_follow_the_three_tests(code, run, action):
    assert only(run, finding(code, "fatal", "hidden")).action == action


def test_non_finite_output_of_a_sound_layer_is_an_overflow_there():
    diagnosis = only(history(HEALTHY), finding("DD103", "fatal", "hidden"))
    assert (diagnosis.action, diagnosis.fault) == ("MSG2", "overflow in layer 'hidden'")


def test_non_finite_gradient_of_a_sound_model_is_a_matter_of_the_loss():
    diagnosis = only(history(HEALTHY), finding("DD202", "fatal", "head"))
    assert diagnosis.action == "MSG1"
    assert "from_logits=True" in diagnosis.fix.snippet


def test_gradient_broken_before_the_first_update_does_not_blame_the_learning_rate():
    early = finding("DD202", "fatal", "hidden", epoch=-1, step=0)
    diagnosis = only(history(HEALTHY, 0.5), early, finding("DD201", "fatal", "hidden"), finding("DD301", "fatal"))
    assert (diagnosis.action, diagnosis.fault) == ("MSG2", "overflow in layer 'hidden'")


def test_invalid_loss_of_a_sound_model_is_a_matter_of_the_loss():
    assert only(history(HEALTHY), finding("DD301", "fatal")).action == "MSG1"


@pytest.mark.parametrize("code", ["DD107", "DD203"])
def test_unchanged_tensors_with_tiny_updates_blame_a_low_learning_rate(code):
    diagnosis = only(history(HEALTHY, 1e-9), finding(code, "error", "hidden"))
    assert (diagnosis.action, diagnosis.fault) == ("MSG3", "learning rate too low")


@pytest.mark.parametrize("code", ["DD203", "DD204"])
def test_layer_that_the_loss_does_not_depend_on_is_to_be_connected(code):
    run = change_variable(history(HEALTHY, 1e-9), "model/hidden/kernel", has_gradient=False, gradient_rms=None)
    diagnoses = diagnose(run, [finding(code, "error", "hidden"), finding("DD208", "warn")])
    assert [one.action for one in diagnoses if one.findings[0].code == code] == ["CONNECT"]


def test_dead_units_of_a_sound_run_call_for_a_leaky_rectifier():
    diagnosis = only(history(HEALTHY), finding("DD101", "warn", "hidden"))
    assert diagnosis.action == "MSG2"
    assert 'activation="leaky_relu"' in diagnosis.fix.snippet


def test_saturated_units_of_a_sound_run_call_for_another_activation():
    facts = facts_with("softmax", CE, hidden="sigmoid")
    diagnosis = only(history(facts), finding("DD102", "warn", "hidden"))
    assert diagnosis.action == "MSG2"
    assert 'activation="relu"' in diagnosis.fix.snippet


def test_output_out_of_range_calls_for_another_last_activation():
    facts = facts_with("tanh", "mean_squared_error", units=1, data=data(label=labels(
        shape=(), one_hot=False, rows_sum_to_one=False, integer=False, minimum=-300.0, maximum=900.0, distinct=1001,
        class_counts=(),
    )))  # fmt: skip
    diagnosis = only(history(facts), finding("DD104", "error", "head", confidence="certain"), finding("DD303", "error"))
    assert (diagnosis.action, diagnosis.confidence) == ("MSG2", "certain")
    assert 'Dense(1, activation="linear"' in diagnosis.fix.snippet


@pytest.mark.parametrize("code", ["DD303", "DD304"])
@pytest.mark.parametrize(
    ("run", "action"),
    [
        (history(HEALTHY, 3.0), "MSG3"),
        (history(HEALTHY, 1e-9), "MSG3"),
        (history(classifier_facts(data=data({"scale_ratio": 1e6, "maximum": 1e4}))), "MSG0"),
        (history(HEALTHY, std=1e-3), "MSG4"),
        (with_skill(history(HEALTHY), 0.3, 0.3), "MSG5"),
        (with_skill(history(HEALTHY), 0.0, 0.0), "MSG0"),
    ],
)
def test_flat_metrics_follow_the_tests_down_to_capacity(code, run, action):
    assert only(run, finding(code, "warn")).action == action


def test_flat_loss_after_the_rate_ran_out_blames_the_schedule():
    run = history(HEALTHY)
    seen = [replace(one, learning_rate=1e-9 if one.epoch > 2 else 1e-3) for one in run.observations]
    diagnosis = only(replace(run, observations=seen), finding("DD303"))
    assert diagnosis.fault == "learning rate schedule ends too early"


def test_gradient_that_vanishes_in_a_sigmoid_stack_blames_the_activation():
    diagnosis = only(history(deep_facts("sigmoid")), finding("DD205", "error", "h0"))
    assert diagnosis.action == "MSG2"
    assert 'h0 = keras.layers.Dense(8, activation="relu"' in diagnosis.fix.snippet


def test_gradient_that_vanishes_in_a_deep_rectifier_stack_blames_the_depth():
    diagnosis = only(history(deep_facts("relu")), finding("DD205", "error", "h0"))
    assert (diagnosis.action, diagnosis.fault) == ("MSG5", "more layers than the gradient can pass")


def test_accuracy_of_a_regression_calls_for_another_metric():
    facts = facts_with("linear", "mean_squared_error", units=1)
    diagnosis = only(history(facts), finding("DD302", "warn"))
    assert diagnosis.action == "TRAIN"
    assert 'metrics=["mae"]' in diagnosis.fix.snippet


def test_poisson_is_a_loss_for_numbers_too():
    facts = facts_with("softplus", "poisson", units=1)
    diagnosis = only(history(facts), finding("DD302", "warn"))
    assert diagnosis.fault == "accuracy of a regression"
    assert any("poisson" in reason for reason in diagnosis.supporting)


@pytest.mark.parametrize(("optimizer", "rate"), [("Adadelta", 1.0), ("Adagrad", 0.5), ("Ftrl", 0.5), ("SGD", 0.5)])
def test_rate_that_its_optimizer_is_used_with_is_not_suspected(optimizer, rate):
    facts = classifier_facts(data=data(), optimizer=OptimizerFacts(optimizer, rate))
    run = history(facts, None, learning_rate=rate)
    assert unusual_high_rate(Case(run, (), {})) is None


@pytest.mark.parametrize(("optimizer", "rate"), [("Adadelta", 20.0), ("Adagrad", 2.0), ("Adam", 0.2), ("SGD", 2.0)])
def test_rate_above_what_its_optimizer_is_used_with_is_suspected(optimizer, rate):
    facts = classifier_facts(data=data(), optimizer=OptimizerFacts(optimizer, rate))
    evidence = unusual_high_rate(Case(history(facts, None, learning_rate=rate), (), {}))
    assert evidence is not None
    assert evidence.weight > 0


def test_wrong_loss_for_one_hot_labels_is_to_be_changed():
    facts = facts_with("softmax", "binary_crossentropy")
    diagnosis = only(history(facts), finding("DD403", "warn", "head", confidence="certain"))
    assert diagnosis.action == "MSG1"
    assert 'loss="categorical_crossentropy"' in diagnosis.fix.snippet


@pytest.mark.parametrize(
    ("code", "action"),
    [("DD406", "SHAPE"), ("DD404", "LABELS"), ("DD307", "REGULARISE"), ("DD308", "TRAIN"), ("DD426", "STRUCTURE")],
)
def test_actions_of_ours_are_reached(code, action):
    facts = facts_with("sigmoid", "binary_crossentropy", units=1, data=data(label=class_labels()))
    assert only(history(facts), finding(code, "fatal", "head")).action == action


def test_symmetric_start_blames_the_initialisation_for_the_flat_loss():
    diagnosis = only(history(HEALTHY), finding("DD209", "error", "hidden"), finding("DD303", "warn"))
    assert (diagnosis.action, diagnosis.fault) == ("MSG4", "all units of layer 'hidden' start equal")


def test_huge_rate_without_measured_updates_is_still_suspected():
    facts = classifier_facts(data=data(), optimizer=OptimizerFacts("Adam", 10.0))
    run = history(facts, None, learning_rate=10.0)
    assert only(run, finding("DD305", "error")).fault == "learning rate too high"


def test_tiny_rate_without_measured_updates_is_still_suspected():
    facts = classifier_facts(data=data(), optimizer=OptimizerFacts("Adam", 1e-8), fit=FitFacts())
    run = history(facts, None, learning_rate=1e-8)
    assert only(run, finding("DD303", "error")).fault == "learning rate too low"


def test_normalised_stack_is_not_called_too_deep():
    facts = deep_facts("relu")
    norm = LayerFacts("norm", "BatchNormalization", "normalization", inputs=("h7",))
    diagnosis = only(history(replace(facts, layers=(*facts.layers, norm))), finding("DD206", "warn", "h0"))
    assert diagnosis.fault != "more layers than the gradient can pass" or diagnosis.contradicting


def test_weights_that_stand_still_for_want_of_a_gradient_do_not_blame_a_low_learning_rate():
    run = change_variable(history(HEALTHY, None), "model/hidden/kernel", gradient_rms=0.0)
    assert only(run, finding("DD203", "error", "hidden")).fault != "learning rate too low"


def test_frozen_model_is_to_be_set_trainable():
    facts = classifier_facts(variables=(kernel("hidden", trainable=False), kernel("head", (8, 3), trainable=False)))
    diagnosis = only(history(facts, None), finding("DD203", "warn"), finding("DD303"))
    assert (diagnosis.fault, diagnosis.action) == ("every layer is frozen", "TRAIN")


def test_learning_rate_of_zero_is_named():
    facts = classifier_facts(data=data(), optimizer=sgd(0.0))
    assert only(history(facts, 0.0, learning_rate=0.0), finding("DD203", "error")).fault == "learning rate is 0"


def test_negative_loss_is_a_matter_of_the_labels():
    facts = facts_with(
        "sigmoid", "binary_crossentropy", units=1, data=data(label=class_labels(minimum=-1.0, maximum=1.0, distinct=2))
    )
    diagnosis = only(history(facts), finding("DD301", "error", value=-40.0, confidence="certain"))
    assert diagnosis.action == "LABELS"
    assert diagnosis.fix.snippet == 'y_train = (y_train == 1).astype("float32")'


def test_softmax_over_one_unit_inside_the_model_keeps_its_output():
    diagnosis = only(history(HEALTHY), finding("DD402", "error", "attention", confidence="certain"))
    assert "Softmax(axis=1)" in diagnosis.fix.snippet


def moved(run: Run, share: float) -> Run:
    for one in run.facts.variables:
        run = change_variable(run, one.path, moved=share)
    return run


def test_weights_near_their_start_blame_a_low_learning_rate_and_not_the_labels():
    run = with_skill(history(HEALTHY, ratio=2e-5), 0.0, 0.0)
    findings = [finding(code, "error") for code in ("DD106", "DD304", "DD310")]
    assert only(moved(run, 0.01), *findings).cause == "learning_rate_low"
    assert only(moved(run, 1.0), *findings).cause == "labels_unrelated"


def test_skill_that_holds_for_no_other_rows_blames_the_labels_and_not_the_capacity():
    one = class_labels(class_counts=(34, 33, 33), rows=100)
    facts = facts_with(
        "softmax", "sparse_categorical_crossentropy", data=replace(data(label=one), validation_labels=(one,))
    )
    run = with_skill(moved(history(facts), 1.0), 0.1, 0.2)
    assert only(run, finding("DD310", "error")).cause == "capacity"
    unrelated = only(with_metric(run, "val_loss", [1.2] * 5), finding("DD310", "error"))
    assert unrelated.cause == "labels_unrelated"
    assert "holds for no validation row" in unrelated.fix.advice


def test_dominant_penalty_explains_large_updates_and_a_flat_loss():
    findings = [finding(code, "error") for code in ("DD311", "DD207", "DD105", "DD303", "DD310")]
    assert only(moved(history(HEALTHY, ratio=0.3), 1.0), *findings).cause == "penalty"


def test_strong_dropout_explains_a_model_that_learns_nothing():
    run = with_skill(moved(history(HEALTHY), 1.0), 0.0, 0.0)
    findings = [finding(code, "error") for code in ("DD105", "DD106", "DD304", "DD310")]
    assert only(run, *findings, finding("DD422")).cause == "dropout"
    assert only(run, *findings).cause == "labels_unrelated"
