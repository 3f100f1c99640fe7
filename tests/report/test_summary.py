from dataclasses import replace

from deepdebug.facts import FitFacts, LossFacts
from deepdebug.report import summary
from tests.factory import classifier_facts, healthy_run, kernel
from tests.golden.cases import clean, with_findings


def rows(**changes):
    report = clean()
    facts = replace(report.run.facts, **changes)
    return dict(summary.facts_rows(replace(report, run=replace(report.run, facts=facts))))


def test_weights_are_counted_by_whether_they_learn():
    variables = (kernel("hidden"), kernel("head", (8, 3), trainable=False))
    assert rows(variables=variables)["Weights"] == "32 trainable, 24 not trainable"


def test_optimizer_is_named_with_its_settings():
    optimizer = replace(classifier_facts().optimizer, scheduled=True, clipnorm=1.0)
    assert rows(optimizer=optimizer)["Optimizer"] == "Adam, learning rate 0.001 (scheduled), gradient clipped at 1"


def test_output_is_named_with_its_loss():
    output = replace(classifier_facts().outputs[0], loss=LossFacts("categorical_crossentropy", from_logits=True))
    text = rows(outputs=(output,))["Outputs"]
    assert text == "output (3), activation softmax, loss categorical_crossentropy from logits"


def test_what_is_not_known_is_left_out():
    known = rows(optimizer=None, variables=(), outputs=())
    assert not {"Optimizer", "Weights", "Outputs"} & set(known)


def test_data_row_names_source_and_batches():
    assert rows(fit=FitFacts("arrays", rows=10, batch_size=5, shuffle=False))["Data"] == (
        "source arrays, 10 rows, batches of 5, not shuffled"
    )


def test_time_spent_is_left_out_when_it_is_not_known():
    assert summary.spent(replace(clean(), seconds=None)) == ""
    assert summary.spent(clean()) == "0.25 s of deepdebug during training"


def test_version_that_judged_is_named_and_not_the_one_that_recorded():
    report = replace(with_findings(), version="9.9.9")
    assert summary.versions(report) == "deepdebug 9.9.9, keras 3.15.1, tensorflow 2.21.0; backend tensorflow"


def test_layer_without_weights_is_neither_trainable_nor_frozen():
    facts = replace(classifier_facts(), variables=(kernel("head", (8, 3)),))
    assert summary.layer_rows(facts) == [
        ("hidden", "Dense", "relu", "(8)", "0", ""),
        ("head", "Dense", "softmax", "(3)", "24", "yes"),
    ]


def test_inputs_and_labels_have_one_row_each():
    facts = with_findings().run.facts
    assert summary.input_rows(facts) == [("pixels", "(4)", "uint8", "0 to 255", "127", "0", "0")]
    assert summary.label_rows(facts) == [("training", "output", "(3)", "float32", "0 to 1", "3200", "1200 / 900")]


def test_unknown_data_give_no_rows():
    facts = healthy_run().facts
    assert (summary.input_rows(facts), summary.label_rows(facts)) == ([], [])
