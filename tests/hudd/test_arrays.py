import numpy as np
import pytest

from deepdebug import hudd
from deepdebug.errors import UsageError
from tests.hudd import bright

pytestmark = pytest.mark.slow
X, Y, CAUSE = bright.images()


@pytest.fixture(scope="module")
def model():
    return bright.model()


def test_failures_are_grouped_by_cause(model):
    found = hudd.run(model, X, Y, classes=("dark", "light"), parameters={"cause": CAUSE})
    np.testing.assert_array_equal(found.rows, np.flatnonzero(CAUSE > 0))
    first = found.labels[CAUSE[found.rows] == 1]
    assert len(set(first)) == 1
    assert len(set(found.labels)) == 2
    assert found.analysis.groups[0].effects[0].name == "cause"
    assert repr(found) == "Result(40 failures of model 'bright' in 2 clusters)"


def test_page_is_saved(model, tmp_path):
    page = hudd.run(model, X, Y).save(tmp_path / "page.html").read_text()
    assert page.count("data:image") > 2


def test_folder_keeps_the_heatmaps_and_without_one_nothing_stays(model, tmp_path):
    hudd.run(model, X, Y, out=tmp_path / "kept")
    assert (tmp_path / "kept" / "Heatmaps" / "index.json").is_file()
    found = hudd.run(model, X, Y)
    folder = found.heatmaps.folder
    assert folder.is_dir()
    del found
    assert not folder.exists()


@pytest.mark.parametrize("embedding", [lambda x: x.mean(axis=(1, 2)), X.mean(axis=(1, 2))])
def test_embedding_is_a_function_or_an_array(model, embedding):
    found = hudd.run(model, X, Y, embedding=embedding)
    assert [one.name for one in found.analysis.layers] == ["conv1", "conv2", "activations", "embedding"]


@pytest.mark.parametrize("slicer", ["kmeans", "mixture", "random"])
def test_other_slicers_group_other_views(model, slicer):
    found = hudd.run(model, X, Y, views=["activations", "hidden"], slicer=slicer, k=3)
    assert [one.name for one in found.analysis.layers] == ["activations", "hidden"]
    assert 2 <= len(found.analysis.groups) <= 3  # a mixture may leave one empty


@pytest.mark.parametrize(
    ("views", "said"),
    [(["none"], "`views` got 'none'"), (["embedding"], "needs an embedding"), (["relevance", 3], "3")],
)
def test_views_that_are_not_there_are_told(model, views, said):
    with pytest.raises(UsageError, match=said):
        hudd.run(model, X, Y, views=views)


def test_one_hot_labels_are_classes_too(model):
    one_hot = np.eye(2)[Y]
    np.testing.assert_array_equal(hudd.run(model, X, one_hot).rows, hudd.run(model, X, Y).rows)


def test_regression_is_explained_by_the_least_usual_value(model):
    values = model.predict(X, verbose=0)
    values[:10] += 5
    found = hudd.run(model, X, values + 0.001, failures="loss>1")
    np.testing.assert_array_equal(found.rows, np.arange(10))
    assert found.analysis.expected == ()
    assert dict(found.analysis.settings)["Explained"] == "the output that is farthest from what is usual in the set"


def test_as_published(model):
    found = hudd.run(model, X, Y, mode="hudd")
    assert [one.name for one in found.analysis.layers] == ["conv1", "conv2", "pool", "dense"]


def test_images_that_are_not_finite_are_left_out(model):
    x = X.copy()
    x[1, 0, 0, 0] = np.nan
    found = hudd.run(model, x, Y)
    assert [name for name, _ in found.analysis.left_out] == ["000001"]
    assert 1 not in found.rows


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": Y[:5]}, "`y` has 5 rows for 60 images"),
        ({"y": Y + 1}, "The classes in `y` go from 1 to 2; expected 0 to 1"),
        ({"y": np.array(["a"] * 60)}, "`y` has the type <U1"),
        ({"x": X[..., [0, 0]]}, "cannot take images of the shape"),
        ({"parameters": {"light": np.zeros(3)}}, "'light' has shape"),
        ({"embedding": np.zeros((5, 2))}, "`embedding` has shape"),
        ({"mode": "hudd", "embedding": X.mean(axis=(1, 2))}, "takes relevance alone"),
        ({"failures": "loss>1e9"}, "fails on none"),
        ({"layers": ["none"]}, "got none"),
    ],
)
def test_what_does_not_fit_is_told(model, change, said):
    arguments = {"x": X, "y": Y, **change}
    with pytest.raises(UsageError, match=said):
        hudd.run(model, arguments.pop("x"), arguments.pop("y"), **arguments)


@pytest.mark.parametrize("shift", [20.0, -20.0])
def test_constant_added_to_all_logits_changes_no_group(model, shift):
    shifted = bright.model()
    shifted.get_layer("dense").bias.assign_add([shift, shift])
    found, other = hudd.run(model, X, Y), hudd.run(shifted, X, Y)
    np.testing.assert_array_equal(found.rows, other.rows)
    np.testing.assert_array_equal(found.labels, other.labels)


def test_groups_of_another_slicer_are_not_what_was_judged(model):
    found = hudd.run(model, X, Y, slicer="random", k=2)
    assert "judged-by-tree" in {note.code for note in found.analysis.notes}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"y": 3}, "`y` is 3"),
        ({"y": Y.astype(float)}, "classes as whole numbers"),
        ({"batch_size": 0}, "`batch_size` is 0"),
        ({"parameters": {"camera": ["left"] * 60}}, "'camera' holds could not convert"),
        ({"layers": "none"}, "got none"),
        ({"mode": "hudd", "k": 3}, "decides by itself on `k`"),
    ],
)
def test_wrong_arguments_are_told(model, change, said):
    with pytest.raises(UsageError, match=said):
        hudd.run(model, X, change.pop("y", Y), **change)
