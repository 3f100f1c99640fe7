import keras
import numpy as np
import pytest

from deepdebug.errors import UsageError
from deepdebug.retraining.asked import TrainSettings
from deepdebug.retraining.training import Batches, Data, Examples, compiled, encoder, train

pytestmark = pytest.mark.slow


def network(outputs=3, activation=None, loss=None):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(outputs, activation=activation)])
    if loss is not None:
        model.compile("sgd", loss)
    return model


def examples(count, seed=0, rows=None):
    random = np.random.default_rng(seed)
    x = random.normal(size=(count, 4)).astype("float32")
    y = x[:, :3].argmax(axis=1)
    return Examples(lambda chosen: x[chosen], y, np.arange(count) if rows is None else np.array(rows))


def test_an_epoch_shows_every_example_as_often_as_it_was_drawn():
    one, other = examples(10), examples(5, 1, rows=[4, 4, 0])
    batches = Batches([one, other], lambda labels: labels, 4, seed=3)
    assert (len(batches), batches.num_examples) == (4, 13)
    shown = np.concatenate([batches[place][0] for place in range(len(batches))])
    wanted = np.concatenate([one.inputs(one.rows), other.inputs(other.rows)])
    assert sorted(map(tuple, shown)) == sorted(map(tuple, wanted))


def test_labels_stay_with_their_images():
    batches = Batches([examples(30), examples(7, 1)], lambda labels: labels, 5, seed=1)
    for place in range(len(batches)):
        x, y = batches[place]
        assert (x[:, :3].argmax(axis=1) == y).all()


def epoch(batches, *peeks):
    """Return the images of an epoch; before some batches others are asked for, as when Keras or a callback looks."""
    for peek in peeks:
        batches[peek]
    return np.concatenate([batches[place][0] for place in range(len(batches))])


def test_order_depends_on_the_seed_and_changes_with_the_epoch():
    one, same, other = (Batches([examples(50)], lambda labels: labels, 8, seed) for seed in (1, 1, 2))
    first, second = epoch(one), epoch(one)
    assert (first != second).any()
    assert (epoch(same) == first).all()
    assert (epoch(same) == second).all()
    assert (epoch(other) != first).any()


def test_fetching_ahead_and_looking_in_between_change_no_order():
    plain, disturbed = (Batches([examples(50)], lambda labels: labels, 8, seed=1) for _ in range(2))
    for peeks in ((0, 1), (), (0,), (0, 0)):
        disturbed.on_epoch_end()
        assert (epoch(disturbed, *peeks) == epoch(plain)).all()


def test_batches_may_be_asked_for_in_any_order():
    plain, shuffled = (Batches([examples(50)], lambda labels: labels, 8, seed=1) for _ in range(2))
    for order in (range(7), reversed(range(7)), (3, 6, 0, 1, 5, 2, 4)):
        found = {place: shuffled[place][0] for place in order}
        assert (np.concatenate([found[place] for place in range(7)]) == epoch(plain)).all()


def test_single_batch_stays_as_it_is():
    batches = Batches([examples(5)], lambda labels: labels, 8, seed=1)
    assert (epoch(batches) == epoch(batches, 0)).all()


def test_examples_that_are_kept_apart_stay_in_order():
    known = examples(9)
    batches = Batches([known], lambda labels: labels, 4)
    np.testing.assert_array_equal(np.concatenate([batches[place][0] for place in range(3)]), known.inputs(known.rows))


def test_empty_parts_are_left_out():
    batches = Batches([examples(0), examples(3)], lambda labels: labels, 2, seed=0)
    assert len(batches) == 2
    assert len(Batches([examples(0)], lambda labels: labels, 2)) == 0


@pytest.mark.parametrize(
    ("loss", "outputs", "expected"),
    [
        ("sparse_categorical_crossentropy", 3, [0, 2]),
        (keras.losses.SparseCategoricalCrossentropy(from_logits=True), 3, [0, 2]),
        ("categorical_crossentropy", 3, [[1, 0, 0], [0, 0, 1]]),
        (keras.losses.CategoricalHinge(), 3, [[1, 0, 0], [0, 0, 1]]),
        ("mse", 3, [[1, 0, 0], [0, 0, 1]]),
        ("binary_crossentropy", 1, [[0], [2]]),
    ],
)
def test_labels_take_the_form_that_the_loss_takes(loss, outputs, expected):
    encode = encoder(network(outputs, loss=loss))
    assert encode(np.array([0, 2])).tolist() == expected


def test_values_stay_as_they_are():
    values = np.ones((2, 3), "float32")
    assert encoder(network(loss="mse"))(values) is values


@pytest.mark.parametrize(
    ("outputs", "activation", "is_class", "name", "from_logits"),
    [
        (3, None, True, "sparse_categorical_crossentropy", True),
        (3, "softmax", True, "sparse_categorical_crossentropy", False),
        (1, "sigmoid", True, "binary_crossentropy", False),
        (1, None, True, "binary_crossentropy", True),
    ],
)
def test_a_model_that_was_not_compiled_gets_the_loss_of_its_head(outputs, activation, is_class, name, from_logits):
    model = compiled(network(outputs, activation), TrainSettings(), is_class)
    assert (model.loss.name, model.loss.get_config()["from_logits"]) == (name, from_logits)


def nested(head):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential([keras.Input((5,)), *head])
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(5), keras.Sequential([keras.Input((5,)), inner])])


@pytest.mark.parametrize(
    ("head", "from_logits"),
    [
        ([keras.layers.Dense(3, "softmax")], False),
        ([keras.layers.Dense(3), keras.layers.Softmax()], False),
        ([keras.layers.Dense(3), keras.layers.Activation("softmax")], False),
        ([keras.layers.Dense(3)], True),
    ],
)
def test_the_head_may_lie_in_a_model_within_the_model(head, from_logits):
    assert compiled(nested(head), TrainSettings(), is_class=True).loss.get_config()["from_logits"] is from_logits


def test_the_head_may_be_an_operation():
    x = keras.Input((4,))
    model = keras.Model(x, keras.ops.softmax(keras.layers.Dense(3)(x)))
    assert compiled(model, TrainSettings(), is_class=True).loss.get_config()["from_logits"] is False


def test_a_compiled_model_keeps_metrics_and_weights_of_losses():
    model = network(activation="softmax")
    model.compile("sgd", "categorical_crossentropy", [0.5], [keras.metrics.AUC(name="auc")], run_eagerly=True)
    found = compiled(model, TrainSettings(), is_class=True)
    config = found.get_compile_config()
    assert config["loss_weights"] == [0.5]
    assert found.run_eagerly
    data = Data.of(found, [examples(20)], [examples(9, 5)], 8, seed=4)
    assert set(train(found, data, TrainSettings(epochs=1)).curves) == {"loss", "auc", "val_loss", "val_auc"}


def test_nothing_kept_apart_is_told():
    settings = TrainSettings(validation=0.01)
    model = compiled(network(), settings, is_class=True)
    with pytest.raises(UsageError, match=r"None of the 5 images is kept apart .* larger --validation"):
        train(model, Data.of(model, [examples(5)], [examples(0)], 8, seed=4), settings)


def test_a_regression_that_was_not_compiled_gets_squares():
    assert compiled(network(), TrainSettings(), is_class=False).loss == "mse"


def test_optimizer_begins_anew_with_what_is_asked_for():
    model = network(loss="sparse_categorical_crossentropy")
    model.fit(np.zeros((4, 4)), np.zeros(4), verbose=0)
    assert int(model.optimizer.iterations) == 1
    again = compiled(model, TrainSettings(learning_rate=0.25), is_class=True)
    assert (int(again.optimizer.iterations), float(again.optimizer.learning_rate)) == (0, 0.25)
    other = compiled(model, TrainSettings(optimizer="rmsprop", learning_rate=0.5), is_class=True)
    assert isinstance(other.optimizer, keras.optimizers.RMSprop)


def trained(settings, **more):
    model = compiled(network(), settings, is_class=True)
    data = Data.of(model, [examples(200)], [examples(60, 5)], settings.batch_size, seed=4)
    return train(model, data, settings, **more)


def test_weights_are_those_of_the_epoch_with_the_best_validation_loss():
    found = trained(TrainSettings(epochs=12, patience=2, learning_rate=0.5))
    losses = found.curves["val_loss"]
    assert found.best_epoch == int(np.argmin(losses)) + 1
    validation = Batches([examples(60, 5)], encoder(found.model), 256)
    assert found.model.evaluate(validation, verbose=0)[0] == pytest.approx(losses[found.best_epoch - 1], rel=1e-5)
    assert len(losses) - found.best_epoch <= 2
    assert set(found.curves) == {"loss", "accuracy", "val_loss", "val_accuracy"}


def test_same_seed_trains_the_same_model(tmp_path):
    one, other = (trained(TrainSettings(epochs=2), log_dir=tmp_path / name) for name in ("a", "b"))
    for left, right in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert (tmp_path / "a" / "report.json").is_file()


def test_loss_that_stops_being_finite_ends_the_training_for_good():
    found = trained(TrainSettings(epochs=5, optimizer="sgd", learning_rate=1e38))
    assert found.diverged
    assert len(found.curves["loss"]) < 5
