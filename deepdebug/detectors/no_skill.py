"""DD310 no-skill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import gates
from deepdebug.detectors.findings import finding
from deepdebug.detectors.progress import by_chance, settled_checks, uses_input
from deepdebug.detectors.validation import (
    has_become_too_sure,
    validation_gain,
    validation_losses,
    validation_rows,
    validation_yardstick,
)
from deepdebug.errors import NotJudged
from deepdebug.observation import Observation, OutputObservation, Run
from deepdebug.records import Finding, Severity

CHECKS = 3
# Skill times rows that validation data may show by chance: about (classes - 1) / 2 / the loss of the best constant
# (Wilks 1938), and as much again because the best epoch is taken; our first setting, for up to some ten classes.
CHANCE = 10.0
LITTLE = 0.1  # skill of the best epoch that is forgotten when the newest has none; our first setting


@dataclass(frozen=True)
class NoSkill:
    """Find models that predict no better than one constant answer.

    What it does:
        Compares the loss of each output on the probe rows with that of the best constant on the same labels, in three
        successive checks after 200 updates. The loss must not depend on the input either, and the skill must not be
        rising unless training has ended. Models with several outputs are judged when the skill of all of them is known.
        Of a single output the validation loss is compared likewise, from 50 validation rows on: when it was never below
        that of the best constant, what is learned of the training rows does not hold for others. That is a warning, and
        an error when training has ended and what skill there is may be chance, unless the model finds other classes
        than the commonest and has only become too sure of its errors. It is an error too when a little skill of some
        epoch has gone and the validation accuracy is at the share of the commonest class.

    Why it matters:
        A falling loss alone can hide it: the model may only have learned the mean of its labels.

    How to fix:
        Check that labels stand in the order of their rows, scale inputs and targets, and follow the findings about
        gradients and the learning rate.

    Args:
        max_skill: Largest skill, 1 - loss / loss of the best constant, that counts as none. Defaults to `0.02`, our
            first setting, not yet calibrated.
        min_progress: Smallest rise of the skill over the checks that lets a run go on unjudged. Defaults to `0.02`, our
            first setting, not yet calibrated.

    Example:

    >>> NoSkill(max_skill=0.05).code
    'DD310'
    """

    code: ClassVar[str] = "DD310"
    symptom: ClassVar[str] = "no-skill"
    abbreviation: ClassVar[str] = "SKL"
    max_skill: float = 0.02
    min_progress: float = 0.02

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per output without skill in the newest three checks, or on the validation data."""
        checks = settled_checks(run, CHECKS)
        if gates.broken(run):
            return
        unseen = validation_yardstick(run)
        try:
            failing, severity = self._failing(run, checks)
        except NotJudged:
            if unseen is None:
                raise
            failing, severity = [], "warn"
        for name in failing:
            yield self._finding(run, checks[-1], name, severity)
        if unseen is not None and not failing:
            yield from self._on_validation(run, unseen)

    def _failing(self, run: Run, checks: list[Observation]) -> tuple[list[str], Severity]:
        names = [facts.name for facts in run.facts.outputs if facts.loss.kind != "none"]
        histories = {name: [_skill(seen, name) for seen in checks] for name in names}
        if not names or any(None in history for history in histories.values()):
            raise NotJudged("needs a Keras loss with a known best constant for every output, and labels that vary")
        fit = run.facts.fit
        if (fit.class_weight or fit.sample_weight) and checks[-1].input_use is None:
            raise NotJudged("needs the loss with permuted labels, since rows or classes are weighted")
        if gates.learning_rate_run_out(run) or any(uses_input(seen) for seen in checks):
            return [], "warn"
        failing = [
            name
            for name, history in histories.items()
            if self._stuck(run, checks, [one for one in history if one is not None])
        ]
        return failing, "error" if len(failing) == len(names) else "warn"

    def _stuck(self, run: Run, checks: list[Observation], history: list[float]) -> bool:
        is_rising = history[-1] - history[0] >= self.min_progress and not run.finished
        sure = [skill - by_chance(seen) for seen, skill in zip(checks, history, strict=True)]
        return max(sure) <= self.max_skill and not is_rising

    def _on_validation(self, run: Run, yardstick: float) -> Iterator[Finding]:
        losses = validation_losses(run)
        if len(losses) < CHECKS:
            return
        skill = 1 - min(losses) / yardstick
        is_lost = skill <= LITTLE and losses[-1] >= yardstick and validation_gain(run) == 0
        if skill > self.max_skill and not is_lost:
            return
        output = run.facts.outputs[0]
        is_chance = skill <= CHANCE / max(1, validation_rows(run)) and not has_become_too_sure(run, yardstick)
        yield finding(
            self,
            run.latest,
            "error" if run.finished and (is_lost or is_chance) else "warn",
            f"output '{output.name}' has no skill on the validation data after {run.latest.step} updates: the loss was "
            f"{min(losses):.3g} at best, that of the best constant is {yardstick:.3g}",
            location="M",
            healthy="below that of the best constant within 200 updates",
            value=skill,
            threshold=self.max_skill,
            evidence={"loss": min(losses), "constant_loss": yardstick, "skill": run.latest.skill},
            layer=output.layer,
        )

    def _finding(self, run: Run, seen: Observation, name: str, severity: Severity) -> Finding:
        facts = next(one for one in run.facts.outputs if one.name == name)
        output = next(one for one in seen.outputs if one.name == name)
        return finding(
            self,
            seen,
            severity,
            f"output '{name}' has a skill of {output.skill:.3g} after {seen.step} updates: loss {output.loss:.3g}, the "
            f"best constant {output.constant_loss:.3g}{_accuracy(output)}",
            location="M",
            healthy="above 0.1 within 200 updates",
            value=output.skill,
            threshold=self.max_skill,
            evidence={
                "loss": output.loss,
                "constant_loss": output.constant_loss,
                "accuracy": output.accuracy,
                "majority": output.majority,
                "input_use": seen.input_use,
            },
            layer=facts.layer,
        )


def _skill(seen: Observation, name: str) -> float | None:
    return next((output.skill for output in seen.outputs if output.name == name), None)


def _accuracy(output: OutputObservation) -> str:
    if output.accuracy is None or output.majority is None:
        return ""
    return f"; accuracy {output.accuracy:.3g}, the commonest class {output.majority:.3g}"
