import keras
import numpy as np
import pytest

from deepdebug import hudd
from deepdebug.errors import UsageError
from deepdebug.hudd import explaining
from deepdebug.retraining.asked import Choice, Retraining, TrainSettings
from tests.hudd import bright

pytestmark = pytest.mark.slow
QUICK = Retraining(settings=TrainSettings(epochs=2, batch_size=16))


@pytest.fixture(scope="module")
def found():
    x, y, _ = bright.images(60, 1)
    return hudd.run(bright.model(), x, y)


@pytest.fixture(scope="module")
def more():
    return bright.images(60, 2)


def test_unsafe_set_looks_like_the_clusters(found, more):
    x, _, cause = more
    unsafe = hudd.unsafe_set(found, x)
    assert np.bincount(unsafe.chosen.clusters).tolist() == [6, 6]
    assert all(len(set(cause[unsafe.chosen.images[unsafe.chosen.clusters == one]])) == 1 for one in (0, 1))


@pytest.mark.parametrize("budget", [explaining.BUDGET, 0])  # heatmaps are whole, or sketched
@pytest.mark.parametrize("mode", ["default", "hudd"])
def test_copies_of_failures_are_where_the_failures_are(monkeypatch, mode, budget):
    monkeypatch.setattr(explaining, "BUDGET", budget)
    x, y, _ = bright.images(60, 1)
    found = hudd.run(bright.model(), x, y, mode=mode)
    chosen = hudd.unsafe_set(found, x[found.rows]).chosen
    assert len(chosen.images)
    np.testing.assert_allclose(chosen.distances[chosen.ranks == 0], 0, atol=1e-3)


def test_layer_that_is_called_like_another_view_is_compared_by_its_relevance():
    net = bright.model()
    layers = [
        type(one).from_config({**one.get_config(), "name": f"part{place}"}) for place, one in enumerate(net.layers)
    ]
    layers[-1] = keras.layers.Dense(2, name="hidden")
    renamed = keras.Sequential([keras.Input((bright.SIZE, bright.SIZE, 1)), *layers])
    renamed.set_weights(net.get_weights())
    x, y, _ = bright.images(60, 1)
    found = hudd.run(renamed, x, y, layers=["hidden"])
    chosen = hudd.unsafe_set(found, x[found.rows]).chosen
    np.testing.assert_allclose(chosen.distances[chosen.ranks == 0], 0, atol=1e-3)


def test_arms_are_retrained_and_the_model_stays_as_it_was(found, more):
    x, y, _ = more
    before = [one.copy() for one in found.asked.subject.model.get_weights()]
    asked_for = []

    def labels(rows):
        asked_for.append(rows)
        return y[rows]

    runs = hudd.retrain(
        found, bright.images(60, 0)[:2], (x, labels), arms=("HUDD", "BL1", "BL2", "entropy"), asked=QUICK
    )
    assert [one.plan.arm for one in runs] == ["HUDD", "BL1", "BL2", "entropy"]
    assert {len(one.plan.labelled) for one in runs} == {12}
    known = {row for one in runs for row in one.plan.labelled}
    assert {row for rows in asked_for for row in rows} == known  # no other label was asked for
    for old, new in zip(before, found.asked.subject.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_enough_epochs_mend_the_causes(found, more):
    settings = TrainSettings(epochs=60, batch_size=16, patience=60, learning_rate=0.02)
    (run,) = hudd.retrain(found, bright.images(60, 0)[:2], more[:2], asked=Retraining(settings=settings))
    assert 1 - found.asked.tested.failed.mean() == pytest.approx(1 / 3)
    assert run.accuracy > 0.9


def test_function_of_ones_own_trains(found, more):
    seen = []

    def train(model, data):
        seen.append((data.training.num_examples, data.validation.num_examples, data.seed))
        assert model.optimizer is not None
        model.fit(data.training, verbose=0)
        return model

    (run,) = hudd.retrain(found, bright.images(60, 0)[:2], more[:2], train=train)
    assert seen == [(54 + 12, 6 + 2, run.plan.seed)]  # one label of each cluster is kept apart
    assert 0 <= run.accuracy <= 1
    with pytest.raises(UsageError, match="`train` returned NoneType; expected the trained Keras model"):
        hudd.retrain(found, bright.images(60, 0)[:2], more[:2], train=lambda model, data: None)


def test_function_that_spoils_the_weights_is_kept_out(found, more):
    def spoil(model, data):
        model.set_weights([one * np.nan for one in model.get_weights()])
        return model

    (run,) = hudd.retrain(found, bright.images(60, 0)[:2], more[:2], train=spoil)
    assert run.outcome.trained.diverged
    assert run.accuracy is None


def test_regression():
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3, name="conv"), keras.layers.Flatten(), keras.layers.Dense(2)]
    )
    random = np.random.default_rng(0)
    x = random.random((80, 8, 8, 1)).astype("float32")
    y = np.stack([x.mean(axis=(1, 2, 3)), x[:, :4].mean(axis=(1, 2, 3))], axis=1)
    found = hudd.run(model, x[:40], y[:40], failures="quantile=0.5")
    runs = hudd.retrain(found, (x[40:60], y[40:60]), (x[60:], y[60:]), arms=("HUDD", "BL1", "BL2"), asked=QUICK)
    assert all(0 <= one.accuracy <= 1 for one in runs)
    with pytest.raises(UsageError, match="this model predicts values"):
        hudd.unsafe_set(found, x[60:], Choice("entropy"))
    with pytest.raises(UsageError, match="this is a regression"):
        hudd.retrain(found, (x[40:60], y[40:60]), (x[60:], y[60:]), arms=("entropy",), asked=QUICK)


def test_model_with_compiled_settings_keeps_them(more):
    model = bright.model()
    model.compile(keras.optimizers.SGD(0.125), "sparse_categorical_crossentropy")
    x, y, _ = bright.images(60, 1)
    found = hudd.run(model, x, y)
    rates = []

    def train(copy, data):
        rates.append(float(copy.optimizer.learning_rate))
        return copy

    hudd.retrain(found, bright.images(60, 0)[:2], more[:2], train=train)
    assert rates == [0.125]
