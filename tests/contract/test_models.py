"""What deepdebug takes for granted about Keras models, layers, losses and optimizers."""

import inspect

import keras
import numpy as np
import pytest
from keras import layers, ops

from deepdebug.model import private

BACKEND = keras.config.backend()
X = np.arange(12, dtype="float32").reshape(3, 4) / 12
Y = X.sum(axis=1, keepdims=True)


def functional():
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(1)(ops.relu(layers.Dense(3)(inputs))))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.hidden = layers.Dense(3)
        self.rest = [layers.Dense(2), layers.Dense(1)]

    def call(self, x):
        return self.rest[1](self.rest[0](self.hidden(x)))


def test_flatten_layers_gives_the_direct_children_in_the_order_of_creation():
    model = Subclassed()
    found = private.sublayers(model)
    assert found == [model.hidden, *model.rest], "`private.sublayers` lists layers with `Layer._flatten_layers`"


def test_functional_models_list_their_operations():
    model = functional()
    assert [type(one).__name__ for one in private.plain_operations(model)] == ["Relu"], (
        "`private.plain_operations` reads `Functional._operations`; without it `keras.ops` in a graph are not watched"
    )
    assert private.is_graph(model), "`private.is_graph` tells functional models by `_operations`"
    assert not private.is_graph(Subclassed()), "`private.is_graph` must not take a subclassed model for a graph"


def test_models_know_whether_their_call_has_a_training_argument():
    assert functional()._call_has_training_arg, "`private.call_model` passes `training` where the model takes it"
    assert not Subclassed()._call_has_training_arg, "`private.call_model` leaves `training` out where it must"


def test_loss_is_computed_by_the_private_method():
    model = functional()
    model.compile("sgd", "mse")
    model.build((None, 4))
    prediction = ops.convert_to_tensor(Y + 2)
    loss = private.compute_loss(model, ops.convert_to_tensor(X), ops.convert_to_tensor(Y), prediction, training=False)
    assert float(loss) == pytest.approx(4.0), "the probe takes the loss from `Model._compute_loss`"
    assert list(inspect.signature(model._compute_loss).parameters) == ["x", "y", "y_pred", "sample_weight", "training"]


def test_attribute_call_of_an_instance_is_what_a_layer_runs():
    layer = layers.Dense(2)
    expected = np.asarray(ops.convert_to_numpy(layer(X)))
    original, seen = layer.call, []
    private.replace_attribute(layer, "call", lambda x: (seen.append(1), original(x))[1])
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(X)), expected)
    assert seen == [1], "`recorded_calls` puts its own `call` on the instance"
    private.restore_attribute(layer, "call")
    layer(X)
    assert seen == [1], "`recorded_calls` must leave no trace"


def test_attribute_call_of_an_operation_in_a_graph_is_what_it_runs():
    model, seen = functional(), []
    (operation,) = private.plain_operations(model)
    original = operation.call
    private.replace_attribute(operation, "call", lambda *args: (seen.append(1), original(*args))[1])
    model(X)
    assert seen, "`recorded_calls` watches operations such as `keras.ops.relu` as it watches layers"


def test_dtype_policy_converts_every_input_through_one_method():
    parameters = list(inspect.signature(keras.dtype_policies.DTypePolicy.convert_input).parameters)
    assert parameters == ["self", "x", "autocast", "dtype"], "`recorded_casts` replaces `DTypePolicy.convert_input`"
    others = [
        one for one in vars(keras.dtype_policies).values()
        if inspect.isclass(one) and issubclass(one, keras.dtype_policies.DTypePolicy) and "convert_input" in vars(one)
    ]  # fmt: skip
    assert others == [keras.dtype_policies.DTypePolicy], "a policy with its own `convert_input` would not be recorded"


def test_stateless_scope_keeps_assignments_from_the_variables():
    variable = keras.Variable(1.0)
    with keras.StatelessScope(state_mapping=[(variable, ops.convert_to_tensor(2.0))]) as scope:
        assert float(variable.value) == 2.0, "the probe runs the model on values that it passes in"
        variable.assign(3.0)
        assert private.get_stateless_scope() is scope, "the newest update is read from the scope"
        assert float(scope.get_current_value(variable)) == 3.0, "the newest update is read from the scope"
    assert float(ops.convert_to_numpy(variable)) == 1.0, "the probe would change the model"


def test_losses_of_layers_are_collected_in_the_scope():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1, activity_regularizer="l2")])
    with keras.StatelessScope(collect_losses=True):
        model(X)
        assert len(model.losses) == 1, "the penalty of the probe is the sum of `model.losses`"


def test_train_step_of_keras_is_defined_by_keras():
    class Custom(Subclassed):
        def train_step(self, *args):
            raise NotImplementedError

    assert not private.overrides_train_step(functional()), "`overrides_train_step` reads the method's module"
    assert private.overrides_train_step(Custom())


@pytest.mark.skipif(BACKEND != "tensorflow", reason="only TensorFlow distributes by strategy")
def test_tensorflow_models_have_a_strategy():
    assert hasattr(functional(), "distribute_strategy"), "the optimizer's variables are built in the model's strategy"


OPTIMIZERS = [
    name for name, one in vars(keras.optimizers).items()
    if inspect.isclass(one) and issubclass(one, keras.optimizers.Optimizer) and name not in
    ("Optimizer", "LossScaleOptimizer", "Muon", "MultiOptimizer")
]  # fmt: skip


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers_have_the_private_parts(name):
    variable = keras.Variable(np.ones((2, 2)))
    optimizer = getattr(keras.optimizers, name)()
    optimizer.build([variable])
    assert optimizer._trainable_variables[0] is variable, "`_detached_twin` numbers the variables by this list"
    assert callable(optimizer._clip_gradients), "clipping is part of the update that the probe foretells"
    assert callable(optimizer._get_variable_index), "`_detached_twin` replaces it"
    assert list(inspect.signature(optimizer.update_step).parameters)[1:] == ["variable", "learning_rate"]
    assert optimizer.variables, "the probe passes the optimizer's state as an argument"


def test_loss_scale_optimizer_wraps_an_inner_one():
    inner = keras.optimizers.SGD()
    assert keras.optimizers.LossScaleOptimizer(inner).inner_optimizer is inner, "learning rate and update come from it"


def test_half_precision_models_get_a_loss_scale_optimizer():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(1)])
    model.dtype_policy = keras.DTypePolicy("mixed_float16")
    model.compile("sgd", "mse")
    assert hasattr(model.optimizer, "inner_optimizer"), "`describe_optimizer` looks through the wrapper"
    assert model.compute_dtype == "float16", "the probe scales the loss where the model computes in float16"


def test_built_in_functions_name_their_module():
    assert keras.activations.relu.__module__.startswith("keras."), "`recognise` trusts names of Keras functions only"
    assert keras.losses.mean_squared_error.__module__.startswith("keras."), "`losses.describe` tells users' functions"
    assert keras.losses.MeanSquaredError().fn.__name__ == "mean_squared_error", "loss objects give their kind by `fn`"


def test_conversions_on_the_way_into_a_functional_model_and_a_preprocessing_layer_are_told():
    inputs = keras.Input((4, 4, 1), dtype="int32")
    model = keras.Model(inputs, keras.layers.Rescaling(0.5)(inputs))
    x = keras.ops.ones((2, 4, 4), dtype="uint8")
    pairs = []
    with private.recorded_standardization(pairs.append):
        model(x)
    assert pairs[0][0] is x
    shapes = [tuple(after.shape) for _, after in pairs]
    assert shapes[0] == (2, 4, 4, 1)
    assert keras.backend.is_float_dtype(pairs[-1][1].dtype)
    count = len(pairs)
    model(x)
    assert len(pairs) == count
