import numpy as np

from deepdebug.observe.data import describe_data, describe_input, describe_labels

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(400, 6)).astype(np.float32)
Y = RANDOM.integers(0, 3, 400)


def test_record_holds_what_its_parts_say():
    facts = describe_data([("x", X)], [("y", Y)], complete=True, validation_labels=[("y", Y[:50])])
    assert facts.inputs == (describe_input("x", X),)
    assert facts.labels == (describe_labels("y", Y),)
    assert facts.validation_labels == (describe_labels("y", Y[:50]),)
    assert (facts.rows, facts.complete, facts.duplicate_fraction, facts.overlap_fraction) == (400, True, 0.0, None)


def test_validation_rows_are_compared_with_the_training_rows():
    facts = describe_data([("x", X)], [("y", Y)], complete=True, validation_inputs=[("x", X[:100])])
    assert (facts.overlap_fraction, facts.overlap_expected) == (1.0, 0.0)


def test_outputs_without_labels_are_left_out():
    facts = describe_data([("x", X)], [("a", None), ("b", Y)], complete=False, validation_labels=[("a", None)])
    assert [one.name for one in facts.labels] == ["b"]
    assert facts.validation_labels == ()
    assert not facts.complete


def test_conflicts_are_counted_for_classes_only():
    twice = np.vstack([X, X])
    classes, targets = np.concatenate([Y, 2 - Y]), RANDOM.normal(size=800)
    assert describe_data([("x", twice)], [("y", targets)], complete=True).conflict_fraction is None
    conflicts = describe_data([("x", twice)], [("y", classes)], complete=True).conflict_fraction
    assert conflicts == np.mean(Y != 2 - Y)


def test_text_beside_numbers_gives_a_record_without_comparison():
    texts = np.array(["word"] * 400)
    facts = describe_data([("x", X), ("text", texts)], [("y", texts)], complete=True)
    assert [one.numeric for one in facts.inputs] == [True, False]
    assert (facts.duplicate_fraction, facts.labels[0].minimum) == (None, None)


def test_nothing_gives_an_empty_record():
    facts = describe_data([], [], complete=False)
    assert (facts.rows, facts.inputs, facts.labels) == (0, (), ())


def test_global_random_state_is_left_alone():
    np.random.seed(7)
    before = np.random.get_state()[1].tolist()
    describe_data([("x", X)], [("y", Y)], complete=True, max_elements=100)
    assert np.random.get_state()[1].tolist() == before
