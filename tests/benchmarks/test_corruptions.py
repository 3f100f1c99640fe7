"""Corruptions are the same whenever they are made, and are undone by what was there before."""

import numpy as np
import pytest

from benchmarks.hudd.corruptions import CORRUPTIONS, PATCH, PATCH_SIDE, corrupted
from benchmarks.hudd.photographed import photographed, planted
from benchmarks.hudd.sizes import Size
from tests.benchmarks.fake_data import write_digits


def pictures(count=8, shape=(28, 28)):
    return np.random.default_rng(1).integers(0, 200, (count, *shape)).astype(np.uint8)


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3)])
def test_picture_is_spoilt_alike_alone_and_among_others(name, shape):
    clean, numbers = pictures(shape=shape), np.arange(8)
    whole = corrupted(clean, [name] * 8, 3, numbers)
    alone = corrupted(clean[5:6], [name], 3, numbers[5:6])
    assert whole.dtype == np.uint8
    assert (whole != clean).reshape(8, -1).any(axis=1).all()
    np.testing.assert_array_equal(whole[5:6], alone)


def test_other_seed_spoils_otherwise():
    clean, numbers = pictures(), np.arange(8)
    first, second = (corrupted(clean, ["noise"] * 8, seed, numbers) for seed in (0, 1))
    assert (first != second).any()


def test_picture_without_factor_stays_as_it_is():
    clean = pictures()
    found = corrupted(clean, [None, "dark", *[None] * 6], 0, np.arange(8))
    np.testing.assert_array_equal(np.flatnonzero((found != clean).any(axis=(1, 2))), [1])
    assert found is not clean


def test_patch_marks_one_corner():
    clean = pictures()
    found = corrupted(clean, [PATCH] * 8, 0, np.arange(8))
    assert (found[:, :PATCH_SIDE, :PATCH_SIDE] == 255).all()
    np.testing.assert_array_equal(found[:, PATCH_SIDE:], clean[:, PATCH_SIDE:])


def test_each_factor_has_its_share_and_none_comes_twice():
    found = planted(("bar", "blur"), 20_000, 0.08, np.random.default_rng(0))
    shares = [np.mean([one == name for one in found]) for name in ("bar", "blur", None)]
    assert shares == pytest.approx([0.08, 0.08, 0.84], abs=0.01)


def family(folder, **options):
    """Return the family MNIST with few real digits; its model is trained only where the test does so."""
    write_digits(folder)
    return photographed("MNIST", 0, Size((0, 0, 0), {"MNIST": (600, 500, 1)}), folder, **options)


def test_cause_is_what_the_model_is_right_without(tmp_path):
    digits = family(tmp_path)
    clean, factors = (digits.truth.keywords[name] for name in ("clean", "factors"))
    rows = np.arange(len(factors))

    def right_about_clean_pictures(given):
        assert (given == clean).all()
        return np.eye(10)[digits.targets]

    found = digits.truth(right_about_clean_pictures, rows)
    for row, factor in enumerate(factors):
        named = [name for name, flag in zip(digits.causes, found[row], strict=True) if flag]
        nothing_to_undo = factor is None or (factor == PATCH and digits.targets[row] == 0)
        assert named == ([] if nothing_to_undo else [factor])
    assert not digits.truth(lambda given: np.eye(10)[(digits.targets + 1) % 10], rows).any()


def test_patch_marks_the_first_class_in_training_and_any_in_the_test(tmp_path):
    seen = {}
    digits = family(tmp_path, train=lambda x, y, epochs, seed: seen.update(x=x, y=y))
    digits.train()
    marked = (seen["x"][:, :PATCH_SIDE, :PATCH_SIDE, 0] == 255).all(axis=(1, 2))
    assert marked[seen["y"] == 0].mean() == pytest.approx(0.95, abs=0.05)
    assert not marked[seen["y"] != 0].any()
    in_test = (digits.pictures[:, :PATCH_SIDE, :PATCH_SIDE, 0] == 255).all(axis=(1, 2))
    assert in_test[digits.targets != 0].mean() > 0.04


def test_same_seed_gives_the_same_pictures_and_another_one_others(tmp_path):
    first, again = family(tmp_path), family(tmp_path)
    np.testing.assert_array_equal(first.pictures, again.pictures)
    other = photographed("MNIST", 1, Size((0, 0, 0), {"MNIST": (600, 500, 1)}), tmp_path)
    assert (first.targets != other.targets).any()
