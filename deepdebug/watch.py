"""Watches one `fit`: observe, judge, record, conclude. Nothing here may stop a training, so every part is guarded."""

from __future__ import annotations

import contextlib
import logging
import math
import time
import weakref
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from deepdebug.detectors.registry import Detector, Verdict, judge
from deepdebug.facts import Facts, FitFacts
from deepdebug.judging import FindingLog, conclude
from deepdebug.model.budget import rows_to_look_at
from deepdebug.model.feed import Feed
from deepdebug.model.layers import input_names
from deepdebug.model.observer import Observer, is_number
from deepdebug.model.sample import Sample
from deepdebug.observation import EpochEnd, Observation, Run
from deepdebug.observe.data_flow import with_data_flow
from deepdebug.pace import is_due, widest
from deepdebug.presets import Preset
from deepdebug.recording import RecordingWriter
from deepdebug.records import Finding, Skipped
from deepdebug.report import console
from deepdebug.report.report import Report

RAISING = ("error", "fatal")
REPORT_FILES = ("report.json", "report.html")
NO_DATA = "no training data could be found in the running `fit`; pass `probe=(x, y)`"
UNREAD_DATA = "the training data of the running `fit` could not be read, so that only weights and metrics were watched"
logger = logging.getLogger("deepdebug")
_newest: weakref.WeakValueDictionary[Path, Watch] = weakref.WeakValueDictionary()  # who writes to a folder


@dataclass(frozen=True, slots=True)
class Plan:
    """What the user asked of `Diagnose`.

    Args:
        preset: The preset.
        detectors: The chosen detectors.
        probe: The user's probe rows, or `None`.
        log_dir: Folder for the recording and the reports, or `None`.
        spacing: Updates between two looks at epoch ends, see `widest`; 0 looks at the end of every epoch.
    """

    preset: Preset
    detectors: tuple[Detector, ...]
    probe: Sample | None = None
    log_dir: Path | None = None
    spacing: int = 0


class Watch:
    """Watches one `fit` of one model.

    Args:
        model: The model in training.
        plan: What the user asked for.
    """

    def __init__(self, model: keras.Model, plan: Plan) -> None:
        self._model = model
        self._plan = plan
        self._feed: Feed | None = None
        self._observer: Observer | None = None
        self._writer: RecordingWriter | None = None
        self._observations: list[Observation] = []
        self._passed: list[EpochEnd] = []
        self._log = FindingLog(plan.preset.first_hit_wins)
        self._facts = Facts(model.name)
        self._skipped: dict[str, Skipped] = {}
        self._news: list[Finding] = []
        self._finished = False
        self._closed = False
        self._is_timing = False
        self.seconds = 0.0

    def begin(self, params: Mapping[str, Any]) -> None:
        """Look at the model before the first update; where the data pass by only once, when they first do.

        Args:
            params: `Callback.params`.
        """
        with self._guarded("training data"):
            self._feed = Feed(self._model, params, self._plan.probe)
            self._feed.open(self._first_look)

    def _first_look(self) -> None:
        with self.timed():
            self._start()
            self.check(-1, "begin", {})

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count the seconds spent inside the block; blocks inside blocks count once."""
        outermost, self._is_timing = not self._is_timing, True
        start = time.perf_counter()
        try:
            yield
        finally:
            if outermost:
                self._is_timing = False
                self.seconds += time.perf_counter() - start

    def begin_validation(self) -> None:
        """Look at the validation batches too, where the validation data are no arrays."""
        if self._feed is not None:
            with self._guarded("validation data"):
                self._feed.open_validation()

    def check(self, epoch: int, trigger: str, logs: Mapping[str, Any]) -> None:
        """Look at the model now and judge the run so far.

        Args:
            epoch: Epoch counted from 0; -1 before the first update.
            trigger: "begin", "epoch", "batch" or "alarm".
            logs: The `logs` of Keras.
        """
        if self._closed:
            return
        with self._guarded("check"):
            if trigger == "epoch":
                self._refresh()
            if self._observer is None:
                self._start()
            self._judge(epoch, trigger, logs)

    def end_epoch(self, epoch: int, logs: Mapping[str, Any], is_last: bool) -> None:
        """Observe the model at the end of an epoch or, where the last time is not long ago, note what Keras logged.

        Args:
            epoch: Epoch counted from 0.
            logs: The `logs` of Keras.
            is_last: Whether training ends with it, as far as is known.
        """
        if self._closed:
            return
        with self._guarded("epoch"):
            observer = self._observer
            if observer is None or is_last or self._is_due(observer, logs):
                self.check(epoch, "epoch", logs)
            else:
                self._pass_by(observer.pass_by(epoch, logs))

    def alarming(self, logs: Mapping[str, Any]) -> bool:
        """Tell whether the loss of a batch has stopped being a finite number."""
        with self._guarded("loss"):
            loss = logs.get("loss", 0.0)
            return is_number(loss) and not math.isfinite(float(loss))
        return False

    def news(self) -> tuple[Finding, ...]:
        """Return the findings that are new or have become more severe since the last call."""
        news = tuple(self._news)
        self._news.clear()
        return news

    def end(self) -> None:
        """Give the verdicts about the whole run and write the reports."""
        with self._guarded("end"), self.timed():
            if self._observations:
                self._look_at_the_end()
            self._finished = True
            if self._observations:
                self._news.extend(self._log.add(self._verdict(), again=True))
                self._log.settle()
        with self._guarded("observations.jsonl"):
            if self._writer is not None:
                self._writer.end(self.seconds)
        self.close()

    def close(self) -> None:
        """Write the reports and let go of data and model; called after an interrupted training too."""
        if self._closed:
            return
        self._closed = True
        if self._feed is not None:
            with self._guarded("training data"):
                self._feed.close()
        if self._writer is not None:
            with self._guarded("observations.jsonl"):
                self._writer.close()
        self._facts = self._run().facts
        self._feed = self._observer = None
        if self._plan.log_dir is not None and self._observations:
            for name in REPORT_FILES:
                with self._guarded(name):
                    self.report().save(self._plan.log_dir / name)

    def report(self) -> Report:
        """Return the report as of now."""
        return conclude(
            self._run(),
            self._log,
            self._plan.detectors,
            self._plan.preset.diagnose,
            preset=self._plan.preset.name,
            skipped=tuple(self._skipped.values()),
            seconds=self.seconds,
        )

    def text(self) -> str:
        """Return the report as text; empty where it cannot be rendered."""
        with self._guarded("text"):
            return str(self.report())
        return ""

    def show(self) -> None:
        """Print the report to standard output."""
        with self._guarded("console"):
            console.show(self.report())

    def announce(self) -> None:
        """Print the certain findings of severity "error" or "fatal" so far."""
        severe = [one for one in self._log.findings if one.severity in RAISING and one.confidence == "certain"]
        with self._guarded("console"):
            console.announce(severe)

    @property
    def finding_count(self) -> int:
        """Number of findings of severity "warn" or worse so far."""
        return sum(finding.severity != "info" for finding in self._log.findings)

    def _start(self) -> None:
        """Build what looks at the model, with the rows there are, and open the recording."""
        sample = self._feed.screen if self._feed is not None else None
        self._observer = Observer(self._model, self._feed.fit if self._feed is not None else FitFacts(), sample)
        if self._feed is not None:
            self._feed.max_rows = min(self._feed.max_rows, rows_to_look_at(self._observer.facts))
        if sample is None:
            self._skip(Skipped("probe", UNREAD_DATA if self._feed is None else NO_DATA))
        self._describe_data()
        if self._plan.log_dir is not None:
            with self._guarded("observations.jsonl"):
                self._take_over(self._plan.log_dir)
                self._writer = RecordingWriter(self._plan.log_dir, self._observer.facts)
                for skipped in self._skipped.values():
                    self._writer.skipped(skipped)

    def _take_over(self, log_dir: Path) -> None:
        """Let an interrupted training write its reports now, before ours, not when it happens to be cleared away."""
        earlier, _newest[log_dir] = _newest.get(log_dir), self
        if earlier is not None:
            earlier.close()

    def _describe_data(self) -> None:
        observer, feed = self._observer, self._feed
        if observer is None or feed is None:
            return
        with self._guarded("data"):
            data = feed.describe(input_names(self._model), [output.name for output in observer.facts.outputs])
            observer.facts = with_data_flow(replace(observer.facts, data=data))

    def _refresh(self) -> None:
        feed, observer = self._feed, self._observer
        if feed is None:
            return
        for problem in feed.problems():
            self._skip(problem)
        if feed.refresh() and observer is not None:
            self._describe_data()
            if self._writer is not None and observer.facts.data is not None:
                self._writer.data(observer.facts.data)

    def _judge(self, epoch: int, trigger: str, logs: Mapping[str, Any]) -> None:
        observer, feed = self._observer, self._feed
        if observer is None:
            return
        self._observations.append(observer.observe(epoch, trigger, logs, feed.screen if feed is not None else None))
        verdict = self._verdict()
        more = feed.confirm if feed is not None and self._log.has_news(verdict) else None
        if more is not None:
            with self._guarded("confirmation"):
                self._observations[-1] = replace(observer.observe(epoch, trigger, logs, more), confirmed=True)
                verdict = self._verdict()
        for skipped in observer.skipped:
            self._skip(skipped)
        if self._writer is not None:
            with self._guarded("observations.jsonl"):
                self._writer.observation(self._observations[-1])
        self._news.extend(self._log.add(verdict))

    def _is_due(self, observer: Observer, logs: Mapping[str, Any]) -> bool:
        if not self._observations:
            return True
        newest = self._observations[-1]
        # A number that has just stopped being finite is no matter for later; one that was not before is no news.
        has_broken = bool(_broken(logs) - _broken(newest.metrics))
        fit = observer.facts.fit
        planned = None if fit.steps_per_epoch is None else (fit.planned_epochs or 0) * fit.steps_per_epoch
        return has_broken or is_due(observer.step, newest.step, widest(planned, self._plan.spacing))

    def _pass_by(self, epoch: EpochEnd) -> None:
        self._passed.append(epoch)
        if self._writer is not None:
            with self._guarded("observations.jsonl"):
                self._writer.epoch(epoch)

    def _look_at_the_end(self) -> None:
        """Look at the model if training ended, unforeseen, with an epoch that was passed by."""
        if self._passed and self._passed[-1].epoch > self._observations[-1].epoch:
            self.check(self._passed[-1].epoch, "epoch", self._passed[-1].metrics)

    def _verdict(self) -> Verdict:
        return judge(self._run(), self._plan.detectors, self._plan.preset.arrange)

    def _run(self) -> Run:
        facts = self._observer.facts if self._observer is not None else self._facts
        return Run(facts, self._observations, self._finished, self._passed)

    def _skip(self, skipped: Skipped) -> None:
        if skipped.check in self._skipped:
            return
        self._skipped[skipped.check] = skipped
        if self._writer is not None:
            with contextlib.suppress(OSError, ValueError):  # the recording itself may be what failed
                self._writer.skipped(skipped)

    @contextmanager
    def _guarded(self, part: str) -> Iterator[None]:
        """Turn an exception into an entry under `skipped`."""
        try:
            yield
        except Exception as error:  # watching must never break a training
            logger.debug("%s failed", part, exc_info=True)
            self._skip(Skipped(part, f"{type(error).__name__}: {error}"))


def _broken(logs: Mapping[str, Any]) -> set[str]:
    """Return the names of the logged numbers that are not finite."""
    return {str(name) for name, value in logs.items() if is_number(value) and not math.isfinite(float(value))}
