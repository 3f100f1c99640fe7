"""Keeps the rows to probe with: indexed where the data are arrays, else tapped from the batches that pass by."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import keras

from deepdebug.facts import DataFacts, FitFacts
from deepdebug.model import private
from deepdebug.model.budget import rows_to_keep
from deepdebug.model.sample import Sample
from deepdebug.model.source import CONFIRM_ROWS, describe, find_source, sample_arrays, screen_rows
from deepdebug.model.tap import Tap
from deepdebug.records import Skipped


class Feed:
    """The rows of the running `fit`, and those to look at, which are the user's where given.

    Args:
        model: The model in training.
        params: `Callback.params`.
        probe: The user's rows, or `None`.
    """

    def __init__(self, model: keras.Model, params: Mapping[str, Any], probe: Sample | None) -> None:
        self._model = model
        self._source = find_source(model, params)
        self._probe = probe
        self._fixed_rows = private.fixed_rows(model)
        self._taps: dict[str, Tap] = {}
        self._all: Sample | None = None  # the rows to look at
        self._drawn: Sample | None = None  # the rows of the training data, where they are no arrays
        self.max_rows = CONFIRM_ROWS

    @property
    def fit(self) -> FitFacts:
        """The arguments of `fit`; the batch size of a tapped source is that of the rows seen first."""
        return self._source.fit

    @property
    def screen(self) -> Sample | None:
        """The rows for each check, a small share of an epoch."""
        if self._all is None:
            return None
        return self._all.head(self._fixed_rows or screen_rows(self.fit, min(self._all.rows, self.max_rows)))

    @property
    def confirm(self) -> Sample | None:
        """All rows kept, for a second look before a finding is reported; `None` when there are no more.

        Either look takes at most `max_rows`.
        """
        if self._fixed_rows is not None or self._all is None or self.screen is None:
            return None
        more = self._all.head(self.max_rows)
        return more if more.rows > self.screen.rows else None

    def open(self, ready: Callable[[], None]) -> None:
        """Get rows and call `ready` once: now, or when the first batch passes by, before the model sees it.

        Without rows and without a running `fit` (a loop of the user's own) it is called with nothing to look at.
        """
        arrays = self._source.arrays
        if arrays is not None:
            self._all = sample_arrays(*arrays, min(CONFIRM_ROWS, rows_to_keep(self.fit, arrays[0])))
        elif self._model.train_function is not None:
            first = functools.partial(self._first, ready)
            self._taps["train"] = Tap(self._model, "train_function", CONFIRM_ROWS, first)
        self._all = self._probe or self._all
        if self._all is not None or not self._taps:
            ready()

    def _first(self, ready: Callable[[], None], sample: Sample) -> None:
        self._drawn = sample
        if self.fit.batch_size is None:
            self._source = replace(self._source, fit=replace(self.fit, batch_size=sample.rows))
        if self._all is None:
            self._all = sample
            ready()

    def open_validation(self) -> None:
        """Tap the validation batches, where the validation data are no arrays."""
        if self.fit.validation == "given" and self._source.validation is None and "validation" not in self._taps:
            self._taps["validation"] = Tap(self._model, "test_function", CONFIRM_ROWS)

    def refresh(self) -> bool:
        """Take over what was tapped up to the end of an epoch; tell whether there is anything new."""
        validation, train = self._taps.get("validation"), self._taps.pop("train", None)
        changed = False
        if validation is not None and self._source.validation is None and validation.sample is not None:
            self._source = replace(self._source, validation=(validation.sample.x, validation.sample.y))
            validation.close()
            changed = True
        if train is not None:
            train.close()
            self._drawn = train.sample or self._drawn
            self._all = self._probe or self._drawn
            changed = changed or train.sample is not None
        return changed

    def describe(self, input_names: list[str], output_names: list[str]) -> DataFacts | None:
        """Return the facts of the data: of all rows where they are arrays, else of the rows kept."""
        return describe(self._source, self._drawn, input_names, output_names)

    def problems(self) -> Iterator[Skipped]:
        """Yield what went wrong with tapping."""
        for name, tap in self._taps.items():
            if tap.reason is not None:
                yield Skipped(f"{name} data", tap.reason)

    def close(self) -> None:
        """Give the model its own functions back."""
        for tap in self._taps.values():
            tap.close()
