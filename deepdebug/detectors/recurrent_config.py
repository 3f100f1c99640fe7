"""DD424 recurrent-config."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from deepdebug.detectors import flow
from deepdebug.detectors.findings import finding
from deepdebug.detectors.static import (
    BINARY,
    CATEGORICAL,
    REGRESSIONS,
    labelled_outputs,
    outputs_with_loss,
    static_finding,
)
from deepdebug.errors import NotJudged
from deepdebug.facts import Facts, LabelFacts, LayerFacts, OutputFacts
from deepdebug.observation import Run
from deepdebug.records import Finding

SEQUENCE_AXES = 2


@dataclass(frozen=True)
class RecurrentConfig:
    """Find recurrent layers that return more than the labels have, or whose state grows without a bound.

    What it does:
        Looks for an output with a time axis, behind a recurrent layer with `return_sequences=True`, whose labels lack
        that axis. In every `SimpleRNN` with relu it looks at the largest absolute eigenvalue of the recurrent kernel.

    Why it matters:
        The model says one thing per time step, and the single label is repeated over all of them. The first steps have
        seen almost nothing of the row, yet must predict its label. With relu nothing bounds the state: an eigenvalue
        above 1 multiplies it, and its gradient, at every time step.

    How to fix:
        Set `return_sequences=False` in the last recurrent layer, or give a label per time step. Use tanh and an
        orthogonal recurrent kernel, or an LSTM layer.

    Args:
        max_radius: Largest absolute eigenvalue of the recurrent kernel of a layer with relu that is still accepted.
            Defaults to `1.5`, our first setting, not yet calibrated.

    Example:

    >>> RecurrentConfig(max_radius=2.0).code
    'DD424'
    """

    code: ClassVar[str] = "DD424"
    symptom: ClassVar[str] = "recurrent-config"
    abbreviation: ClassVar[str] = "RNN"
    max_radius: float = 1.5

    def detect(self, run: Run) -> Iterator[Finding]:
        """Yield one finding per kernel that makes the state grow, and per output with a time axis that labels lack."""
        growing = list(self._growing(run))
        yield from growing
        try:
            repeated = list(self._repeated(run))
        except NotJudged:
            if not growing:
                raise
        else:
            yield from repeated

    def _growing(self, run: Run) -> Iterator[Finding]:
        owners = {variable.path: variable.layer for variable in run.facts.variables}
        for seen in run.latest.variables if run.observations else ():
            radius = seen.spectral_radius
            if radius is not None and radius > self.max_radius:
                yield self._growing_finding(run, owners.get(seen.path), radius)

    def _repeated(self, run: Run) -> Iterator[Finding]:
        if not run.facts.layers:
            raise NotJudged("the model could not be read")
        if not any(layer.family == "recurrent" for layer in run.facts.layers):
            return
        for output, labels in labelled_outputs(run.facts, outputs_with_loss(run.facts)):
            layer = _returning_layer(run.facts, output) if lacks_time_axis(run.facts, output, labels) else None
            if layer is not None:
                yield self._repeated_finding(layer, output, labels)

    def _growing_finding(self, run: Run, layer: str | None, radius: float) -> Finding:
        return finding(
            self,
            run.latest,
            "warn",
            f"the recurrent kernel of layer '{layer}' has a spectral radius of {radius:.3g}, so that with relu the "
            "state can grow at every time step",
            location="W",
            layer=layer,
            value=radius,
            threshold=self.max_radius,
            healthy="about 1, as an orthogonal initialisation gives",
            evidence={"cause": "spectral_radius"},
        )

    def _repeated_finding(self, layer: LayerFacts, output: OutputFacts, labels: LabelFacts) -> Finding:
        steps = (output.shape or (None,))[0]
        is_repeated = output.loss.kind in REGRESSIONS
        return static_finding(
            self,
            "error" if is_repeated else "warn",
            f"layer '{layer.name}' returns all time steps, so output '{output.name}' has {steps or 'several'} values "
            "per row where the labels have one",
            layer=layer.name,
            value=float(steps) if steps else None,
            threshold=1.0,
            healthy="return_sequences=False in the last recurrent layer, or labels with a time axis",
            evidence={"output_axes": len(output.shape or ()), "label_axes": len(labels.shape)},
        )


def lacks_time_axis(facts: Facts, output: OutputFacts, labels: LabelFacts) -> bool:
    """Tell whether the output has the time axis of a recurrent layer and the labels have none."""
    if output.shape is None or len(output.shape) != SEQUENCE_AXES or _returning_layer(facts, output) is None:
        return False
    steps, units = output.shape
    if steps == 1 or len(labels.shape) >= SEQUENCE_AXES:
        return False
    if labels.shape in ((), (1,)):
        return True
    has_one_per_unit = labels.shape == (units,) and output.loss.kind in (*CATEGORICAL, *BINARY, *REGRESSIONS)
    return has_one_per_unit and (labels.one_hot if steps is None else units != steps)


def _returning_layer(facts: Facts, output: OutputFacts) -> LayerFacts | None:
    """Return the last recurrent layer before an output, if it returns all time steps."""
    feeding = flow.upstream(facts, output.layer or "")
    recurrent = [layer for layer in facts.layers if layer.family == "recurrent" and layer.name in (feeding or ())]
    if not recurrent:
        return None
    last = recurrent[-1]
    returns = last.config.get("return_sequences", len(last.output_shape or ()) == SEQUENCE_AXES)
    return last if returns else None
