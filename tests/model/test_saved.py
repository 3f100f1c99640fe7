import keras
import pytest
from keras import layers

from deepdebug.errors import UsageError
from deepdebug.model.saved import image_input, load_model


def saved(folder, model):
    model.save(folder / "m.keras")
    return folder / "m.keras"


def image_model(*front, shape=(6, 6, 1), **settings):
    return keras.Sequential([keras.Input(shape, **settings), *front, layers.Flatten(), layers.Dense(2)])


def test_model_is_loaded_without_its_training(tmp_path):
    model = image_model()
    model.compile("adam", "mse")
    assert not load_model(saved(tmp_path, model)).compiled


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.h5", b"x", r"does not end in .keras; expected a model in Keras's own format. Save it with"),
        ("m.keras", None, "is no file"),
        ("m.keras", b"x", r"The model '.*m.keras' holds something else than a Keras model"),
    ],
)
def test_file_that_is_no_model_is_told(tmp_path, name, content, message):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=message):
        load_model(tmp_path / name)


def test_cut_off_model_is_told(tmp_path):
    path = saved(tmp_path, image_model())
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UsageError, match="or is cut off"):
        load_model(path)


def test_code_in_the_file_is_not_run(tmp_path):
    path = saved(tmp_path, image_model(layers.Lambda(lambda x: x)))
    with pytest.raises(UsageError, match="Expected a whole file without Lambda layers"):
        load_model(path)


def test_class_of_ones_own_is_told(tmp_path):
    class Mine(layers.Layer):
        def call(self, x):
            return x

    path = saved(tmp_path, image_model(Mine()))
    with pytest.raises(UsageError, match=r"Mine.*classes of one's own. Load others in Python"):
        load_model(path)


def test_metric_of_ones_own_is_told_where_the_model_is_trained_further(tmp_path):
    def own(y_true, y_pred):
        return keras.ops.mean(y_pred)

    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[own])
    path = saved(tmp_path, model)
    load_model(path)
    with pytest.raises(UsageError, match=r"was compiled with something of one's own: .*own.* save it again") as caught:
        load_model(path, compiled=True)
    assert "hudd.retrain(..., train=...)" in str(caught.value)


def test_input_is_described():
    given = image_input(image_model())
    assert (given.shape, given.rows, given.rescaled_by) == ((6, 6, 1), None, None)


def test_fixed_number_of_rows_is_seen():
    assert image_input(image_model(batch_size=4)).rows == 4


def test_rescaling_in_front_is_seen_behind_augmentation():
    model = image_model(layers.RandomFlip(), layers.Rescaling(1 / 255, name="scale"))
    assert image_input(model).rescaled_by == "scale"


def test_rescaling_in_a_nested_model_is_seen():
    inner = image_model(layers.Rescaling(1 / 255, name="scale"))
    inputs = keras.Input((6, 6, 1))
    assert str(image_input(keras.Model(inputs, inner(inputs))).rescaled_by).endswith("/scale")


def test_rescaling_behind_other_layers_does_not_count():
    assert image_input(image_model(layers.Conv2D(1, 1), layers.Rescaling(2.0))).rescaled_by is None


def test_model_with_two_inputs_is_told():
    one, two = keras.Input((3,), name="one"), keras.Input((3,), name="two")
    with pytest.raises(UsageError, match=r"has 2 inputs \(one, two\); expected one, for images"):
        image_input(keras.Model([one, two], layers.Add()([one, two])))


def test_model_that_does_not_say_its_input_takes_any_image():
    class Free(keras.Model):
        def __init__(self):
            super().__init__()
            self.end = layers.Dense(2)

        def call(self, x):
            return self.end(keras.ops.mean(x, axis=(1, 2)))

    model = Free()
    model(keras.ops.zeros((1, 4, 4, 3)))
    assert image_input(model).shape == (None, None, None)
