"""Measures against scikit-learn, the published totals, and what intervals must do."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn import metrics

from benchmarks.models444.manifest import read_manifest
from benchmarks.models444.measures import MEASURES, agreement


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=4, max_size=60))
def test_measures_are_those_of_scikit_learn(pairs):
    said, label = (list(one) for one in zip(*pairs, strict=True))
    if len(set(label)) < 2 or not any(said):
        return
    found = {name: one.value for name, one in agreement(said, label).measures.items()}
    assert found["precision"] == pytest.approx(metrics.precision_score(label, said))
    assert found["recall"] == pytest.approx(metrics.recall_score(label, said))
    assert found["specificity"] == pytest.approx(metrics.recall_score(label, said, pos_label=False))
    assert found["balanced accuracy"] == pytest.approx(metrics.balanced_accuracy_score(label, said))
    assert found["F1"] == pytest.approx(metrics.f1_score(label, said))


def test_published_columns_give_the_published_scores():
    rows = [row for row in read_manifest() if row.source == "autotrainer"]
    label = [row.is_buggy for row in rows]
    found = agreement([row.published("deepdiagnosis") for row in rows], label)
    assert (found.hits, found.alarms, found.misses, found.silent) == (138, 68, 65, 120)
    rounded = {name: round(one.value, 3) for name, one in found.measures.items()}
    assert rounded == {
        "precision": 0.670, "recall": 0.680, "specificity": 0.638, "balanced accuracy": 0.659, "F1": 0.675,
    }  # fmt: skip
    other = agreement([row.published("deeplocalize") for row in rows], label)
    assert round(other.measures["balanced accuracy"].value, 3) == 0.613
    everything = agreement([True] * len(rows), label)
    assert everything.measures["balanced accuracy"].value == 0.5
    assert everything.measures["F1"].value == pytest.approx(2 * 203 / (2 * 203 + 188))


def test_models_without_a_verdict_do_not_count():
    found = agreement([True, None, False], [True, True, False])
    assert (found.models, found.hits, found.silent) == (2, 1, 1)


def test_interval_holds_the_value_and_narrows_with_more_models():
    few, many = (
        agreement(([True] * 8 + [False] * 2) * times, [True] * 10 * times).measures["recall"] for times in (1, 20)
    )
    assert few.low < few.value < few.high
    assert many.high - many.low < (few.high - few.low) / 3
    expected = 1.96 * math.sqrt(0.8 * 0.2 / 200)
    assert (many.high - many.low) / 2 == pytest.approx(expected, rel=0.15)


def test_interval_around_none_of_sixteen_has_a_width():
    silent = agreement([False] * 16, [False] * 16).measures["specificity"]
    assert silent.value == silent.high == 1
    assert 0.75 < silent.low < 0.95  # Clopper and Pearson: 0.79


def test_interval_is_the_same_every_time_and_without_alarms_there_is_no_precision():
    said, label = [False] * 6, [True, False] * 3
    first, again = agreement(said, label), agreement(said, label)
    assert repr(first) == repr(again)
    assert math.isnan(first.measures["precision"].value)
    assert np.isnan(first.measures["precision"].low)
    assert first.measures["recall"].value == 0
    assert list(first.measures) == list(MEASURES)
