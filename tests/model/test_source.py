import numpy as np
import pytest
from scipy import sparse

from deepdebug.facts import FitFacts
from deepdebug.model.sample import Sample
from deepdebug.model.source import SCREEN_SHARE, Source, describe, find_source, sample_arrays, screen_rows
from tests.contract.test_fit import SOURCES, Spy, X, Y, model_to_fit


def source_of(x, *args, **kwargs):
    spy = Spy(lambda self: find_source(self._model, self.params))
    model_to_fit().fit(x, *args, verbose=0, callbacks=[spy], **kwargs)
    return spy.seen[0]


def test_arrays_of_fit_are_found():
    source = source_of(X, Y, batch_size=5, epochs=2, shuffle=False)
    assert source.fit == FitFacts(
        source="arrays", rows=10, batch_size=5, steps_per_epoch=2, epochs=2, shuffle=False, validation="none",
        callbacks=("Spy", "History"),
    )  # fmt: skip
    assert source.arrays[0] is X


def test_validation_split_is_found():
    source = source_of(X, Y, validation_split=0.2)
    assert (source.fit.rows, source.fit.validation, source.fit.validation_rows) == (8, "split", 2)
    assert len(source.validation[0]) == 2


def test_given_validation_data_are_found():
    source = source_of(X, Y, validation_data=(X[:3], Y[:3]))
    assert (source.fit.validation, source.fit.validation_rows) == ("given", 3)


def test_weights_of_fit_are_found():
    assert source_of(X, Y, sample_weight=np.ones(10)).fit.sample_weight
    assert source_of(X, Y.astype(int), class_weight={0: 1.0, 1: 2.0, 2: 1.0}).fit.class_weight


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind != "arrays"])
def test_data_that_cannot_be_indexed_leave_the_arrays_out(kind):
    source = source_of(SOURCES[kind](), shuffle=False, steps_per_epoch=2)
    assert (source.fit.source, source.arrays, source.fit.rows) == (kind, None, None)
    assert source.fit.steps_per_epoch == 2


def test_no_running_fit_leaves_what_the_callback_knows():
    source = find_source(model_to_fit(), {"epochs": 3, "steps": 7})
    assert source == Source(FitFacts(epochs=3, steps_per_epoch=7, threaded=True))


@pytest.mark.parametrize(
    ("fit", "available", "expected"),
    [
        (FitFacts(rows=1_000_000), 1024, 512),  # at most 512
        (FitFacts(rows=10_000), 1024, int(10_000 * SCREEN_SHARE)),
        (FitFacts(rows=500), 500, 32),  # at least 32
        (FitFacts(rows=20), 20, 20),  # all there are
        (FitFacts(steps_per_epoch=1000, batch_size=32), 1024, int(32_000 * SCREEN_SHARE)),
        (FitFacts(), 1024, 32),
    ],
)
def test_rows_to_screen_are_a_small_share_of_an_epoch(fit, available, expected):
    assert screen_rows(fit, available) == expected


def test_sample_keeps_the_share_of_every_class():
    labels = np.array([0] * 900 + [1] * 100)
    sample = sample_arrays(np.arange(1000)[:, None], labels, rows=100)
    assert (sample.rows, int(sample.y.sum())) == (100, 10)
    np.testing.assert_array_equal(labels[sample.x[:, 0]], sample.y)


def test_sample_is_the_same_every_time_and_in_random_order():
    first, second = (sample_arrays(np.arange(1000)[:, None], None, rows=50) for _ in range(2))
    np.testing.assert_array_equal(first.x, second.x)
    assert len(set(first.x[:, 0])) == 50
    assert (np.diff(first.x[:, 0]) < 0).any()


def test_sampling_draws_from_no_global_generator():
    np.random.seed(1)
    before = np.random.get_state()[1].tobytes()
    sample_arrays(X, Y)
    assert np.random.get_state()[1].tobytes() == before


def test_all_rows_of_arrays_are_described_and_the_sample_of_anything_else():
    data = describe(Source(FitFacts(), arrays=(X, Y)), Sample(X[:2], Y[:2]), ["input"], ["output"])
    assert (data.rows, data.complete) == (10, True)
    tapped = describe(Source(FitFacts()), Sample(X[:2], Y[:2]), ["input"], ["output"])
    assert (tapped.rows, tapped.complete) == (2, False)
    assert describe(Source(FitFacts()), None, ["input"], ["output"]) is None


def test_sparse_rows_are_described_by_a_sample(monkeypatch):
    monkeypatch.setattr("deepdebug.model.budget.KEPT_BYTES", 4 * 8 * 10)
    x = sparse.random(1000, 8, 0.5, "csr", "float32", random_state=0)
    source = Source(
        FitFacts("arrays", rows=1000, batch_size=4), (x, np.arange(1000) % 2), (x[:500], np.arange(500) % 2)
    )
    data = describe(source, None, ["input"], ["output"])
    assert (data.rows, data.complete) == (10, False)
    assert data.validation_labels[0].rows == 10
