"""The engine "innvestigate", and the native engine measured against it."""

import importlib.util
import os
import sys

import keras
import numpy as np
import pytest
from keras import layers

from deepdebug.errors import UsageError
from deepdebug.lrp import Composite, Explainer, relevance
from deepdebug.lrp.innvestigate import InnvestigateExplainer, loading
from deepdebug.lrp.rules import AlphaBeta, Epsilon, Flat, Gamma, WSquare, ZBox

MISSING = importlib.util.find_spec("innvestigate") is None or importlib.util.find_spec("tf_keras") is None
# scripts/test installs it and says so; without it, an environment made by hand leaves these tests out.
needed = pytest.mark.skipif(
    MISSING and not os.environ.get("DEEPDEBUG_EXPECT_INNVESTIGATE"), reason="scripts/install_innvestigate was not run"
)
X = np.random.default_rng(1).normal(size=(8, 16, 16, 1)).astype("float32")
TOLERANCE = 1e-5
ILL_CONDITIONED = 1e-4  # alpha 2, beta 1 subtracts what nearly cancels; backends differ by some 1e-5
COMPOSITES = {
    "epsilon": Composite(Epsilon(1e-2), Epsilon(1e-2)),
    "alpha1beta0": Composite(AlphaBeta(1.0, 0.0), AlphaBeta(1.0, 0.0)),
    "alpha2beta1": Composite(AlphaBeta(2.0, 1.0), AlphaBeta(2.0, 1.0)),
    "preset-a": "preset-a",
    "preset-b": "preset-b",
    "z-plus": "z-plus",
    "w-square": Composite(WSquare(), WSquare()),
    "flat": Composite(Flat(), Flat()),
    "z-box": Composite(Epsilon(1e-2), Epsilon(1e-2), first=ZBox(-4.0, 4.0)),
}


def with_real_bias(model):
    """Return the model with biases of both signs, which start as zeros."""
    random = np.random.default_rng(0)
    for layer in model.layers:
        for variable in layer.variables:
            if variable.path.rsplit("/", 1)[-1] in ("bias", "beta", "moving_mean"):
                variable.assign(0.1 * random.normal(size=variable.shape))
    return model


def chain():
    keras.utils.set_random_seed(1)
    return with_real_bias(
        keras.Sequential(
            [
                keras.Input((16, 16, 1)),
                layers.Conv2D(8, 3, activation="relu"),
                layers.ZeroPadding2D(1),
                layers.Conv2D(8, 3, padding="same"),
                layers.Activation("relu"),
                layers.MaxPooling2D(),
                layers.Conv2D(12, 3, strides=2, activation="relu"),
                layers.AveragePooling2D(2),
                layers.Flatten(name="flatten"),
                layers.Dropout(0.2),
                layers.Dense(16, activation="relu"),
                layers.Dense(5, activation="softmax"),
            ]
        )
    )


def with_batch_norm():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((16, 16, 1)),
            layers.Conv2D(6, 3),
            layers.BatchNormalization(name="norm"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(5),
        ]
    )
    model.get_layer("norm").moving_variance.assign(np.linspace(0.4, 3.0, 6))
    model.get_layer("norm").gamma.assign(np.linspace(0.5, 1.5, 6))
    return with_real_bias(model)


def residual():
    keras.utils.set_random_seed(1)
    inputs = keras.Input((16, 16, 1))
    first = layers.Conv2D(6, 3, padding="same", activation="relu", name="first")(inputs)
    second = layers.Conv2D(6, 3, padding="same", activation="relu", name="second")(first)
    shared = layers.Dense(4, activation="relu", name="shared")
    x = layers.GlobalAveragePooling2D(name="pool")(layers.Add(name="add")([first, second]))
    return with_real_bias(
        keras.Model(inputs, layers.Dense(3, name="head")(layers.Concatenate(name="both")([shared(x), shared(x)])))
    )


def worst_difference(ours, theirs):
    assert list(ours) == list(theirs)
    return max(float(np.abs(ours[name] - theirs[name]).max() / np.abs(theirs[name]).max()) for name in theirs)


@needed
@pytest.mark.slow
@pytest.mark.parametrize("name", COMPOSITES)
def test_check_06_native_engine_gives_its_relevance_in_every_layer(name):
    model = chain()
    ours = relevance(model, X, composite=COMPOSITES[name], compat="innvestigate")
    theirs = relevance(model, X, composite=COMPOSITES[name], engine="innvestigate")
    assert worst_difference(ours, theirs) <= (ILL_CONDITIONED if name in ("alpha2beta1", "preset-b") else TOLERANCE)


@needed
@pytest.mark.slow
def test_its_records_of_conservation_are_ours():
    model = chain()
    ours, theirs = (relevance(model, X, composite="epsilon", engine=one) for one in ("native", "innvestigate"))
    for mine, other in zip(ours.conservation, theirs.conservation, strict=True):
        assert mine.layer == other.layer
        assert (mine.outputs, mine.inputs) == pytest.approx((other.outputs, other.inputs), rel=1e-3, abs=1e-3)


@needed
@pytest.mark.slow
def test_its_batch_norm_is_wrong_and_repeated_only_on_request():
    model = with_batch_norm()
    composite = Composite(Epsilon(1e-2), Epsilon(1e-2), Epsilon(1e-2))
    theirs = relevance(model, X, composite=composite, engine="innvestigate")
    assert worst_difference(relevance(model, X, composite=composite, compat="innvestigate"), theirs) <= 1e-4
    assert worst_difference(relevance(model, X, composite=composite), theirs) > 0.05


@needed
@pytest.mark.slow
def test_branches_meet_in_the_sum_at_their_tensor():
    model = residual()
    theirs = relevance(model, X, composite="epsilon", engine="innvestigate")
    ours = relevance(model, X, composite="epsilon")
    assert np.abs(ours["first"] - theirs["first"]).max() <= TOLERANCE * np.abs(theirs["first"]).max()
    assert np.abs(ours["both"] - theirs["both"]).max() <= TOLERANCE * np.abs(theirs["both"]).max()
    both_uses = ours["shared"] + ours["shared#2"]
    assert np.abs(both_uses - theirs["shared"]).max() <= TOLERANCE * np.abs(theirs["shared"]).max()
    assert not {"shared", "second"} & {one.layer for one in theirs.conservation}


@needed
@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "y"),
    [("largest", None), (2, None), ("true", np.arange(8) % 5), ("worst", np.zeros((8, 5)))],
    ids=["largest", "index", "true", "worst"],
)
def test_targets_mean_the_same(target, y):
    model = chain()
    ours, theirs = (relevance(model, X, target=target, y=y, engine=one) for one in ("native", "innvestigate"))
    assert worst_difference(ours, theirs) <= TOLERANCE


@needed
@pytest.mark.slow
def test_process_is_left_as_it_was():
    model = chain()
    before = model.predict(X, verbose=0)
    explainer = InnvestigateExplainer(model, layers=["flatten"])
    assert list(explainer(X)) == list(explainer(X[:3])) == ["flatten"]
    tensorflow = sys.modules["tensorflow"]
    assert tensorflow.executing_eagerly()
    assert tensorflow.keras.layers.Dense is layers.Dense
    np.testing.assert_array_equal(model.predict(X, verbose=0), before)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(X, np.zeros(8), verbose=0)


@needed
@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"composite": Composite(Gamma(), Epsilon())}, "has no rule Gamma"),
        ({"composite": Composite(Epsilon(), Epsilon(), max_pooling="proportional")}, "winner-take-all"),
        ({"target": "loss"}, "explains one output"),
        ({"layers": ["nowhere"]}, "`layers` got"),
        ({"compat": "innvestigate"}, 'belong to `engine="native"`'),
    ],
    ids=["rule", "pooling", "target", "layers", "compat"],
)
def test_what_it_cannot_do_is_refused(settings, message):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(UsageError, match=message):
        relevance(model, np.ones((2, 4), "float32"), engine="innvestigate", **settings)


@needed
@pytest.mark.slow
def test_layer_without_a_rule_there_is_refused_by_name():
    model = keras.Sequential([keras.Input((4,)), layers.LayerNormalization(name="norm"), layers.Dense(3)])
    with pytest.raises(UsageError, match=r"'norm' \(LayerNormalization\)"):
        relevance(model, np.ones((2, 4), "float32"), engine="innvestigate")


def test_without_it_the_error_names_the_script(monkeypatch):
    monkeypatch.setitem(sys.modules, "tf_keras", None)
    loading.load.cache_clear()
    with pytest.raises(UsageError, match="scripts/install_innvestigate"):
        relevance(chain(), X, engine="innvestigate")
    loading.load.cache_clear()


def test_unknown_engine_and_compatibility_are_refused():
    with pytest.raises(UsageError, match="`engine` got 'zennit'; expected one of native, innvestigate"):
        relevance(chain(), X, engine="zennit")
    with pytest.raises(UsageError, match="`compat` got 'zennit'"):
        Explainer(chain(), compat="zennit")


def test_unknown_treatment_of_the_bias_is_refused():
    with pytest.raises(UsageError, match="`bias` got 'none'; expected one of signed, whole"):
        AlphaBeta(bias="none")
