"""`Diagnose`, the only class that meets `fit`."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from deepdebug.config import load_settings
from deepdebug.errors import DiagnosisError, UsageError
from deepdebug.model.sample import check_fit, checked_probe
from deepdebug.presets import find_preset
from deepdebug.report.report import Report
from deepdebug.watch import RAISING, Plan, Watch

Action = Literal["report", "stop", "raise"]
ACTIONS: tuple[Action, ...] = ("report", "stop", "raise")
FREQUENCIES = ("auto", "epoch")


class Diagnose(keras.callbacks.Callback):  # type: ignore[misc]
    """Finds out during `fit` why a model does not learn, and says what to do.

    It needs no data: it finds the batches, labels and validation data of the running `fit`, looks at the model with one
    compiled function at epoch ends, and never changes the training. After `fit`, `report` holds the findings
    (symptoms with measured numbers) and the diagnoses (root causes, each with a fix as Keras code).

    The number of findings so far enters the logs and the history as `deepdebug_findings`; callbacks that are to write
    it down must stand behind `Diagnose` in the list.

    Args:
        select: Detectors to run, by code ("DD101"), start of a code ("DD1"), symptom ("dead-units") or abbreviation
            ("DNS"). Defaults to `None`: all of the preset.
        ignore: Detectors to leave out, named likewise. Defaults to `()`.
        preset: "default", or "deepdiagnosis" for the symptoms, thresholds and tree of the published tool (ICSE 2022),
            as a baseline. Defaults to `"default"`.
        action: What a finding does: "report" only tells; "stop" ends the training at a finding of severity "fatal";
            "raise" raises `DiagnosisError` at one of severity "error" or "fatal". Defaults to `"report"`.
        probe: Rows to look with, as a pair (x, y) of arrays, tensors or structures of them as `fit` takes them, of
            shape (rows, ...); y may be `None`. Defaults to `None`: rows of the running `fit`.
        check_freq: "auto" to check at epoch ends, but where epochs are short not at every one (`deepdebug.pace`);
            "epoch" to check at every epoch end; or a number of batches, to check after as many and at every epoch end,
            and at once when the loss stops being finite. Looking at batches switches Keras's asynchronous dispatch off,
            and every check is kept, about 0.5 kB per layer and variable. Defaults to `"auto"`, with the preset
            "deepdiagnosis" as `"epoch"`.
        log_dir: Folder that gets `observations.jsonl` (line by line during training, so that a killed run stays
            readable), `report.json` and `report.html`. Defaults to `None`: nothing is written.
        verbose: 0 prints nothing, 1 prints what is certainly wrong before the training, and the report at its end.
            Defaults to `1`.

    Raises:
        UsageError: When an argument cannot be used.

    Example:

    >>> import keras, numpy as np
    >>> model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])
    >>> model.compile(loss="mean_squared_error")
    >>> doctor = Diagnose(verbose=0)
    >>> _ = model.fit(np.eye(4), np.array([3.0, 7.0, 5.0, 9.0]), callbacks=[doctor], verbose=0)
    >>> doctor.report.findings[0].symptom
    'output-range'
    """

    def __init__(
        self,
        select: Sequence[str] | str | None = None,
        *,
        ignore: Sequence[str] | str = (),
        preset: str | None = None,
        action: Action = "report",
        probe: tuple[Any, Any] | None = None,
        check_freq: int | Literal["auto", "epoch"] = "auto",
        log_dir: str | os.PathLike[str] | None = None,
        verbose: int | None = None,
    ) -> None:
        super().__init__()
        settings = load_settings(select=select, ignore=ignore or None, preset=preset, log_dir=log_dir, verbose=verbose)
        chosen = find_preset(settings.preset)
        self._plan = Plan(
            preset=chosen,
            detectors=chosen.detectors(settings.select, settings.ignore),
            probe=None if probe is None else checked_probe(probe),
            log_dir=None if settings.log_dir is None else _checked_folder(Path(settings.log_dir)),
            spacing=chosen.spacing if _checked_frequency(check_freq) == "auto" else 0,
        )
        self._action = _checked_action(action)
        self._verbose = settings.verbose
        self._watch: Watch | None = None
        self._at_exit: weakref.finalize[..., Diagnose] | None = None
        self._epoch = -1
        self._batches, self._last_batch = 0, -1
        self._alarmed = False
        if check_freq not in FREQUENCIES:
            # Only now, because a class that defines the hook costs every user Keras's asynchronous dispatch.
            self._check_freq = int(check_freq)
            self.on_train_batch_end = self._check_batch

    @property
    def report(self) -> Report:
        """The report of the newest `fit`, as of now.

        Raises:
            UsageError: When no `fit` has run with this callback.
        """
        if self._watch is None:
            raise UsageError(
                "`report` was read before any training. Pass the callback to "
                "`model.fit(..., callbacks=[doctor])` first."
            )
        return self._watch.report()

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Look at the model before the first update; called by Keras."""
        if not getattr(self._model, "compiled", False):
            raise UsageError(
                f"`Diagnose` was given the model '{self._model.name}', which is not compiled. Call `model.compile("
                "optimizer=..., loss=...)` before `fit`."
            )
        if self._plan.probe is not None:
            check_fit(self._model, self._plan.probe)
        if self._at_exit is not None:
            self._at_exit()
        self._epoch, self._batches, self._last_batch, self._alarmed = -1, 0, -1, False
        self._watch = Watch(self._model, self._plan)
        self._at_exit = weakref.finalize(self, self._watch.close)  # writes the reports of an interrupted training
        with self._watch.timed():
            self._watch.begin(self.params or {})
        if self._verbose:
            self._watch.announce()
        self._act(self._watch)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note the epoch; called by Keras."""
        self._epoch = epoch

    def on_test_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Get ready to look at validation batches; called by Keras."""
        if self._watch is not None:
            with self._watch.timed():
                self._watch.begin_validation()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Check the model; called by Keras."""
        watch = self._watch
        if watch is None:
            return
        with watch.timed():
            _ = self.model  # brings the variables up to date on JAX
            watch.end_epoch(epoch, logs or {}, is_last=self._is_last(epoch))
            if logs is not None:
                logs["deepdebug_findings"] = float(watch.finding_count)
        self._act(watch)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Conclude, write and print the report; called by Keras."""
        watch = self._watch
        if watch is None:
            return
        watch.end()
        if self._verbose:
            watch.show()
        self._act(watch)

    def _check_batch(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        # Several steps may go by between two calls, and each epoch counts from 0.
        self._batches += batch - self._last_batch if batch > self._last_batch else batch + 1
        self._last_batch = batch
        watch, logs = self._watch, logs or {}
        if watch is None:
            return
        alarm = not self._alarmed and watch.alarming(logs)
        if self._batches < self._check_freq and not alarm:
            return
        self._batches %= self._check_freq
        self._alarmed = self._alarmed or alarm
        with watch.timed():
            _ = self.model
            watch.check(self._epoch, "alarm" if alarm else "batch", logs)
        self._act(watch)

    def _is_last(self, epoch: int) -> bool:
        planned = (self.params or {}).get("epochs")
        return epoch + 1 == planned or bool(getattr(self._model, "stop_training", False))

    def _act(self, watch: Watch) -> None:
        news = watch.news()
        if self._action == "stop" and any(finding.severity == "fatal" for finding in news):
            self._model.stop_training = True
        severe = [finding for finding in news if finding.severity in RAISING]
        if self._action == "raise" and severe:
            watch.close()  # so that the reports are there when the error is read
            raise DiagnosisError(f"{severe[0].code}: {severe[0].message}\n\n{watch.text()}", watch.report())


def _checked_action(action: str) -> Action:
    for known in ACTIONS:
        if action == known:
            return known
    raise UsageError(f"`action` got {action!r}; expected one of {', '.join(map(repr, ACTIONS))}.")


def _checked_frequency(check_freq: int | str) -> int | str:
    if check_freq in FREQUENCIES or (isinstance(check_freq, int) and check_freq is not True and check_freq > 0):
        return check_freq
    raise UsageError(f"`check_freq` got {check_freq!r}; expected 'auto', 'epoch' or a number of batches, at least 1.")


def _checked_folder(log_dir: Path) -> Path:
    if log_dir.exists() and not log_dir.is_dir():
        raise UsageError(f"`log_dir` got '{log_dir}', which is a file; expected a folder, which may not exist yet.")
    return log_dir.absolute()  # the reports go where the recording went, whatever the working folder is by then
