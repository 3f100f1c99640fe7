from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepdebug.pace import LOOKS, MOST_SPACING, SHARE, SPACING, is_due, widest


def looks(updates: int, epochs: int, spacing: int = SPACING) -> list[int]:
    """Return after how many updates a training with epochs of so many is looked at."""
    found = [0]
    for epoch in range(1, epochs + 1):
        if is_due(epoch * updates, found[-1], spacing):
            found.append(epoch * updates)
    return found


@given(st.integers(1, 100), st.integers(1, 300))
def test_gaps_grow_with_the_training_up_to_the_spacing_and_end_with_an_epoch(updates, epochs):
    found = looks(updates, epochs)
    for before, after in pairwise(found):
        assert after - before <= min(SPACING, SHARE * before) + updates


@pytest.mark.parametrize(("updates", "spacing"), [(SPACING, SPACING), (1000, SPACING), (1, 0)])
def test_epochs_of_many_updates_are_all_looked_at(updates, spacing):
    assert len(looks(updates, 200, spacing)) == 201


def test_a_training_of_one_update_per_epoch_is_looked_at_a_tenth_as_often():
    assert looks(1, 12) == [0, 1, 2, 3, 4, 5, 7, 9, 12]
    assert len(looks(1, 1000)) < 100


def test_a_model_that_counts_no_updates_is_looked_at_after_every_epoch():
    assert is_due(0, 0)


@pytest.mark.parametrize("spacing", [0, SPACING])
def test_an_optimizer_that_begins_anew_does_not_end_the_looks(spacing):
    assert is_due(10, 1000, spacing)


def test_every_epoch_can_be_looked_at():
    assert is_due(1000, 1000, 0)


@given(st.integers(1, 100), st.integers(1, 1000))
def test_training_of_many_short_epochs_is_looked_at_some_forty_times(updates, epochs):
    count = len(looks(updates, epochs, widest(updates * epochs)))
    beginning = 2 + 16  # the first looks follow each other by a quarter
    assert count <= max(LOOKS, updates * epochs // MOST_SPACING) + beginning


def test_epochs_of_many_updates_are_all_looked_at_however_many_they_are():
    assert len(looks(MOST_SPACING, 5000, widest(MOST_SPACING * 5000))) == 5001
