"""Variants of the families: two causes at once, a divided cause, other networks."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

pytest.importorskip("keras")

from benchmarks.hudd.beyond import VARIANTS, divided
from benchmarks.hudd.corruptions import PATCH
from benchmarks.hudd.simulated import simulated
from benchmarks.hudd.sizes import SIZES, Size
from benchmarks.hudd.two_causes import causes, two_photographed, two_simulated
from tests.benchmarks.fake_data import write_digits

SMALL = Size((0, 400, 1), {"MNIST": (600, 500, 1)})


def wrong_when(says):
    """Return a model that is wrong about a picture when `says` says so of its remaining causes."""
    return lambda planted: (
        lambda rows, staying: np.array([says({cause for cause in staying if planted[row, cause]}) for row in rows])
    )


@pytest.mark.parametrize(
    ("says", "expected"),
    [
        (lambda left: 0 in left, [True, False]),
        (bool, [True, True]),
        (lambda left: left == {0, 1}, [True, True]),
        (lambda left: True, [False, False]),
    ],
    ids=["the first suffices", "each suffices", "only both together", "wrong without any"],
)
def test_which_of_two_causes_count(says, expected):
    planted = np.array([[True, True]])
    assert causes(wrong_when(says)(planted), np.arange(1), planted).tolist() == [expected]


def test_cause_that_is_not_planted_never_counts():
    planted = np.array([[True, False]])
    assert causes(wrong_when(bool)(planted), np.arange(1), planted).tolist() == [[True, False]]


def test_half_of_the_spoilt_pictures_are_spoilt_twice(tmp_path):
    write_digits(tmp_path)
    task = two_photographed("MNIST", 0, SMALL, tmp_path)
    planted = task.truth.keywords["planted"].sum(axis=1)
    assert set(planted) == {0, 1, 2}
    assert (planted == 2).sum() == pytest.approx(0.5 * (planted > 0).sum(), rel=0.2)


def test_pictures_without_their_causes_are_the_clean_ones(tmp_path):
    write_digits(tmp_path)
    task = two_photographed("MNIST", 0, SMALL, tmp_path)
    known, rows, seen = task.truth.keywords, np.arange(500), []

    def model(pictures):
        seen.append(pictures)
        return np.eye(10)[task.targets]

    task.truth(model, rows)
    patched = known["planted"][:, task.causes.index(PATCH)] & (task.targets == 0)
    np.testing.assert_array_equal(seen[0][~patched], known["clean"][~patched])
    assert (seen[0][patched, :3, :3] == 255).all()


def test_truth_of_one_simulated_cause_is_that_of_the_simulator():
    base, two = simulated("GD", 0, SMALL), two_simulated("GD", 0, SMALL)
    planted = two.truth.keywords["planted"]
    single, both = (planted.sum(axis=1) == count for count in (1, 2))
    np.testing.assert_array_equal(two.pictures[single], base.pictures[single])
    assert (two.pictures[both] != base.pictures[both]).any()

    def bright_corner(pictures):
        return pictures[:, :3, :3, 0].mean(axis=(1, 2)) > 250

    rows = np.flatnonzero(single & bright_corner(base.pictures) & (base.targets != 0))

    def fooled_by_the_patch(pictures):
        return np.eye(8)[np.where(bright_corner(pictures), 0, base.targets[rows])]

    found = two.truth(fooled_by_the_patch, rows)
    np.testing.assert_array_equal(found, base.truth(fooled_by_the_patch, rows)[:, : base.planted])
    assert found[:, two.causes.index("C8")].all()
    assert len(rows) > 10


def test_divided_cause_counts_once_per_class(tmp_path):
    write_digits(tmp_path)
    task = VARIANTS["MNIST, pose by class"](0, SMALL, tmp_path)
    assert task.planted == len(task.causes) == 7 + 9
    assert "rotation of 3" in task.causes
    base = replace(task, causes=("a", "b"), planted=2, truth=lambda model, rows: np.eye(2, dtype=bool)[rows % 2])
    found = divided(base, "a").truth(None, np.arange(6))
    assert found.sum(axis=1).tolist() == [1] * 6
    assert found[::2].argmax(axis=1).tolist() == task.targets[:6:2].tolist()
    assert found[1::2, -1].all()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["plain", "norm", "residual"])
def test_relevance_goes_through_every_network(kind):
    from benchmarks.hudd.network import trained
    from deepdebug.hudd.heatmap_layers import heatmap_layers
    from deepdebug.lrp import Explainer

    random = np.random.default_rng(0)
    x, y = random.integers(0, 256, (64, 28, 28, 1)).astype(np.uint8), np.arange(64) % 4
    first, again = (partial(trained, kind=kind)(x, y, 1, 3) for _ in range(2))
    for one, other in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    found = Explainer(first, composite="z-plus", layers=heatmap_layers(first))(x[:8] / np.float32(255))
    assert len(found) >= 4
    assert all(np.isfinite(found[name]).all() and found[name].any() for name in found)


def test_every_size_has_all_families():
    assert {"tiny", "fast", "full"} == SIZES.keys()
    assert all(size.photographed.keys() == {"MNIST", "Fashion", "CIFAR"} for size in SIZES.values())
